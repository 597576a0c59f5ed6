"""Rows of result tables: all declared columns with neutral values, of which a test changes some."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from declared import TABLES

from gnn_dynamics.config.grid import KEYS, OPTIMUM_KEYS

RUN = {
    "experiment": "made-up",
    "dataset": "cora",
    "aggregation": "gcn",
    "features": "row",
    "nodes": "train",
    "multiscale": True,
    "activation": "linear",
    "depth": 2,
    "width": 64,
    "init": "default",
    "loss_fn": "squared",
    "optimizer": "flow",
    "lr": np.nan,
    "labels": "true",
    "seed": 0,
}
assert tuple(RUN) == KEYS
OPTIMUM = {key: RUN[key] for key in OPTIMUM_KEYS}
USUAL = RUN | {"status": "ok", "threshold": 0.1, "threshold_kind": "initial"}
NEUTRAL = {pa.string(): "", pa.int64(): 0, pa.float64(): np.nan, pa.bool_(): False}
NULL = {pa.int64(): np.nan, pa.float64(): np.nan}  # as pandas reads a column of nulls


def row(table: str, **changes: Any) -> dict[str, Any]:
    """A row of the run RUN in which nothing was measured, but for `changes`."""
    columns, optional = TABLES[table].columns, TABLES[table].optional
    values = {name: USUAL.get(name, NEUTRAL.get(kind)) for name, kind in columns.items()}
    values |= {name: USUAL.get(name, NULL.get(kind)) for name, kind in optional.items()}
    assert set(changes) <= set(values), f"{table} has no {set(changes) - set(values)}"
    return values | changes


def grid(table: str, **lists: Any) -> pd.DataFrame:
    """A row for each element of the product of the lists; single values are in every row."""
    fixed = {name: value for name, value in lists.items() if isinstance(value, (str, float, int))}
    lists = {name: value for name, value in lists.items() if name not in fixed}
    values = pd.DataFrame(list(product(*lists.values())), columns=list(lists))
    rest = {name: value for name, value in row(table, **fixed).items() if name not in lists}
    return values.assign(**rest)[list(row(table))]


def frame(table: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The rows as a frame; without rows, the declared columns and types."""
    types = {name: kind.to_pandas_dtype() for name, kind in TABLES[table].types.items()}
    empty = pd.DataFrame({name: pd.Series([], dtype=kind) for name, kind in types.items()})
    return pd.DataFrame(rows) if rows else empty
