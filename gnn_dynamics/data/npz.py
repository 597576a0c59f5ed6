"""Data sets that are one .npz file: gnn-benchmark and heterophilous-graphs. No pickle is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from gnn_dynamics.data.checksums import facts_of_files
from gnn_dynamics.data.graph import Graph, clean_edges, node_features
from gnn_dynamics.data.splits import split_per_class


def _open(entry: Mapping[str, Any], folder: str | Path) -> np.lib.npyio.NpzFile:
    (file,) = entry["files"]
    return np.load(Path(folder, file), allow_pickle=False)


def read_gnn_benchmark(name: str, entry: Mapping[str, Any], folder: str | Path) -> Graph:
    """Amazon Photo and Computers, Coauthor CS and Physics (Shchur et al. 2018, arXiv 1811.05868).

    There is no official split: nodes are drawn per class by `options`: train, val, seed.
    `class_names` of the Coauthor files is an array of objects and is never read.

    Raises:
        UserError: if the file is absent or damaged.
    """
    facts = facts_of_files(entry, folder)
    with _open(entry, folder) as file:
        stored = _csr(file, "adj").tocoo()
        features, labels = _csr(file, "attr"), file["labels"].astype(np.int64)
    adjacency, counts = clean_edges(len(labels), *stored.coords)
    options = entry["options"]
    return Graph(
        name=name,
        adjacency=adjacency,
        features=node_features(features),
        labels=labels,
        **split_per_class(labels, options["train"], options["val"], options["seed"]),
        graph_index=None,
        task="classification",
        classes=int(labels.max()) + 1,
        facts=facts | counts | {"split": "no official one; {train} per class".format(**options)},
    )


def _csr(file: Mapping[str, np.ndarray], part: str) -> sparse.csr_array:
    arrays = tuple(file[f"{part}_{piece}"] for piece in ("data", "indices", "indptr"))
    return sparse.csr_array(arrays, shape=tuple(file[f"{part}_shape"]))


def read_heterophilous(name: str, entry: Mapping[str, Any], folder: str | Path) -> Graph:
    """Data sets of Platonov et al. 2023 (arXiv 2302.11640), and their copies of older ones.

    Ten official splits; `options.split` says which. Undirected edges are stored once.

    Raises:
        UserError: if the file is absent or damaged.
    """
    facts = facts_of_files(entry, folder)
    number = entry["options"]["split"]
    with _open(entry, folder) as file:
        labels = file["node_labels"].astype(np.int64)
        adjacency, counts = clean_edges(len(labels), *file["edges"].T)
        features = node_features(file["node_features"])
        split = {p: np.flatnonzero(file[f"{p}_masks"][number]) for p in ("train", "val", "test")}
    return Graph(
        name=name,
        adjacency=adjacency,
        features=features,
        labels=labels,
        **split,
        graph_index=None,
        task="classification",
        classes=int(labels.max()) + 1,
        facts=facts | counts | {"split": f"official split {number} of 10"},
    )
