"""What the files of a user's own graph hold, before anything is cleaned or checked.

Every piece knows where its values stand, so that a message can name the file and the line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gnn_dynamics.errors import UserError

# Names under which labels are looked for where the user gives none.
LABEL_NAMES = ("y", "label", "labels", "class", "target", "node_labels")
PARTS = ("train", "val", "test")
PART_WORDS = {"valid": "val", "validation": "val", "": "", "none": ""} | {p: p for p in PARTS}


@dataclass(frozen=True)
class Edges:
    """Ends of stored edges, (edges,) int64, in one direction or both.

    weights: (edges,) or None. nodes: how many there are, where the file says so, else None.
    """

    source: np.ndarray
    target: np.ndarray
    place: Callable[[int], str]
    weights: np.ndarray | None = None
    nodes: int | None = None


@dataclass(frozen=True)
class Features:
    """X (n, m_x), dense or sparse, and the names of its columns where there are any."""

    X: Any
    place: Callable[[int, int], str]
    names: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Labels:
    """(n,) whole numbers, real numbers or text; NaN, -1 and "" where there is none."""

    values: np.ndarray
    place: Callable[[int], str]


@dataclass(frozen=True)
class Pieces:
    """All that was found. `parts` of the split are masks (n,) or node ids.

    unused: names of what the files hold beside that, for the user to see.
    """

    edges: Edges
    features: Features | None = None
    labels: Labels | None = None
    parts: dict[str, np.ndarray] | None = None
    node_names: list[str] | None = None
    unused: list[str] = field(default_factory=list)


def place_of(what: str, unit: str) -> Callable[[int], str]:
    """Says where the k-th edge or node stands in `what`."""
    return lambda k: f"{what}, {unit} {k}"


def real_array(values: Any, what: str) -> np.ndarray:
    """`values` as an array of numbers.

    Raises:
        UserError: if it holds text, objects or complex numbers; `what` names it.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "buif":
        raise UserError(f"{what} holds {array.dtype}, not numbers")
    return array


def whole_numbers(values: Any, what: str) -> np.ndarray:
    """`values` as int64.

    Raises:
        UserError: if it holds anything else, fractions included; `what` names it.
    """
    array = real_array(values, what)
    if array.dtype.kind == "f":
        raise UserError(f"{what} holds {array.dtype}, not whole numbers; save it as int64")
    return array.astype(np.int64)


def one_column(values: Any, what: str) -> np.ndarray:
    """An array of shape (n,) from one of shape (n,) or (n, 1).

    Raises:
        UserError: if it has more columns; `what` names it.
    """
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        return array[:, 0]
    if array.ndim != 1:
        raise UserError(
            f"{what} has the shape {array.shape}; one number a node is needed (of one-hot labels,"
            " the argmax; of several splits, one)"
        )
    return array


def as_features(X: Any, what: str, names: tuple[str, ...] | None = None) -> Features:
    """Features from an array (n, m_x), or (n,) for a single one.

    Raises:
        UserError: if it is no matrix of numbers; `what` names it.
    """
    X = real_array(X, what)
    if X.ndim > 2:
        raise UserError(f"{what} has the shape {X.shape}; nodes x features is needed")
    X = X.reshape(len(X), -1) if X.ndim else X.reshape(0, 0)
    return Features(X, lambda node, column: f"{what}, node {node}, feature {column}", names)


def part_masks(words: Sequence[str | None], place: Callable[[int], str]) -> dict[str, np.ndarray]:
    """Masks (n,) of the parts of a split, from the part's name at each node.

    Raises:
        UserError: naming the first node with another word.
    """
    named = [str(word or "").strip().lower() for word in words]
    for node, word in enumerate(named):
        if word not in PART_WORDS:
            raise UserError(
                f"{place(node)}: {word!r} is no part of a split (allowed: train, val, test, or"
                " empty)"
            )
    chosen = np.array([PART_WORDS[word] for word in named])
    return {part: chosen == part for part in PARTS}
