"""A user's graph as GraphML or GML, read by networkx.

Every node attribute that is a number, or a list of numbers, at every node is a feature. Label and
split are attributes too. Nodes are in the order of the file, or of their ids if these are
0, 1, ..., n - 1.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gnn_dynamics.data.own.raw_graph import (
    LABEL_NAMES,
    Edges,
    Features,
    Labels,
    RawGraph,
    part_masks,
)
from gnn_dynamics.errors import UserError

SPLIT_NAMES = ("split", "part")


def read_networkx_graph(path: Path, label_name: str | None) -> RawGraph:
    """GraphML (.graphml) or GML (.gml).

    Raises:
        UserError: if the file is malformed, or an attribute is missing at some nodes or has two
            types; the message names the node.
    """
    graph = _parse(path)
    ids = _ordered(list(graph.nodes))
    rows = [graph.nodes[node] for node in ids]
    names = list(dict.fromkeys(name for row in rows for name in row))
    label, split = _label_attribute(names, label_name, path), _first(names, SPLIT_NAMES)
    rest = [name for name in names if name not in (label, split)]
    numeric = [name for name in rest if _is_numeric(rows, name)]
    origins = [f"{path}, node {node!r}" for node in ids]
    return RawGraph(
        _edges(path, graph, ids),
        features=_features(rows, numeric, origins) if numeric else None,
        labels=_labels(rows, label, origins) if label else None,
        parts=_parts(rows, split, origins) if split else None,
        node_names=None if ids == list(range(len(ids))) else [str(node) for node in ids],
        unused=[f"node attribute {name!r}" for name in rest if name not in numeric]
        + _unused_of_edges(graph),
    )


def _parse(path: Path) -> Any:
    import networkx

    try:
        if path.suffix == ".graphml":
            return networkx.read_graphml(path)
        # networkx refuses a repeated edge, unless the file declares a multigraph.
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"\bgraph\s*\[", "graph [ multigraph 1 ", text, count=1)
        return networkx.parse_gml(text, label="id")
    except (networkx.NetworkXError, ElementTree.ParseError, ValueError, KeyError) as error:
        raise UserError(f"{path} is not readable as {path.suffix[1:]}: {error}") from error


def _ordered(ids: list[Any]) -> list[Any]:
    """Ids in numerical order if they are 0, 1, ..., n - 1, as numbers or text; else as given."""
    numbers = {str(number): number for number in range(len(ids))}
    if all(str(node) in numbers for node in ids):
        return sorted(ids, key=lambda node: numbers[str(node)])
    return ids


def _first(names: Sequence[str], candidates: Sequence[str]) -> str | None:
    return next((name for name in candidates if name in names), None)


def _label_attribute(names: Sequence[str], label_name: str | None, path: Path) -> str | None:
    if label_name and label_name not in names:
        raise UserError(
            f"{path}: no node has the attribute {label_name!r} (there are: {', '.join(names)})"
        )
    # In GML, `label` is the name of the node.
    usual = [name for name in LABEL_NAMES if path.suffix != ".gml" or name != "label"]
    return label_name or _first(names, usual)


def _is_numeric(rows: list[dict], name: str) -> bool:
    value = next(row[name] for row in rows if name in row)
    return isinstance(value[0] if isinstance(value, list) and value else value, int | float)


def _features(rows: list[dict], names: list[str], origins: list[str]) -> Features:
    columns: list[np.ndarray] = []
    titles: list[str] = []
    for name in names:
        block = _block(rows, name, origins)
        columns.append(block)
        width = block.shape[1]
        titles += [name] if width == 1 else [f"{name}[{k}]" for k in range(width)]
    X = np.hstack(columns)
    return Features(X, lambda node, k: f"{origins[node]}, attribute {titles[k]}", tuple(titles))


def _block(rows: list[dict], name: str, origins: list[str]) -> np.ndarray:
    """(n, 1), or (n, m) where the attribute is a list of m numbers."""
    size = len(np.atleast_1d(next(row[name] for row in rows if name in row)))
    values = np.empty((len(rows), size))
    for node, row in enumerate(rows):
        if name not in row:
            raise UserError(f"{origins[node]} has no attribute {name!r}, which other nodes have")
        value = row[name] if isinstance(row[name], list) else [row[name]]
        if len(value) != size or not all(isinstance(v, int | float) for v in value):
            raise UserError(
                f"{origins[node]}: attribute {name!r} is {row[name]!r}, not {size} number(s)"
            )
        values[node] = value
    return values


def _labels(rows: list[dict], name: str, origins: list[str]) -> Labels:
    values = np.array([row.get(name) for row in rows], dtype=object)
    return Labels(values, lambda node: f"{origins[node]}, attribute {name!r}")


def _parts(rows: list[dict], name: str, origins: list[str]) -> dict[str, np.ndarray]:
    return part_masks([row.get(name) for row in rows], origins.__getitem__)


def _edges(path: Path, graph: Any, ids: list[Any]) -> Edges:
    position = {node: number for number, node in enumerate(ids)}
    stored = list(graph.edges(data="weight", default=1))
    ends = np.array([(position[a], position[b]) for a, b, _ in stored], dtype=np.int64)
    source, target = ends.reshape(-1, 2).T
    weights = np.array([_number(weight) for _, _, weight in stored])
    names = [f"{path}, edge {a!r} - {b!r}" for a, b, _ in stored]
    return Edges(source, target, lambda k: names[k], weights, len(ids))


def _number(weight: Any) -> float:
    """A weight as a number; NaN for another type, so that it differs from 1."""
    return float(weight) if isinstance(weight, int | float) else np.nan


def _unused_of_edges(graph: Any) -> list[str]:
    names = {name for _, _, data in graph.edges(data=True) for name in data}
    return [f"edge attribute {name!r}" for name in sorted(names - {"weight"})]
