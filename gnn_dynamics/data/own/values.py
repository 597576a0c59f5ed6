"""Features, labels and the split of a user's own graph where each has a file of its own.

A row belongs to the node that a first column `node` names; without one, rows are in the order of
the nodes. Only features must be there for every node.
"""

from pathlib import Path

import numpy as np

from gnn_dynamics.data.own.arrays import masks, matrix_in, named_array, open_npz
from gnn_dynamics.data.own.raw_graph import (
    LABEL_NAMES,
    Features,
    Labels,
    as_features,
    one_column,
    part_masks,
    place_of,
)
from gnn_dynamics.data.own.tables import Table, node_column, read_table
from gnn_dynamics.errors import UserError


def read_array(path: Path) -> np.ndarray:
    """The array of a .npy file.

    Raises:
        UserError: if it is damaged or holds objects, which could run code.
    """
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError, MemoryError) as error:  # a header may claim any size
        raise UserError(f"{path} is not an array of numbers or text by numpy.save") from error


def read_features(path: Path) -> Features:
    """X (n, m_x) from CSV, Parquet, npy, or npz (a scipy sparse matrix, or the array x).

    Raises:
        UserError: naming the file and line, or node, of what is no number.
    """
    if path.suffix == ".npy":
        return as_features(read_array(path), str(path))
    if path.suffix == ".npz":
        return matrix_in(path)
    table = read_table(path, _kinds_of_features)
    key = node_column(table.names)
    kept = [k for k in range(len(table.names)) if k != key]
    X = np.column_stack([table.columns[k] for k in kept])
    rows = _rows_in_order(table, key)
    return Features(
        X[rows],
        lambda node, column: f"{table.cell(rows[node], kept[column])} (node {node})",
        tuple(table.names[k] for k in kept),
    )


def _kinds_of_features(names) -> list[str]:
    key = node_column(names)
    return ["integer" if position == key else "real" for position in range(len(names))]


def _rows_in_order(table: Table, key: int | None) -> np.ndarray:
    """(n,) the row of each node."""
    if key is None:
        return np.arange(table.rows)
    nodes = _nodes(table, key, table.rows)
    rows = np.empty(table.rows, dtype=np.int64)
    rows[nodes] = np.arange(table.rows)
    return rows


def _nodes(table: Table, key: int, n: int) -> np.ndarray:
    """(rows,) node of each row; all different and from 0 to n - 1."""
    nodes = table.columns[key]
    wrong = np.flatnonzero((nodes < 0) | (nodes >= n))
    if wrong.size:
        raise UserError(
            f"{table.place(wrong[0])}: no node {nodes[wrong[0]]}; ids run from 0 to {n - 1}"
        )
    first = np.zeros(len(nodes), dtype=bool)
    first[np.unique(nodes, return_index=True)[1]] = True
    if not first.all():
        row = int(np.flatnonzero(~first)[0])
        raise UserError(f"{table.place(row)}: node {nodes[row]} has a row before this one already")
    return nodes


def read_labels(path: Path, name: str | None, n: int) -> Labels:
    """(n,) labels from CSV, Parquet, npy or npz; `name` chooses the column or array.

    Raises:
        UserError: if there are fewer or more than n, or it cannot be told which column is meant.
    """
    if path.suffix in (".npy", ".npz"):
        what, values = _stored_labels(path, name)
        labels = Labels(one_column(values, what), place_of(what, "node"))
        _check_count(len(labels.values), n, "labels", what)
        return labels
    table = read_table(path, lambda names: _keyed(names, "text"))
    return Labels(*_placed(table, _column(table, name), n, "labels"))


def _stored_labels(path: Path, name: str | None) -> tuple[str, np.ndarray]:
    if path.suffix == ".npy":
        return str(path), read_array(path)
    found, values = named_array(open_npz(path), (name,) if name else LABEL_NAMES, path)
    return f"{path}, array {found}", values


def _keyed(names, kind: str) -> list[str]:
    key = node_column(names)
    return ["integer" if position == key else kind for position in range(len(names))]


def _column(table: Table, name: str | None) -> int:
    key = node_column(table.names)
    others = [k for k in range(len(table.names)) if k != key]
    if name is None and len(others) == 1:
        return others[0]
    wanted = (name,) if name else LABEL_NAMES
    found = [k for k in others if table.names[k] in wanted]
    if found:
        return found[0]
    listed = ", ".join(map(repr, table.names))
    raise UserError(
        f"{table.path} has the columns {listed}: "
        + (f"there is no {name!r}" if name else "say which holds the labels (labels: NAME)")
    )


def _placed(table: Table, column: int, n: int, what: str):
    """Values by node with their places; None for nodes that a keyed table leaves out."""
    key, values = node_column(table.names), table.columns[column]
    if key is None:
        header = ", its first line taken as a header" if table.first_line == 2 else ""
        _check_count(table.rows, n, what, f"{table.path}{header}")
        return values, lambda node: f"{table.cell(node, column)} (node {node})"
    nodes, placed = _nodes(table, key, n), np.full(n, None, dtype=object)
    placed[nodes] = values
    row_of = dict(zip(nodes.tolist(), range(table.rows), strict=True))
    return placed, lambda node: f"{table.cell(row_of[node], column)} (node {node})"


def _check_count(found: int, n: int, what: str, where: str) -> None:
    if found != n:
        raise UserError(f"{where}: {found} {what}, but {n} nodes (rows of features)")


def read_split(path: Path, n: int) -> dict[str, np.ndarray]:
    """Masks (n,) from a table with train, val or test for each node; or arrays of an npz.

    Raises:
        UserError: naming the line of any other word.
    """
    if path.suffix == ".npz":
        parts = masks(open_npz(path), str(path))
        if not parts:
            raise UserError(f"{path} has none of the arrays train, val, test or train_mask, ...")
        return parts
    table = read_table(path, lambda names: _keyed(names, "text"))
    return part_masks(*_placed(table, len(table.names) - 1, n, "parts of the split"))
