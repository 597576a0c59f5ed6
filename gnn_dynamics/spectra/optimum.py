"""L*: the smallest squared loss that a linear GNN reaches on a graph, and the width that it takes.

    L*_H     = min over A of ||A G_H - Y||_F^2 = ||Y (I - P)||_F^2,  P the projector on row(G_H),
    L*_{1:H} = the same with the stack Gs = [G_0; ...; G_H],

(Xu et al. 2021, arXiv 2105.04550, equation 6; the closed form as in the proof of Theorem 1). It is
the infimum over the weights where no hidden layer is a bottleneck, see `width_required`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy.linalg
import torch

from gnn_dynamics.artifacts.table import NOISE, SINGULAR, Table, integers, reals
from gnn_dynamics.config import grid
from gnn_dynamics.config.grid import Block, grouped, squared_cells
from gnn_dynamics.data.graph import Graph
from gnn_dynamics.linalg.singular_values import (
    Matrix,
    orthonormal_basis,
    rank_tolerance,
    singular_values,
    spectrum_from,
    stacked_factor,
)
from gnn_dynamics.problem.labelled_columns import (
    Columns,
    StreamedColumns,
    fits,
    streamed_features,
)
from gnn_dynamics.problem.problem import PROBLEM_KEYS, Problem, kept_problem, targets
from gnn_dynamics.problem.propagation import propagated

OPTIMUM = Table(
    keys=tuple(grid.OPTIMUM),
    columns=grid.OPTIMUM | reals("loss_optimum", "label_norm_sq"),
    optional=integers("rank", "width_required")
    | reals("sigma_max", "sigma_min", "sigma_min_positive", "method_gap"),
    kinds={"method_gap": NOISE, **dict.fromkeys(("sigma_min", "sigma_min_positive"), SINGULAR)},
)


def row_basis(blocks: Iterable[Matrix], rank: int | None = None) -> np.ndarray:
    """N (nbar, rank): orthonormal basis of the rows of all blocks (any height, nbar) together."""
    return orthonormal_basis(stacked_factor(blocks).mT, rank)


def residual(Y: np.ndarray, N: np.ndarray) -> float:
    """||Y (I - N N^T)||_F^2 for Y (m_y, nbar) and a `row_basis` N: L*; exactly 0 if N spans all."""
    if N.shape[1] == N.shape[0]:
        return 0.0
    return float(np.square(Y - (Y @ N) @ N.T).sum())


def least_squares_residuals(blocks: Sequence[np.ndarray], Y: np.ndarray) -> np.ndarray:
    """(m_y,) squared distances of the rows of Y (m_y, nbar) to the rows of all blocks together."""
    R = blocks[0]
    for G in blocks[1:]:
        R = np.asarray(np.linalg.qr(np.vstack([R, G]), mode="r"))
    rows = sum(len(G) for G in blocks)
    cond = rank_tolerance(1.0, (rows, R.shape[1]))
    A = scipy.linalg.lstsq(R.T, Y.T, cond=cond, lapack_driver="gelsy")[0]
    distances: np.ndarray = np.square(Y.T - R.T @ A).sum(axis=0)
    return distances


def width_required(m_x: int, m_y: int, depth: int, multiscale: bool) -> int:
    """The width from which L* is attained by weights, the same width in every hidden layer.

    Linear: m_l >= min(m_x, m_y), else a layer has too low a rank. Multiscale: m_l >= min(m_x,
    (H - l + 1) m_y) for every l, since the heads l, ..., H share B_l; the first layer decides.
    Sufficient; narrower multiscale nets reach L* on some data and not on others.
    """
    if depth == 0:
        return 0
    return min(m_x, depth * m_y if multiscale else m_y)


def optimum_table(graph: Graph, cells: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of optimum.parquet for one `Graph`, one for each cell.

    A cell has the keys aggregation, features, nodes, multiscale, depth, labels and seed.
    """
    rows = []
    for names, group in grouped(cells, PROBLEM_KEYS):
        problem = kept_problem(graph, *names)
        G, columns = features(problem, max(cell["depth"] for cell in group))
        key = {"dataset": graph.name} | dict(zip(PROBLEM_KEYS, names, strict=True))
        for (multiscale, depth), model in grouped(group, ("multiscale", "depth")):
            draws = [(cell["labels"], cell["seed"]) for cell in model]
            rows += [
                key | row for row in optimum_rows(problem, depth, multiscale, draws, G, columns)
            ]
    return rows


def block_optimum(graph: Graph, settings: Mapping[str, Any], block: Block) -> pd.DataFrame:
    """`optimum_table` for the cells of one block with a squared loss, as a frame."""
    model = {key: [getattr(block, key)] for key in ("aggregation", "multiscale", "depth")}
    experiment = {**settings, **model, "datasets": [block.dataset]}
    cells = squared_cells({"experiments": [experiment]}, block.dataset)
    return pd.DataFrame(optimum_table(graph, cells))


def features(problem: Problem, depth: int) -> tuple[list[np.ndarray], Columns | StreamedColumns]:
    """`propagated`, and coordinates of the labelled columns: fewer (R4) where that is too large."""
    if fits(problem, depth + 1):
        return propagated(problem, depth), Columns()
    G, columns = streamed_features(problem, range(depth + 1), torch.device("cpu"))
    return [G_l.numpy() for G_l in G], columns


def optimum_rows(
    problem: Problem,
    depth: int,
    multiscale: bool,
    draws: Sequence[tuple[str, int]],
    G: Sequence[np.ndarray],
    columns: Columns | StreamedColumns,
) -> list[dict[str, Any]]:
    """L* for each of the `draws`, pairs (labels, seed) of targets, by one factorisation.

    G, columns: `features` to at least this depth. The part of Y outside the columns is the same
    number for both methods.
    Optional columns of OPTIMUM: rank, sigma_max, sigma_min (0 where deficient) and
    sigma_min_positive of G_H or Gs; method_gap, the difference of two methods relative to ||Y||^2;
    width_required.
    """
    blocks = list(G[: depth + 1] if multiscale else G[depth : depth + 1])
    shape = sum(len(block) for block in blocks), problem.nbar
    R = stacked_factor(blocks)
    spectrum = spectrum_from(singular_values(R), shape)
    N = np.eye(R.shape[1]) if spectrum.rank == R.shape[1] else row_basis([R], spectrum.rank)
    Ys = np.stack([targets(problem, *draw) for draw in draws])
    inside, outside = (part.numpy() for part in columns.targets(torch.from_numpy(Ys)))
    rows_of_Y = inside.reshape(-1, inside.shape[-1])  # (draws m_y, nbar)
    second = least_squares_residuals(blocks, rows_of_Y).reshape(len(Ys), -1).sum(axis=1)
    common = {
        "multiscale": multiscale,
        "depth": depth,
        "rank": spectrum.rank,
        "sigma_max": spectrum.sigma_max,
        "sigma_min": spectrum.sigma_min,
        "sigma_min_positive": spectrum.sigma_min_positive,
        "width_required": width_required(problem.m_x, problem.m_y, depth, multiscale),
    }
    rows = []
    for k, (labels, seed) in enumerate(draws):
        optimum, other = residual(inside[k], N) + float(outside[k]), float(second[k] + outside[k])
        norm = float(np.square(Ys[k]).sum())
        gap = abs(optimum - other) / norm if norm else 0.0
        losses = {"loss_optimum": optimum, "label_norm_sq": norm, "method_gap": gap}
        rows.append(common | {"labels": labels, "seed": seed} | losses)
    return rows
