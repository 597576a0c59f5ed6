"""Features after l aggregations of graphs whose features fit into memory only once, or by columns.

As many columns of X as fit are taken through all H aggregations together; only the labelled rows
of each hop are kept, on disk (matrix_file.py). Every number is that of X S^l R in propagation.py,
up to rounding. Time is linear in the stored entries of S, times the features. Features that are a
file are read once for each block of columns, and converted to float64 there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from gnn_dynamics.data.adjacency import CHUNK, csr_of_ones, row_ranges
from gnn_dynamics.data.graph import Graph
from gnn_dynamics.linalg.products import csr_tensor
from gnn_dynamics.problem.features import FEATURES, standardised
from gnn_dynamics.problem.matrix_file import NUMBER, MatrixFile, temporary_matrix_file
from gnn_dynamics.problem.problem import Problem, build_problem, readout_matrix

ROWS = 2**14  # of features that are made dense, or read, at a time
# More columns do not share more of the entries that a sparse product reads.
MOST_COLUMNS = 128
MOST_ENTRIES = 2**26  # of some rows of S at a time, which share one array of ones
# Columns of a product start on a cache line.
COLUMN_TILE = 8
# (a, b) of the aggregations D^a (A + I) D^b, which need no S beside A.
SCALED = {"gcn": (-0.5, -0.5), "gin": (None, None), "rw": (None, -1)}
BY_ROWS = ("raw", "row")  # features of which each row depends on that of its node alone


@dataclass(frozen=True)
class Source:
    """A graph as aggregation by columns sees it.

    aggregate: (T, out), both (n, c): writes S^T T to out, and may spoil T
    columns: (first, end) -> features first..end-1 of all n nodes, dense (n, end - first), new
    readout: R^T (nbar, n)
    extra_bytes: memory that it takes beside the graph, or the problem, from which it was made
    height: rows of what `columns` works on, where these are more than n
    """

    aggregate: Callable[[Tensor, Tensor], None]
    columns: Callable[[int, int], np.ndarray]
    readout: sp.csr_array
    m_x: int
    extra_bytes: int = 0
    height: int = 0

    @property
    def nbar(self) -> int:
        return int(self.readout.shape[0])

    @property
    def column_bytes(self) -> int:
        """Memory that each column takes: two numbers for each node, one for each labelled one."""
        return int(NUMBER * (2 * max(self.readout.shape[1], self.height) + self.nbar))


def features_on_disk(
    source: Source, hops: Sequence[int], memory: float, matrix_file: MatrixFile | None = None
) -> MatrixFile:
    """P_l (nbar, m_x) for each of `hops` in a file, made with at most `memory` bytes at work.

    At least COLUMN_TILE columns are aggregated at a time, so `memory` must hold so many.
    matrix_file: an empty one; None for a temporary one.

    Raises:
        UserError: if the temporary folder has too little room.
    """
    matrix_file = matrix_file or temporary_matrix_file(source.nbar, source.m_x, len(hops))
    for first, end in column_blocks(source, memory):
        _write_columns(source, hops, first, end, matrix_file)
    return matrix_file


def _write_columns(
    source: Source, hops: Sequence[int], first: int, end: int, matrix_file: MatrixFile
) -> None:
    # On return both arrays are free again, before the next columns are made.
    T = torch.from_numpy(source.columns(first, end))
    out = torch.empty_like(T)
    for hop in range(max(hops) + 1):
        if hop:
            source.aggregate(T, out)
            T, out = out, T
        if hop in hops:
            matrix_file.write(hop, first, source.readout @ T.numpy())  # (nbar, end - first)


def column_blocks(source: Source, memory: float) -> list[tuple[int, int]]:
    """(first, end) of blocks of equal width, as wide as `memory` bytes allow."""
    fit = int(min(memory // source.column_bytes, MOST_COLUMNS)) // COLUMN_TILE
    tiles = -(-source.m_x // COLUMN_TILE)
    count = max(1, -(-tiles // max(fit, 1)))
    width = max(1, -(-tiles // count)) * COLUMN_TILE
    return [(a, min(a + width, source.m_x)) for a in range(0, source.m_x, width)]


# Sources -----------------------------------------------------------------------------------------


def problem_source(problem: Problem) -> Source:
    """The source of a `Problem`, S and X as they are there."""
    M = row_blocks(sp.csr_array(problem.S.T))

    def aggregate(T: Tensor, out: Tensor) -> None:
        accumulate(out.zero_(), M, T)

    readout = sp.csr_array(problem.R.T)
    return Source(aggregate, partial(dense_columns, problem.X), readout, problem.m_x)


def graph_source(graph: Graph, aggregation: str, features: str, nodes: str, depth: int) -> Source:
    """The source of `build_problem(graph, aggregation, features, nodes)`, without S or a copy of X.

    Where fewer than half of the nodes lie within `depth` hops of I, only these are aggregated.
    Principal components and own features are computed at once and kept in memory, (n, m); so are S
    and X of an aggregation that is not in SCALED.

    Raises:
        UserError: as `build_problem`.
    """
    if aggregation not in SCALED:
        problem = build_problem(graph, aggregation, features, nodes)
        kept = sum(M.size * (NUMBER + NUMBER // 2) for M in (problem.S, problem.X))
        return replace(problem_source(problem), extra_bytes=kept)
    A, R = graph.adjacency, sp.csr_array(readout_matrix(graph, nodes).T)  # (nbar, n)
    degrees = np.diff(A.indptr) + 1.0
    kept = reachable(A, R, depth)
    if 2 * len(kept) >= graph.n:
        m_x, columns = feature_columns(graph.features, features)
        return Source(adjacency_aggregation(A, degrees, aggregation), columns, R, m_x)
    A, R = submatrix(A, kept), sp.csr_array(R[:, kept])
    aggregate = adjacency_aggregation(A, degrees[kept], aggregation)
    m_x, columns = feature_columns(graph.features, features, kept)
    height = graph.n if features == "standard" else 0
    return Source(aggregate, columns, R, m_x, A.indices.nbytes, height)


def reachable(A: sp.csr_array, R: sp.csr_array, depth: int) -> np.ndarray:
    """Nodes within `depth` hops of those that R^T (nbar, n) reads, ascending."""
    reached, M = torch.zeros(A.shape[0], 1, dtype=torch.float64), row_blocks(A)
    reached[R.indices] = 1
    for _ in range(depth):
        before = reached.clone()
        accumulate(reached, M, before)
        reached.sign_()
    return np.flatnonzero(reached.numpy())


def submatrix(A: sp.csr_array, kept: np.ndarray) -> sp.csr_array:
    """A[kept][:, kept] of a matrix of ones, without the memory of A[kept]."""
    number = np.full(A.shape[0], -1, dtype=np.int32)
    number[kept] = np.arange(len(kept))
    indices, counts = [], [np.zeros(1, dtype=np.int64)]
    for rows in row_ranges(A.indptr, CHUNK):
        bounds = A.indptr[rows.start : rows.stop + 1]
        columns = number[A.indices[bounds[0] : bounds[-1]]]
        here = (columns >= 0) & np.repeat(number[rows] >= 0, np.diff(bounds))
        indices.append(columns[here])
        before = np.concatenate([[0], np.cumsum(here)])[bounds - bounds[0]]
        counts.append(np.diff(before)[number[rows] >= 0])
    pointers = np.cumsum(np.concatenate(counts))
    return csr_of_ones(np.concatenate(indices), pointers)


def adjacency_aggregation(
    A: sp.csr_array, degrees: np.ndarray, kind: str
) -> Callable[[Tensor, Tensor], None]:
    """T -> S^T T from A itself: S^T = D^a (A + I) D^b, so that no S is stored beside A."""
    M = row_blocks(A)
    D = torch.from_numpy(degrees).unsqueeze(1)
    before, after = (None if power is None else D**power for power in SCALED[kind])

    def aggregate(T: Tensor, out: Tensor) -> None:
        if before is not None:
            T *= before
        accumulate(out.copy_(T), M, T)
        if after is not None:
            out *= after

    return aggregate


def row_blocks(M: sp.csr_array) -> list[tuple[slice, Tensor]]:
    """(rows, M[rows] as a torch matrix), each with few enough entries for int32 indices.

    They share the memory of M, and the blocks of a matrix of ones the same ones.
    """
    ranges = list(row_ranges(M.indptr, MOST_ENTRIES))
    bounds = [(int(M.indptr[rows.start]), int(M.indptr[rows.stop])) for rows in ranges]
    ones = M.data.strides == (0,)
    shared = np.ones(max(end - first for first, end in bounds)) if ones else M.data
    blocks = []
    for rows, (first, end) in zip(ranges, bounds, strict=True):
        values = shared[: end - first] if ones else shared[first:end]
        pointers = M.indptr[rows.start : rows.stop + 1] - first
        arrays = (values, M.indices[first:end], pointers)
        block = sp.csr_array(arrays, shape=(rows.stop - rows.start, M.shape[1]))
        blocks.append((rows, csr_tensor(block, torch.float64, torch.device("cpu"))))
    return blocks


def accumulate(out: Tensor, blocks: list[tuple[slice, Tensor]], T: Tensor) -> None:
    """out += M T, in place."""
    for rows, block in blocks:
        torch.addmm(out[rows], block, T, out=out[rows])


def feature_columns(
    X: sp.csr_array | np.ndarray, kind: str, nodes: np.ndarray | None = None
) -> tuple[int, Callable[[int, int], np.ndarray]]:
    """m_x and (first, end) -> these columns of `FEATURES[kind](X)`, dense.

    nodes: ids of the rows that are wanted, ascending; None for all of them.
    """
    if kind in BY_ROWS:
        return X.shape[1], lambda a, b: dense_columns(X, a, b, kind, nodes)
    rows = slice(None) if nodes is None else nodes
    if kind == "standard":
        return X.shape[1], lambda a, b: standardised(dense_columns(X, a, b))[rows]
    Z = FEATURES[kind](X)
    return Z.shape[1], lambda a, b: dense_columns(Z, a, b, nodes=nodes)


def dense_columns(
    X: sp.csr_array | np.ndarray,
    first: int,
    end: int,
    kind: str = "raw",
    nodes: np.ndarray | None = None,
) -> np.ndarray:
    """Columns first..end-1 of X (n, m_x), or of some rows, as they are or with `row` features.

    Returns (n, end - first), float64.
    """
    out = np.empty((X.shape[0] if nodes is None else len(nodes), end - first))
    for top in range(0, len(out), ROWS):
        part = slice(top, top + ROWS)
        rows = X[part] if nodes is None else X[nodes[part]]
        some = (rows if kind == "raw" else FEATURES[kind](rows))[:, first:end]
        out[part] = some if isinstance(some, np.ndarray) else some.toarray()
    return out
