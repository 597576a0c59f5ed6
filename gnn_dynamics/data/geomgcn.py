"""Chameleon and Squirrel in the text files of Geom-GCN (Pei et al. 2020, arXiv 2002.05287)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gnn_dynamics.data.checksums import facts_of_files
from gnn_dynamics.data.graph import Graph, clean_edges, node_features

EDGES = "out1_graph_edges.txt"
NODES = "out1_node_feature_label.txt"


def read_geomgcn(name: str, entry: Mapping[str, Any], folder: str | Path) -> Graph:
    """Nodes are lines `id<tab>0,1,0,...<tab>label`, edges `id<tab>id`, a split an npz of masks.

    Raises:
        UserError: if a file is absent or damaged.
    """
    facts = facts_of_files(entry, folder)
    paths = {Path(file).name: Path(folder, file) for file in entry["files"]}
    labels, features = _nodes(paths.pop(NODES))
    source, target = np.loadtxt(paths.pop(EDGES), dtype=np.int64, skiprows=1, unpack=True, ndmin=2)
    adjacency, counts = clean_edges(len(labels), source, target)
    (split,) = paths.values()
    with np.load(split, allow_pickle=False) as masks:
        parts = {p: np.flatnonzero(masks[f"{p}_mask"]) for p in ("train", "val", "test")}
    return Graph(
        name=name,
        adjacency=adjacency,
        features=node_features(features),
        labels=labels,
        **parts,
        graph_index=None,
        task="classification",
        classes=int(labels.max()) + 1,
        facts=facts | counts | {"split": f"official: {split.name}"},
    )


def _nodes(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n,) and binary features (n, m_x); lines may stand in any order."""
    with path.open(encoding="utf-8") as file:
        next(file)
        lines = [line.rstrip("\n").split("\t") for line in file]
    order = np.argsort([int(node) for node, _, _ in lines])
    labels = np.array([int(label) for _, _, label in lines], dtype=np.int64)
    text = ",".join(values for _, values, _ in lines)
    features = np.fromstring(text, dtype=np.uint8, sep=",").reshape(len(lines), -1)
    return labels[order], features[order]
