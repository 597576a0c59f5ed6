"""Cells of the remaining claims: straight decay, the identity of Theorem 3, L*."""

import numpy as np
import pandas as pd

from gnn_dynamics.claims.cells import decide
from gnn_dynamics.claims.frames import (
    Filters,
    Tables,
    by_cell,
    by_run,
    select,
    with_excess,
)
from gnn_dynamics.config.grid import OPTIMUM_KEYS


def straight_decay(
    tables: Tables,
    filters: Filters,
    *,
    straight: float,
    curved: float,
    smallest_gap: float,
    smallest_decay: float,
    minimum_records: float,
) -> pd.DataFrame:
    """Is log(L - L*) a straight line over the last half of the time? Value: median R^2 over seeds.

    Supported from R^2 = `straight` on, refuted below `curved`. Only records whose gap exceeds
    `smallest_gap` of the first count. A run is undecided with fewer than `minimum_records` of them
    in the last half, or with a gap that falls there by less than the factor `smallest_decay`:
    over a short enough time every curve is straight.
    """
    rows = select(with_excess(tables["training"], tables["optimum"]), filters)
    rows = rows[rows["excess"] > smallest_gap * rows["excess_0"]]
    end = by_run(rows)["time"].transform("max")
    fits = _fits(rows[rows["time"] >= end / 2].assign(gap=lambda frame: np.log(frame["excess"])))
    enough = (fits["records"] >= minimum_records) & (fits["decay"] >= np.log(smallest_decay))
    cells = by_cell(fits.assign(value=fits["value"].where(enough)))["value"].median().reset_index()
    return decide(
        cells.assign(limit=straight),
        (cells["value"].isna(), "undecided", "too little decay or too few records"),
        (cells["value"] >= straight, "supports", "straight"),
        (cells["value"] < curved, "refutes", "curved"),
        otherwise=("undecided", "between the limits"),
    )


def _fits(rows: pd.DataFrame) -> pd.DataFrame:
    """R^2 of a line through `gap` over `time`, number of records and total fall, for each run."""
    runs = by_run(rows)
    x = rows["time"] - runs["time"].transform("mean")
    y = rows["gap"] - runs["gap"].transform("mean")
    sums = pd.DataFrame({"xy": x * y, "xx": x * x, "yy": y * y}).groupby(runs.ngroup()).sum()
    with np.errstate(invalid="ignore"):
        r_squared = (sums["xy"] ** 2 / (sums["xx"] * sums["yy"])).to_numpy()
    fits = pd.DataFrame({"records": runs.size(), "decay": runs["gap"].first() - runs["gap"].last()})
    return fits.reset_index().assign(value=r_squared)


def identity(tables: Tables, filters: Filters, *, tolerance: float) -> pd.DataFrame:
    """Theorem 3: do head and layer terms add up to -dL/dt? Value: the largest relative error."""
    errors = by_cell(select(tables["gradient_terms"], filters))["relative_error"].max()
    cells = errors.rename("value").reset_index()
    return decide(
        cells.assign(limit=tolerance),
        (cells["value"] <= tolerance, "supports", "exact to rounding"),
        otherwise=("refutes", "terms do not add up"),
    )


def optimum_order(tables: Tables, filters: Filters, *, tolerance: float) -> pd.DataFrame:
    """Is L* with skips at most L* without? Value: the largest difference as a share of ||Y||^2.

    Vacuous where both are 0: nothing is left to lower.
    """
    rows = select(tables["optimum"], filters)
    keys = [key for key in OPTIMUM_KEYS if key != "multiscale"]
    with_skips, without = (select(rows, {"multiscale": flag}) for flag in (True, False))
    pairs = with_skips.merge(without, on=keys, suffixes=("", "_without"), validate="one_to_one")
    optima = pairs[["loss_optimum", "loss_optimum_without"]].div(pairs["label_norm_sq"], axis=0)
    value = (pairs["loss_optimum"] - pairs["loss_optimum_without"]) / pairs["label_norm_sq"]
    pairs = pairs.assign(value=value, size=optima.max(axis=1))
    cells = pairs.groupby([key for key in keys if key != "seed"])[["value", "size"]].max()
    return decide(
        cells.reset_index().assign(limit=0.0),
        (cells["value"] > tolerance, "refutes", "higher with skips"),
        (cells["size"] <= tolerance, "vacuous", "both 0"),
        (cells["value"] < -tolerance, "supports", "strictly lower"),
        otherwise=("supports", "equal"),
    )
