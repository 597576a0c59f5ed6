"""Splits for data sets that come without one, fixed by a seed."""

import numpy as np


def split_per_class(labels: np.ndarray, train: int, val: int, seed: int) -> dict[str, np.ndarray]:
    """`train` and `val` nodes of each class, the rest for testing; unlabelled nodes in none.

    The protocol of Shchur et al. 2018 (arXiv 1811.05868). A class that is too small gives what it
    has to training first. Ascending int64 indices.
    """
    random = np.random.default_rng(seed)
    parts = {"train": [], "val": [], "test": []}
    for label in np.unique(labels[labels >= 0]):
        members = random.permutation(np.flatnonzero(labels == label))
        pieces = np.split(members, [train, train + val])
        for part, piece in zip(parts.values(), pieces, strict=True):
            part.append(piece)
    return {name: np.sort(np.concatenate(part)) for name, part in parts.items()}
