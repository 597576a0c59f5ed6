"""One short function for each format but text and torch: from a file to tables or arrays."""

import json
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import io, sparse

from gnn_dynamics.artifacts.npz import DAMAGED
from gnn_dynamics.data.own.memory import check_size
from gnn_dynamics.data.own.table import Table, tidy
from gnn_dynamics.data.own.text import open_file
from gnn_dynamics.errors import UserError

NETWORKS = (".graphml", ".gexf", ".gml", ".net")
PIECES = ("data", "indices", "indptr", "shape")
Arrays = dict[str, Any]  # a single array has the name ""
Rows = Sequence[Mapping[str, Any]]


class Network(NamedTuple):
    """A table of nodes, if the file has one, and a table of edges."""

    nodes: Table | None
    edges: Table


def line_of(error: Exception) -> str:
    """The first line of an error's message."""
    return (str(error) or type(error).__name__).splitlines()[0]


def read_parquet(path: Path) -> Table:
    """The columns; an index that pandas kept without a name keeps the name that says so."""
    try:
        frame = pq.read_table(path, partitioning=None).to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UserError(f"{path} is not a complete Parquet file ({line_of(error)})") from error
    columns = {str(name): tidy(frame[name]) for name in frame}
    return Table(path, columns, len(frame), "row {}".format)


def read_npy(path: Path) -> Arrays:
    """The array of a .npy file; objects are refused, as they could run code."""
    try:
        return {"": np.load(path, allow_pickle=False)}
    except DAMAGED as error:  # a damaged header may give any size
        raise UserError(
            f"{path} is not an array of numbers or text of numpy.save; save text by astype(str)"
        ) from error


def read_npz(path: Path) -> Arrays:
    """The arrays of a .npz file, with sparse matrices for the pieces that make them."""
    name = ""
    try:
        with np.load(path, allow_pickle=False) as file:
            if {"format", "shape", "data"} <= set(file.files):
                return {"": sparse_rows(path, lambda: sparse.load_npz(path))}
            arrays = {}
            for name in file.files:  # noqa: B007
                arrays[name] = file[name]
    except DAMAGED as error:
        raise UserError(
            f"{path} is not a complete file of numpy.savez or scipy.sparse.save_npz without"
            f" objects; array {name!r} cannot be read: save text by astype(str)"
        ) from error
    for name in [name for name in arrays if name.endswith("data")]:  # adj_data, adj_indices, ...
        pieces = [name.removesuffix("data") + piece for piece in PIECES]
        if set(pieces) <= set(arrays):
            data, indices, indptr, shape = (arrays.pop(piece) for piece in pieces)
            csr = data, indices, indptr
            arrays[name[:-5]] = sparse_rows(path, lambda: sparse.csr_array(csr, shape=tuple(shape)))
    return arrays


def sparse_rows(path: Path, make: Callable[[], Any]) -> sparse.csr_array:
    """The matrix that is made as CSR, after a check of its size and indices."""
    try:
        matrix = make()
        check_size(path, max(matrix.shape))
        matrix = sparse.csr_array(matrix)
        matrix.check_format(full_check=True)
    except UserError:
        raise
    except (*DAMAGED, NotImplementedError, RuntimeError) as error:
        raise UserError(
            f"{path} is not a complete sparse matrix of scipy ({line_of(error)})"
        ) from error
    return matrix


def read_matrix_market(path: Path) -> Arrays:
    """A matrix in the format of Matrix Market."""
    try:
        with open_file(path) as file:
            matrix = io.mmread(file)
    except (*DAMAGED, OverflowError) as error:
        raise UserError(f"{path} is no file of Matrix Market ({line_of(error)})") from error
    return {"": sparse_rows(path, lambda: matrix) if sparse.issparse(matrix) else matrix}


def read_network(path: Path, kind: str) -> Network:
    """GraphML, GEXF, GML or Pajek, as networkx reads them."""
    import networkx

    try:
        with open_file(path) as file:
            if kind in (".graphml", ".gexf"):
                graph = getattr(networkx, f"read_{kind[1:]}")(file)
            else:
                text = file.read().decode("utf-8")
                if kind == ".gml":  # an edge may repeat in a multigraph only
                    text = re.sub(r"\bgraph\s*\[", "graph [ multigraph 1 ", text, count=1)
                parse = networkx.parse_gml if kind == ".gml" else networkx.parse_pajek
                graph = parse(text, label="id") if kind == ".gml" else parse(text)
    # networkx does not check the structure, so these come with malformed files.
    except (
        *(networkx.NetworkXException, ElementTree.ParseError, *DAMAGED, LookupError),
        *(RecursionError, AssertionError),
    ) as error:
        raise UserError(f"{path} is not readable as {kind[1:]}: {line_of(error)}") from error
    nodes = [{**data, "id": node} for node, data in graph.nodes(data=True)]
    ends = [{**data, "source": a, "target": b} for a, b, data in graph.edges(data=True)]
    return _network(path, nodes, ends)


def _network(path: Path, nodes: Rows, ends: Rows) -> Network:
    return Network(
        Table(
            path,
            _columns(nodes),
            len(nodes),
            lambda k: f"node {str(nodes[k]['id'])!r}",
            noun="node attribute",
            key="id",
        ),
        Table(
            path,
            _columns(ends) or {"source": np.array([]), "target": np.array([])},
            len(ends),
            lambda k: f"edge {ends[k]['source']!r} - {ends[k]['target']!r}",
            noun="edge attribute",
            ends=("source", "target"),
        ),
    )


def _columns(rows: Rows) -> dict[str, np.ndarray]:
    """The values of all rows by their names; empty where a row lacks a name."""
    names = dict.fromkeys(str(name) for row in rows for name in row)
    return {name: tidy([row.get(name) for row in rows]) for name in names}


def read_json(path: Path) -> Network | Table:
    """Nodes and links, as networkx, D3, GraphSAGE and Cytoscape write them, or values by id."""
    try:
        with open_file(path) as file:
            content = json.loads(file.read())
        content = content.get("elements", content)
        if "nodes" not in content:
            columns = {"node": tidy([*content]), "value": tidy([*content.values()])}
            return Table(path, columns, len(content), lambda k: f"key {[*content][k]!r}", key="node")
        links = content.get("links", content.get("edges", []))
        nodes, ends = ([dict(row.get("data", row)) for row in part] for part in (content["nodes"], links))
        texts = any(isinstance(end["source"], str) for end in ends)
        for k, node in enumerate(nodes):
            node["id"] = node.get("id", node.get("name", k) if texts else k)
        if not texts and any(isinstance(node["id"], str) for node in nodes):  # ends are positions
            for end in ends:
                end |= {side: nodes[int(end[side])]["id"] for side in ("source", "target")}
        return _network(path, nodes, [{**end, "target": end["target"]} for end in ends])
    except (ValueError, TypeError, AttributeError, LookupError, OSError, EOFError, RecursionError) as e:
        raise UserError(
            f"{path} is no JSON with `nodes` and `links` with `source` and `target`, nor with a"
            f" value for each id ({line_of(e)}); networkx.node_link_data writes it"
        ) from e


def is_prepared(path: Path) -> bool:
    """Whether a file is a prepared graph of the workflow, by its member `about`."""
    return zipfile.is_zipfile(path) and "about.npy" in zipfile.ZipFile(path).namelist()
