"""Splits for data sets that have no official one, drawn with a fixed seed."""

from collections.abc import Sequence

import numpy as np

from gnn_dynamics.data.graph import PARTS, UNLABELLED


def split_all(labels: np.ndarray) -> dict[str, np.ndarray]:
    """Ascending ids with all labelled nodes for training; labels are classes or real targets."""
    known = np.isfinite(labels) if labels.dtype.kind == "f" else labels != UNLABELLED
    none = dict.fromkeys(("val", "test"), np.array([], dtype=np.int64))
    return {"train": np.flatnonzero(known), **none}


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


def split_codes(masks: Sequence[np.ndarray]) -> np.ndarray:
    """Masks (k, n) of the training, validation and test nodes -> `Graph.splits` (k, n)."""
    codes = np.zeros(masks[0].shape, dtype=np.uint8)
    for code, mask in enumerate(masks, start=1):
        codes[mask.astype(bool)] = code
    return codes


def split_parts(codes: np.ndarray) -> dict[str, np.ndarray]:
    """Ascending ids under train, val and test of one row of `Graph.splits`, (n,)."""
    return {part: np.flatnonzero(codes == code) for code, part in enumerate(PARTS, start=1)}
