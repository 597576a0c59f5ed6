"""Cells of the claims on the theorems' two assumptions: the graph condition and lambda_T > 0."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.claims.cells import CELL_KEYS, decide, name_cells
from gnn_dynamics.claims.checks.bounds import Tables
from gnn_dynamics.claims.pairs import select
from gnn_dynamics.config.grid import KEYS

CONDITION_KEYS = ("dataset", "aggregation", "features", "nodes", "multiscale", "depth")


def graph_condition(tables: Tables, wanted: Mapping[str, Any], *, clear_gap: float) -> pd.DataFrame:
    """Is sigma_min > 0? One cell for each row of `graph_condition.parquet`, value sigma_min.

    A rank is deficient beyond doubt where the smallest singular value that counts is `clear_gap`
    times the largest that does not. Where they lie closer, rounding errors decided: undecided.
    """
    columns = [*CONDITION_KEYS, "sigma_min", "condition_holds", "rank_gap"]
    cells = select(tables["graph_condition"], wanted)[columns]
    cells = cells.rename(columns={"sigma_min": "value"}).reset_index(drop=True)
    holds, gap = cells.pop("condition_holds").astype(bool), cells.pop("rank_gap")
    cells = decide(
        cells.assign(limit=0.0),
        (holds, "supports", "full rank"),
        (gap < clear_gap, "undecided", "rank not clear in float64"),
        otherwise=("refutes", "rank deficient"),
    )
    return cells.assign(cell=name_cells(cells))


def lambda_kept(
    tables: Tables, wanted: Mapping[str, Any], *, lost: float, converged: float
) -> pd.DataFrame:
    """Does lambda_T stay above 0 until the run converges? Value: the smallest lambda_T of a cell.

    Refuted where a run loses all but a share `lost` of its first lambda, undecided where a run
    ends with more than a share `converged` of its first excess. Vacuous where lambda is 0 from the
    start: a hidden width below m_x forces that, whatever the weights.
    """
    runs = lambda_runs(tables, wanted)
    left = runs.merge(_excess_left(tables), on=list(KEYS), how="left", validate="one_to_one")
    groups = left.groupby(list(CELL_KEYS), dropna=False)
    cells = groups[["lambda_T", "kept", "lambda_0"]].min().reset_index()
    done = groups["left"].max().to_numpy() <= converged
    cells = decide(
        cells.rename(columns={"lambda_T": "value"}).assign(limit=0.0),
        (cells["lambda_0"] == 0, "vacuous", "0 from the start"),
        (cells["kept"] <= lost, "refutes", "lambda_T decayed to 0"),
        (~done, "undecided", "not run to convergence"),
        otherwise=("supports", "lambda_T above 0"),
    )
    return cells.drop(columns=["kept", "lambda_0"]).assign(cell=name_cells(cells))


def lambda_guaranteed(
    tables: Tables,
    wanted: Mapping[str, Any],
    *,
    guaranteed: float,
    tolerance: float,
    largest_drift: float,
) -> pd.DataFrame:
    """Does lambda_T stay at or above the value that the initialisation guarantees?

    The guarantee rests on the flow's conservation laws. Where they drift by more than
    `largest_drift` (`training.parquet`), or it is not known by how much, the integrator is not the
    flow, and a lambda_T below the guarantee is undecided.
    """
    drift = tables["training"].groupby(list(KEYS), dropna=False)["conservation_drift"].max()
    drift = drift.rename("drift").reset_index()
    runs = lambda_runs(tables, wanted).merge(drift, on=list(KEYS), how="left")
    groups = runs.fillna({"drift": np.inf}).groupby(list(CELL_KEYS), dropna=False)
    cells = groups.agg(value=("lambda_T", "min"), start=("lambda_0", "min"), drift=("drift", "max"))
    cells = cells.reset_index().assign(limit=guaranteed)
    cells = decide(
        cells,
        (cells["start"] == 0, "vacuous", "0 from the start"),
        (cells["value"] >= guaranteed - tolerance, "supports", "as guaranteed"),
        (cells["drift"] > largest_drift, "undecided", "integrator not accurate enough"),
        otherwise=("refutes", "below the guarantee"),
    )
    return cells.drop(columns=["start", "drift"]).assign(cell=name_cells(cells))


def lambda_runs(tables: Tables, wanted: Mapping[str, Any]) -> pd.DataFrame:
    """lambda_0, lambda_T (infimum over the recorded steps) and kept = lambda_T / lambda_0 of runs.

    Without skips the theorem needs the top layer, with skips the smallest over all layers.
    """
    rows = select(tables["time_condition"], wanted)
    rows = rows[rows["multiscale"].astype(bool) | (rows["layer"] == rows["depth"])]
    steps = rows.groupby([*KEYS, "step"], dropna=False)["lambda_min"].min()
    runs = steps.groupby(level=list(KEYS), dropna=False)
    found = pd.DataFrame({"lambda_0": runs.first(), "lambda_T": runs.min()}).reset_index()
    return found.assign(kept=found["lambda_T"] / found["lambda_0"].replace(0.0, np.nan))


def _excess_left(tables: Tables) -> pd.DataFrame:
    """Share of the first excess L - L* that each run still has at its last recorded step."""
    runs = with_excess(tables).groupby(list(KEYS), dropna=False)["excess"]
    return (runs.last() / runs.first()).rename("left").reset_index()


def with_excess(tables: Tables) -> pd.DataFrame:
    """Rows of `training.parquet` that have an optimum, with excess = L - L*, in order of steps."""
    rows = tables["training"]
    rows = rows[(rows["loss_fn"] == "squared") & (rows["activation"] == "linear")]
    keys = [*CONDITION_KEYS, "labels", "seed"]
    optimum = tables["optimum"][[*keys, "loss_optimum"]]
    rows = rows.merge(optimum, on=keys, validate="many_to_one")
    rows["excess"] = rows["loss"] - rows["loss_optimum"]
    return rows.sort_values([*KEYS, "step"], ignore_index=True)
