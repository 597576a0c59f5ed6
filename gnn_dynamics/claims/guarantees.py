"""What the bounds promise against what happened: times to a small gap, and step sizes.

Reads bounds.parquet's columns; one row for each run, or for each model over its learning rates.
"""

import numpy as np
import pandas as pd

from gnn_dynamics.artifacts.table import Table, integers, reals
from gnn_dynamics.config.columns import RUN
from gnn_dynamics.config.grid import KEYS

FRACTION = 1e-3
GUARANTEES = Table(
    keys=(*RUN, "fraction"),
    columns=RUN | reals("fraction", "guaranteed_time", "measured_time", "guarantee_ratio"),
)
_MODEL = [key for key in KEYS if key != "lr"]
DESCENT_LIMITS = Table(
    keys=tuple(_MODEL),
    columns={key: RUN[key] for key in _MODEL}
    | reals("guaranteed_lr", "guaranteed_lr_broken", "restricted_lr", "restricted_lr_broken")
    | integers("rates"),
)


def guarantee_times(bounds: pd.DataFrame, fraction: float = FRACTION) -> pd.DataFrame:
    """Time to L - L* = `fraction` (L(0) - L*) for each run: measured, and as guaranteed at time 0.

    measured_time: of the first record at or below the fraction; null if there is none.
    guaranteed_time: log(1/fraction) / rate_guaranteed, infinite where the start guarantees nothing.
    """
    runs = bounds.groupby(list(KEYS), dropna=False, sort=False)
    reached = bounds[bounds.excess <= fraction * bounds.excess_0]
    measured = reached.groupby(list(KEYS), dropna=False, sort=False).time.min()
    rate = runs.rate_guaranteed.first()
    with np.errstate(divide="ignore"):
        guaranteed = np.log(1 / fraction) / rate
    table = pd.DataFrame({"measured_time": measured.reindex(rate.index)})
    return table.assign(
        fraction=fraction,
        guaranteed_time=guaranteed,
        guarantee_ratio=guaranteed / table.measured_time,
    ).reset_index()


def descent_limits(bounds: pd.DataFrame) -> pd.DataFrame:
    """Largest learning rate up to which gradient descent keeps the flow's bounds, for each model.

    bounds: of bounds.bounds_table with optimizer="gd". A model is a run without its learning rate.
    `guaranteed`: every record obeys the bound that the start guarantees; `restricted`: the one with
    the run's own restricted lambda. `*_lr` is the largest rate of the grid such that it and all
    smaller ones keep the bound, `*_lr_broken` the smallest that breaks it (null: there is none).
    """
    runs = _kept(bounds).groupby(_MODEL, dropna=False, sort=False)
    return runs.apply(_limits, include_groups=False).reset_index()


def _kept(descent: pd.DataFrame) -> pd.DataFrame:
    allowed = 1 + 1e-9 + descent.excess_error
    below = {
        name: (descent.excess <= descent[f"bound_{name}"] * allowed) & ~descent.diverged
        for name in ("guaranteed", "restricted")
    }
    return descent[list(KEYS)].assign(**below).groupby(list(KEYS), dropna=False).all().reset_index()


def _limits(runs: pd.DataFrame) -> pd.Series:
    facts = {"rates": len(runs)}
    for name in ("guaranteed", "restricted"):
        broken = runs.lr[~runs[name]].min()
        kept = runs.lr[~(runs.lr >= broken)].max()
        facts |= {f"{name}_lr": kept, f"{name}_lr_broken": broken}
    return pd.Series(facts)
