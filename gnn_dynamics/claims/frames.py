"""Result tables as data frames: filters, groups of runs and cells, and the excess loss L - L*."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from pandas.api.typing import DataFrameGroupBy

from gnn_dynamics.config.grid import KEYS, OPTIMUM_KEYS

Tables = Mapping[str, pd.DataFrame]
Filters = Mapping[str, Any]

# A cell is everything about a run but its seed.
CELL_KEYS = tuple(key for key in KEYS if key != "seed")


def select(frame: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    """Rows whose columns have the values of `filters`; a list allows any of its values."""
    for column, value in filters.items():
        values = value if isinstance(value, list) else [value]
        frame = frame[frame[column].isin(values)]
    return frame


def splits_as_seeds(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the runs on an official split `train-k` as runs on `train`, of other seeds.

    A split is one more random draw. Its seeds are shifted by 1000 (k + 1).
    """
    split = frame["nodes"].str.extract(r"^train-(\d+)$", expand=False).astype(float)
    seed = frame["seed"] + (1000 * (split + 1)).fillna(0).astype(int)
    return frame.assign(nodes=frame["nodes"].mask(split.notna(), "train"), seed=seed)


def by_run(frame: pd.DataFrame, *more: str) -> DataFrameGroupBy:
    """Groups of one run each, or of one run and the columns `more`."""
    return frame.groupby([*KEYS, *more], dropna=False)


def by_cell(frame: pd.DataFrame) -> DataFrameGroupBy:
    """Groups of the runs that differ in their seeds alone."""
    return frame.groupby(list(CELL_KEYS), dropna=False)


def with_excess(
    training: pd.DataFrame, optimum: pd.DataFrame, keys: Iterable[str] = OPTIMUM_KEYS
) -> pd.DataFrame:
    """Records of linear models with squared loss, ordered by run and step, with their excess loss.

    Args:
        training: rows of `training.parquet`.
        optimum: rows of `optimum.parquet`, one for each value of `keys`.
        keys: what the optimum depends on. A column beside KEYS, such as `layer`, must be in both
            frames; each of its values is then a run of its own.

    Returns:
        The columns of `training`, the optimum and singular values, excess = L - L*, and excess_0,
        the first excess of the run. Both are null where a run has no optimum.
    """
    facts = ["loss_optimum", "label_norm_sq", "sigma_max", "sigma_min", "sigma_min_positive"]
    keys, more = list(keys), [key for key in keys if key not in KEYS]
    records = select(training, {"loss_fn": "squared", "activation": "linear"})
    records = records.merge(optimum[[*keys, *facts]], on=keys, how="left", validate="many_to_one")
    records = records.sort_values([*KEYS, *more, "step"], ignore_index=True)
    records["excess"] = records["loss"] - records["loss_optimum"]
    return records.assign(excess_0=by_run(records, *more)["excess"].transform("first"))
