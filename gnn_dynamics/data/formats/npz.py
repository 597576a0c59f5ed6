"""Data sets with .npz files: gnn-benchmark, heterophilous-graphs, Geom-GCN. No pickle is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from gnn_dynamics.data.graph import PARTS, Content
from gnn_dynamics.data.splits import split_codes, split_parts, split_per_class

# Files of Geom-GCN.
EDGES = "out1_graph_edges.txt"
NODES = "out1_node_feature_label.txt"


def _open(entry: Mapping[str, Any], folder: Path) -> np.lib.npyio.NpzFile:
    (file,) = entry["files"]
    return np.load(folder / file, allow_pickle=False)


def read_gnn_benchmark(entry: Mapping[str, Any], folder: Path) -> Content:
    """Amazon Photo and Computers, Coauthor CS and Physics (Shchur et al. 2018, arXiv 1811.05868).

    There is no official split; `options` gives train and val nodes per class and the seed.
    `class_names` of the Coauthor files is an array of objects and is never read.
    """
    with _open(entry, folder) as file:
        edges = _csr(file, "adj").tocoo().coords
        features, labels = _csr(file, "attr"), file["labels"].astype(np.int64)
    parts = split_per_class(labels, **entry["options"])
    origin = "no official one; {train} per class".format(**entry["options"])
    return Content(edges, features, labels, parts, {"split": origin})


def _csr(file: Mapping[str, np.ndarray], part: str) -> sparse.csr_array:
    arrays = tuple(file[f"{part}_{name}"] for name in ("data", "indices", "indptr"))
    return sparse.csr_array(arrays, shape=tuple(file[f"{part}_shape"]))


def read_heterophilous(entry: Mapping[str, Any], folder: Path) -> Content:
    """Data sets of Platonov et al. 2023 (arXiv 2302.11640), and their copies of older ones.

    `options.split` selects one of the ten official splits; all of them are kept. Undirected edges
    are stored once.
    """
    number = entry["options"]["split"]
    with _open(entry, folder) as file:
        labels = file["node_labels"].astype(np.int64)
        (source, target), features = file["edges"].T, file["node_features"]
        splits = split_codes([file[f"{part}_masks"] for part in PARTS])
    split = {"split": f"official split {number} of 10"}
    parts = split_parts(splits[number])
    return Content((source, target), features, labels, parts, split, splits=splits)


def read_geomgcn(entry: Mapping[str, Any], folder: Path) -> Content:
    """Chameleon and Squirrel in the files of Geom-GCN (Pei et al. 2020, arXiv 2002.05287).

    Lines `id<tab>0,1,0,...<tab>label` for nodes, `id<tab>id` for edges, masks in an npz.

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
        parts = {p: np.flatnonzero(masks[f"{p}_mask"]) for p in PARTS}
    y, origin = np.array(labels, dtype=np.int64), f"official: {split.name}"
    return Content((source, target), X[order], y[order], parts, {"split": origin})
