"""The edges: which columns are their ends and weights, and which nodes the ends are."""

from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.data.own.arrays import edges_of_matrix
from gnn_dynamics.data.own.ids import Nodes, as_ids
from gnn_dynamics.data.own.names import IDS, INDEXES, WEIGHTS, ends_of, stem
from gnn_dynamics.data.own.table import Table
from gnn_dynamics.errors import UserError


def with_ends(table: Table, option: str | None) -> Table:
    """The table with its `ends`; an adjacency matrix becomes a list of edges.

    Raises:
        UserError: if no two columns are the ends; the message lists the columns.
    """
    if table.ends is None and option is None:
        table = _from_matrix(table) or table
    names = list(table.frame)
    chosen = tuple(part.strip() for part in option.split(",")) if option else None
    found = chosen or table.ends or (ends_of(names) if table.named else None)
    if found is None and not table.named and len(names) > 1:
        found = names[0], names[1]
    if found is None:
        rest = [n for n in names if len(names) == 2 or stem(n) not in IDS | INDEXES | WEIGHTS]
        found = (rest[0], rest[1]) if len(rest) == 2 else None
    if found is None or len(found) != 2 or not set(found) <= set(names):
        raise UserError(
            f"{table.path} has the columns {table.listed()}; an edge list needs two columns with"
            " the ids of nodes: name them source and target, or choose by --ends A,B"
        )
    table.ends = found
    return table


def _from_matrix(table: Table) -> Table | None:
    """The edges of an adjacency matrix: a square of numbers, with or without names of nodes."""
    frame, names = table.frame, list(table.frame)
    n, ids = len(frame), None
    if len(names) == n + 1 and frame[names[0]].astype(str).tolist() == names[1:]:
        frame, ids = frame[names[1:]], np.array(names[1:], dtype=object)
    elif len(names) != n or n < 3 or (table.named and names != [str(k) for k in range(n)]):
        return None
    if not all(kind.kind in "biuf" for kind in frame.dtypes):
        return None
    A = frame.to_numpy(dtype=np.float64)
    if n == 3 and not np.array_equal(A, A.T):
        return None  # three edges with weights
    edges, _ = edges_of_matrix(table.path, "", A)
    edges.notes += table.notes
    if ids is not None:
        edges.by_row = False
        edges.frame["source"], edges.frame["target"] = (
            ids[edges.frame[end]] for end in ("source", "target")
        )
    return edges


def weights_of(table: Table, ignore: bool) -> bool:
    """Whether the edges have weights other than 1, which are ignored.

    Raises:
        UserError: if they have and are not to be ignored, naming the first.
    """
    third = [] if table.named else list(table.frame)[2:3]
    names = [n for n in table.frame if stem(n) in WEIGHTS and n not in (table.ends or ())] or third
    ignored = False
    for name in names:
        column = table.frame[name]
        values = pd.to_numeric(column, errors="coerce").fillna(1 if column.isna().all() else np.nan)
        wrong = np.flatnonzero(values != 1)
        table.used.add(name)
        if wrong.size and not ignore:
            raise UserError(
                f"{table.where(wrong[0])}: weight {column.iloc[wrong[0]]} in {table.called(name)};"
                " the theory has no edge weights: remove them, or set the option `weights: ignore`"
                " (--ignore-weights)"
            )
        ignored = ignored or bool(wrong.size)
    return ignored


def located(table: Table, nodes: Nodes) -> tuple[np.ndarray, np.ndarray]:
    """(edges,) the numbers of the nodes at both ends.

    Raises:
        UserError: if an end is empty or no node, naming the first such edge.
    """
    assert table.ends is not None
    ids = [as_ids(table.use(name)) for name in table.ends]
    source, target = (nodes.locate(values, table.by_row) for values in ids)
    bad = np.flatnonzero((source < 0) | (target < 0))
    if bad.size:
        row = int(bad[0])
        side = 0 if source[row] < 0 else 1
        raise UserError(_stray(table, nodes, row, side, ids))
    return source, target


def _stray(table: Table, nodes: Nodes, row: int, side: int, ids: list[np.ndarray]) -> str:
    """The message about an end that is no node."""
    name, value = (table.ends or ())[side], ids[side][row]
    if value is None:
        return f"{table.cell(row, name)} is empty; it needs the id of a node"
    if nodes.ids is not None and not table.by_row:
        return f"{table.where(row)}: there is no node {value!s} in {nodes.origin}"
    last, remedy = nodes.first + nodes.n - 1, ""
    if not table.by_row:
        remedy = (
            f"; nodes are numbered by {nodes.origin}: for other ids, add a column `node` there, or"
            " a file with one id a line (ids=FILE)"
        )
    if isinstance(value, str):
        return f"{table.cell(row, name)}: {value!r} is not a whole number from {nodes.first} to {last}{remedy}"
    if min(end.min() for end in ids if end.dtype != object) == nodes.first + 1:
        remedy = f"; if the ids start at {nodes.first + 1}, say so by --first-id {nodes.first + 1}"
    pair = f"({ids[0][row]}, {ids[1][row]})"
    return f"{table.where(row)} {pair}: node ids must be whole numbers from {nodes.first} to {last}{remedy}"


def ids_in(table: Table) -> np.ndarray:
    """The different ids of the edges, ascending."""
    ends = [as_ids(table.frame[name]) for name in table.ends or ()]
    if len({end.dtype for end in ends}) > 1:
        ends = [end.astype(str).astype(object) for end in ends]
    ids: Any = pd.unique(np.concatenate(ends))
    return np.sort(ids[~pd.isna(ids)])
