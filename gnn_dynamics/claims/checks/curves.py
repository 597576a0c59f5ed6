"""Cells of the remaining claims: straight decay, the identity of Theorem 3, L*, ReLU nets."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.claims.cells import CELL_KEYS, decide, name_cells
from gnn_dynamics.claims.checks.bounds import Tables
from gnn_dynamics.claims.checks.conditions import CONDITION_KEYS, with_excess
from gnn_dynamics.claims.pairs import select
from gnn_dynamics.config.grid import KEYS


def straight_decay(
    tables: Tables,
    wanted: Mapping[str, Any],
    *,
    straight: float,
    curved: float,
    smallest_gap: float,
    smallest_decay: float,
    minimum_records: float,
) -> pd.DataFrame:
    """Is log(L - L*) a straight line over the last half of the time? Value: median R^2 over seeds.

    Supported from R^2 = `straight` on, refuted below `curved`. Only records whose gap exceeds
    `smallest_gap` of the first count. A run with fewer than `minimum_records` of them in the last
    half, or whose gap falls there by less than the factor `smallest_decay`, decides nothing:
    over a short enough time everything is straight.
    """
    rows = select(with_excess(tables), wanted)
    first = rows.groupby(list(KEYS), dropna=False)["excess"].transform("first")
    rows = rows[rows["excess"] > smallest_gap * first]
    end = rows.groupby(list(KEYS), dropna=False)["time"].transform("max")
    rows = rows[rows["time"] >= end / 2].assign(gap=lambda frame: np.log(frame["excess"]))
    fits = _fits(rows)
    fits["value"] = fits["value"].where(
        (fits["records"] >= minimum_records) & (fits["decay"] >= np.log(smallest_decay))
    )
    cells = fits.groupby(list(CELL_KEYS), dropna=False)["value"].median().reset_index()
    cells = decide(
        cells.assign(limit=straight),
        (cells["value"].isna(), "undecided", "too little decay or too few records"),
        (cells["value"] >= straight, "supports", "straight"),
        (cells["value"] < curved, "refutes", "curved"),
        otherwise=("undecided", "between the limits"),
    )
    return cells.assign(cell=name_cells(cells))


def _fits(rows: pd.DataFrame) -> pd.DataFrame:
    """R^2 of a line through `gap` over `time`, number of records and total fall, for each run."""
    runs = rows.groupby(list(KEYS), dropna=False)
    x = rows["time"] - runs["time"].transform("mean")
    y = rows["gap"] - runs["gap"].transform("mean")
    sums = pd.DataFrame({"xy": x * y, "xx": x * x, "yy": y * y}).groupby(runs.ngroup()).sum()
    with np.errstate(invalid="ignore"):
        r_squared = (sums["xy"] ** 2 / (sums["xx"] * sums["yy"])).to_numpy()
    fits = pd.DataFrame({"records": runs.size(), "decay": runs["gap"].first() - runs["gap"].last()})
    return fits.reset_index().assign(value=r_squared)


def identity(tables: Tables, wanted: Mapping[str, Any], *, tolerance: float) -> pd.DataFrame:
    """Theorem 3: do head and layer terms add up to -dL/dt? Value: the largest relative error."""
    rows = select(tables["gradient_terms"], wanted)
    cells = rows.groupby(list(CELL_KEYS), dropna=False)["relative_error"].max().reset_index()
    cells = cells.rename(columns={"relative_error": "value"})
    cells = decide(
        cells.assign(limit=tolerance),
        (cells["value"] <= tolerance, "supports", "exact to rounding"),
        otherwise=("refutes", "terms do not add up"),
    )
    return cells.assign(cell=name_cells(cells))


def optimum_order(tables: Tables, wanted: Mapping[str, Any], *, tolerance: float) -> pd.DataFrame:
    """Is L* with skips at most L* without? Value: the largest difference as a share of ||Y||^2.

    Vacuous where both are 0: nothing is left to lower.
    """
    rows = select(tables["optimum"], wanted)
    keys = [key for key in (*CONDITION_KEYS, "labels", "seed") if key != "multiscale"]
    several, single = (rows[rows["multiscale"].astype(bool) == flag] for flag in (True, False))
    pairs = several.merge(single, on=keys, suffixes=("", "_single"), validate="one_to_one")
    pairs["value"] = (pairs["loss_optimum"] - pairs["loss_optimum_single"]) / pairs["label_norm_sq"]
    pairs["size"] = (
        pairs[["loss_optimum", "loss_optimum_single"]].max(axis=1) / pairs["label_norm_sq"]
    )
    cell = [key for key in keys if key != "seed"]
    cells = pairs.groupby(cell)[["value", "size"]].max().reset_index()
    cells = decide(
        cells.assign(limit=0.0),
        (cells["value"] > tolerance, "refutes", "higher with skips"),
        (cells["size"] <= tolerance, "vacuous", "both 0"),
        (cells["value"] < -tolerance, "supports", "strictly lower"),
        otherwise=("supports", "equal"),
    )
    return cells.drop(columns="size").assign(cell=name_cells(cells))


def curve_distances(training: pd.DataFrame, wanted: Mapping[str, Any]) -> pd.DataFrame:
    """How far apart linear and ReLU curves run: median |log2(loss ratio)| at equal steps.

    Noted beside the orderings and not judged: the paper says `similar` without a number.
    """
    rows = select(training, wanted)
    rows = rows[rows["optimizer"] != "flow"][[*KEYS, "step", "loss"]]
    rest = [key for key in (*KEYS, "step") if key != "activation"]
    linear, relu = _linear_and_relu(rows)
    pairs = linear.merge(relu, on=rest, suffixes=("", "_relu"), validate="one_to_one")
    pairs["value"] = np.abs(np.log2(pairs["loss"]) - np.log2(pairs["loss_relu"]))
    cell = [key for key in CELL_KEYS if key != "activation"]
    cells = pairs.groupby(cell, dropna=False)["value"].median().reset_index()
    cells = cells.assign(measure="curve_distance", limit=np.nan, state="noted", reason="distance")
    return cells.assign(cell=name_cells(cells))


def same_orderings(comparisons: pd.DataFrame, claims: list[str]) -> pd.DataFrame:
    """Do linear and ReLU nets agree on who is faster? Cells of `claims` that both have.

    Value: the ReLU effect minus the linear one. Undecided where either is.
    """
    rows = comparisons[comparisons["claim"].isin(claims)]
    rest = ["claim", *(key for key in CELL_KEYS if key != "activation"), "measure"]
    rest += ["threshold", "threshold_kind", "other"]
    linear, relu = _linear_and_relu(rows)
    columns = [*rest, "effect", "state"]
    cells = linear[columns].merge(
        relu[columns], on=rest, suffixes=("", "_relu"), validate="one_to_one"
    )
    decided = ["supports", "refutes"]
    undecided = ~(cells["state"].isin(decided) & cells["state_relu"].isin(decided))
    agree = cells["state"] == cells["state_relu"]
    against = cells["other"].astype(str).replace("False", "single-scale")
    cells["case"] = "claim " + cells.pop("claim") + " against " + against
    cells["value"] = cells["effect_relu"] - cells["effect"]
    cells = decide(
        cells.drop(columns=["effect", "effect_relu", "state_relu"]).assign(limit=0.0),
        (undecided, "undecided", "one of both undecided"),
        (agree, "supports", "same ordering"),
        otherwise=("refutes", "orderings differ"),
    )
    return cells.assign(cell=name_cells(cells))


def _linear_and_relu(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of linear and of ReLU nets; those of an experiment `name-relu` count as `name`'s.

    So ReLU nets may have fewer steps than the linear ones beside them. Where `name` has ReLU nets
    itself, or `name-relu` linear ones, each experiment is compared within itself.
    """
    linear, relu = (rows[rows["activation"] == kind] for kind in ("linear", "relu"))
    complete = {*linear["experiment"]} & {*relu["experiment"]}
    beside = {
        name: base
        for name in {*relu["experiment"]} - complete
        if (base := name.removesuffix("-relu")) not in complete
    }
    return linear, relu.assign(experiment=relu["experiment"].map(lambda n: beside.get(n, n)))
