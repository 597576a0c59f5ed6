"""Labels of a user's own graph as classes 0, 1, ... or real targets."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gnn_dynamics.data.graph import UNLABELLED
from gnn_dynamics.data.own.names import LABELS, UNKNOWN, stem
from gnn_dynamics.data.own.table import Table
from gnn_dynamics.errors import UserError


def find_labels(
    tables: Sequence[Table], option: str | None, alone: bool, regression: bool
) -> tuple[Table, str] | None:
    """The table and the column of the labels: `option`, a usual name, or the only column.

    alone: whether the first table is a file of labels only, which may have one column of any name.

    Raises:
        UserError: if `option` does not exist, or several columns could be the labels.
    """
    if option:
        for table in tables:
            if option in table.names:
                return table, option
        listed = "; ".join(f"{table.path} has {table.listed()}" for table in tables)
        raise UserError(f"there is no {option!r} for --labels: {listed}")
    for table in tables:
        others = [name for name in table.names if name not in (table.key, *table.index)]
        usual = [name for name in others if _may_be_labels(table, name, regression)]
        if alone and table is tables[0] and not usual:
            usual = others
        if len(usual) == 1:
            return table, usual[0]
        if usual:
            raise UserError(
                f"{table.path} has the columns {', '.join(map(repr, others))}: name the one that"
                f" holds the labels (labels: NAME, --labels NAME); {_candidates(table, others)}"
            )
    return None


def _may_be_labels(table: Table, name: str, regression: bool) -> bool:
    """Whether a column has a usual name, is no coordinate and has fewer classes than nodes."""
    if stem(name) not in LABELS or (stem(name) == "y" and "x" in map(stem, table.frame)):
        return False
    column = table.frame[name] if name in table.frame else None
    return regression or column is None or column.dtype.kind != "O" or not column.is_unique


def _candidates(table: Table, names: Sequence[str]) -> str:
    """The columns with few different values, for a message."""
    counts = {name: table.frame[name].nunique() for name in names if name in table.frame}
    few = [f"{name} ({k} values)" for name, k in counts.items() if 1 < k <= len(table.frame) / 2]
    return f"with few values: {', '.join(few) or 'none'}"


def encoded(
    values: Any, where: Callable[[int], str], task: str | None, file: str
) -> tuple[np.ndarray, list[str], list[str]]:
    """(n,) int64 classes with -1 for unlabelled nodes, or float64 targets with NaN; names; notes.

    -1, an empty field, NaN and words such as `unknown` mean unlabelled. Classes are numbered in
    ascending order.

    Raises:
        UserError: if there are several labels at a node, no label, a single class, or fractions.
    """
    notes: list[str] = []
    values = _one_column(np.asarray(values), where, notes)
    values = _plain(values, notes)
    if task == "regression":
        return _targets(values, where), [], notes
    known = values != "" if values.dtype.kind == "U" else ~np.isnan(values) & (values != UNLABELLED)
    if values.dtype.kind == "f":
        _refuse_fractions(values, known, where)
        values = np.where(known, values, UNLABELLED).astype(np.int64)
    names, codes = np.unique(values[known], return_inverse=True)
    if len(names) < 2:
        reason = f"there is one class only ({names[0]})" if len(names) else "no node has a label"
        raise UserError(f"{file}: {reason}; -1 and empty mean unlabelled")
    if len(names) == len(values):
        notes.append("as many classes as nodes; are they names? (--labels NAME)")
    classes = np.full(len(values), UNLABELLED, dtype=np.int64)
    classes[known] = codes
    return classes, [str(name) for name in names], notes


def _one_column(values: np.ndarray, where: Callable[[int], str], notes: list[str]) -> np.ndarray:
    """(n,) from (n,), (n, 1), or (n, classes) with a single 1 in each row."""
    if values.ndim == 2 and values.shape[1] == 1:
        return values[:, 0]
    if values.ndim == 2 and np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all():
        notes.append(f"one-hot in {values.shape[1]} columns")
        return values.argmax(axis=1)
    if values.ndim != 1:
        raise UserError(
            f"{where(0)}: the labels have the shape {values.shape}, but each node has one label;"
            " check without labels (--no-labels), or store one column"
        )
    return values


def _plain(values: np.ndarray, notes: list[str]) -> np.ndarray:
    """The values as int64, float64 (NaN where unlabelled) or text ("" where unlabelled)."""
    if values.dtype.kind in "bui":
        return values.astype(np.int64)
    if values.dtype.kind == "f":
        return values.astype(np.float64)
    text = np.array(["" if value is None else str(value).strip() for value in values.tolist()])
    words = [word for word in np.unique(text) if word.lower() in UNKNOWN]
    if words:
        listed = ", ".join(f"{word!r}" for word in map(str, words))
        notes.append(f"{listed} means unlabelled; rename it to make it a class")
    text[np.isin(text, [*words, "nan", str(UNLABELLED), f"{UNLABELLED}.0"])] = ""
    try:
        return np.where(text == "", "nan", text).astype(np.float64)
    except ValueError:
        return text


def _refuse_fractions(
    values: np.ndarray, known: np.ndarray, where: Callable[[int], str]
) -> None:
    wrong = np.flatnonzero((known & (values != np.round(values))) | np.isinf(values))
    if wrong.size:
        raise UserError(
            f"{where(int(wrong[0]))} is {values[wrong[0]]}, not a class; for real targets, set the"
            " option `task: regression` (--regression)"
        )


def _targets(values: np.ndarray, where: Callable[[int], str]) -> np.ndarray:
    wrong = np.arange(len(values)) if values.dtype.kind == "U" else np.flatnonzero(np.isinf(values))
    if wrong.size:
        raise UserError(
            f"{where(int(wrong[0]))} is {values[wrong[0]]!s}, not a target of a regression"
        )
    return values.astype(np.float64)
