"""Features, labels and split: which columns they are in, and what their values mean."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gnn_dynamics.data.graph import UNLABELLED
from gnn_dynamics.data.own import names as usual
from gnn_dynamics.data.own.ids import Nodes, differ
from gnn_dynamics.data.own.names import first, is_id, part_of, stem
from gnn_dynamics.data.own.table import Table, numbers
from gnn_dynamics.data.splits import split_per_class
from gnn_dynamics.errors import UserError

Where = Callable[[int], str]


def feature_names(table: Table, key: str | None, label: str | None) -> list[str]:
    """The columns and matrices that are features, without those of ids, labels and the split."""
    names = [name for name in table.plain if name not in (key, label)]
    if table.noun == "array":
        only = [name for name in names if len(names) == 1 and not part_of(name)]
        chosen = first(names, usual.FEATURES)
        return only if chosen is None else [chosen]
    plane = {"x", "y"} <= {*map(stem, table.flat)}
    other = {*usual.INTERNAL, *usual.LABELS} - ({"y"} if plane else set())
    other |= usual.DRAWN if plane and table.noun == "node attribute" else set()
    plain = [name for name in names if stem(name) not in other and not part_of(name)]
    return [name for name in plain if _is_feature(table, name)]


def _is_feature(table: Table, name: str) -> bool:
    column = table.columns[name]
    if column.dtype.kind in "biuf":
        empty = column.dtype.kind == "f" and len(column) and np.isnan(column).all()
        return not empty and not (is_id(name) and differ(column))
    known = pd.Series(column).dropna()
    bad = pd.to_numeric(known, errors="coerce").isna()
    if len(known) and bad.mean() < 0.5:
        row = bad.idxmax()
        raise UserError(f"{table.cell(row, name)}: {known[row]!r} is not a number")
    return False


def matrix(table: Table, names: Sequence[str]) -> tuple[Any, list[tuple[str, int | None]]]:
    """X (rows, m_x), dense or sparse, and the name and place of each feature."""
    blocks, titles = [], []
    for name in names:
        origin = f"{table.path}, {table.called(name)}" if name else str(table.path)
        values = numbers(table.use(name), origin)
        if values.ndim not in (1, 2) or values.shape[0] != table.rows:
            raise UserError(f"{origin} has the shape {values.shape}; it needs (nodes, features)")
        blocks.append(values if values.ndim == 2 else values[:, None])
        titles += [(name, k if values.ndim == 2 else None) for k in range(blocks[-1].shape[1])]
    if any(map(sparse.issparse, blocks)):
        return sparse.hstack([sparse.csr_array(block) for block in blocks], format="csr"), titles
    return (blocks[0] if len(blocks) == 1 else np.hstack(blocks)), titles


def label_name(table: Table, only: bool, regression: bool) -> str | None:
    """The column of the labels: one with a usual name, or the `only` one beside the ids."""
    others = [name for name in table.plain if name != table.key]
    found = [name for name in others if _may_be_labels(table, name, regression)]
    if not found and only:
        found = [n for n in others if stem(n) not in usual.IDS and not is_id(n)] or others
    if len(found) > 1:
        counts = {n: pd.Series(table.columns[n]).nunique() for n in others if n in table.flat}
        listed = ", ".join(f"{name} ({k} values)" for name, k in counts.items())
        raise UserError(
            f"{table.path} has the columns {listed}: name the one that holds the labels (labels:"
            " NAME, --labels NAME)"
        )
    return found[0] if found else None


def _may_be_labels(table: Table, name: str, regression: bool) -> bool:
    """Whether a column has a usual name, is no coordinate and has fewer classes than nodes."""
    if stem(name) not in usual.LABELS or (stem(name) == "y" and "x" in map(stem, table.flat)):
        return False
    column = table.columns[name]
    return regression or column.dtype != object or not pd.Series(column).is_unique


def encoded(
    values: np.ndarray, where: Where, regression: bool
) -> tuple[np.ndarray, list[str], list[str]]:
    """(n,) int64 classes with -1 where unlabelled, or float64 targets with NaN; names; notes.

    -1, an empty field, NaN and words such as `unknown` mean unlabelled. Classes are numbered in
    ascending order.
    """
    notes: list[str] = []
    if values.ndim == 2 and (values.sum(axis=1) == 1).all() and np.isin(values, (0, 1)).all():
        notes.append(f"one-hot in {values.shape[1]} columns")
        values = values.argmax(axis=1)
    if values.ndim != 1:
        raise UserError(
            f"{where(0)}: the labels have the shape {values.shape}, but a node has one label; store"
            " one column, or check without labels (--no-labels)"
        )
    values = _plain(values, notes)
    text = values.dtype.kind == "U"
    known = values != "" if text else np.isfinite(values) & (values != UNLABELLED)
    wrong = np.zeros(len(values), dtype=bool) if text else np.isinf(values)
    wrong |= text if regression else known & (not text and values != np.round(values))
    if wrong.any():
        node = int(np.flatnonzero(wrong)[0])
        kind = "target of a regression" if regression else "class"
        raise UserError(
            f"{where(node)} is {values[node]}, not a {kind}; real targets need the option `task:"
            " regression` (--regression)"
        )
    if regression:
        return values.astype(np.float64), [], notes
    names, codes = np.unique(values[known], return_inverse=True)
    if len(names) == len(values):
        notes.append("as many classes as nodes; are they names? (--labels NAME)")
    classes = np.full(len(values), UNLABELLED, dtype=np.int64)
    classes[known] = codes
    return classes, [str(x) if text else f"{x:.0f}" for x in names], notes


def _plain(values: np.ndarray, notes: list[str]) -> np.ndarray:
    """The values as float64 (NaN where unlabelled) or text ("" where unlabelled)."""
    if values.dtype.kind in "buif":
        return values.astype(np.float64)
    text = np.array(["" if value is None else str(value).strip() for value in values.tolist()])
    words = [str(word) for word in np.unique(text) if word.lower() in usual.UNKNOWN]
    notes += [f"{word!r} means unlabelled; rename it to make it a class" for word in words]
    text[np.isin(text, [*words, "nan", "-1", "-1.0"])] = ""
    try:
        return np.where(text == "", "nan", text).astype(np.float64)
    except ValueError:
        return text


def split_names(table: Table, only: bool) -> list[str]:
    """The columns or arrays of the split; with `only`, the last one whatever its name."""
    parts = {name: part_of(name) for name in table.columns if part_of(name)}
    if "train" in parts.values() or len(parts) > 1:
        return list(parts)
    words = [name for name in table.flat if stem(name) in usual.SPLITS and _are_words(table, name)]
    return words[:1] or (list(table.columns)[-1:] if only else [])


def _are_words(table: Table, name: str) -> bool:
    words = pd.Series(table.columns[name], dtype=object).dropna().astype(str).str.lower()
    return bool(words.isin(usual.WORDS).any())


def given_parts(
    table: Table, names: Sequence[str], rows: np.ndarray | None, nodes: Nodes, number: int
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Ascending ids of train, val and test, and notes.

    rows: (n,) the row of each node, -1 where it has none; None where there are lists of nodes.
    number: which of several splits.
    """
    notes: list[str] = []
    if rows is not None and table.columns[names[0]].dtype.kind in "OU" and names[0] in table.flat:
        masks = _by_words(table, names[0], rows)
    else:
        masks = {}
        for name in names:
            values = _one_split(table, name, len(nodes.ids), number, notes)
            part = part_of(name) or part_of(table.path.stem) or "train"
            masks[part] = _mask(table, name, values, rows, nodes)
    if "train" not in masks:
        masks["train"] = ~np.any(list(masks.values()), axis=0)
        notes.append("the training nodes are all others")
    taken = np.zeros(len(nodes.ids), dtype=bool)
    for part in usual.PARTS:
        mask = masks.setdefault(part, np.zeros_like(taken))
        if both := int(np.count_nonzero(mask & taken)):
            notes.append(f"{both} nodes of {part} are also in a part before it and count there")
        masks[part], taken = mask & ~taken, taken | mask
    return {part: np.flatnonzero(masks[part]) for part in usual.PARTS}, [*dict.fromkeys(notes)]


def _by_words(table: Table, name: str, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Masks from train, val, test or an empty field at each node."""
    values = table.use(name)
    words = [str(values[k] or "").lower() if k >= 0 else "" for k in rows]
    for row, word in zip(rows, words, strict=True):
        if word not in {*usual.WORDS, "", "none"}:
            raise UserError(
                f"{table.cell(row, name)}: {word!r} is not a part of a split (allowed: train, val,"
                " test, or empty)"
            )
    chosen = np.array([usual.WORDS.get(word, "") for word in words])
    return {part: chosen == part for part in usual.PARTS}


def _one_split(table: Table, name: str, n: int, number: int, notes: list[str]) -> np.ndarray:
    """The values of one split, from (n, splits), (splits, n) or one column."""
    values, origin = np.asarray(table.use(name)), f"{table.path}, {table.called(name)}"
    if values.dtype.kind not in "biuf":
        raise UserError(f"{origin} is neither a mask of truth values nor a list of nodes")
    if values.ndim == 2:
        values = values if values.shape[0] == n else values.T
        if not 0 <= number < values.shape[1]:
            raise UserError(f"{origin} has {values.shape[1]} splits; --split counts them from 0")
        notes.append(f"number {number} of {values.shape[1]} splits (choose by --split K)")
        values = values[:, number]
    return np.nan_to_num(values) if values.dtype.kind == "f" else values  # empty: no member


def _mask(
    table: Table, name: str, values: np.ndarray, rows: np.ndarray | None, nodes: Nodes
) -> np.ndarray:
    """(n,) from truth values in the rows, or from a list of ids."""
    origin, n = f"{table.path}, {table.called(name)}", len(nodes.ids)
    binary = values.dtype == bool or (len(values) > 2 and bool(np.isin(values, (0, 1)).all()))
    if values.dtype == bool or "mask" in stem(name) or (binary and len(values) in (n, table.rows)):
        if rows is not None and len(values) == table.rows:
            return (rows >= 0) & values[rows].astype(bool)
        if len(values) != n:
            raise UserError(f"{origin}: the mask of {part_of(name)} has {len(values)} values for {n} nodes")
        return values.astype(bool)
    found = nodes.locate(values)
    if (found < 0).any():
        wrong = values[np.flatnonzero(found < 0)[0]]
        raise UserError(f"{origin}: there is no node {wrong}; a part is a mask, or has ids of nodes")
    return np.isin(np.arange(n), found)


def drawn_parts(labels: np.ndarray, drawn: Any) -> tuple[dict[str, np.ndarray], str]:
    """Ids of a drawn split, or of all labelled nodes for training, and its origin in words."""
    if drawn != "all":
        return split_per_class(labels, **drawn), "drawn: {train} per class".format(**drawn)
    known = np.isfinite(labels) if labels.dtype.kind == "f" else labels != UNLABELLED
    parts = dict.fromkeys(usual.PARTS, np.array([], dtype=np.int64))
    return parts | {"train": np.flatnonzero(known)}, "none, all labelled nodes train"
