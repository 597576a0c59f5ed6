"""Features, labels and split of a user's own graph, each from a separate file.

A first column `node` gives the node of each row; without it, rows are in the order of the nodes.
Labels and split may leave nodes out, features may not.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gnn_dynamics.data.own.arrays import masks, matrix_in, named_array, open_npz
from gnn_dynamics.data.own.raw_graph import (
    LABEL_NAMES,
    Features,
    Labels,
    Where,
    as_features,
    one_column,
    part_masks,
    where_in,
)
from gnn_dynamics.data.own.tables import Table, node_column, read_table
from gnn_dynamics.errors import UserError


def read_array(path: Path) -> np.ndarray:
    """The array of a .npy file.

    Raises:
        UserError: if it is damaged or contains objects, which could run code.
    """
    try:
        return np.load(path, allow_pickle=False)
    except (
        ValueError,
        OSError,
        EOFError,
        MemoryError,
    ) as error:  # a damaged header may give any size
        raise UserError(f"{path} is not an array of numbers or text of numpy.save") from error


def read_features(path: Path) -> Features:
    """X (n, m_x) from CSV, Parquet, npy, or npz (a scipy sparse matrix, or the array x).

    Raises:
        UserError: if a value is not a number; the message names the file and the line or node.
    """
    if path.suffix == ".npy":
        return as_features(read_array(path), str(path))
    if path.suffix == ".npz":
        return matrix_in(path)
    table = read_table(path, lambda names: _kinds(names, "real"))
    key = node_column(table.names)
    kept = [k for k in range(len(table.names)) if k != key]
    X = np.column_stack([table.columns[k] for k in kept])
    rows = _rows_in_order(table, key)
    return Features(
        X[rows],
        lambda node, column: f"{table.cell(rows[node], kept[column])} (node {node})",
        tuple(table.names[k] for k in kept),
    )


def _kinds(names: Sequence[str], kind: str) -> list[str]:
    """The kinds of all columns: `kind`, but whole numbers for the nodes."""
    key = node_column(names)
    return ["integer" if position == key else kind for position in range(len(names))]


def _rows_in_order(table: Table, key: int | None) -> np.ndarray:
    """(n,) the row of each node."""
    if key is None:
        return np.arange(table.rows)
    nodes = _nodes(table, key, table.rows)
    rows = np.empty(table.rows, dtype=np.int64)
    rows[nodes] = np.arange(table.rows)
    return rows


def _nodes(table: Table, key: int, n: int) -> np.ndarray:
    """(rows,) the node of each row; all different and from 0 to n - 1."""
    nodes = table.columns[key]
    wrong = np.flatnonzero((nodes < 0) | (nodes >= n))
    if wrong.size:
        raise UserError(
            f"{table.where(wrong[0])}: there is no node {nodes[wrong[0]]}; ids are 0 to {n - 1}"
        )
    first = np.zeros(len(nodes), dtype=bool)
    first[np.unique(nodes, return_index=True)[1]] = True
    if not first.all():
        row = int(np.flatnonzero(~first)[0])
        raise UserError(f"{table.where(row)}: node {nodes[row]} has an earlier row")
    return nodes


def read_labels(path: Path, name: str | None, n: int) -> Labels:
    """(n,) labels from CSV, Parquet, npy or npz; `name` selects the column or array.

    Raises:
        UserError: if there are fewer or more than n, or several columns could be the labels.
    """
    if path.suffix in (".npy", ".npz"):
        origin, values = _stored_labels(path, name)
        labels = Labels(one_column(values, origin), where_in(origin, "node"))
        _check_count(len(labels.values), n, "labels", origin)
        return labels
    table = read_table(path, lambda names: _kinds(names, "text"))
    return Labels(*_by_node(table, _column(table, name), n, "labels"))


def _stored_labels(path: Path, name: str | None) -> tuple[str, np.ndarray]:
    if path.suffix == ".npy":
        return str(path), read_array(path)
    array, values = named_array(open_npz(path), (name,) if name else LABEL_NAMES, path)
    return f"{path}, array {array}", values


def _column(table: Table, name: str | None) -> int:
    key = node_column(table.names)
    others = [k for k in range(len(table.names)) if k != key]
    if name is None and len(others) == 1:
        return others[0]
    candidates = (name,) if name else LABEL_NAMES
    for position in others:
        if table.names[position] in candidates:
            return position
    listed = ", ".join(map(repr, table.names))
    raise UserError(
        f"{table.path} has the columns {listed}: "
        + (f"there is no {name!r}" if name else "name the one that holds the labels (labels: NAME)")
    )


def _by_node(table: Table, column: int, n: int, noun: str) -> tuple[np.ndarray, Where]:
    """The values (n,) in the order of the nodes; None for nodes without a row.

    `noun` names the values in messages.
    """
    key, values = node_column(table.names), table.columns[column]
    if key is None:
        header = ", whose first line is read as a header" if table.first_line == 2 else ""
        _check_count(table.rows, n, noun, f"{table.path}{header}")
        return values, lambda node: f"{table.cell(node, column)} (node {node})"
    nodes, by_node = _nodes(table, key, n), np.full(n, None, dtype=object)
    by_node[nodes] = values
    row_of = dict(zip(nodes.tolist(), range(table.rows), strict=True))
    return by_node, lambda node: f"{table.cell(row_of[node], column)} (node {node})"


def _check_count(count: int, n: int, noun: str, origin: str) -> None:
    if count != n:
        raise UserError(f"{origin}: {count} {noun}, but {n} nodes (rows of features)")


def read_split(path: Path, n: int) -> dict[str, np.ndarray]:
    """Masks (n,) from a table with train, val or test for each node, or from arrays of an npz.

    Raises:
        UserError: if there is another word; the message names its line.
    """
    if path.suffix == ".npz":
        parts = masks(open_npz(path), str(path))
        if not parts:
            raise UserError(f"{path} has none of the arrays train, val, test or train_mask, ...")
        return parts
    table = read_table(path, lambda names: _kinds(names, "text"))
    return part_masks(*_by_node(table, len(table.names) - 1, n, "parts of the split"))
