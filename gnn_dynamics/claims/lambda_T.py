"""lambda_T of a model, the smallest over the layers that its theorem needs.

    lambda_T = min_l lambda_T^(l),   lambda_T^(l) = inf_{t <= T} lambda_min(Bbar_l(t)^T Bbar_l(t))

Without skips Theorem 1 of Xu et al. (2021) needs the top layer l = H alone, with skips Theorem 2
needs l = 0..H. The infimum of each layer is a column of `time_condition.parquet`
(theory/time_condition.with_infima); bounds, conditions and figures read it here.
"""

from collections.abc import Sequence

import pandas as pd

from gnn_dynamics.config.grid import KEYS

INFIMA = {"lambda_min_infimum": "lambda_T", "lambda_min_restricted_infimum": "lambda_T_restricted"}
MOMENTARY = ("lambda_min", "lambda_min_restricted")


def required_layers(time_condition: pd.DataFrame) -> pd.DataFrame:
    """Rows of the layers that count: the top layer without skips, all layers with skips."""
    top = time_condition["layer"] == time_condition["depth"]
    return time_condition[time_condition["multiscale"].astype(bool) | top]


def lambda_T(time_condition: pd.DataFrame, keys: Sequence[str] = (*KEYS, "step")) -> pd.DataFrame:
    """One row for each run and step of `time_condition.parquet`, which `keys` identify.

    Returns:
        The keys, lambda_T and lambda_T_restricted (both never rise along a run), and lambda_min
        and lambda_min_restricted at that step: the smallest values over the required layers.
    """
    steps = required_layers(time_condition).groupby(list(keys), dropna=False)
    return steps[[*INFIMA, *MOMENTARY]].min().rename(columns=INFIMA).reset_index()
