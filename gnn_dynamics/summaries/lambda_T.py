"""lambda_T, the quantity of the time-dependent condition, along every linear run."""

import pandas as pd

from gnn_dynamics.claims.lambda_T import lambda_T as infima
from gnn_dynamics.config.grid import KEYS
from gnn_dynamics.summaries import select

FULL, RESTRICTED = "lambda_min", "lambda_min_restricted"


def lambda_T(time_condition: pd.DataFrame | None, multiscale: bool) -> pd.DataFrame:
    """lambda_T of the linear runs, one row for each run and step (claims/lambda_T.py).

    Columns: KEYS, step, lambda_min (full) and lambda_min_restricted, both as infima so far.
    """
    columns = {"lambda_T": FULL, "lambda_T_restricted": RESTRICTED}
    if time_condition is None or time_condition.empty:
        return pd.DataFrame(columns=[*KEYS, "step", *columns.values()])
    rows = select.keep(time_condition, multiscale=multiscale, activation="linear")
    return infima(rows)[[*KEYS, "step", *columns]].rename(columns=columns)
