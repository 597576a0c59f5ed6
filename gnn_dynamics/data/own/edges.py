"""The edges of a user's own graph: an edge list, or a scipy sparse matrix."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import sparse

from gnn_dynamics.data.own.raw_graph import Edges, Pieces, place_of, real_array, whole_numbers
from gnn_dynamics.data.own.tables import Table, read_table
from gnn_dynamics.errors import UserError

ENDS = (("source", "target"), ("src", "dst"), ("from", "to"), ("u", "v"))
WEIGHTS = ("weight", "weights", "w", "column 3")  # "column 3": the third of a file without header


def read_edge_table(path: Path) -> Pieces:
    """An edge list, CSV or Parquet: the columns source and target, or the only two.

    Raises:
        UserError: if the ends of an edge cannot be told or are no whole numbers.
    """
    table = read_table(path, lambda names: _kinds(path, names))
    ends, weight = _ends(path, table.names), _weight(table.names)
    used = {*ends, weight}
    unused = [name for k, name in enumerate(table.names) if k not in used]
    source, target = (table.columns[k] for k in ends)
    edges = Edges(source, target, table.place, _values(table, weight))
    return Pieces(edges, unused=[f"edge column {name!r}" for name in unused])


def _values(table: Table, column: int | None) -> np.ndarray | None:
    return None if column is None else table.columns[column]


def _kinds(path: Path, names: Sequence[str]) -> list[str]:
    ends, weight = _ends(path, names), _weight(names)
    kinds = {**dict.fromkeys(ends, "integer"), weight: "real"}
    return [kinds.get(position, "text") for position in range(len(names))]


def _ends(path: Path, names: Sequence[str]) -> tuple[int, int]:
    lower = [name.lower() for name in names]
    for pair in ENDS:
        if set(pair) <= set(lower):
            return lower.index(pair[0]), lower.index(pair[1])
    if len(names) == 2 or (len(names) > 2 and names[0] == "column 1"):
        return 0, 1
    raise UserError(
        f"{path} has the columns {', '.join(names)}; an edge list needs two, named source and"
        " target, with a node id in each"
    )


def _weight(names: Sequence[str]) -> int | None:
    found = [position for position, name in enumerate(names) if name.lower() in WEIGHTS]
    return found[0] if found else None


def edges_from_index(index: np.ndarray, what: str, weights: np.ndarray | None = None) -> Edges:
    """Edges from an array (2, edges) as PyTorch Geometric has it, or (edges, 2).

    Raises:
        UserError: if it has another shape or holds no whole numbers; `what` names it.
    """
    index = whole_numbers(index, what)
    if index.ndim != 2 or 2 not in index.shape:
        raise UserError(f"{what} has the shape {index.shape}; (2, edges) is needed")
    source, target = index if len(index) == 2 else index.T
    return Edges(source, target, place_of(what, "edge"), weights)


def edges_from_matrix(matrix: np.ndarray | sparse.sparray, what: str) -> Edges:
    """Edges from an adjacency (n, n), dense or sparse; its values are weights.

    Raises:
        UserError: if it is not square or holds no numbers; `what` names it.
    """
    A = sparse.coo_array(matrix)
    real_array(A.data, what)
    if A.ndim != 2 or A.shape[0] != A.shape[1]:
        raise UserError(f"{what} has the shape {A.shape}; an adjacency matrix is square")
    source, target = (ends.astype(np.int64) for ends in A.coords)
    present = A.data != 0  # a stored zero is no edge
    ends = source[present], target[present]
    return Edges(*ends, place_of(what, "entry"), A.data[present].astype(np.float64), A.shape[0])
