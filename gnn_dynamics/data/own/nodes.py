"""The nodes of a graph by their ids: any numbers or texts, or the numbers of rows."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gnn_dynamics.data.own.names import IDS, is_id, part_of, stem
from gnn_dynamics.data.own.table import Table
from gnn_dynamics.errors import UserError


def as_ids(values: Any) -> np.ndarray:
    """Ids as int64 where all are whole numbers, 1.0 and "1" included, else as text or None."""
    array = np.asarray(values)
    if array.dtype.kind in "ib" or (array.dtype.kind == "u" and array.max(initial=0) < 2**63):
        return array.astype(np.int64)
    if array.dtype.kind == "f" and (np.abs(array) < 2**53).all() and (array % 1 == 0).all():
        return array.astype(np.int64)
    text = pd.Series(array).astype(object).map(lambda x: f"{x}".removesuffix(".0"), "ignore")
    text = text.replace({np.nan: None})
    if len(text) and text.str.fullmatch(r"0|-?[1-9]\d{0,17}").eq(True).all():
        return text.astype(np.int64).to_numpy()
    return text.to_numpy()


class Nodes(NamedTuple):
    """The ids of the nodes in their order, and where they come from in words."""

    ids: pd.Index
    origin: str

    def locate(self, values: Any) -> np.ndarray:
        """(k,) the number of the node of each id; -1 where there is none."""
        found, ids = as_ids(values), self.ids
        if not found.dtype.kind == ids.dtype.kind == "i":
            found, ids = pd.Index(found).map(str), ids.map(str)
        return ids.get_indexer(found)

    def require(self, values: np.ndarray, where: Callable[[int], str]) -> np.ndarray:
        """(k,) the number of the node of each id; an error at the first that there is not."""
        found = self.locate(values)
        if (found < 0).any():
            row = int((found < 0).argmax())
            known = "" if self.names else f"; ids are 0 to {len(self.ids) - 1}"
            raise UserError(f"{where(row)}: there is no node {values[row]}{known}")
        return found

    @property
    def names(self) -> list[str] | None:
        """The ids as text; None for 0, 1, ..., n - 1."""
        return None if self.ids.equals(pd.RangeIndex(len(self.ids))) else [*map(str, self.ids)]


def nodes_of(ids: np.ndarray, origin: str) -> Nodes:
    """The nodes with these ids, in their order if they are 0, 1, ..., n - 1."""
    counted = ids.dtype != object and np.array_equal(np.sort(ids), np.arange(len(ids)))
    return Nodes(pd.RangeIndex(len(ids)) if counted else pd.Index(ids), origin)


def nodes_of_edges(table: Table) -> Nodes:
    """The nodes at the ends of the edges, in ascending order."""
    ids = as_ids(np.concatenate([table.columns[end] for end in table.ends]))
    return nodes_of(np.unique(ids[~pd.isna(ids)]), "those of the edges")


def key_of(table: Table, known: Nodes, option: str | None) -> str | None:
    """The column with the ids of the rows; None where rows are in the order of the nodes.

    A column without a usual name has the ids if it is the first or an index, its values differ,
    and these contain all known ids or are among them.
    """
    if table.noun == "array" or option in table.flat or option == "none":
        return option if option in table.flat else None
    names = [name for name in table.plain if name in table.flat and not part_of(name)]
    exact = [name for name in names if stem(name) in IDS]
    like = [name for name in names if is_id(name) and differ(table.columns[name])]
    if table.key is not None or exact or like:
        return table.key if table.key is not None else (exact or like)[0]
    indexes = [name for name in table.flat if name not in table.plain]
    for name in (*indexes, *names[:1]) if len(table.columns) > 1 else ():
        column = table.columns[name]
        if differ(column) and _agree(as_ids(column), known):
            if name in names and table.named and column.dtype != object:
                may = f"{table.path}, column {name!r} may be the node ids or a feature"
                raise UserError(f"{may}: rename it to `node`, or choose --ids {name} or --ids none")
            return name
    return None


def differ(column: np.ndarray) -> bool:
    """Whether a column has a different whole number or text in each row."""
    if column.dtype.kind == "b" or pd.isna(column).any():
        return False
    ids = as_ids(column)
    return bool(column.dtype.kind != "f" or ids.dtype != object) and pd.Index(ids).is_unique


def _agree(ids: np.ndarray, known: Nodes) -> bool:
    """Whether the ids contain the known ones or the other way round."""
    among, contains = known.locate(ids), nodes_of(ids, "").locate(known.ids)
    return bool(len(known.ids) and ((among >= 0).all() or (contains >= 0).all()))


def ids_in(table: Table, key: str) -> np.ndarray:
    """The ids in a column; none may be missing or repeated."""
    if key not in table.flat:
        raise UserError(f"{table.path}, {table.called(key)} is not one column of ids")
    ids = as_ids(table.use(key))
    missing, repeated = np.flatnonzero(pd.isna(ids)), np.flatnonzero(pd.Index(ids).duplicated())
    if missing.size:
        raise UserError(f"{table.where(missing[0], key)} is empty; every row needs an id")
    if repeated.size:
        row = int(repeated[0])
        raise UserError(f"{table.where(row)}: node {ids[row]} has an earlier row")
    return ids


def rows_of(table: Table, nodes: Nodes) -> np.ndarray:
    """(n,) the row of each node in a table, by its ids or in order; -1 where it has none."""
    n = len(nodes.ids)
    if table.key is None:
        if table.rows != n:
            raise UserError(f"{table.path}: {table.rows} rows, but {n} nodes ({nodes.origin})")
        return np.arange(n)
    if not table.rows:
        raise UserError(f"{table.path} has no rows")
    found, rows = nodes.require(ids_in(table, table.key), table.where), np.full(n, -1)
    rows[found] = np.arange(len(found))
    return rows
