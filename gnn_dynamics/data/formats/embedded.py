"""Nearest-neighbour graphs of the real data in scikit-learn, which need no download.

The construction is from graph structure learning: LDS (Franceschi et al. 2019, arXiv 1903.11960)
and IDGL (Chen, Wu, Zaki 2020, arXiv 2006.13009) join each node with its k nearest nodes in cosine
distance of standardised features, and train on 10 (wine, breast-cancer) or 50 (digits) nodes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.neighbors import kneighbors_graph
from sklearn.preprocessing import scale

from gnn_dynamics.data.fetch.catalogue import package_folder
from gnn_dynamics.data.fetch.checksums import facts_of_files
from gnn_dynamics.data.graph import Graph
from gnn_dynamics.data.node_graph import node_graph

PACKAGED = package_folder("sklearn") / "datasets" / "data"


def read_embedded(name: str, entry: Mapping[str, Any], folder: str | Path | None = None) -> Graph:
    """Two nodes are joined if one of them is among the k nearest of the other.

    Standardised features define the distances only; the stored features are raw. Digits therefore
    keeps the three pixels that are 0 in every image, and its features have rank 61 of 64.

    Raises:
        UserError: if the data in scikit-learn differ from the checksums of the catalogue.
    """
    facts = facts_of_files(entry, PACKAGED)
    options = entry["options"]
    data = getattr(datasets, f"load_{options['loader']}")()
    X, labels = data.data, data.target.astype(np.int64)
    near = kneighbors_graph(scale(X), options["k"], metric=options["metric"], include_self=False)
    parts = _split(labels, options["train"], options["val"], options["seed"])
    facts["split"] = "stratified, {train} for training".format(**options)
    return node_graph(name, near.tocoo().coords, X, labels, parts, facts)


def _split(labels: np.ndarray, train: int, val: int, seed: int) -> dict[str, np.ndarray]:
    """A stratified split: each part has the class proportions of the data."""
    rest, chosen = train_test_split(
        np.arange(len(labels)), test_size=train + val, stratify=labels, random_state=seed
    )
    fitted, validation = train_test_split(
        chosen, test_size=val, stratify=labels[chosen], random_state=seed
    )
    return {"train": np.sort(fitted), "val": np.sort(validation), "test": np.sort(rest)}
