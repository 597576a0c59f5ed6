"""The nodes of a graph by their ids: any numbers or texts, or the numbers of rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.data.own.names import IDS, is_id, stem
from gnn_dynamics.data.own.table import Table
from gnn_dynamics.errors import UserError


def as_ids(values: Any) -> np.ndarray:
    """Ids as int64 where all are whole numbers, 1.0 and "1" included, else as text or None."""
    array = np.asarray(values)
    if array.dtype.kind in "iub" and array.max(initial=0) < 2**63:
        return array.astype(np.int64)
    if array.dtype.kind == "f":
        if (np.isfinite(array) & (array == np.round(array)) & (np.abs(array) < 2**53)).all():
            return array.astype(np.int64)
        return np.array([_text(x) for x in array.tolist()], dtype=object)
    text = pd.Series(np.where(pd.notna(array), array.astype(str), None), dtype=object)
    if len(text) and text.str.fullmatch(r"0|-?[1-9]\d{0,17}").eq(True).all():
        return text.astype(np.int64).to_numpy()
    return text.to_numpy()


def _text(x: float) -> str | None:
    return None if np.isnan(x) else f"{x:.0f}" if x == np.round(x) else str(x)


@dataclass(frozen=True)
class Nodes:
    """n nodes. ids: their ids in the order of the graph; None for 0, 1, ..., n - 1.

    origin: where the ids come from, in words. first: the id of the first node without `ids`.
    """

    n: int
    ids: pd.Index | None
    origin: str
    first: int = 0

    def locate(self, values: Any, by_row: bool = False) -> np.ndarray:
        """(k,) the number of the node of each id; -1 where there is none."""
        found = as_ids(values)
        if self.ids is not None and not by_row:
            ids = self.ids
            if found.dtype != ids.dtype:
                found, ids = found.astype(str), ids.astype(str)
            return ids.get_indexer(found)
        if found.dtype == object:
            found = pd.to_numeric(pd.Series(found), errors="coerce").to_numpy(np.float64)
            found = np.where(found == np.round(found), found, -1)
        shifted = found - (0 if by_row else self.first)
        return np.where((shifted >= 0) & (shifted < self.n), shifted, -1).astype(np.int64)

    @property
    def names(self) -> list[str] | None:
        """The ids as text; None for 0, 1, ..., n - 1."""
        return None if self.ids is None else [str(x) for x in self.ids]


def key_of(table: Table, fits: Callable[[np.ndarray], bool], option: str | None) -> str | None:
    """The column with the ids of the rows; None where rows are in the order of the nodes.

    fits: whether ids agree with those of the edges, or of the nodes. A column without a usual name
    has the ids if they fit and differ, and if it is the first or an index.

    Raises:
        UserError: if a column may be a feature as well; the message names the option that decides.
    """
    if table.noun == "array" or option in table.frame or option == "none":
        return option if option in table.frame else None
    names = [name for name in table.frame if name not in table.index]
    exact = [name for name in names if stem(name) in IDS]
    like = [name for name in names if is_id(name) and differ(table.frame[name])]
    if table.key or exact or like:
        return table.key or (exact or like)[0]
    for name in (*table.index, *names[:1]):
        column = table.frame[name]
        if len(table.names) > 1 and differ(column) and fits(as_ids(column)):
            if name not in table.index and table.named and column.dtype.kind != "O":
                raise UserError(
                    f"{table.path}, column {name!r} may hold the ids of the nodes or be a feature;"
                    f" rename it to `node`, or choose by --ids {name} or --ids none"
                )
            return name
    return None


def differ(column: pd.Series) -> bool:
    """Whether a column has a different whole number or text in each row."""
    if column.dtype.kind == "b" or column.isna().any():
        return False
    ids = as_ids(column)
    return bool(column.dtype.kind != "f" or ids.dtype != object) and pd.Index(ids).is_unique


def ids_of(table: Table, key: str) -> np.ndarray:
    """The ids in a column.

    Raises:
        UserError: if one is missing or repeated, naming its line.
    """
    ids = as_ids(table.use(key))
    missing, repeated = np.flatnonzero(pd.isna(ids)), np.flatnonzero(pd.Index(ids).duplicated())
    if missing.size:
        raise UserError(f"{table.cell(missing[0], key)} is empty; every row needs the id of a node")
    if repeated.size:
        row = repeated[0]
        raise UserError(f"{table.where(row)}: node {ids[row]} has an earlier row")
    return ids


def rows_of(table: Table, nodes: Nodes, option: str | None) -> np.ndarray:
    """(n,) the row of each node in a table, by its ids or in order; -1 where it has none.

    Raises:
        UserError: if an id is no node, or there are no ids and fewer or more rows than nodes.
    """
    key = key_of(table, lambda ids: bool((nodes.locate(ids) >= 0).all()), option)
    if key is None:
        if len(table.frame) != nodes.n:
            raise UserError(
                f"{table.path}: {len(table.frame)} rows, but {nodes.n} nodes ({nodes.origin})"
            )
        return np.arange(nodes.n)
    ids = ids_of(table, key)
    found, rows = nodes.locate(ids), np.full(nodes.n, -1)
    if (found < 0).any():
        row = int(np.flatnonzero(found < 0)[0])
        known = f"; ids are {nodes.first} to {nodes.first + nodes.n - 1}" if nodes.ids is None else ""
        raise UserError(f"{table.where(row)}: there is no node {ids[row]} in {nodes.origin}{known}")
    rows[found] = np.arange(len(ids))
    return rows
