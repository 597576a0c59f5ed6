"""lambda_T, the quantity of the time-dependent condition, along every linear run."""

import pandas as pd

from gnn_dynamics.config.grid import KEYS
from gnn_dynamics.summaries import select

FULL, RESTRICTED = "lambda_min", "lambda_min_restricted"


def lambda_T(time_condition: pd.DataFrame | None, multiscale: bool) -> pd.DataFrame:
    """Running infimum of lambda_min over the recorded steps, one row per run and step.

    Linear model: lambda_T^(H), of the product of all H layers. Multiscale: lambda_T^(1:H), the
    smallest over l = 0..H, where l = 0 gives 1. Columns: keys, step, lambda_min (full) and
    lambda_min_restricted, both as running minima.
    """
    if time_condition is None or time_condition.empty:
        return pd.DataFrame(columns=[*KEYS, "step", FULL, RESTRICTED])
    rows = select.keep(time_condition, multiscale=multiscale, activation="linear")
    if not multiscale:
        rows = rows[rows["layer"] == rows["depth"]]
    keys = [*KEYS, "step"]
    lowest = rows.groupby(keys, dropna=False, sort=True)[[FULL, RESTRICTED]].min().reset_index()
    if multiscale:
        lowest[[FULL, RESTRICTED]] = lowest[[FULL, RESTRICTED]].clip(upper=1.0)
    running = lowest.groupby(list(KEYS), dropna=False)[[FULL, RESTRICTED]].cummin()
    return lowest.assign(**{column: running[column] for column in (FULL, RESTRICTED)})
