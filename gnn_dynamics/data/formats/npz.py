"""Data sets in a single .npz file: gnn-benchmark and heterophilous-graphs. No pickle is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from gnn_dynamics.data.graph import Content
from gnn_dynamics.data.splits import split_per_class


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

    `options.split` selects one of the ten official splits. Undirected edges are stored once.
    """
    number = entry["options"]["split"]
    with _open(entry, folder) as file:
        labels = file["node_labels"].astype(np.int64)
        (source, target), features = file["edges"].T, file["node_features"]
        parts = {p: np.flatnonzero(file[f"{p}_masks"][number]) for p in ("train", "val", "test")}
    split = {"split": f"official split {number} of 10"}
    return Content((source, target), features, labels, parts, split)
