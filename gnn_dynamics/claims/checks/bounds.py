"""Cells of the claims on convergence bounds: Theorem 1, Theorem 2 and its form for single layers.

A cell is a setting with all its seeds and recorded steps; its value is the largest ratio of the
excess to the bound, after the start. Above 1, beyond the error of the integrator, the bound fails.
Where the rate is 0 at every step the bound says only that the loss does not grow: vacuous.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.claims.cells import CELL_KEYS, decide, name_cells
from gnn_dynamics.claims.pairs import select
from gnn_dynamics.config.grid import KEYS

Tables = Mapping[str, pd.DataFrame]
OPTIMUM_KEYS = ("dataset", "aggregation", "features", "nodes", "labels", "seed")


def bound_ratio(tables: Tables, wanted: Mapping[str, Any], *, tolerance: float) -> pd.DataFrame:
    """Cells of Theorems 1 and 2(i) from `bounds.parquet`, with the paper's own bound.

    `tolerance` is added to the measured errors of the integrator and of rounding in L - L*.
    """
    steps = select(tables["bounds"], wanted)
    steps = steps[steps["step"] > 0]
    errors = [
        steps[name].fillna(0.0) for name in ("integrator_error", "excess_error") if name in steps
    ]
    steps = steps.assign(
        ratio=steps["excess"] / steps["bound_paper"], limit=1 + tolerance + sum(errors)
    )
    return _worst(steps, list(CELL_KEYS))


def layer_bounds(
    tables: Tables, wanted: Mapping[str, Any], *, tolerance: float, smallest_gap: float
) -> pd.DataFrame:
    """Cells of the bound of one layer H' <= H for a multiscale run, in the form we know:

        L(T) - L*_{H'} <= (L(0) - L*_{H'}) exp(-4 lambda_T^(H') sigma_min^2(X (S^{H'})_{*I}) T)

    Two kinds of cell: constructed problems (table `counterexamples`: case, ratio) and recorded
    flows, for each H' whose L* and sigma_min `optimum.parquet` holds (its row without skips).
    Steps whose gap is below `smallest_gap` of the first carry no digits and are left out.
    """
    runs = _worst(_layer_steps(tables, wanted, tolerance, smallest_gap), [*CELL_KEYS, "layer"])
    cases = tables["counterexamples"].assign(limit=1 + tolerance, vacuous=False)
    return pd.concat([_worst(cases, ["case"]), runs], ignore_index=True)


def _layer_steps(tables: Tables, wanted, tolerance: float, smallest_gap: float) -> pd.DataFrame:
    layers = select(tables["time_condition"], wanted)[[*KEYS, "step", "layer", "lambda_min"]]
    columns = [*KEYS, "step", "time", "loss"]
    steps = layers.merge(tables["training"][columns], on=[*KEYS, "step"], validate="many_to_one")
    single = tables["optimum"][lambda frame: ~frame["multiscale"].astype(bool)]
    single = single.rename(columns={"depth": "layer"})
    values = ["loss_optimum", "sigma_min"]
    steps = steps.merge(single[[*OPTIMUM_KEYS, "layer", *values]], on=[*OPTIMUM_KEYS, "layer"])
    steps = steps.sort_values([*KEYS, "layer", "step"], ignore_index=True)
    run = steps.groupby([*KEYS, "layer"], dropna=False)
    excess = steps["loss"] - steps["loss_optimum"]
    first = excess.groupby(run.ngroup()).transform("first")
    rate = 4 * run["lambda_min"].cummin() * steps["sigma_min"] ** 2
    ratio = excess / first * np.exp(rate * steps["time"])
    steps = steps.assign(ratio=ratio, limit=1 + tolerance, vacuous=rate == 0)
    return steps[(first > 0) & (steps["step"] > 0) & (excess > smallest_gap * first)]


def _worst(steps: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """One cell for each setting: the step whose ratio comes closest to its limit, or passes it."""
    steps = steps.assign(above=steps["ratio"] - steps["limit"])
    groups = steps.groupby(keys, dropna=False)
    cells = steps.loc[groups["above"].idxmax().to_numpy()].sort_values(keys)
    cells["vacuous"] = groups["vacuous"].all().to_numpy()
    cells = cells[[*keys, "ratio", "limit", "above", "vacuous"]].reset_index(drop=True)
    cells = decide(
        cells,
        (cells["above"] > 0, "refutes", "excess / bound above 1"),
        (cells["vacuous"], "vacuous", "rate 0"),
        otherwise=("supports", "excess below the bound"),
    )
    return cells.rename(columns={"ratio": "value"}).assign(cell=name_cells(cells))
