"""Splits for data sets that have no official one, drawn with a fixed seed."""

import numpy as np


def split_per_class(labels: np.ndarray, train: int, val: int, seed: int) -> dict[str, np.ndarray]:
    """Ascending node ids: `train` and `val` nodes of each class, the others for testing.

    The protocol of Shchur et al. 2018 (arXiv 1811.05868). Unlabelled nodes (-1) are in no part. If
    a class has too few nodes, training gets them first.
    """
    random = np.random.default_rng(seed)
    parts: dict[str, list[np.ndarray]] = {"train": [], "val": [], "test": []}
    for label in np.unique(labels[labels >= 0]):
        nodes = random.permutation(np.flatnonzero(labels == label))
        for part, ids in zip(parts.values(), np.split(nodes, [train, train + val]), strict=True):
            part.append(ids)
    return {name: np.sort(np.concatenate(part)) for name, part in parts.items()}
