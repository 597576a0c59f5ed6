"""Features after l aggregations of graphs whose features fit into memory only once, or by columns.

As many columns of X as fit are taken through all H aggregations together; only the labelled rows
of each hop are kept, on disk (matrix_file.py). Every number is that of X S^l R in propagation.py,
up to rounding. Time is linear in the stored entries of S, times the features.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from gnn_dynamics.data.graph import Graph
from gnn_dynamics.linalg.products import csr_tensor
from gnn_dynamics.problem.features import FEATURES, standardised
from gnn_dynamics.problem.matrix_file import NUMBER, MatrixFile, temporary_matrix_file
from gnn_dynamics.problem.problem import Problem, build_problem, readout_matrix

ROWS = 2**14  # of sparse features that are made dense at a time
# More columns do not share more of the entries that a sparse product reads.
MOST_COLUMNS = 128
MOST_ENTRIES = 2**31 - 1  # of a matrix with int32 indices
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
    """

    aggregate: Callable[[Tensor, Tensor], None]
    columns: Callable[[int, int], np.ndarray]
    readout: sp.csr_array
    m_x: int
    extra_bytes: int = 0

    @property
    def nbar(self) -> int:
        return int(self.readout.shape[0])

    @property
    def column_bytes(self) -> int:
        """Memory that each column takes: two numbers for each node, one for each labelled one."""
        return int(NUMBER * (2 * self.readout.shape[1] + self.nbar))


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
    return Source(aggregate, partial(columns_of, problem.X), readout, problem.m_x)


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
    m_x, columns = feature_columns(graph.features, features)
    kept = reachable(A, R, depth)
    if 2 * len(kept) >= graph.n:
        return Source(adjacency_aggregation(A, degrees, aggregation), columns, R, m_x)
    A, R = sp.csr_array(A[kept][:, kept]), sp.csr_array(R[:, kept])
    aggregate = adjacency_aggregation(A, degrees[kept], aggregation)
    copied = A.data.nbytes + A.indices.nbytes
    return Source(aggregate, lambda a, b: columns(a, b)[kept], R, m_x, copied)


def reachable(A: sp.csr_array, R: sp.csr_array, depth: int) -> np.ndarray:
    """Nodes within `depth` hops of those that R^T (nbar, n) reads, ascending."""
    reached = np.zeros(A.shape[0])
    reached[R.indices] = 1
    for _ in range(depth):
        reached = np.sign(reached + A @ reached)
    return np.flatnonzero(reached)


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

    They share the memory of M where its indices are int32, as they are below 2^31 entries.
    """
    blocks, top = [], 0
    while top < M.shape[0]:
        first = int(M.indptr[top])
        end = int(np.searchsorted(M.indptr, first + MOST_ENTRIES, side="right")) - 1
        end = max(end, top + 1)
        entries = slice(first, int(M.indptr[end]))
        arrays = (M.data[entries], M.indices[entries], M.indptr[top : end + 1] - first)
        block = sp.csr_array(arrays, shape=(end - top, M.shape[1]))
        blocks.append((slice(top, end), csr_tensor(block, torch.float64, torch.device("cpu"))))
        top = end
    return blocks


def accumulate(out: Tensor, blocks: list[tuple[slice, Tensor]], T: Tensor) -> None:
    """out += M T, in place."""
    for rows, block in blocks:
        torch.addmm(out[rows], block, T, out=out[rows])


def feature_columns(X: sp.csr_array, kind: str) -> tuple[int, Callable[[int, int], np.ndarray]]:
    """m_x and (first, end) -> these columns of `FEATURES[kind](X)`, dense."""
    if kind in BY_ROWS:
        return X.shape[1], lambda a, b: dense_columns(X, a, b, kind)
    if kind == "standard":
        return X.shape[1], lambda a, b: standardised(dense_columns(X, a, b))
    Z = FEATURES[kind](X)
    return Z.shape[1], lambda a, b: columns_of(Z, a, b)


def columns_of(X: sp.csr_array | np.ndarray, first: int, end: int) -> np.ndarray:
    """Columns first..end-1 of X (n, m_x), dense and new."""
    if sp.issparse(X):
        return dense_columns(X, first, end)
    return np.array(X[:, first:end], order="C")


def dense_columns(X: sp.csr_array, first: int, end: int, kind: str = "raw") -> np.ndarray:
    """Columns first..end-1 of X (n, m_x) as they are or with `row` features; (n, end - first)."""
    out = np.empty((X.shape[0], end - first))
    for top in range(0, len(out), ROWS):
        rows = sp.csr_array(FEATURES[kind](X[top : top + ROWS]))
        out[top : top + ROWS] = rows[:, first:end].toarray()
    return out
