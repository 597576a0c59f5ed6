"""The content of the files of a user's own graph, before it is cleaned and checked.

Every part can locate its values (`where`), so that a message names the file and the line or node.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gnn_dynamics.errors import UserError

Where = Callable[[int], str]  # the file and line, or file and node, of the k-th value

# Names of labels, unless the user gives one.
LABEL_NAMES = ("y", "label", "labels", "class", "target", "node_labels")
PARTS = ("train", "val", "test")
PART_WORDS = {"valid": "val", "validation": "val", "": "", "none": ""} | {p: p for p in PARTS}


@dataclass(frozen=True)
class Edges:
    """Ends of stored edges, (edges,) int64, in one direction or both.

    weights: (edges,) or None. nodes: the number of nodes where the file gives it, else None.
    """

    source: np.ndarray
    target: np.ndarray
    where: Where
    weights: np.ndarray | None = None
    nodes: int | None = None


@dataclass(frozen=True)
class Features:
    """X (n, m_x), dense or sparse, and the names of its columns where the file has them."""

    X: Any
    where: Callable[[int, int], str]
    names: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Labels:
    """(n,) whole numbers, real numbers or text; NaN, -1 and "" mean unlabelled."""

    values: np.ndarray
    where: Where


@dataclass(frozen=True)
class RawGraph:
    """The content of all files. `parts` of the split are masks (n,) or node ids.

    unused: names of the other columns, arrays or attributes in the files, to show to the user.
    """

    edges: Edges
    features: Features | None = None
    labels: Labels | None = None
    parts: dict[str, np.ndarray] | None = None
    node_names: list[str] | None = None
    unused: list[str] = field(default_factory=list)


def where_in(origin: str, unit: str) -> Where:
    """Locates the k-th edge or node (`unit`) in `origin`, a file or an array of it."""
    return lambda k: f"{origin}, {unit} {k}"


def real_array(values: Any, origin: str) -> np.ndarray:
    """`values` as an array of numbers.

    Raises:
        UserError: if it holds text, objects or complex numbers. `origin` begins the message.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "buif":
        raise UserError(f"{origin} holds {array.dtype}, not numbers")
    return array


def whole_numbers(values: Any, origin: str) -> np.ndarray:
    """`values` as int64.

    Raises:
        UserError: if it holds another type, real numbers included. `origin` begins the message.
    """
    array = real_array(values, origin)
    if array.dtype.kind == "f":
        raise UserError(f"{origin} holds {array.dtype}, not whole numbers; save it as int64")
    return array.astype(np.int64)


def one_column(values: Any, origin: str) -> np.ndarray:
    """An array of shape (n,) from one of shape (n,) or (n, 1).

    Raises:
        UserError: if it has more columns. `origin` begins the message.
    """
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        return array[:, 0]
    if array.ndim != 1:
        raise UserError(
            f"{origin} has the shape {array.shape}; it needs one number per node (store the argmax"
            " of one-hot labels, and one of several splits)"
        )
    return array


def as_features(X: Any, origin: str, names: tuple[str, ...] | None = None) -> Features:
    """Features from an array (n, m_x), or (n,) for a single feature.

    Raises:
        UserError: if it is not a matrix of numbers. `origin` begins the message.
    """
    X = real_array(X, origin)
    if X.ndim > 2:
        raise UserError(f"{origin} has the shape {X.shape}; it needs the shape (nodes, features)")
    X = X.reshape(len(X), -1) if X.ndim else X.reshape(0, 0)
    return Features(X, lambda node, column: f"{origin}, node {node}, feature {column}", names)


def part_masks(words: Iterable[str | None], where: Where) -> dict[str, np.ndarray]:
    """Masks (n,) of the parts of a split, from the name of the part at each node.

    Raises:
        UserError: naming the first node with an unknown part.
    """
    named = [str(word or "").strip().lower() for word in words]
    for node, word in enumerate(named):
        if word not in PART_WORDS:
            raise UserError(
                f"{where(node)}: {word!r} is not a part of a split (allowed: train, val, test, or"
                " empty)"
            )
    chosen = np.array([PART_WORDS[word] for word in named])
    return {part: chosen == part for part in PARTS}
