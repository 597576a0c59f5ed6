"""What a problem decides before training: the graph condition and the lowest loss L*."""

from collections.abc import Sequence
from itertools import product

import pandas as pd

from gnn_dynamics.problem.problem import Problem
from gnn_dynamics.spectra.graph_condition import condition_rows
from gnn_dynamics.spectra.optimum import features, optimum_rows

DEPTHS = (0, 1, 2, 4)


def graph_condition(problem: Problem, depths: Sequence[int] = DEPTHS) -> pd.DataFrame:
    """Rank and singular values of G_H = X S^H R, and of the stack Gs of G_0, ..., G_H.

    `condition_holds` where the rank is full: sigma_min > 0, the condition of Theorem 1 (rows with
    multiscale False) and Theorem 2 (True). Everything is in memory; `gnn-dynamics check` streams
    larger graphs.

    Args:
        problem: of `build_problem`.
        depths: numbers of hidden layers H.

    Returns:
        One row for each model and depth: multiscale, depth, rows, cols, rank, sigma_max, sigma_min,
        sigma_min_positive, condition_holds, culprit_nodes and other columns of
        graph_condition.parquet. Singular values are in units of the features.

    Source: Xu et al. 2021, arXiv 2105.04550, Theorems 1 and 2; docs/theory.md.

    Examples:
        >>> from gnn_dynamics import build_problem, load_dataset
        >>> table = graph_condition(build_problem(load_dataset("wine")), depths=[2])
        >>> table[["multiscale", "rows", "cols", "rank", "condition_holds"]].values.tolist()
        [[False, 13, 10, 10, True], [True, 39, 10, 10, True]]
    """
    return pd.DataFrame(condition_rows(problem, depths))


def lowest_loss(
    problem: Problem,
    depths: Sequence[int] = DEPTHS,
    labels: Sequence[str] = ("true",),
    seeds: Sequence[int] = (0,),
) -> pd.DataFrame:
    """L*, the lowest squared loss ||A G - Y||_F^2 over A, with G = G_H or the stack Gs.

    Args:
        problem: of `build_problem`.
        depths: numbers of hidden layers H.
        labels: true, permuted or uniform; the last two are drawn for each of the seeds.
        seeds: of the drawn labels.

    Returns:
        One row for each model, depth, labels and seed: loss_optimum (L*), label_norm_sq (||Y||^2,
        the loss of zero outputs), rank, width_required (hidden width from which weights attain L*)
        and other columns of optimum.parquet.

    Raises:
        UserError: for unknown labels.

    Source: Xu et al. 2021, arXiv 2105.04550, equation 6.

    Examples:
        >>> from gnn_dynamics import build_problem, load_dataset
        >>> problem = build_problem(load_dataset("wine"), features="standard", nodes="all")
        >>> L = lowest_loss(problem, depths=[2]).set_index("multiscale")["loss_optimum"]
        >>> bool(0 < L[True] < L[False])  # skip connections lower it
        True
    """
    G, columns = features(problem, max(depths))
    draws = list(product(labels, seeds))
    rows = [
        row
        for multiscale, depth in product((False, True), depths)
        for row in optimum_rows(problem, depth, multiscale, draws, G, columns)
    ]
    return pd.DataFrame(rows)
