"""The features of the nodes: the columns of numbers that are nothing else, or one matrix."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gnn_dynamics.data.own.ids import differ
from gnn_dynamics.data.own.names import DRAWN, FEATURES, INTERNAL, LABELS, first, is_id, part_of, stem
from gnn_dynamics.data.own.table import Table, numbers
from gnn_dynamics.errors import UserError


def feature_names(table: Table, key: str | None, label: str | None) -> list[str]:
    """The columns and matrices that are features, without those of ids, labels and the split.

    Raises:
        UserError: if most of a column but not all of it are numbers; the message names the line.
    """
    names = [name for name in table.names if name not in (key, label, *table.index)]
    if table.noun == "array":
        chosen = first(names, FEATURES) or (names[0] if len(names) == 1 else None)
        return [] if chosen is None or chosen != "" and part_of(chosen) else [chosen]
    plane = {"x", "y"} <= set(map(stem, table.frame))
    drawn = DRAWN if plane and table.noun == "node attribute" else set()
    other = drawn | INTERNAL | set(LABELS) - ({"y"} if plane else set())
    return [
        name
        for name in names
        if stem(name) not in other and part_of(name) is None and _is_feature(table, name)
    ]


def _is_feature(table: Table, name: str) -> bool:
    if name in table.arrays:
        return table.arrays[name].ndim == 2 and table.arrays[name].dtype.kind in "buif"
    column = table.frame[name]
    if column.dtype.kind in "biuf":
        return bool(column.notna().any() or not len(column)) and not (is_id(name) and differ(column))
    known = column.dropna()
    bad = pd.to_numeric(known, errors="coerce").isna()
    if bad.mean() < 0.5:
        row = table.frame.index.get_loc(bad.idxmax())
        raise UserError(f"{table.cell(row, name)}: {known[bad].iloc[0]!r} is not a number")
    return False


def matrix(table: Table, names: list[str]) -> tuple[Any, list[tuple[str, int | None]]]:
    """X (rows, m_x), dense or sparse, and the column or array of each feature, with its place.

    Raises:
        UserError: if an array is no matrix of numbers.
    """
    parts = [_block(table, name) for name in names]
    titles = [
        (name, k if name in table.arrays else None)
        for name, part in zip(names, parts, strict=True)
        for k in range(part.shape[1])
    ]
    if any(map(sparse.issparse, parts)):
        return sparse.hstack([sparse.csr_array(part) for part in parts], format="csr"), titles
    return (parts[0] if len(parts) == 1 else np.hstack(parts)), titles


def _block(table: Table, name: str) -> Any:
    origin = f"{table.path}, {table.called(name)}" if name else str(table.path)
    values = numbers(table.use(name), origin)
    if values.ndim not in (1, 2) or values.shape[0] != len(table.frame):
        raise UserError(f"{origin} has the shape {values.shape}; it needs the shape (nodes, features)")
    return values if sparse.issparse(values) else values.reshape(len(values), -1)
