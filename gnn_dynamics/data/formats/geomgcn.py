"""Chameleon and Squirrel in the text files of Geom-GCN (Pei et al. 2020, arXiv 2002.05287)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gnn_dynamics.data.graph import Content

EDGES = "out1_graph_edges.txt"
NODES = "out1_node_feature_label.txt"


def read_geomgcn(entry: Mapping[str, Any], folder: Path) -> Content:
    """Lines `id<tab>0,1,0,...<tab>label` for nodes, `id<tab>id` for edges, masks in an npz.

    The lines of the nodes may be in any order.
    """
    paths = {Path(file).name: folder / file for file in entry["files"]}
    _, *lines = paths.pop(NODES).read_text(encoding="utf-8").splitlines()
    nodes, features, labels = zip(*(line.split("\t") for line in lines), strict=True)
    order = np.argsort(np.array(nodes, dtype=np.int64))
    X = np.fromstring(",".join(features), dtype=np.uint8, sep=",").reshape(len(nodes), -1)
    source, target = np.loadtxt(paths.pop(EDGES), dtype=np.int64, skiprows=1, unpack=True, ndmin=2)
    (split,) = paths.values()
    with np.load(split, allow_pickle=False) as masks:
        parts = {p: np.flatnonzero(masks[f"{p}_mask"]) for p in ("train", "val", "test")}
    y, origin = np.array(labels, dtype=np.int64), f"official: {split.name}"
    return Content((source, target), X[order], y[order], parts, {"split": origin})
