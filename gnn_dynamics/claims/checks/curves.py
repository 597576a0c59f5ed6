"""Cells of the remaining claims: straight decay, the identity of Theorem 3, L*, ReLU nets."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gnn_dynamics.claims.cells import decide
from gnn_dynamics.claims.frames import (
    CELL_KEYS,
    Filters,
    Tables,
    by_cell,
    by_run,
    select,
    with_excess,
)
from gnn_dynamics.config.grid import KEYS, OPTIMUM_KEYS


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


def curve_distances(training: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    """Distance of linear and ReLU curves: median |log2(loss ratio)| at equal steps.

    Reported with the orderings, not judged: the paper writes `similar` without a number.
    """
    rows = select(training, filters)
    rows = rows[rows["optimizer"] != "flow"][[*KEYS, "step", "loss"]]
    pairs = _linear_and_relu(rows, [key for key in (*KEYS, "step") if key != "activation"])
    pairs["value"] = np.abs(np.log2(pairs["loss"]) - np.log2(pairs["loss_relu"]))
    cell = [key for key in CELL_KEYS if key != "activation"]
    cells = pairs.groupby(cell, dropna=False)["value"].median().reset_index()
    return cells.assign(measure="curve_distance", limit=np.nan, state="noted", reason="distance")


def same_orderings(comparisons: pd.DataFrame, claims: list[str]) -> pd.DataFrame:
    """Do linear and ReLU nets agree on who is faster? Cells of `claims` that both have.

    Value: the ReLU effect minus the linear one. Undecided where either is.
    """
    keys = ["claim", *(key for key in CELL_KEYS if key != "activation"), "measure"]
    keys += ["threshold", "threshold_kind", "other"]
    rows = comparisons[comparisons["claim"].isin(claims)]
    pairs = _linear_and_relu(rows[[*keys, "activation", "effect", "state"]], keys)
    other = pairs["other"].astype(str).replace("False", "no skip")
    cells = pairs[keys[1:]].assign(
        case="claim " + pairs["claim"] + " against " + other,
        value=pairs["effect_relu"] - pairs["effect"],
        limit=0.0,
    )
    decided = pairs[["state", "state_relu"]].isin(["supports", "refutes"]).all(axis=1)
    return decide(
        cells,
        (~decided, "undecided", "one of both undecided"),
        (pairs["state"] == pairs["state_relu"], "supports", "same ordering"),
        otherwise=("refutes", "orderings differ"),
    )


def _linear_and_relu(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Rows of linear nets joined on `keys` with those of ReLU nets, which get the suffix _relu.

    Rows of an experiment `name-relu` count as rows of `name`, so that ReLU nets may have fewer
    steps than the linear nets. Where `name` has ReLU nets itself, or `name-relu` linear ones, each
    experiment is compared within itself.
    """
    linear, relu = (rows[rows["activation"] == kind] for kind in ("linear", "relu"))
    complete = {*linear["experiment"]} & {*relu["experiment"]}
    bases = {name: name.removesuffix("-relu") for name in {*relu["experiment"]} - complete}
    bases = {name: base for name, base in bases.items() if base not in complete}
    relu = relu.assign(experiment=relu["experiment"].map(lambda name: bases.get(name, name)))
    return linear.merge(relu, on=list(keys), suffixes=("", "_relu"), validate="one_to_one")
