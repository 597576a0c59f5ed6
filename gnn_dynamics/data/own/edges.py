"""The edges of a file: which columns or arrays are their ends and weights, and which nodes."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gnn_dynamics.data.own.formats import Arrays, Network
from gnn_dynamics.data.own.ids import Nodes, as_ids
from gnn_dynamics.data.own import names as usual
from gnn_dynamics.data.own.names import ends_of, first, stem
from gnn_dynamics.data.own.table import Table, numbers
from gnn_dynamics.errors import UserError

ENDS = ("source", "target")


def node_table(path: Path, arrays: Arrays, n: int | None = None) -> Table:
    """Arrays as a table of n nodes, by default as many as values of the features or labels."""
    arrays = {k: a[:, 0] if a.shape[1:] == (1,) and not sparse.issparse(a) else a for k, a in arrays.items()}
    name = first(arrays, (*usual.FEATURES, *usual.LABELS)) or next(iter(arrays), "")
    shape = arrays[name].shape if name in arrays else ()
    return Table(path, arrays, n or (shape or (0,))[0], "node {}".format, noun="array")


def graph_in_arrays(path: Path, arrays: Arrays) -> Network:
    """The tables of nodes and of edges in arrays; the only array without a name is the edges."""
    arrays, single = dict(arrays), "" if "" in arrays else None
    matrix = single if _is_matrix(arrays.get("")) else first(arrays, usual.MATRICES)
    pairs = first(arrays, usual.EDGE_LISTS) or single
    if matrix is not None:
        edges, n = _of_matrix(path, matrix, arrays.pop(matrix))
    elif pairs is not None:
        weights = arrays.pop(first(arrays, usual.WEIGHTS) or " ", None)
        edges, n = _of_pairs(path, pairs, arrays.pop(pairs), weights), None
    else:
        known = "edge_index, edges, adjacency"
        raise UserError(f"{path} has none of the arrays {known} (it has: {', '.join(arrays)})")
    x, count = arrays.get(first(arrays, usual.FEATURES) or " "), arrays.pop("num_nodes", None)
    n = n or (x.shape[0] if x is not None and x.ndim else None)
    return Network(node_table(path, arrays, n or (None if count is None else int(count))), edges)


def _is_matrix(array: Any) -> bool:
    return sparse.issparse(array) or (
        array is not None and array.ndim == 2 and array.shape[0] == array.shape[1] > 2
    )


def _of_matrix(path: Path, name: str, matrix: Any) -> tuple[Table, int]:
    """The entries of an adjacency (n, n), dense or sparse, as edges with weights, and n."""
    origin = f"array {name}".strip() + ", entry"
    A = sparse.coo_array(numbers(matrix, f"{path}, array {name}"))
    if A.ndim != 2 or A.shape[0] != A.shape[1]:
        raise UserError(f"{path} has the shape {A.shape}; an adjacency matrix is square")
    present = A.data != 0  # a stored zero is not an edge
    columns = dict(zip((*ENDS, "weight"), (part[present] for part in (*A.coords, A.data)), strict=True))
    table = Table(path, columns, int(present.sum()), lambda k: f"{origin} {k}", by_row=True, ends=ENDS)
    table.notes.append(f"an adjacency matrix of {A.shape[0]} nodes")
    return table, A.shape[0]


def _of_pairs(path: Path, name: str, index: Any, weights: Any) -> Table:
    """Edges from an array (2, edges), or (edges, 2 or 3) with weights in the third column."""
    origin = f"array {name}".strip()
    index = numbers(index, f"{path}, {origin}")
    index = index.T if index.ndim == 2 and index.shape[0] != 2 else index
    if index.ndim != 2 or len(index) not in (2, 3):
        raise UserError(f"{path}, {origin} has the shape {index.T.shape}; it needs (2, edges)")
    if weights is not None:
        index = [*index[:2], numbers(weights, f"{path}, weights").reshape(index.shape[1], -1)[:, 0]]
    columns = dict(zip((*ENDS, "weight"), index, strict=False))
    return Table(
        path, columns, len(index[0]), lambda k: f"{origin}, edge {k}", by_row=True, ends=ENDS
    )


def with_ends(table: Table, option: str | None) -> Table:
    """The table with its `ends`; an adjacency matrix becomes a list of edges."""
    names = list(table.columns)
    if table.ends is None and option is None:
        if (matrix := _as_matrix(table)) is not None:
            return matrix
    found = tuple(option.split(",")) if option else table.ends or (ends_of(names) if table.named else None)
    if found is None:
        plain = [name for name in names if stem(name) not in {*usual.IDS, *usual.INDEXES, *usual.WEIGHTS}]
        rest = names if len(names) == 2 else plain if table.named else names[:2]
        found = tuple(rest) if len(rest) == 2 else None
    if found is None or len(found) != 2 or not set(found) <= set(table.flat):
        raise UserError(
            f"{table.path} has the columns {table.listed()}; an edge list needs two columns with"
            " the ids of nodes: name them source and target, or choose by --ends A,B"
        )
    table.ends = found[0], found[1]
    return table


def _as_matrix(table: Table) -> Table | None:
    """The edges of an adjacency matrix: a square of numbers, with or without names of nodes."""
    names, n = list(table.columns), table.rows
    ids = None
    if len(names) == n + 1 and table.columns[names[0]].astype(str).tolist() == names[1:]:
        ids = np.array(names[1:], dtype=object)
    elif len(names) != n or n < 3 or (table.named and names != [str(k) for k in range(n)]):
        return None
    square = [column for column in table.columns.values()][-n:]
    if not all(column.shape == (n,) and column.dtype.kind in "biuf" for column in square):
        return None
    A = np.column_stack(square)
    if n == 3 and not np.array_equal(A, A.T):
        return None  # three edges with weights
    edges, _ = _of_matrix(table.path, "", A)
    if ids is not None:
        edges.by_row = False
        edges.columns |= {end: ids[edges.columns[end]] for end in ENDS}
    return edges


def weights_of(table: Table, ignore: bool) -> bool:
    """Whether the edges have weights other than 1, to be ignored; an error if they are not."""
    third = [] if table.named else list(table.columns)[2:3]
    names = [name for name in table.flat if stem(name) in usual.WEIGHTS] or third
    for name in names:
        values = pd.Series(table.use(name))
        wrong = np.flatnonzero((pd.to_numeric(values, errors="coerce") != 1) & values.notna())
        if wrong.size and not ignore:
            raise UserError(
                f"{table.path}, {table.unit(wrong[0])}: weight {values[wrong[0]]}; the theory has"
                " no edge weights: remove them, or set the option `weights: ignore`"
                " (--ignore-weights)"
            )
        if wrong.size:
            return True
    return False


def located(table: Table, nodes: Nodes) -> tuple[np.ndarray, np.ndarray]:
    """(edges,) the numbers of the nodes at both ends."""
    names = table.ends or ENDS
    ids = [as_ids(table.use(name)) for name in names]
    source, target = (nodes.locate(values, table.by_row) for values in ids)
    bad = np.flatnonzero((source < 0) | (target < 0))
    if not bad.size:
        return source, target
    row = int(bad[0])
    side = 0 if source[row] < 0 else 1
    if ids[side][row] is None:
        raise UserError(f"{table.cell(row, names[side])} is empty; it needs the id of a node")
    where, pair = f"{table.path}, {table.unit(row)}", f"({ids[0][row]}, {ids[1][row]})"
    if nodes.names and not table.by_row:
        raise UserError(f"{where} {pair}: there is no node {ids[side][row]} in {nodes.origin}")
    last, remedy = len(nodes.ids) - 1, ""
    if not table.by_row:
        remedy = f"; nodes are {nodes.origin}: for other ids, add a column `node` there (or ids=FILE)"
    if not any(0 in end or end.dtype == object for end in ids):
        remedy = "; if ids start at 1, say so by --first-id 1"
    raise UserError(f"{where} {pair}: node ids must be whole numbers from 0 to {last}{remedy}")
