"""Graphs in the formats of programs that draw or analyse them: GraphML, GEXF, GML, Pajek, JSON.

Nodes and edges are read with their attributes. networkx reads all but JSON.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np

from gnn_dynamics.data.own.table import Table, table_of
from gnn_dynamics.data.own.text import open_file
from gnn_dynamics.errors import UserError

Rows = Sequence[Mapping[str, Any]]
NESTED = 900  # levels of brackets in JSON


class Network(NamedTuple):
    """A table of nodes and one of edges."""

    nodes: Table
    edges: Table


def read_network(path: Path) -> Network:
    """GraphML, GEXF, GML or Pajek, by the suffix.

    Raises:
        UserError: if the file is malformed.
    """
    import networkx

    kind = path.suffixes[-1 if path.suffix.lower() in READERS else -2].lower()
    try:
        with open_file(path) as file:
            graph = READERS[kind](networkx, file)
    # Malformed files raise these, and others in parsers that expect some structure.
    except (
        *(networkx.NetworkXException, ElementTree.ParseError, ValueError, LookupError),
        *(AttributeError, TypeError, OSError, EOFError, RecursionError, AssertionError),
    ) as error:
        line = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"{path} is not readable as {kind[1:]}: {line}") from error
    nodes = [{**data, "id": node} for node, data in graph.nodes(data=True)]
    ends = [{**data, "source": a, "target": b} for a, b, data in graph.edges(data=True)]
    return network(path, nodes, ends)


def _gml(networkx: Any, file: Any) -> Any:
    # networkx refuses a repeated edge, unless the file declares a multigraph.
    text = file.read().decode("utf-8")
    text = re.sub(r"\bgraph\s*\[", "graph [ multigraph 1 ", text, count=1)
    return networkx.parse_gml(text, label="id")


READERS: dict[str, Callable[[Any, Any], Any]] = {
    ".graphml": lambda networkx, file: networkx.read_graphml(file),
    ".gexf": lambda networkx, file: networkx.read_gexf(file),
    ".gml": _gml,
    ".net": lambda networkx, file: networkx.parse_pajek(file.read().decode("utf-8")),
}


def network(path: Path, nodes: Rows, ends: Rows) -> Network:
    """The tables of nodes with `id` and of edges with `source` and `target`, from their rows."""
    names = [str(node["id"]) for node in nodes]
    pairs = [f"edge {end['source']!r} - {end['target']!r}" for end in ends]
    return Network(
        table_of(
            path, _columns(nodes), lambda k: f"node {names[k]!r}", noun="node attribute", key="id"
        ),
        table_of(
            path,
            _columns(ends) or {"source": [], "target": []},
            pairs.__getitem__,
            noun="edge attribute",
            ends=("source", "target"),
        ),
    )


def _columns(rows: Rows) -> dict[str, list[Any]]:
    """The values of all rows by their names; None where a row lacks a name."""
    names = dict.fromkeys(str(name) for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def read_json(path: Path) -> Network | Table | dict[str, Any]:
    """Nodes and links, as networkx, D3, GraphSAGE and Cytoscape write them, or values by node.

    A mapping from ids to values is a table with the columns `node` and `value`; one from names to
    lists is a set of arrays.

    Raises:
        UserError: if the file is malformed or has another form.
    """
    try:
        with open_file(path) as file:
            content = json.loads(file.read())
    except (ValueError, OSError, EOFError, RecursionError) as error:
        line = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"{path} is not readable as JSON: {line}") from error
    if isinstance(content, dict) and isinstance(content.get("elements"), dict):
        content = content["elements"]
    if isinstance(content, dict) and isinstance(content.get("nodes"), list):
        return _node_link(path, content)
    if isinstance(content, dict) and content:
        if all(isinstance(value, list) for value in content.values()) and not _by_node(content):
            return {name: _array(value) for name, value in content.items()}
        columns = {"node": list(content), "value": list(content.values())}
        return table_of(path, columns, lambda k: f"key {list(content)[k]!r}", key="node")
    raise UserError(
        f"{path} has no list `nodes` with `links`, nor values by node; write the graph by"
        " networkx.node_link_data, or as GraphML"
    )


def _by_node(content: Mapping[str, Any]) -> bool:
    """Whether the keys are ids: numbers, or too many for names of arrays."""
    return all(name.isdecimal() for name in content) or len(content) > 30


def _array(value: list[Any]) -> np.ndarray:
    try:
        return np.array(value)
    except ValueError:  # lists of several lengths
        return np.array(str(value))


def _node_link(path: Path, content: Mapping[str, Any]) -> Network:
    links = next((content[name] for name in ("links", "edges") if name in content), [])
    if not isinstance(links, list) or not all(
        isinstance(row, dict) for row in (*content["nodes"], *links)
    ):
        raise UserError(f"{path}: nodes and links must be lists of objects with `source`, `target`")
    nodes = [_flat(row) for row in content["nodes"]]
    ends = [_flat(row) for row in links]
    for k, row in enumerate(nodes):
        row.setdefault("id", row.get("name", k) if _refer_to_names(ends) else k)
    for k, row in enumerate(ends):
        if not {"source", "target"} <= row.keys():
            raise UserError(f"{path}, link {k} has no `source` or no `target`")
    return network(path, nodes, ends)


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A node or link; Cytoscape keeps its content in `data`."""
    return dict(row["data"]) if isinstance(row.get("data"), dict) else dict(row)


def _refer_to_names(ends: Rows) -> bool:
    return any(isinstance(row.get("source"), str) for row in ends)
