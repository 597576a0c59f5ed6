"""A user's own graph as a data set: files of many formats to one `Graph` (docs/own-graphs.md).

An entry of the catalogue with `reader: own` names its files by role: `graph` (the edges, and
possibly the rest), `features`, `labels`, `split`. No checksum is pinned; the digests of the files
are stored in the facts of the graph.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gnn_dynamics.data.fetch.checksums import dataset_digest, sha256_of
from gnn_dynamics.data.graph import Content, Graph, graph_of
from gnn_dynamics.data.own.arrays import read_npz_graph
from gnn_dynamics.data.own.edges import edges_from_index, read_edge_table
from gnn_dynamics.data.own.graphml import read_networkx_graph
from gnn_dynamics.data.own.labels import encoded_labels, split_of
from gnn_dynamics.data.own.memory import check_memory
from gnn_dynamics.data.own.pyg import read_torch_graph
from gnn_dynamics.data.own.raw_graph import Edges, Features, Labels, RawGraph
from gnn_dynamics.data.own.values import read_array, read_features, read_labels, read_split
from gnn_dynamics.errors import UserError

TABLES = (".csv", ".tsv", ".txt", ".parquet")
NETWORKX = (".graphml", ".gml")
TORCH = (".pt", ".pth")
# Allowed formats of each role.
FORMATS = {
    "graph": (*TABLES, ".npy", ".npz", *NETWORKX, *TORCH),
    "features": (*TABLES, ".npy", ".npz"),
    "labels": (*TABLES, ".npy", ".npz"),
    "split": (*TABLES, ".npz"),
}


def read_own(name: str, entry: Mapping[str, Any], folder: str | Path | None = None) -> Graph:
    """The graph of an entry with `reader: own`; its paths are not relative to `folder`.

    `options`: `split`, where no file has a split, is "all" for training on every labelled node, or
    {train, val, seed} per class; `weights` is "refuse" (the default) or "ignore"; `task` is
    "classification" (the default) or "regression"; `labels` is the name of their column or array.

    Raises:
        UserError: if a file cannot be used; the message names the file and the line or node.
    """
    paths, options = check_formats(entry["files"]), entry.get("options", {})
    check_memory(paths.values(), None)
    return build_graph(name, paths, read_raw(paths, options), options)


def check_formats(files: Mapping[str, str | Path]) -> dict[str, Path]:
    """The files by role, as paths.

    Raises:
        UserError: if a file is missing, is a folder, or has a format that its role does not allow.
    """
    paths = {role: Path(file) for role, file in files.items()}
    for role, path in paths.items():
        if path.is_dir():
            raise UserError(f"{path} is a folder; name the files in it")
        if not path.is_file():
            raise UserError(f"{path} ({role}) is missing: there is no such file")
        if path.suffix not in FORMATS[role]:
            raise UserError(
                f"{path}: {path.suffix or 'no suffix'} is not a format for {role}; use one of"
                f" {', '.join(FORMATS[role])}"
            )
    return paths


def read_raw(paths: Mapping[str, Path], options: Mapping[str, Any]) -> RawGraph:
    """The content of all files; features, labels or split in a separate file override the graph's.

    Raises:
        UserError: as `read_own`; or if there are no features.
    """
    label_name = options.get("labels")
    in_graph = None if "labels" in paths else label_name
    raw = _read_graph(paths["graph"], in_graph)
    if "features" in paths:
        raw = replace(raw, features=read_features(paths["features"]))
    n = _nodes(paths, raw)
    if "labels" in paths:
        raw = replace(raw, labels=read_labels(paths["labels"], label_name, n))
    if "split" in paths:
        raw = replace(raw, parts=read_split(paths["split"], n))
    return raw


def _read_graph(path: Path, label_name: str | None) -> RawGraph:
    if path.suffix in TABLES:
        return read_edge_table(path)
    if path.suffix == ".npy":
        return RawGraph(edges_from_index(read_array(path), str(path)))
    if path.suffix == ".npz":
        return read_npz_graph(path, label_name)
    if path.suffix in TORCH:
        return read_torch_graph(path, label_name)
    return read_networkx_graph(path, label_name)


def without_labels(raw: RawGraph) -> RawGraph:
    """The graph with a target 0 at every node; the graph condition does not depend on labels."""
    zeros = np.zeros(features_of(raw).X.shape[0])
    return replace(raw, labels=Labels(zeros, "node {}".format), parts=None)


def features_of(raw: RawGraph, path: Path | None = None) -> Features:
    """The features of a graph.

    Raises:
        UserError: if there are none.
    """
    if raw.features is None:
        raise UserError(f"{path or 'the graph'} has no node features; add a file with features")
    return raw.features


def _nodes(paths: Mapping[str, Path], raw: RawGraph) -> int:
    """n, the number of rows of the features.

    Raises:
        UserError: if it is 0, if there are no features or edges, or the graph has another n.
    """
    edges, graph = raw.edges, paths["graph"]
    n, m_x = features_of(raw, graph).X.shape
    file = paths.get("features", graph)
    if edges.nodes not in (None, n):
        raise UserError(f"{file}: {n} rows of features, but {graph} has {edges.nodes} nodes")
    if not n or not m_x:
        raise UserError(f"{file}: the graph is empty ({n} nodes with {m_x} features)")
    if (edges.source == edges.target).all():
        raise UserError(f"{graph}: the graph is empty, no edge joins two different nodes")
    return n


def build_graph(
    name: str, paths: Mapping[str, Path], raw: RawGraph, options: Mapping[str, Any]
) -> Graph:
    """The cleaned graph, with the digests of its files among its facts.

    Raises:
        UserError: for weights, labels or a split that cannot be used, as `read_own`.
    """
    edges, features = raw.edges, features_of(raw)
    _check_weights(edges, options)
    labels, classes = encoded_labels(paths, raw.labels, features.X.shape[0], options)
    parts, origin = split_of(paths, raw.parts, labels, options)
    digests = {role: sha256_of(path) for role, path in sorted(paths.items())}
    facts = {
        "source_url": f"local files: {', '.join(digests)}",
        "sha256": dataset_digest(digests),
        "unpinned": digests,
        "split": origin,
        "unused": raw.unused,
        "class_names": classes,
        "weights_ignored": edges.weights is not None and not _all_one(edges.weights),
    }
    ends, where = (edges.source, edges.target), (edges.where, features.where)
    return graph_of(name, Content(ends, features.X, labels, parts, facts, *where))


def _all_one(weights: np.ndarray) -> bool:
    return bool((weights == 1).all())


def _check_weights(edges: Edges, options: Mapping[str, Any]) -> None:
    if edges.weights is None or options.get("weights") == "ignore" or _all_one(edges.weights):
        return
    first = int(np.flatnonzero(edges.weights != 1)[0])
    raise UserError(
        f"{edges.where(first)}: weight {edges.weights[first]}; the theory has no edge weights:"
        " remove them, or set the option `weights: ignore` (--ignore-weights)"
    )
