"""Named arrays as tables: of edges, from a list of them or a matrix, and of nodes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gnn_dynamics.data.own.names import EDGE_LISTS, FEATURES, LABELS, MATRICES, WEIGHTS, first
from gnn_dynamics.data.own.networks import Network
from gnn_dynamics.data.own.table import Table, numbers
from gnn_dynamics.errors import UserError


def node_table(path: Path, arrays: Mapping[str, Any], n: int | None = None) -> Table:
    """Arrays with a value for each of n nodes as columns; n is that of the features or labels."""
    arrays = {name: _one_column(array) for name, array in arrays.items()}
    if n is None:
        name = first(arrays, (*FEATURES, *LABELS)) or next(iter(arrays), None)
        n = _size(arrays, name) or 0
    columns = {name: a for name, a in arrays.items() if a.ndim == 1 and _size(arrays, name) == n}
    rest = {name: array for name, array in arrays.items() if name not in columns}
    frame = pd.DataFrame(columns, index=range(n))
    return Table(path, frame, "node {}".format, noun="array", arrays=rest)


def _one_column(array: Any) -> Any:
    """(n,) for a dense array of shape (n, 1), as many store labels."""
    narrow = not sparse.issparse(array) and array.ndim == 2 and array.shape[1] == 1
    return array[:, 0] if narrow and array.dtype.kind != "f" else array


def _size(arrays: Mapping[str, Any], name: str | None) -> int | None:
    """The number of rows of an array, if it has any."""
    return arrays[name].shape[0] if name in arrays and arrays[name].ndim else None


def graph_tables(path: Path, arrays: Mapping[str, Any]) -> Network:
    """The tables of nodes and of edges in arrays; the only array without a name is the edges.

    Raises:
        UserError: if there are no edges under a usual name; the message lists the names.
    """
    arrays = dict(arrays)
    single = "" if "" in arrays else None
    entries = single if _is_matrix(arrays.get("")) else first(arrays, MATRICES)
    pairs = first(arrays, EDGE_LISTS) or single
    if entries is not None:
        edges, n = edges_of_matrix(path, entries, arrays.pop(entries))
    elif pairs is not None:
        weights = arrays.pop(first(arrays, sorted(WEIGHTS)), None)
        edges, n = _edges_of_list(path, pairs, arrays.pop(pairs), weights), None
    else:
        raise UserError(
            f"{path} has none of the arrays edge_index, edges, adjacency (it has:"
            f" {', '.join(arrays)})"
        )
    count = arrays.pop("num_nodes", None)
    n = n or _size(arrays, first(arrays, FEATURES)) or (int(count) if count is not None else None)
    return Network(node_table(path, arrays, n), edges)


def _is_matrix(array: Any) -> bool:
    square = array is not None and array.ndim == 2 and array.shape[0] == array.shape[1]
    return sparse.issparse(array) or (square and array.shape[0] > 2)


def edges_of_matrix(path: Path, name: str, matrix: Any) -> tuple[Table, int]:
    """The entries of an adjacency (n, n), dense or sparse, as edges, and n; values are weights.

    Raises:
        UserError: if it is not square or holds no numbers.
    """
    origin = f"array {name}, entry" if name else "entry"
    A = numbers(matrix, f"{path}, {origin.removesuffix(', entry')}")
    if A.ndim != 2 or A.shape[0] != A.shape[1]:
        raise UserError(f"{path} has the shape {A.shape}; an adjacency matrix is square")
    A = sparse.coo_array(A)
    present = A.data != 0  # a stored zero is not an edge
    columns = dict(zip(("source", "target"), (ends[present] for ends in A.coords), strict=True))
    frame = pd.DataFrame({**columns, "weight": A.data[present]})
    table = Table(path, frame, lambda k: f"{origin} {k}", by_row=True, ends=("source", "target"))
    table.notes.append(f"an adjacency matrix of {A.shape[0]} nodes")
    return table, A.shape[0]


def _edges_of_list(path: Path, name: str, index: Any, weights: Any) -> Table:
    """Edges from an array (2, edges), or (edges, 2) and more, of which the third has weights."""
    origin = f"array {name}, edge" if name else "edge"
    index = numbers(index, f"{path}, {origin.removesuffix(', edge')}")
    if index.ndim != 2 or (2 not in index.shape and (name or index.shape[1] != 3)):
        raise UserError(
            f"{path}, {origin.removesuffix(', edge')} has the shape {index.shape}; it needs the"
            " shape (2, edges)"
        )
    columns = list(index if len(index) == 2 else index.T)
    frame = pd.DataFrame(dict(zip(("source", "target", "weight"), columns, strict=False)))
    if weights is not None:
        frame["weight"] = numbers(weights, f"{path}, weights").reshape(len(frame), -1)[:, 0]
    return Table(path, frame, lambda k: f"{origin} {k}", by_row=True, ends=("source", "target"))
