"""The edges of a user's own graph, from an edge list or an adjacency matrix."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import sparse

from gnn_dynamics.data.own.raw_graph import Edges, RawGraph, real_array, where_in, whole_numbers
from gnn_dynamics.data.own.tables import Table, read_table
from gnn_dynamics.errors import UserError

ENDS = (("source", "target"), ("src", "dst"), ("from", "to"), ("u", "v"))
# "column 3" is the third column of a file without header.
WEIGHTS = ("weight", "weights", "w", "column 3")


def read_edge_table(path: Path) -> RawGraph:
    """An edge list, CSV or Parquet, in the columns source and target, or in the only two columns.

    Raises:
        UserError: if there are no such columns, or a node id is not a whole number.
    """
    table = read_table(path, lambda names: _kinds(path, names))
    ends, weight = _ends(path, table.names), _weight(table.names)
    used = {*ends, weight}
    unused = [name for k, name in enumerate(table.names) if k not in used]
    source, target = (table.columns[k] for k in ends)
    edges = Edges(source, target, table.where, _values(table, weight))
    return RawGraph(edges, unused=[f"edge column {name!r}" for name in unused])


def _values(table: Table, column: int | None) -> np.ndarray | None:
    return None if column is None else table.columns[column]


def _kinds(path: Path, names: Sequence[str]) -> list[str]:
    ends, weight = _ends(path, names), _weight(names)
    kinds: dict[int | None, str] = {**dict.fromkeys(ends, "integer"), weight: "real"}
    return [kinds.get(position, "text") for position in range(len(names))]


def _ends(path: Path, names: Sequence[str]) -> tuple[int, int]:
    lower = [name.lower() for name in names]
    for pair in ENDS:
        if set(pair) <= set(lower):
            return lower.index(pair[0]), lower.index(pair[1])
    if len(names) == 2 or (len(names) > 2 and names[0] == "column 1"):
        return 0, 1
    raise UserError(
        f"{path} has the columns {', '.join(names)}; an edge list needs the two columns source and"
        " target, with node ids"
    )


def _weight(names: Sequence[str]) -> int | None:
    return next((k for k, name in enumerate(names) if name.lower() in WEIGHTS), None)


def edges_from_index(index: np.ndarray, origin: str, weights: np.ndarray | None = None) -> Edges:
    """Edges from an array (2, edges), as in PyTorch Geometric, or (edges, 2).

    Raises:
        UserError: if it has another shape or type. `origin` begins the message.
    """
    index = whole_numbers(index, origin)
    if index.ndim != 2 or 2 not in index.shape:
        raise UserError(f"{origin} has the shape {index.shape}; it needs the shape (2, edges)")
    source, target = index if len(index) == 2 else index.T
    return Edges(source, target, where_in(origin, "edge"), weights)


def edges_from_matrix(matrix: np.ndarray | sparse.sparray, origin: str) -> Edges:
    """Edges from an adjacency (n, n), dense or sparse; its values are weights.

    Raises:
        UserError: if it is not square or does not hold numbers. `origin` begins the message.
    """
    A = sparse.coo_array(matrix)
    real_array(A.data, origin)
    if A.ndim != 2 or A.shape[0] != A.shape[1]:
        raise UserError(f"{origin} has the shape {A.shape}; an adjacency matrix is square")
    source, target = (ends.astype(np.int64) for ends in A.coords)
    present = A.data != 0  # a stored zero is not an edge
    ends = source[present], target[present]
    return Edges(*ends, where_in(origin, "entry"), A.data[present].astype(np.float64), A.shape[0])
