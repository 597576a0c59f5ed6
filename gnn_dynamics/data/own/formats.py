"""One short function for each format but text and torch: from a file to tables or arrays."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from scipy import sparse

from gnn_dynamics.data.own.memory import NODE, check_size, open_file
from gnn_dynamics.data.own.table import Table, tidy
from gnn_dynamics.errors import UserError

SHORT = 200  # bytes of the first line of a Matrix Market file
PIECES = ("data", "indices", "indptr", "shape")
Arrays = dict[str, Any]  # a single array has the name ""
Rows = Sequence[Mapping[str, Any]]


class Network(NamedTuple):
    """A table of nodes, if the file has one, and a table of edges."""

    nodes: Table | None
    edges: Table


@contextmanager
def reading(path: Path, kind: str, remedy: str = "") -> Iterator[None]:
    """Within this context any error is one of the file: damaged files can raise anything."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"{path} is not {kind} ({reason}){remedy}") from error


def read_parquet(path: Path) -> Table:
    """The columns; an index that pandas kept without a name keeps the name that says so."""
    with reading(path, "a complete Parquet file"):
        frame = pq.read_table(path, partitioning=None).to_pandas(ignore_metadata=True)
    columns = {str(name): tidy(frame[name]) for name in frame}
    return Table(path, columns, len(frame), "row {}".format)


def read_npy(path: Path) -> Arrays:
    """The array of a .npy file; objects are refused, as they could run code."""
    with reading(path, "an array of numbers or text of numpy.save", "; save text by astype(str)"):
        return {"": np.load(path, allow_pickle=False)}


def read_npz(path: Path) -> Arrays:
    """The arrays of a .npz file, with sparse matrices for the pieces that make them."""
    arrays = {}
    complete = "a complete file of numpy.savez or scipy.sparse.save_npz without objects"
    with reading(path, complete), np.load(path, allow_pickle=False) as file:
        if {"format", "shape", "data"} <= {*file.files}:
            return {"": sparse_rows(path, lambda: sparse.load_npz(path))}
        for name in file.files:
            with reading(path, complete, f"; array {name!r}: save text by astype(str)"):
                arrays[name] = file[name]
    for name in [name for name in arrays if name.endswith("data")]:  # adj_data, adj_indices, ...
        pieces = [name.removesuffix("data") + piece for piece in PIECES]
        if {*pieces} <= {*arrays}:
            *csr, shape = (arrays.pop(piece) for piece in pieces)
            arrays[name[:-5]] = sparse_rows(path, sparse.csr_array, tuple(csr), tuple(shape))
    return arrays


def sparse_rows(path: Path, make: Callable[..., Any], *arguments: Any) -> sparse.csr_array:
    """The matrix that is made as CSR, after a check of its size and indices."""
    with reading(path, "a complete sparse matrix of scipy"):
        made = make(*arguments)
        check_size(str(path), NODE * max(made.shape))
        matrix = sparse.csr_array(made)
        matrix.check_format(full_check=True)
        return matrix


def read_matrix_market(path: Path) -> Arrays:
    """A matrix in the format of Matrix Market, with its entries (i, j, value) or all values.

    scipy.io.mmread is not used, since some damaged files make it end the process.
    """
    with reading(path, "a file of Matrix Market"), open_file(path) as file:
        layout, field, symmetry = file.readline(SHORT).decode("ascii").lower().split()[2:]
        sizes = next(line for line in file if line.strip() and not line.startswith(b"%"))
        rows, columns, *entries = map(int, sizes.split())
        stored = pd.read_csv(file, sep=r"\s+", header=None).to_numpy(np.float64)
        if layout == "array" and symmetry == "general":
            return {"": stored.reshape(columns, rows).T}
        if field == "complex" or len(stored) != entries[0]:
            raise ValueError(f"{len(stored)} {field} entries")
        ends = tuple(stored[:, :2].astype(np.int64).T - 1)
        values = stored[:, 2] if stored.shape[1] > 2 else np.ones(len(stored))
        if symmetry != "general":  # the other half
            off = ends[0] != ends[1]
            ends = tuple(np.concatenate([ends[k], ends[1 - k][off]]) for k in (0, 1))
            values = np.concatenate([values, values[off]])
    return {"": sparse_rows(path, sparse.coo_array, (values, ends), (rows, columns))}


def read_network(path: Path, kind: str) -> Network:
    """GraphML, GEXF, GML or Pajek, as networkx reads them."""
    import networkx

    with reading(path, f"readable as {kind[1:]}"), open_file(path) as file:
        if kind in (".graphml", ".gexf"):
            graph = getattr(networkx, f"read_{kind[1:]}")(file)
        elif kind == ".net":
            graph = networkx.parse_pajek(file.read().decode("utf-8"))
        else:  # an edge may repeat in a multigraph only
            text = file.read().decode("utf-8")
            text = re.sub(r"\bgraph\s*\[", "graph [ multigraph 1 ", text, count=1)
            graph = networkx.parse_gml(text, label="id")
    nodes = [{**data, "id": node} for node, data in graph.nodes(data=True)]
    ends = [{**data, "source": a, "target": b} for a, b, data in graph.edges(data=True)]
    return _network(path, nodes, ends)


def _network(path: Path, nodes: Rows, ends: Rows) -> Network:
    """The tables of nodes with `id` and of edges with `source` and `target`, from their rows."""
    tables = []
    for rows, form in ((nodes, "node {id!r}"), (ends, "edge {source!r} - {target!r}")):
        names = dict.fromkeys(name for row in rows for name in row)
        columns = {str(name): tidy([row.get(name) for row in rows]) for name in names}
        unit = lambda k, rows=rows, form=form: form.format(**rows[k])  # noqa: E731
        tables.append(Table(path, columns, len(rows), unit, f"{form[:4]} attribute"))
    tables[0].key, tables[1].ends = "id", ("source", "target")
    for end in tables[1].ends:
        tables[1].columns.setdefault(end, np.array([], dtype=int))
    return Network(*tables)


def read_json(path: Path) -> Network | Table:
    """Nodes and links, as networkx, D3, GraphSAGE and Cytoscape write them, or values by id."""
    form = "a JSON file with `nodes` and `links` with `source` and `target`, or values by id"
    with reading(path, form, "; networkx.node_link_data writes it"), open_file(path) as file:
        content = json.loads(file.read())
        content = content.get("elements", content)
        if "nodes" not in content:
            ids, columns = [*content], (tidy([*content]), tidy([*content.values()]))
            named = dict(zip(("node", "value"), columns, strict=True))
            return Table(path, named, len(ids), lambda k: f"key {ids[k]!r}", key="node")
        links = content["links"] if "links" in content else content["edges"]
        both = content["nodes"], links
        nodes, ends = ([dict(row.get("data", row)) for row in part] for part in both)
        names = {node.get("id", node.get("name")) for node in nodes}
        known = all({end["source"], end["target"]} <= names for end in ends)
        for k, node in enumerate(nodes):
            node.setdefault("id", node.get("name", k))
        for end in ends if not known else []:  # the ends are positions
            end |= {side: nodes[end[side]]["id"] for side in ("source", "target")}
        return _network(path, nodes, ends)
