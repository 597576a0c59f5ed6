"""The edges of a file: which columns or arrays are their ends and weights, and which nodes."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gnn_dynamics.data.own import names as usual
from gnn_dynamics.data.own.formats import Arrays, Network
from gnn_dynamics.data.own.names import ends_of, first, stem
from gnn_dynamics.data.own.nodes import Nodes, as_ids
from gnn_dynamics.data.own.table import Table, misfit
from gnn_dynamics.errors import UserError

ENDS = ("source", "target")


def node_table(path: Path, arrays: Arrays, n: int | None = None) -> Table:
    """Arrays as a table of n nodes, by default as many as values of the features or labels."""
    for name, array in arrays.items():
        narrow = array.shape[1:] == (1,) and not sparse.issparse(array)
        arrays[name] = array[:, 0] if narrow else array
    main = first(arrays, (*usual.FEATURES, *usual.LABELS)) or next(iter(arrays), None)
    shape = arrays[main].shape if main is not None else ()
    return Table(path, arrays, n or (shape or (0,))[0], "node {}".format, noun="array")


def graph_in(path: Path, content: Any) -> Network:
    """The tables of nodes and of edges in a file; the only array without a name is the edges."""
    if isinstance(content, Network):
        return content
    if isinstance(content, Table):
        return Network(None, content)
    arrays = dict(content)
    single = "" if "" in arrays else None
    shape: tuple[int, ...] = arrays[""].shape if "" in arrays else ()
    square = len(shape) == 2 and shape[0] == shape[-1] > 2
    name = "" if square or sparse.issparse(arrays.get("")) else first(arrays, usual.MATRICES)
    x, count = arrays.get(first(arrays, usual.FEATURES)), arrays.pop("num_nodes", None)
    if name is not None:
        edges = _of_matrix(path, name, arrays.pop(name))
    elif (name := first(arrays, usual.EDGE_LISTS) or single) is not None:
        weights = arrays.pop(first(arrays, usual.WEIGHTS), None)
        edges = _of_pairs(path, name, arrays.pop(name), weights)
    else:
        known = "edge_index, edges, adjacency"
        raise UserError(f"{path} has none of the arrays {known} (it has: {', '.join(arrays)})")
    n = x.shape[0] if x is not None and x.ndim else count
    return Network(node_table(path, arrays, edges.nodes or (None if n is None else int(n))), edges)


def _edge_table(path: Path, name: str, columns: Any, unit: str) -> Table:
    columns = dict(zip((*ENDS, "weight"), columns, strict=False))
    origin = f"array {name}, {unit}" if name else unit
    rows = len(columns["source"])
    return Table(path, columns, rows, lambda k: f"{origin} {k}", "array", by_row=True, ends=ENDS)


def _of_matrix(path: Path, name: str, matrix: Any) -> Table:
    """The entries of an adjacency (n, n), dense or sparse, as edges with weights."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.dtype.kind not in "buif":
        reason = "but an adjacency matrix is square and of numbers"
        raise misfit(f"{path}, array {name}", matrix, reason)
    A = sparse.coo_array(matrix)
    present = A.data != 0  # a stored zero is not an edge
    table = _edge_table(path, name, [part[present] for part in (*A.coords, A.data)], "entry")
    table.notes.append(f"an adjacency matrix of {A.shape[0]} nodes")
    table.nodes = A.shape[0]
    return table


def _of_pairs(path: Path, name: str, index: Any, weights: Any) -> Table:
    """Edges from an array (2, edges), or (edges, 2 or 3) with weights in the third column."""
    rows = index.T if index.ndim == 2 and index.shape[0] != 2 else index
    if index.ndim != 2 or len(rows) not in (2, 3) or index.dtype.kind not in "buif":
        reason = "but it needs whole numbers of the shape (2, edges)"
        raise misfit(f"{path}, array {name}", index, reason)
    columns = [*rows] if weights is None else [*rows[:2], weights.reshape(rows.shape[1], -1)[:, 0]]
    return _edge_table(path, name, columns, "edge")


def with_ends(table: Table, option: str | None) -> Table:
    """The table with its `ends`; an adjacency matrix becomes a list of edges."""
    names = table.flat
    chosen = tuple(option.split(",")) if option else table.ends
    if not chosen and (matrix := _as_matrix(table)) is not None:
        return matrix
    if not chosen and table.named:
        known = {*usual.IDS, *usual.INDEXES, *usual.WEIGHTS}
        rest = names if len(names) == 2 else [name for name in names if stem(name) not in known]
        chosen = ends_of(names) or tuple(rest)
    table.ends = chosen or tuple(names[:2])
    if len(table.ends) != 2 or not {*table.ends} <= {*names}:
        raise UserError(
            f"{table.path} has the columns {', '.join(table.columns)}; an edge list needs two"
            " columns with the ids of nodes: name them source and target, or choose by --ends A,B"
        )
    return table


def _as_matrix(table: Table) -> Table | None:
    """The edges of an adjacency matrix: a square of numbers, with or without names of nodes."""
    names, n = list(table.columns), table.rows
    ids = names[1:] if len(names) == n + 1 else names
    square = [table.columns[name] for name in ids]
    numeric = all(c.shape == (n,) and c.dtype.kind in "biuf" for c in square)
    if len(ids) != n or n < 3 or not numeric:
        return None
    if len(names) > n and [str(x) for x in table.columns[names[0]]] != ids:
        return None
    A = np.column_stack(square)
    counted = not table.named or ids == [str(k) for k in range(n)]
    if len(names) == n and (not counted or (n == 3 and not np.array_equal(A, A.T))):
        return None  # three edges with weights
    edges = _of_matrix(table.path, "", A)
    edges.by_row, values = len(names) == n, np.array(ids, dtype=object)
    if not edges.by_row:
        edges.columns |= {end: values[edges.columns[end]] for end in ENDS}
    return edges


def weights_of(table: Table, ignore: bool) -> bool:
    """Whether the edges have weights other than 1, to be ignored; an error if they are not."""
    third = [] if table.named else table.flat[2:3]
    wrong = np.array([], dtype=int)
    for name in [name for name in table.flat if stem(name) in usual.WEIGHTS] or third:
        values = pd.Series(table.use(name))
        other = np.flatnonzero((pd.to_numeric(values, errors="coerce") != 1) & values.notna())
        wrong = other if other.size else wrong
        if wrong.size and not ignore:
            raise UserError(
                f"{table.where(wrong[0])}: weight {values[wrong[0]]}; the theory has no edge"
                " weights: remove them, or set the option `weights: ignore` (--ignore-weights)"
            )
    return bool(wrong.size)


def located(table: Table, nodes: Nodes, start: int) -> tuple[np.ndarray, np.ndarray]:
    """(edges,) the numbers of the nodes at both ends. start: the first position in a list."""
    if table.by_row:
        first_row = 0 if table.nodes else start
        positions = pd.RangeIndex(first_row, first_row + len(nodes.ids))
        nodes = Nodes(positions, nodes.origin)
    ids = [as_ids(table.use(name)) for name in table.ends]
    source, target = map(nodes.locate, ids)
    bad = np.flatnonzero((source < 0) | (target < 0))
    if not bad.size:
        return source, target
    row = int(bad[0])
    absent, end = (ids[0], table.ends[0]) if source[row] < 0 else (ids[1], table.ends[1])
    if absent[row] is None:
        raise UserError(f"{table.where(row, end)} is empty; it needs a node's id")
    where = f"{table.where(row)} ({ids[0][row]}, {ids[1][row]})"
    if nodes.names:
        raise UserError(f"{where}: no node {absent[row]}; nodes are {nodes.origin}")
    remedy = "" if table.by_row else "; for other ids, add a column `node` there (or ids=FILE)"
    if not any(end.dtype == object or 0 in end for end in ids):
        remedy = "; if ids start at 1, say so by --first-id 1"
    last = f"from 0 to {len(nodes.ids) - 1}; nodes are {nodes.origin}"
    raise UserError(f"{where}: node ids must be whole numbers {last}{remedy}")
