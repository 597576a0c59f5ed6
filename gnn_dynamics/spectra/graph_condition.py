"""The graph condition: is sigma_min of G_H (Theorem 1), or of the stack Gs (Theorem 2), positive?

sigma_min is the min(rows, cols)-th singular value, as in Xu et al. (2021, arXiv 2105.04550). The
theorems hold for the smallest positive one, too (docs/theory.md): both are reported.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from torch import Tensor

from gnn_dynamics.artifacts.table import (
    CLEAR_GAP,
    FLAG,
    INTEGERS,
    NOISE,
    REAL,
    SINGULAR,
    SINGULAR_SQUARED,
    TEXT,
    Table,
    integers,
    reals,
)
from gnn_dynamics.config.grid import SPECTRAL
from gnn_dynamics.data.graph import Graph
from gnn_dynamics.linalg.singular_values import (
    BLOCK_HEIGHT,
    Matrix,
    Spectrum,
    append_rows,
    dependent_columns,
    singular_values,
    spectrum_from,
    tsqr,
)
from gnn_dynamics.problem.by_columns import features_on_disk, graph_source
from gnn_dynamics.problem.problem import Problem, build_problem, labelled_ids
from gnn_dynamics.problem.propagation import hops
from gnn_dynamics.spectra.memory import MEMORY_GB, bytes_in_memory, working_bytes

# Singular values of G_H or Gs; see `condition_rows` for the columns beside them.
GRAPH_CONDITION = Table(
    keys=tuple(SPECTRAL),
    columns=SPECTRAL
    | integers("rows", "cols", "rank")
    | reals("sigma_max", "sigma_min", "sigma_min_sq", "sigma_min_positive", "sigma_min_positive_sq")
    | {"condition_holds": FLAG, "culprit_nodes": INTEGERS, "method": TEXT, "relative_gap": REAL},
    optional={"culprit_features": INTEGERS, "second_method": TEXT} | reals("tolerance", "rank_gap"),
    kinds={
        "relative_gap": NOISE,
        "rank_gap": CLEAR_GAP,
        **dict.fromkeys(("sigma_min", "sigma_min_positive", "tolerance"), SINGULAR),
        **dict.fromkeys(("sigma_min_sq", "sigma_min_positive_sq"), SINGULAR_SQUARED),
    },
)
# Below this condition number a Gram matrix keeps eight digits of sigma_min.
GRAM_CONDITION = 1e4
# The second method runs where rows * cols * min(rows, cols) is at most this: a second or so.
SECOND_METHOD_WORK = 1e10


@dataclass(frozen=True)
class _Matrix:
    """G_H or Gs: a `factor` with its singular values, and the matrix as `blocks` of rows if kept.

    shape: of the matrix. The factor has the null space of the matrix where it has at least as many
    rows as columns; else the factor has its left null space (blocks of rows in any order).
    """

    shape: tuple[int, int]
    factor: Matrix
    blocks: Sequence[np.ndarray] = ()


def condition_table(graph: Graph, grid: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of graph_condition.parquet for one `Graph`: `aggregations` x `features` x `nodes`.

    These and `depths` are the lists of `grid`; both models are computed. Lists in `all_nodes`, if
    any, replace the others where I is all nodes: there a cell costs minutes. The process keeps to
    `memory_gb` (10^9 bytes, default MEMORY_GB): cells that need more in memory are streamed.

    Raises:
        UserError: where the budget, or the temporary folder, is too small even for that.
    """
    rows, memory = [], 1e9 * grid.get("memory_gb", MEMORY_GB)
    for nodes in grid["nodes"]:
        lists = {**grid, **(grid.get("all_nodes", {}) if nodes == "all" else {})}
        for aggregation, features in product(lists["aggregations"], lists["features"]):
            key = {"dataset": graph.name, "aggregation": aggregation, "features": features}
            cell = (graph, aggregation, features, nodes)
            if bytes_in_memory(graph, features, nodes, max(lists["depths"])) <= memory:
                results = condition_rows(build_problem(*cell), lists["depths"])
            else:
                results = streamed_rows(*cell, lists["depths"], memory)
            rows += [key | {"nodes": nodes} | row for row in results]
    return rows


def condition_rows(problem: Problem, depths: Sequence[int]) -> list[dict[str, Any]]:
    """One row per model and depth; G_l are computed once, and the stack costs one QR per hop.

    Optional columns of GRAPH_CONDITION: `tolerance` and `rank_gap` (how the rank was decided, see
    `Spectrum`); `culprit_features` (features that take part in a dependency among the rows, where
    rows < cols; `culprit_nodes` is null there); `second_method` (what `relative_gap` compares
    with). `method` is "qr-svd", or "interlacing" where the stack's smallest positive singular value
    is below the resolution of float64 and is replaced by that of a lower depth, a lower bound.

    Cost for nbar columns and H hops: O(H m_x nbar min(m_x, nbar)) without skip connections,
    O(H nbar^2 (m_x + nbar)) with them.
    """
    G, shape = hops(problem, max(depths)), (problem.m_x, problem.nbar)
    return _rows(_matrices(G, *shape, max(depths)), depths, problem.node_ids)


def streamed_rows(
    graph: Graph,
    aggregation: str,
    features: str,
    nodes: str,
    depths: Sequence[int],
    memory: float,
) -> list[dict[str, Any]]:
    """`condition_rows` of a `build_problem`, in a process that keeps to `memory` bytes.

    With more labelled columns than rows of the deepest stack, one QR of all hops side by side,
    by blocks of labelled nodes, serves every model and depth: cost 2 nbar ((H+1) m_x)^2 FLOP.

    Raises:
        UserError: if that is too little memory, or the temporary folder has too little room.
    """
    depth = max(depths)
    work = working_bytes(graph, features, nodes, depth, memory)
    source = graph_source(graph, aggregation, features, nodes, depth)
    shape, every = (source.m_x, source.nbar), range(depth + 1)
    matrix_file = features_on_disk(source, every, work - source.extra_bytes)
    if source.nbar <= (depth + 1) * source.m_x:
        G = (matrix_file.matrix(hop).T for hop in every)
        matrices = _matrices(G, *shape, depth)
    else:
        height = BLOCK_HEIGHT * (depth + 1) * source.m_x
        matrices = _leading(tsqr(matrix_file.row_blocks(every, height)), *shape)
    return _rows(matrices, depths, labelled_ids(graph, nodes))


def _rows(
    matrices: Iterable[tuple[int, bool, _Matrix]], depths: Sequence[int], node_ids: np.ndarray
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    below: Spectrum | None = None
    for depth, multiscale, M in matrices:
        if depth not in depths:
            continue
        spectrum, method = _spectrum(M, below if multiscale else None)
        below = spectrum if multiscale else below
        row = {"multiscale": multiscale, "depth": depth, "method": method} | _values(spectrum)
        m_x = M.shape[0] // (depth + 1 if multiscale else 1)
        rows.append(row | _culprits(M, spectrum, m_x, node_ids) | _second(M, spectrum, method))
    return rows


def _matrices(
    G: Iterable[np.ndarray], m_x: int, nbar: int, depth: int
) -> Iterator[tuple[int, bool, _Matrix]]:
    """(depth, multiscale, matrix) for every depth: G_l and the stack, whose factor only is kept."""
    keep = _work((depth + 1) * m_x, nbar) <= SECOND_METHOD_WORK
    R: Tensor | None = None
    blocks: list[np.ndarray] = []
    for hop, G_l in enumerate(G):
        yield hop, False, _Matrix((m_x, nbar), G_l, [G_l])
        R = append_rows(R, G_l)
        blocks += [G_l] if keep else []
        yield hop, True, _Matrix(((hop + 1) * m_x, nbar), R, blocks)


def _leading(R: Tensor, m_x: int, nbar: int) -> Iterator[tuple[int, bool, _Matrix]]:
    """The same from R (p, p) of the QR factorisation of [P_0, ..., P_H], nbar > p = (H+1) m_x.

    Its leading columns are a factor of the first P_l side by side, its l-th columns one of P_l.
    """
    for hop, end in enumerate(range(m_x, len(R) + 1, m_x)):
        yield hop, False, _Matrix((m_x, nbar), R[:end, end - m_x : end].mT)
        yield hop, True, _Matrix((end, nbar), R[:end, :end].mT)


def _work(rows: int, cols: int) -> float:
    return float(rows) * cols * min(rows, cols)


def _spectrum(M: _Matrix, below: Spectrum | None) -> tuple[Spectrum, str]:
    """Spectrum and method; `below` is the stack's spectrum at a lower depth.

    Rows added to a matrix lower no singular value (interlacing), so neither rank nor sigma_r falls
    with depth: where G_l grow by many orders (gin), this knows more than float64 resolves.
    """
    values = singular_values(M.factor)
    spectrum = spectrum_from(values, M.shape, known_rank=below.rank if below else 0)
    resolved = spectrum.sigma_min_positive > spectrum.tolerance
    if not below or spectrum.rank > below.rank or resolved:
        return spectrum, "qr-svd"
    sigma = max(spectrum.sigma_min_positive, below.sigma_min_positive)
    sigma_min = sigma if spectrum.rank == min(M.shape) else 0.0
    return replace(spectrum, sigma_min_positive=sigma, sigma_min=sigma_min), "interlacing"


def _values(spectrum: Spectrum) -> dict[str, Any]:
    names = ("rows", "cols", "rank", "sigma_max", "sigma_min", "sigma_min_positive")
    return {name: getattr(spectrum, name) for name in (*names, "tolerance", "rank_gap")} | {
        "sigma_min_sq": spectrum.sigma_min**2,
        "sigma_min_positive_sq": spectrum.sigma_min_positive**2,
        "condition_holds": spectrum.rank == min(spectrum.rows, spectrum.cols),
    }


def _culprits(
    M: _Matrix, spectrum: Spectrum, m_x: int, node_ids: np.ndarray
) -> dict[str, list[int] | None]:
    """Nodes whose columns are dependent; with fewer rows than columns, features whose rows are."""
    nodes = features = None
    if spectrum.rows >= spectrum.cols:
        nodes = dependent_columns(M.factor, node_ids, spectrum)
    else:
        owners = np.arange(spectrum.rows) % m_x  # each G_l holds the features in order
        features = dependent_columns(M.factor.T, owners, spectrum)
    return {"culprit_nodes": nodes, "culprit_features": sorted(set(features or [])) or None}


def _second(M: _Matrix, spectrum: Spectrum, method: str) -> dict[str, Any]:
    """Largest relative difference in sigma_max and sigma_min_positive to an independent method.

    gram: eigenvalues of the Gram matrix, where the condition number leaves it digits enough.
    dense-svd: SVD of the whole matrix in one piece, by another LAPACK (NumPy's).
    """
    affordable = M.blocks and _work(*M.shape) <= SECOND_METHOD_WORK
    if not affordable or not spectrum.rank or method == "interlacing":
        return {"relative_gap": None, "second_method": None}
    whole = np.vstack(M.blocks)
    gram = spectrum.sigma_max < GRAM_CONDITION * spectrum.sigma_min_positive
    if gram:
        square = whole.T @ whole if len(whole) >= whole.shape[1] else whole @ whole.T  # (min, min)
        values = np.sqrt(np.maximum(np.linalg.eigvalsh(square)[::-1], 0.0))
    else:
        values = np.linalg.svd(whole, compute_uv=False)
    ours = np.array([spectrum.sigma_max, spectrum.sigma_min_positive])
    gap = np.abs(values[[0, spectrum.rank - 1]] / ours - 1).max()
    return {"relative_gap": float(gap), "second_method": "gram" if gram else "dense-svd"}
