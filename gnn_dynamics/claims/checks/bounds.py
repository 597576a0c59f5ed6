"""Cells of the claims on convergence bounds: Theorem 1, Theorem 2 and its form for single layers.

A cell is a setting with all its seeds and recorded steps. Its value is the largest ratio of the
excess to the bound, after the start. Above 1, beyond the error of the integrator, the bound fails.
Where the rate is 0 at every step the bound states only that the loss does not grow: vacuous.
"""

import numpy as np
import pandas as pd

from gnn_dynamics.claims.cells import decide
from gnn_dynamics.claims.frames import CELL_KEYS, Filters, Tables, select, with_excess
from gnn_dynamics.config.grid import KEYS, OPTIMUM_KEYS

# L* and sigma_min of a single layer are those of the model without skips of its depth.
LAYER_KEYS = [key for key in OPTIMUM_KEYS if key not in ("multiscale", "depth")] + ["layer"]


def bound_ratio(tables: Tables, filters: Filters, *, tolerance: float) -> pd.DataFrame:
    """Cells of Theorems 1 and 2(i) from `bounds.parquet`, with the paper's own bound.

    `tolerance` is added to the measured errors of the integrator and of rounding in L - L*.
    """
    steps = select(tables["bounds"], filters)
    steps = steps[steps["step"] > 0]
    errors = steps[["integrator_error", "excess_error"]].sum(axis=1)  # null: not measured
    ratio = steps["excess"] / steps["bound_paper"]
    return _worst(steps.assign(ratio=ratio, limit=1 + tolerance + errors), list(CELL_KEYS))


def layer_bounds(
    tables: Tables, filters: Filters, *, tolerance: float, smallest_gap: float
) -> pd.DataFrame:
    """Cells of the bound of one layer H' <= H for a multiscale run, in the form we know:

        L(T) - L*_{H'} <= (L(0) - L*_{H'}) exp(-4 lambda_T^(H') sigma_min^2(X (S^{H'})_{*I}) T)

    Two kinds of cell: constructed problems (table `counterexamples`: case, ratio) and recorded
    flows, for each H' whose L* and sigma_min are in `optimum.parquet` (the row without skips).
    Steps with a gap below `smallest_gap` of the first one are left out: too few correct digits.
    """
    steps = _layer_steps(tables, filters)
    usable = (steps["step"] > 0) & (steps["excess_0"] > 0)
    steps = steps[usable & (steps["excess"] > smallest_gap * steps["excess_0"])]
    cases = tables["counterexamples"].assign(vacuous=False)
    frames = [(cases, ["case"]), (steps, [*CELL_KEYS, "layer"])]
    cells = [_worst(frame.assign(limit=1 + tolerance), keys) for frame, keys in frames]
    return pd.concat(cells, ignore_index=True)


def _layer_steps(tables: Tables, filters: Filters) -> pd.DataFrame:
    """Excess above L*_{H'}, its ratio to the bound, and whether that is vacuous, for each layer."""
    keys = [*KEYS, "step"]
    layers = select(tables["time_condition"], filters)[[*keys, "layer", "lambda_min_infimum"]]
    losses = tables["training"][[*keys, "time", "loss"]]
    steps = layers.merge(losses, on=keys, validate="many_to_one")
    single = select(tables["optimum"], {"multiscale": False})
    single = single.drop(columns="multiscale").rename(columns={"depth": "layer"})
    steps = with_excess(steps, single, LAYER_KEYS)
    rate = 4 * steps["lambda_min_infimum"] * steps["sigma_min"] ** 2
    ratio = steps["excess"] / steps["excess_0"] * np.exp(rate * steps["time"])
    return steps.assign(ratio=ratio, vacuous=rate == 0)


def _worst(steps: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """One cell for each setting: the step whose ratio comes closest to its limit, or passes it."""
    steps = steps.assign(above=steps["ratio"] - steps["limit"])
    groups = steps.groupby(keys, dropna=False)
    cells = steps.loc[groups["above"].idxmax().to_numpy()].sort_values(keys)
    cells["vacuous"] = groups["vacuous"].all().to_numpy()
    cells = cells[[*keys, "ratio", "limit", "above", "vacuous"]].reset_index(drop=True)
    return decide(
        cells.rename(columns={"ratio": "value"}),
        (cells["above"] > 0, "refutes", "excess / bound above 1"),
        (cells["vacuous"], "vacuous", "rate 0"),
        otherwise=("supports", "excess below the bound"),
    )
