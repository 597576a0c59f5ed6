"""Labels of a user's own graph as classes 0, 1, ... or real targets, and its split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gnn_dynamics.data.graph import UNLABELLED
from gnn_dynamics.data.own.raw_graph import PARTS, Labels
from gnn_dynamics.data.splits import split_per_class
from gnn_dynamics.errors import UserError


def encoded_labels(
    paths: Mapping[str, Path], labels: Labels | None, n: int, options: Mapping[str, Any]
) -> tuple[np.ndarray, list[str]]:
    """(n,) int64 classes with -1 for unlabelled nodes and their names, or float64 targets with NaN.

    -1, an empty field and NaN mean unlabelled. Classes are numbered in ascending order.

    Raises:
        UserError: if there are no labels, fewer or more than n, a single class, or fractions.
    """
    if labels is None:
        raise UserError(
            f"{paths['graph']} has no labels under a usual name; give their name (--labels NAME),"
            " add a file with labels, or check without labels (--no-labels)"
        )
    file = paths.get("labels", paths["graph"])
    if len(labels.values) != n:
        raise UserError(f"{file}: {len(labels.values)} labels, but {n} nodes (rows of features)")
    values = _plain(labels)
    if options.get("task") == "regression":
        return _targets(values, labels), []
    known = _known(values)
    if values.dtype.kind == "f":
        _refuse_fractions(values, known, labels)
        values = np.where(known, values, UNLABELLED).astype(np.int64)
    names, codes = np.unique(values[known], return_inverse=True)
    if len(names) < 2:
        reason = f"there is one class only ({names[0]})" if len(names) else "no node has a label"
        raise UserError(f"{file}: {reason}; -1 and empty mean unlabelled")
    classes = np.full(n, UNLABELLED, dtype=np.int64)
    classes[known] = codes
    return classes, [str(name) for name in names]


def _plain(labels: Labels) -> np.ndarray:
    """The values as int64, float64 (NaN where empty) or text ("" where empty)."""
    values = np.asarray(labels.values)
    if values.dtype.kind in "bui":
        return values.astype(np.int64)
    if values.dtype.kind == "f":
        return values.astype(np.float64)
    filled = ["nan" if value is None or value == "" else value for value in values.tolist()]
    try:
        return np.array([float(value) for value in filled])
    except (TypeError, ValueError):
        return np.array(["" if value == "nan" else str(value) for value in filled])


def _known(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "U":
        return values != ""
    return np.isfinite(values) & (values != UNLABELLED)


def _refuse_fractions(values: np.ndarray, known: np.ndarray, labels: Labels) -> None:
    wrong = np.flatnonzero((known & (values != np.round(values))) | np.isinf(values))
    if wrong.size:
        raise UserError(
            f"{labels.where(int(wrong[0]))} is {values[wrong[0]]}, not a class; for real targets,"
            " set the option `task: regression` (--regression)"
        )


def _targets(values: np.ndarray, labels: Labels) -> np.ndarray:
    wrong = np.arange(len(values)) if values.dtype.kind == "U" else np.flatnonzero(np.isinf(values))
    if wrong.size:
        raise UserError(
            f"{labels.where(int(wrong[0]))} is {values[wrong[0]]!s}, not a target of a regression"
        )
    return values.astype(np.float64)


def split_of(
    paths: Mapping[str, Path],
    parts: Mapping[str, np.ndarray] | None,
    labels: np.ndarray,
    options: Mapping[str, Any],
) -> tuple[dict[str, np.ndarray], str]:
    """Ascending node ids of train, val and test, and the origin of the split in words.

    Raises:
        UserError: if there is no training node, no split, or two splits.
    """
    drawn, file = options.get("split"), paths.get("split", paths["graph"])
    if parts is not None and drawn is not None:
        raise UserError(f"{file} already has a split; remove the option `split`")
    if parts is not None:
        ids = {part: _ids(parts.get(part), len(labels), part, file) for part in PARTS}
        if not ids["train"].size:
            raise UserError(f"{file}: there are no training nodes in the split")
        return ids, "as given"
    if drawn is None:
        raise UserError(
            f"{file}: there are no training nodes; add a file with the split, or set the option"
            " `split` to all or to {train: 20, val: 30, seed: 0}"
        )
    return _drawn(labels, drawn)


def _drawn(labels: np.ndarray, drawn: Any) -> tuple[dict[str, np.ndarray], str]:
    if drawn != "all":
        return split_per_class(labels, **drawn), "drawn: {train} per class".format(**drawn)
    real = labels.dtype.kind == "f"
    known = np.flatnonzero(np.isfinite(labels) if real else labels != UNLABELLED)
    none = np.array([], dtype=np.int64)
    return {"train": known, "val": none, "test": none}, "none, all labelled nodes train"


def _ids(part: np.ndarray | None, n: int, name: str, file: Path) -> np.ndarray:
    """Ascending node ids of one part, from a mask (n,) or from ids."""
    if part is None:
        return np.array([], dtype=np.int64)
    part = np.asarray(part)
    if part.dtype == bool:
        if len(part) != n:
            raise UserError(f"{file}: the mask of {name} has {len(part)} values for {n} nodes")
        return np.flatnonzero(part)
    if part.size and (part.dtype.kind not in "ui" or part.min() < 0 or part.max() >= n):
        raise UserError(f"{file}: {name} must be a mask, or node ids from 0 to {n - 1}")
    return np.sort(part.astype(np.int64))
