"""Cells of the claims on convergence bounds, Theorems 1 and 2.

A cell is a setting with all its seeds and recorded steps. Its value is the largest ratio of the
excess to the bound, after the start. Above 1, beyond the error of the integrator, the bound fails.
Where the rate is 0 at every step the bound states only that the loss does not grow: vacuous.
"""

import pandas as pd

from gnn_dynamics.claims.cells import decide
from gnn_dynamics.claims.frames import CELL_KEYS, Filters, Tables, select


def bound_ratio(tables: Tables, filters: Filters, *, tolerance: float) -> pd.DataFrame:
    """Cells of Theorems 1 and 2(i) from `bounds.parquet`, with the paper's own bound.

    `tolerance` is added to the measured errors of the integrator and of rounding in L - L*.
    """
    steps = select(tables["bounds"], filters)
    steps = steps[steps["step"] > 0]
    errors = steps[["integrator_error", "excess_error"]].sum(axis=1)  # null: not measured
    ratio = steps["excess"] / steps["bound_paper"]
    return _worst(steps.assign(ratio=ratio, limit=1 + tolerance + errors), list(CELL_KEYS))


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
