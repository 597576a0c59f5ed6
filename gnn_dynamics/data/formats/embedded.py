"""Real data inside scikit-learn as graphs of nearest neighbours, so that nothing need be fetched.

As in graph structure learning: LDS (Franceschi et al. 2019, arXiv 1903.11960) and IDGL (Chen, Wu,
Zaki 2020, arXiv 2006.13009) join each node with its k nearest in cosine distance of standardised
features, and train on 10 (wine, breast-cancer) or 50 (digits) nodes.
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
    """An edge wherever one node is among the k nearest of the other; features as they come.

    Distances serve the graph only: the stored features are the raw ones. Digits therefore keeps
    the three pixels that are 0 in every image, and its features have rank 61 of 64.

    Raises:
        UserError: if scikit-learn brings other data than the catalogue says.
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
    """Stratified: each class in proportion to its size."""
    rest, chosen = train_test_split(
        np.arange(len(labels)), test_size=train + val, stratify=labels, random_state=seed
    )
    fitted, held = train_test_split(
        chosen, test_size=val, stratify=labels[chosen], random_state=seed
    )
    return {"train": np.sort(fitted), "val": np.sort(held), "test": np.sort(rest)}
