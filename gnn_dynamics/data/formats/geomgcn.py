"""Chameleon and Squirrel in the text files of Geom-GCN (Pei et al. 2020, arXiv 2002.05287)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gnn_dynamics.data.fetch.checksums import facts_of_files
from gnn_dynamics.data.graph import Graph
from gnn_dynamics.data.node_graph import node_graph

EDGES = "out1_graph_edges.txt"
NODES = "out1_node_feature_label.txt"


def read_geomgcn(name: str, entry: Mapping[str, Any], folder: str | Path) -> Graph:
    """Lines `id<tab>0,1,0,...<tab>label` for nodes, `id<tab>id` for edges, masks in an npz.

    Raises:
        UserError: if a file is absent or damaged.
    """
    facts = facts_of_files(entry, folder)
    paths = {Path(file).name: Path(folder, file) for file in entry["files"]}
    labels, features = _nodes(paths.pop(NODES))
    source, target = np.loadtxt(paths.pop(EDGES), dtype=np.int64, skiprows=1, unpack=True, ndmin=2)
    (split,) = paths.values()
    with np.load(split, allow_pickle=False) as masks:
        parts = {p: np.flatnonzero(masks[f"{p}_mask"]) for p in ("train", "val", "test")}
    facts["split"] = f"official: {split.name}"
    return node_graph(name, (source, target), features, labels, parts, facts)


def _nodes(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n,) and binary features (n, m_x); the lines may be in any order."""
    with path.open(encoding="utf-8") as file:
        next(file)
        lines = [line.rstrip("\n").split("\t") for line in file]
    order = np.argsort([int(node) for node, _, _ in lines])
    labels = np.array([int(label) for _, _, label in lines], dtype=np.int64)
    text = ",".join(values for _, values, _ in lines)
    features = np.fromstring(text, dtype=np.uint8, sep=",").reshape(len(lines), -1)
    return labels[order], features[order]
