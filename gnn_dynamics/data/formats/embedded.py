"""Nearest-neighbour graphs of the real data in scikit-learn, which need no download.

The construction is from graph structure learning: LDS (Franceschi et al. 2019, arXiv 1903.11960)
and IDGL (Chen, Wu, Zaki 2020, arXiv 2006.13009) join each node with its k nearest nodes in cosine
distance of standardised features, and train on 10 (wine, breast-cancer) or 50 (digits) nodes.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.neighbors import kneighbors_graph
from sklearn.preprocessing import scale

from gnn_dynamics.data.graph import Content


def read_embedded(entry: Mapping[str, Any], _folder: Path) -> Content:
    """Two nodes are joined if one of them is among the k nearest of the other.

    Standardised features define the distances only; the stored features are raw. Digits therefore
    keeps the three pixels that are 0 in every image, and its features have rank 61 of 64. In the
    split, each part has the class proportions of the data.
    """
    options = entry["options"]
    data = getattr(datasets, f"load_{options['loader']}")()
    X, labels = data.data, data.target.astype(np.int64)
    near = kneighbors_graph(scale(X), options["k"], metric=options["metric"], include_self=False)
    draw = partial(train_test_split, random_state=options["seed"])
    size = options["train"] + options["val"]
    test, rest = draw(np.arange(len(labels)), test_size=size, stratify=labels)
    train, val = draw(rest, test_size=options["val"], stratify=labels[rest])
    parts = {"train": np.sort(train), "val": np.sort(val), "test": np.sort(test)}
    split = {"split": "stratified, {train} for training".format(**options)}
    return Content(near.tocoo().coords, X, labels, parts, split)
