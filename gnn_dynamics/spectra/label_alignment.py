"""Label alignment: the share of ||Y||^2 in the leading directions of the features.

    alignment = ||Y P_k||_F^2 / ||Y||_F^2

with P_k the projector on the k leading right singular vectors of the propagated features: of G_H
without skip connections, of the stack of all G_l with them. k = m_y, as many directions as there
are outputs. Xu et al. (2021, arXiv 2105.04550, after Theorem 3) argue that true labels train faster
since they are correlated with the features X (S^l)_{*I}; this is one number for that correlation.
`alignment_expected` is its mean over all permutations of the labels, in closed form.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gnn_dynamics.artifacts.table import Table, integers, reals
from gnn_dynamics.config import grid
from gnn_dynamics.config.grid import grouped
from gnn_dynamics.data.graph import Graph
from gnn_dynamics.linalg.singular_values import Matrix, stacked_factor
from gnn_dynamics.problem.problem import PROBLEM_KEYS, Problem, build_problem, targets
from gnn_dynamics.problem.propagation import propagated

ALIGNMENT = Table(
    keys=tuple(grid.OPTIMUM),
    columns=grid.OPTIMUM | integers("directions") | reals("alignment", "alignment_expected"),
)


def alignment_table(graph: Graph, cells: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of alignment.parquet for one `Graph`; cells as for `optimum.optimum_table`."""
    rows = []
    for names, group in grouped(cells, PROBLEM_KEYS):
        problem = build_problem(graph, *names)
        G = propagated(problem, max(cell["depth"] for cell in group))
        key = {"dataset": graph.name} | dict(zip(PROBLEM_KEYS, names, strict=True))
        for (multiscale, depth), draws in grouped(group, ("multiscale", "depth")):
            V = leading_directions(G[: depth + 1] if multiscale else [G[depth]], problem.m_y)
            model = key | {"multiscale": multiscale, "depth": depth}
            rows += [
                model | {"labels": cell["labels"], "seed": cell["seed"]} | _row(problem, cell, V)
                for cell in draws
            ]
    return rows


def leading_directions(blocks: Sequence[Matrix], k: int) -> np.ndarray:
    """V (nbar, k'): right singular vectors of the stacked `blocks` (any height, nbar).

    They belong to the k largest singular values, or to as many as the shape has: k' <= k.
    """
    Vh: Tensor = torch.linalg.svd(stacked_factor(blocks), full_matrices=False).Vh
    return Vh[:k].mT.numpy(force=True)


def alignment(Y: np.ndarray, V: np.ndarray) -> float:
    """||Y V||_F^2 / ||Y||_F^2 for Y (m_y, nbar) and orthonormal V (nbar, k); nan for Y = 0."""
    norm = np.square(Y).sum()
    return float(np.square(Y @ V).sum() / norm) if norm else float("nan")


def expected_alignment(Y: np.ndarray, V: np.ndarray) -> float:
    """Mean of `alignment` over all permutations of the columns of Y (m_y, nbar).

    A row y with mean mu and variance v = ||y||^2 / nbar - mu^2 has, permuted at random,
    E[y^T y] = a I + b 1 1^T with a = v nbar / (nbar - 1) and b = mu^2 - v / (nbar - 1).
    """
    nbar, k = V.shape
    norm = np.square(Y).sum()
    if nbar == 1 or not norm:
        return alignment(Y, V)
    mean_sq = np.square(Y.mean(axis=1)).sum()
    variance = norm / nbar - mean_sq
    constant = np.square(V.sum(axis=0)).sum()  # ||V^T 1||^2
    a, b = variance * nbar / (nbar - 1), mean_sq - variance / (nbar - 1)
    return float((a * k + b * constant) / norm)


def _row(problem: Problem, cell: Mapping[str, Any], V: np.ndarray) -> dict[str, Any]:
    Y = targets(problem, cell["labels"], cell["seed"])
    return {
        "directions": V.shape[1],
        "alignment": alignment(Y, V),
        "alignment_expected": expected_alignment(Y, V),
    }
