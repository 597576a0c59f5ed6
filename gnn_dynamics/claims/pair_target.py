"""The training loss at which two models are compared, and when each of them reaches it.

    l* = L*_worse + 0.1 (||Y||^2 - L*_worse),  L*_worse the larger L* of the two

Both can reach it, and it is the same loss for both. A model's own target is the one with its own
L*; that of a pair is the larger of the two own ones. `speed.parquet` has every run's time at its
own target and at levels above it (runs/speed.py, kind `pair`). Between two of these the time is
interpolated, with log(excess) linear in time: exact for an exponential decay. Where L* is equal on
both sides, as where it is 0, nothing is interpolated.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gnn_dynamics.config.grid import KEYS
from gnn_dynamics.runs.speed import PAIR_SHARE

PAIR = "pair"  # the kind of threshold
_TIMES = ["time_to_threshold", "steps_to_threshold"]


def at_common_target(
    a: pd.DataFrame, b: pd.DataFrame, compare: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of `speed.parquet` of two sides, those of kind `pair` replaced by one row for each run.

    Its threshold is PAIR_SHARE, and its times are those of the loss that the two sides share. Runs
    of kind `pair` without a partner are left out. The sides differ in the column `compare`.
    """
    model = [key for key in KEYS if key not in (compare, "lr")]
    own = [_levels(side).groupby(model)["threshold"].min() for side in (a, b)]
    target = pd.concat(own, axis=1, join="inner").max(axis=1).rename("target").reset_index()
    first, second = (_with_target(side, target, model) for side in (a, b))
    return first, second


def _levels(side: pd.DataFrame) -> pd.DataFrame:
    return side[side["threshold_kind"] == PAIR]


def _with_target(side: pd.DataFrame, target: pd.DataFrame, model: Sequence[str]) -> pd.DataFrame:
    rest = side[side["threshold_kind"] != PAIR]
    return pd.concat([rest, crossings(_levels(side).merge(target, on=list(model)))])


def crossings(levels: pd.DataFrame) -> pd.DataFrame:
    """One row for each run: when it reaches `target`, a column of `levels`.

    A run that does not reach the level next below its target counts as not reaching the target.
    """
    columns = levels.columns.drop("target")
    levels = levels.sort_values("threshold")
    own = levels.groupby(list(KEYS), dropna=False)["threshold"].transform("min")
    optimum = (own - PAIR_SHARE) / (1 - PAIR_SHARE)
    levels = levels.assign(
        excess=levels["threshold"] - optimum, excess_at_target=levels["target"] - optimum
    )
    below = levels[levels["threshold"] <= levels["target"]]
    above = levels[levels["threshold"] >= levels["target"]]
    lower = below.drop_duplicates(KEYS, keep="last").reset_index(drop=True)
    upper = lower[list(KEYS)].merge(above.drop_duplicates(KEYS), on=list(KEYS), how="left")
    fall = np.log(upper["excess"] / lower["excess"])
    share = (np.log(upper["excess"] / lower["excess_at_target"]) / fall).where(fall > 0, 1.0)
    times = {name: upper[name] + share * (lower[name] - upper[name]) for name in _TIMES}
    steps = times["steps_to_threshold"]
    reached = {"censored": steps.isna(), "started_below": steps == 0}
    return lower.assign(**times, **reached, threshold=PAIR_SHARE)[columns]
