"""A user's own graph as a data set: files of many formats to one `Graph` (docs/own-graphs.md).

An entry of the catalogue with `reader: own` names its files by role: `graph` (the edges, alone or
with all else), `features`, `labels`, `split`. Nothing is pinned; digests of the files go into the
facts of the graph.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gnn_dynamics.data.fetch.checksums import dataset_digest, sha256_of
from gnn_dynamics.data.graph import Graph
from gnn_dynamics.data.node_graph import node_graph
from gnn_dynamics.data.own.arrays import read_npz_graph
from gnn_dynamics.data.own.edges import edges_from_index, read_edge_table
from gnn_dynamics.data.own.graphml import read_networkx_graph
from gnn_dynamics.data.own.labels import encoded_labels, split_of
from gnn_dynamics.data.own.memory import check_memory
from gnn_dynamics.data.own.pyg import read_torch_graph
from gnn_dynamics.data.own.raw_graph import Edges, Features, Pieces
from gnn_dynamics.data.own.values import read_array, read_features, read_labels, read_split
from gnn_dynamics.errors import UserError

TABLES = (".csv", ".tsv", ".txt", ".parquet")
NETWORKX = (".graphml", ".gml")
TORCH = (".pt", ".pth")
# What each file of an entry may be.
FORMATS = {
    "graph": (*TABLES, ".npy", ".npz", *NETWORKX, *TORCH),
    "features": (*TABLES, ".npy", ".npz"),
    "labels": (*TABLES, ".npy", ".npz"),
    "split": (*TABLES, ".npz"),
}


def read_own(name: str, entry: Mapping[str, Any], folder: str | Path | None = None) -> Graph:
    """The graph of an entry with `reader: own`; its paths are as given, not below `folder`.

    `options`: `split`, "all" for training on every labelled node or {train, val, seed} per class,
    where no file has a split; `weights`, "refuse" (the default) or "ignore"; `task`,
    "classification" (the default) or "regression"; `labels`, the name of their column or array.

    Raises:
        UserError: naming the file, and the line or node, of what is wrong with it.
    """
    files, options = entry["files"], entry.get("options", {})
    paths = check_formats(files)
    check_memory(paths.values(), None)
    return own_graph(name, paths, read_pieces(paths, options), options)


def check_formats(files: Mapping[str, str | Path]) -> dict[str, Path]:
    """The files by role, as paths.

    Raises:
        UserError: if one is missing, is a folder, or has a format that its role does not allow.
    """
    paths = {role: Path(file) for role, file in files.items()}
    for role, path in paths.items():
        if path.is_dir():
            raise UserError(f"{path} is a folder; name the files in it")
        if not path.is_file():
            raise UserError(f"{path} ({role}) is missing: there is no such file")
        if path.suffix not in FORMATS[role]:
            raise UserError(
                f"{path}: {path.suffix or 'no suffix'} is no format for {role}; use one of"
                f" {', '.join(FORMATS[role])}"
            )
    return paths


def read_pieces(paths: Mapping[str, Path], options: Mapping[str, Any]) -> Pieces:
    """What the files hold. A file of its own for features, labels or split wins over the graph's.

    Raises:
        UserError: as `read_own`; or if there are no features at all.
    """
    label_name = options.get("labels")
    in_graph = None if "labels" in paths else label_name
    pieces = _read_graph(paths["graph"], in_graph)
    if "features" in paths:
        pieces = replace(pieces, features=read_features(paths["features"]))
    if pieces.features is None:
        raise UserError(f"{paths['graph']} has no node features; add a file with features")
    n = nodes_of(paths, pieces.edges, pieces.features)
    if "labels" in paths:
        pieces = replace(pieces, labels=read_labels(paths["labels"], label_name, n))
    if "split" in paths:
        pieces = replace(pieces, parts=read_split(paths["split"], n))
    return pieces


def _read_graph(path: Path, label_name: str | None) -> Pieces:
    if path.suffix in TABLES:
        return read_edge_table(path)
    if path.suffix == ".npy":
        return Pieces(edges_from_index(read_array(path), str(path)))
    if path.suffix == ".npz":
        return read_npz_graph(path, label_name)
    if path.suffix in TORCH:
        return read_torch_graph(path, label_name)
    return read_networkx_graph(path, label_name)


def nodes_of(paths: Mapping[str, Path], edges: Edges, features: Features) -> int:
    """n, the number of rows of the features.

    Raises:
        UserError: if it is 0, if there are no features or edges, or the graph has another n.
    """
    (n, m_x), graph = features.X.shape, paths["graph"]
    where = paths.get("features", graph)
    if edges.nodes not in (None, n):
        raise UserError(f"{where}: {n} rows of features, but {graph} has {edges.nodes} nodes")
    if not n or not m_x:
        raise UserError(f"{where}: the graph is empty ({n} nodes with {m_x} features)")
    if (edges.source == edges.target).all():
        raise UserError(f"{graph}: the graph is empty, no edge joins two different nodes")
    return n


def own_graph(
    name: str, paths: Mapping[str, Path], pieces: Pieces, options: Mapping[str, Any]
) -> Graph:
    """Pieces as a cleaned graph, with the digests of their files among its facts.

    Raises:
        UserError: for weights, labels or a split that cannot be used, as `read_own` says.
    """
    n = pieces.features.X.shape[0]
    _check_weights(pieces.edges, options)
    labels, classes = encoded_labels(paths, pieces.labels, n, options)
    parts, said = split_of(paths, pieces.parts, labels, options)
    digests = {role: sha256_of(path) for role, path in sorted(paths.items())}
    facts = {
        "source_url": f"local files: {', '.join(digests)}",
        "sha256": dataset_digest(digests),
        "unpinned": digests,
        "split": said,
        "unused": pieces.unused,
        "class_names": classes,
        "weights_ignored": pieces.edges.weights is not None and not _all_one(pieces.edges.weights),
    }
    edges = pieces.edges.source, pieces.edges.target
    places = pieces.edges.place, pieces.features.place
    return node_graph(name, edges, pieces.features.X, labels, parts, facts, *places)


def _all_one(weights: np.ndarray) -> bool:
    return bool((weights == 1).all())


def _check_weights(edges: Edges, options: Mapping[str, Any]) -> None:
    if edges.weights is None or options.get("weights") == "ignore" or _all_one(edges.weights):
        return
    first = int(np.flatnonzero(edges.weights != 1)[0])
    raise UserError(
        f"{edges.place(first)}: weight {edges.weights[first]}; edges have no weights here: take"
        " them out, or set the option `weights: ignore` (--ignore-weights)"
    )
