"""The graph condition: is sigma_min of G_H (Theorem 1), or of the stack Gs (Theorem 2), positive?

sigma_min is the min(rows, cols)-th singular value, as in Xu et al. (2021, arXiv 2105.04550). With
the smallest positive one in its place the theorems stay true (docs/theory.md): both are reported.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from gnn_dynamics.data.graph import Graph
from gnn_dynamics.problem import Problem, build_problem, levels
from gnn_dynamics.spectra import (
    Matrix,
    Spectrum,
    append_rows,
    dependent_columns,
    singular_values,
    spectrum_from,
)

# Below this condition number a Gram matrix keeps eight digits of sigma_min.
GRAM_CONDITION = 1e4
# The second method runs where rows * cols * min(rows, cols) is at most this: a second or so.
SECOND_METHOD_WORK = 1e10


@dataclass(frozen=True)
class _Matrix:
    """G_H or Gs: a `factor` with its singular values, and the matrix as `blocks` of rows if kept.

    With at most as many rows as columns the factor is the matrix itself (its blocks in any order).
    """

    rows: int
    factor: Matrix
    blocks: Sequence[np.ndarray]

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.factor.shape[1]


def condition_table(graph: Graph, grid: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of graph_condition.parquet for one `Graph`: `aggregations` x `features` x `nodes`.

    These and `depths` are the lists of `grid`; both models are computed. Lists in `all_nodes`, if
    any, stand in place of the others where I is all nodes: there a cell costs minutes.
    """
    rows = []
    for nodes in grid["nodes"]:
        lists = {**grid, **(grid.get("all_nodes", {}) if nodes == "all" else {})}
        for aggregation, features in product(lists["aggregations"], lists["features"]):
            key = {"dataset": graph.name, "aggregation": aggregation, "features": features}
            problem = build_problem(graph, aggregation, features, nodes)
            found = condition_rows(problem, lists["depths"])
            rows += [key | {"nodes": nodes} | row for row in found]
    return rows


def condition_rows(
    problem: Problem, depths: Sequence[int], multiscale: Sequence[bool] = (False, True)
) -> list[dict[str, Any]]:
    """One row per model and depth; G_l are computed once, and the stack costs one QR per level.

    Columns beside the contract's: `tolerance` and `rank_gap` (how the rank was decided, see
    `Spectrum`); `culprit_features` (features that take part in a dependency among the rows, where
    rows < cols; `culprit_nodes` is null there); `second_method` (what `relative_gap` compares
    with). `method` is "qr-svd", or "interlacing" where the stack's smallest positive singular value
    is below the resolution of float64 and that of a lower depth, which bounds it from below, stands
    in its place.

    Cost for nbar columns and H levels: O(H m_x nbar min(m_x, nbar)) without skip connections,
    O(H nbar^2 (m_x + nbar)) with them.
    """
    rows, below = [], None
    for depth, scale, M in _matrices(problem, max(depths), multiscale):
        if depth not in depths:
            continue
        found, method = _spectrum(M, below if scale else None)
        below = found if scale else below
        row = {"multiscale": scale, "depth": depth, "method": method}
        rows.append(row | _values(found) | _culprits(M, found, problem) | _second(M, found, method))
    return rows


def _matrices(
    problem: Problem, depth: int, multiscale: Sequence[bool]
) -> Iterator[tuple[int, bool, _Matrix]]:
    """(depth, multiscale, matrix) for every depth: G_l and the stack, whose factor only is kept."""
    rows = (depth + 1) * problem.m_x
    keep = _work(rows, problem.nbar) <= SECOND_METHOD_WORK
    R, blocks = None, []
    for level, G in enumerate(levels(problem, depth)):
        if False in multiscale:
            yield level, False, _Matrix(problem.m_x, G, [G])
        if True in multiscale:
            R = append_rows(R, G)
            blocks += [G] if keep else []
            yield level, True, _Matrix((level + 1) * problem.m_x, R, blocks)


def _work(rows: int, cols: int) -> float:
    return float(rows) * cols * min(rows, cols)


def _spectrum(M: _Matrix, below: Spectrum | None) -> tuple[Spectrum, str]:
    """Spectrum and method; `below` is the stack's spectrum at a lower depth.

    Rows added to a matrix lower no singular value (interlacing), so neither rank nor sigma_r falls
    with depth: where levels grow by many orders (gin), this knows more than float64 resolves.
    """
    values = singular_values(M.factor)
    found = spectrum_from(values, M.shape, known_rank=below.rank if below else 0)
    if not below or found.rank > below.rank or found.sigma_min_positive > found.tolerance:
        return found, "qr-svd"
    sigma = max(found.sigma_min_positive, below.sigma_min_positive)
    full = found.rank == min(M.shape)
    return replace(found, sigma_min_positive=sigma, sigma_min=sigma if full else 0.0), "interlacing"


def _values(found: Spectrum) -> dict[str, Any]:
    return {
        "rows": found.rows,
        "cols": found.cols,
        "rank": found.rank,
        "sigma_max": found.sigma_max,
        "sigma_min": found.sigma_min,
        "sigma_min_sq": found.sigma_min**2,
        "sigma_min_positive": found.sigma_min_positive,
        "sigma_min_positive_sq": found.sigma_min_positive**2,
        "condition_holds": found.rank == min(found.rows, found.cols),
        "tolerance": found.tolerance,
        "rank_gap": found.rank_gap,
    }


def _culprits(M: _Matrix, found: Spectrum, problem: Problem) -> dict[str, list[int] | None]:
    """Nodes whose columns are dependent; with fewer rows than columns, features whose rows are."""
    nodes = features = None
    if found.rows >= found.cols:
        nodes = dependent_columns(M.factor, problem.node_ids, found)
    else:
        owners = np.arange(found.rows) % problem.m_x  # each level holds the features in order
        features = dependent_columns(M.factor.T, owners, found)
    return {"culprit_nodes": nodes, "culprit_features": sorted(set(features or [])) or None}


def _second(M: _Matrix, found: Spectrum, method: str) -> dict[str, Any]:
    """Largest relative difference in sigma_max and sigma_min_positive to an independent method.

    gram: eigenvalues of the Gram matrix, where the condition number leaves it digits enough.
    dense-svd: SVD of the whole matrix in one piece, by another LAPACK (NumPy's).
    """
    affordable = M.blocks and _work(*M.shape) <= SECOND_METHOD_WORK
    if not affordable or not found.rank or method == "interlacing":
        return {"relative_gap": None, "second_method": None}
    whole = np.vstack(M.blocks)
    gram = found.sigma_max < GRAM_CONDITION * found.sigma_min_positive
    values = _gram_values(whole) if gram else np.linalg.svd(whole, compute_uv=False)
    ours = np.array([found.sigma_max, found.sigma_min_positive])
    gap = np.abs(values[[0, found.rank - 1]] / ours - 1).max()
    return {"relative_gap": float(gap), "second_method": "gram" if gram else "dense-svd"}


def _gram_values(M: np.ndarray) -> np.ndarray:
    """Singular values of M, descending, as square roots of eigenvalues of its smaller Gram."""
    gram = M.T @ M if M.shape[0] >= M.shape[1] else M @ M.T
    return np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[::-1], 0.0))
