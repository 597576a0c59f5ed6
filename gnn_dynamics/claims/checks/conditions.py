"""Cells of the claims on the theorems' two assumptions: the graph condition and lambda_T > 0."""

import numpy as np
import pandas as pd

from gnn_dynamics.claims.cells import decide
from gnn_dynamics.claims.frames import Filters, Tables, by_cell, by_run, select, with_excess
from gnn_dynamics.claims.lambda_T import lambda_T
from gnn_dynamics.config.grid import KEYS, SPECTRAL_KEYS


def graph_condition(tables: Tables, filters: Filters, *, clear_gap: float) -> pd.DataFrame:
    """Is sigma_min > 0? One cell for each row of `graph_condition.parquet`, value sigma_min.

    A rank is clearly deficient where the smallest singular value that counts is at least
    `clear_gap` times the largest that does not. Below that gap rounding errors decide: undecided.
    """
    rows = select(tables["graph_condition"], filters).reset_index(drop=True)
    return decide(
        rows[list(SPECTRAL_KEYS)].assign(value=rows["sigma_min"], limit=0.0),
        (rows["condition_holds"], "supports", "full rank"),
        (rows["rank_gap"] < clear_gap, "undecided", "rank not clear in float64"),
        otherwise=("refutes", "rank deficient"),
    )


def lambda_kept(tables: Tables, filters: Filters, *, lost: float, converged: float) -> pd.DataFrame:
    """Does lambda_T stay above 0 until the run converges? Value: the smallest lambda_T of a cell.

    Refuted where a run keeps at most a share `lost` of its first lambda, undecided where a run
    ends with more than a share `converged` of its first excess L - L*. Vacuous where lambda is 0
    from the start: a hidden width below m_x forces that, whatever the weights.
    """
    excess = by_run(with_excess(tables["training"], tables["optimum"]))
    left = (excess["excess"].last() / excess["excess_0"].first()).rename("left").reset_index()
    runs = lambda_runs(tables, filters)
    runs = runs.merge(left, on=list(KEYS), how="left", validate="one_to_one")
    cells = by_cell(runs).agg(
        value=("lambda_T", "min"),
        kept=("kept", "min"),
        start=("lambda_0", "min"),
        left=("left", "max"),
    )
    return decide(
        cells.reset_index().assign(limit=0.0),
        (cells["start"] == 0, "vacuous", "0 from the start"),
        (cells["kept"] <= lost, "refutes", "lambda_T decayed to 0"),
        (~(cells["left"] <= converged), "undecided", "not run to convergence"),
        otherwise=("supports", "lambda_T above 0"),
    )


def lambda_guaranteed(
    tables: Tables,
    filters: Filters,
    *,
    guaranteed: float,
    tolerance: float,
    largest_drift: float,
) -> pd.DataFrame:
    """Does lambda_T stay at or above the value that the initialisation guarantees?

    The guarantee follows from the flow's conservation laws. Where they drift by more than
    `largest_drift` (`training.parquet`), or the drift is unknown, the integrator does not follow
    the flow, and a lambda_T below the guarantee is undecided.
    """
    drift = by_run(tables["training"])["conservation_drift"].max().rename("drift").reset_index()
    runs = lambda_runs(tables, filters).merge(drift, on=list(KEYS), how="left")
    cells = by_cell(runs.fillna({"drift": np.inf})).agg(
        value=("lambda_T", "min"), start=("lambda_0", "min"), drift=("drift", "max")
    )
    return decide(
        cells.reset_index().assign(limit=guaranteed),
        (cells["start"] == 0, "vacuous", "0 from the start"),
        (cells["value"] >= guaranteed - tolerance, "supports", "as guaranteed"),
        (cells["drift"] > largest_drift, "undecided", "integrator not accurate enough"),
        otherwise=("refutes", "below the guarantee"),
    )


def lambda_runs(tables: Tables, filters: Filters) -> pd.DataFrame:
    """lambda_0, lambda_T (at the last recorded step) and kept = lambda_T / lambda_0 of each run."""
    runs = by_run(lambda_T(select(tables["time_condition"], filters)))["lambda_T"]
    result = pd.DataFrame({"lambda_0": runs.first(), "lambda_T": runs.last()}).reset_index()
    return result.assign(kept=result["lambda_T"] / result["lambda_0"].replace(0.0, np.nan))
