"""What the bounds promise compared with what was measured: times to a small gap, step sizes.

Input: rows of `bounds.parquet`. One row for each run, or for each model over its learning rates.
"""

import numpy as np
import pandas as pd

from gnn_dynamics.artifacts.table import Table, integers, reals
from gnn_dynamics.claims.bounds import RATIO_TOLERANCE
from gnn_dynamics.claims.frames import by_run
from gnn_dynamics.config.grid import KEYS, RUN

FRACTION = 1e-3
GUARANTEES = Table(
    keys=(*RUN, "fraction"),
    columns=RUN | reals("fraction", "guaranteed_time", "measured_time", "guarantee_ratio"),
)
MODEL_KEYS = [key for key in KEYS if key != "lr"]
DESCENT_LIMITS = Table(
    keys=tuple(MODEL_KEYS),
    columns={key: RUN[key] for key in MODEL_KEYS}
    | reals("guaranteed_lr", "guaranteed_lr_broken", "restricted_lr", "restricted_lr_broken")
    | integers("rates"),
)
PROMISES = ("guaranteed", "restricted")


def guarantee_times(bounds: pd.DataFrame, fraction: float = FRACTION) -> pd.DataFrame:
    """Time to L - L* = `fraction` (L(0) - L*) for each run: measured, and as guaranteed at time 0.

    measured_time: of the first record at or below the fraction; null if there is none.
    guaranteed_time: log(1/fraction) / rate_guaranteed, infinite where the start guarantees nothing.
    """
    rate = by_run(bounds).rate_guaranteed.first()
    reached = bounds[bounds.excess <= fraction * bounds.excess_0]
    measured = by_run(reached).time.min().reindex(rate.index)
    with np.errstate(divide="ignore"):
        guaranteed = np.log(1 / fraction) / rate
    table = pd.DataFrame({"measured_time": measured, "guaranteed_time": guaranteed})
    return table.assign(fraction=fraction, guarantee_ratio=guaranteed / measured).reset_index()


def descent_limits(bounds: pd.DataFrame) -> pd.DataFrame:
    """Largest learning rate up to which gradient descent keeps the flow's bounds, for each model.

    bounds: of bounds.bounds_table with optimizer="gd". A model is a run without its learning rate.
    `guaranteed`: every record obeys the bound that the start guarantees; `restricted`: the one with
    the run's own restricted lambda. `*_lr` is the largest rate of the grid such that it and all
    smaller ones keep the bound, `*_lr_broken` the smallest that breaks it (null: there is none).
    """
    allowed = 1 + RATIO_TOLERANCE + bounds.excess_error
    kept = {
        name: (bounds.excess <= bounds[f"bound_{name}"] * allowed) & ~bounds.diverged
        for name in PROMISES
    }
    runs = by_run(bounds[list(KEYS)].assign(**kept)).all().reset_index()
    models = runs.groupby(MODEL_KEYS, dropna=False)
    return models.apply(_limits, include_groups=False).reset_index()


def _limits(runs: pd.DataFrame) -> pd.Series:
    limits = {"rates": len(runs)}
    for name in PROMISES:
        broken = runs.lr[~runs[name]].min()
        kept = runs.lr[~(runs.lr >= broken)].max()
        limits |= {f"{name}_lr": kept, f"{name}_lr_broken": broken}
    return pd.Series(limits)
