"""Features, labels and split: which columns they are in, and what their values mean."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gnn_dynamics.data.graph import PARTS, UNLABELLED
from gnn_dynamics.data.own import names as usual
from gnn_dynamics.data.own.ids import Nodes, differ
from gnn_dynamics.data.own.names import first, is_id, part_of, stem
from gnn_dynamics.data.own.table import Table, few, misfit
from gnn_dynamics.errors import UserError


def feature_names(table: Table, key: str | None, label: str | None) -> list[str]:
    """The columns and matrices that are features, without those of ids, labels and the split."""
    names = [name for name in table.plain if name not in (key, label) and not part_of(name)]
    if table.noun == "array":
        chosen = first(names, usual.FEATURES)
        return [chosen] if chosen is not None else names if len(table.columns) == 1 else []
    plane = {"x", "y"} <= {*map(stem, table.flat)}
    other = {*usual.INTERNAL, *usual.LABELS} - ({"y"} if plane else set())
    other |= {*usual.DRAWN} if plane and table.noun == "node attribute" else set()
    return [
        name
        for name in names
        if name not in table.flat or (stem(name) not in other and _is_feature(table, name))
    ]


def _is_feature(table: Table, name: str) -> bool:
    """Whether a column is of numbers, and neither empty nor of ids; an error if most of it is."""
    column = pd.Series(table.columns[name])
    if column.dtype.kind in "biuf":
        return not (table.rows and column.isna().all()) and not (is_id(name) and differ(column))
    bad = pd.to_numeric(column, errors="coerce").isna() & column.notna()
    if bad.sum() < column.notna().sum() / 2:
        row = int(bad.argmax())
        raise UserError(f"{table.where(row, name)}: {column[row]!r} is text, not a number")
    return False


def matrix(table: Table, names: Sequence[str]) -> tuple[Any, list[tuple[str, str]]]:
    """X (rows, m_x), dense or sparse, and the name and the place of each feature."""
    blocks, titles = [], []
    for name in names:
        values = table.use(name)
        if values.dtype.kind not in "buif" or values.shape[:1] != (table.rows,) or values.ndim > 2:
            origin = f"{table.path}, {table.called(name)}"
            raise misfit(origin, values, "not numbers (nodes, features)")
        blocks.append(values if values.ndim == 2 else values[:, None])
        places = range(blocks[-1].shape[1])
        titles += [(name, f", feature {k}" if values.ndim == 2 else "") for k in places]
    if any(map(sparse.issparse, blocks)):
        return sparse.hstack([sparse.csr_array(block) for block in blocks], format="csr"), titles
    return (blocks[0] if len(blocks) == 1 else np.hstack(blocks)), titles


def label_name(table: Table, only: bool, regression: bool) -> str | None:
    """The column of the labels: one with a usual name, or the `only` one beside the ids.

    A `y` beside an `x` is a coordinate, and texts that all differ are names.
    """
    columns, plane = table.columns, table.noun != "array" and "x" in map(stem, table.flat)
    others = [name for name in table.plain if name != table.key]
    usually = {*usual.LABELS} - ({"y"} if plane else set())
    found = [name for name in others if stem(name) in usually]
    found = [n for n in found if regression or columns[n].dtype != object or not differ(columns[n])]
    counts = {n: pd.Series(columns[n]).nunique() for n in others if n in table.flat}
    found = [n for n in found if counts.get(n) != 1]
    if not found and only:
        found = [n for n in others if stem(n) not in usual.IDS and not is_id(n)] or others
    if len(found) > 1:
        listed = ", ".join(f"{name!r} ({k} values)" for name, k in counts.items())
        known = "name the one that holds the labels (labels: NAME, --labels NAME)"
        raise UserError(f"{table.path} has the columns {listed}: {known}")
    return found[0] if found else None


def encoded(
    values: np.ndarray, where: Callable[[int], str], regression: bool
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
        given = f"{where(0)}: the labels have the shape {values.shape}"
        raise UserError(f"{given}, not one column; check without labels (--no-labels)")
    words = pd.Series(values).astype(object).map(str, na_action="ignore").fillna("").to_numpy(str)
    unknown = [str(word) for word in np.unique(words) if word.lower() in usual.UNKNOWN]
    notes += [f"{word!r} means unlabelled; rename it to make it a class" for word in unknown]
    known = ~np.isin(words, [*unknown, "", "nan", *([] if regression else ["-1", "-1.0"])])
    real = pd.to_numeric(pd.Series(np.where(known, words, "nan")), errors="coerce").to_numpy()
    text = bool((known & np.isnan(real)).any())
    wrong = known & ((text | np.isinf(real)) if regression else (~text & (real != np.round(real))))
    if wrong.any():
        node, kind = int(wrong.argmax()), "target of a regression" if regression else "class"
        remedy = "real targets need the option `task: regression` (--regression)"
        raise UserError(f"{where(node)} is {words[node]}, not a {kind}; {remedy}")
    if regression:
        return real, [], notes
    names, codes = np.unique(words[known] if text else real[known], return_inverse=True)
    if len(names) == len(values):
        notes.append("as many classes as nodes; are they names? (--labels NAME)")
    classes = np.full(len(values), UNLABELLED, dtype=np.int64)
    classes[known] = codes
    return classes, [str(name) if text else f"{name:.0f}" for name in names], notes


def split_names(table: Table, only: bool) -> list[str]:
    """The columns or arrays of the split; with `only`, the last one whatever its name."""
    parts = {name: part_of(name) for name in table.columns if part_of(name)}
    if "train" in parts.values() or len(parts) > 1:
        return [*parts]
    known = [name for name in table.flat if stem(name) in usual.SPLITS]
    words = [name for name in known if {*usual.WORDS} & {*_words(table, name)}]
    return words[:1] or ([*table.columns][-1:] if only else [])


def _words(table: Table, name: str) -> list[str]:
    return [str(word or "").lower() for word in table.columns[name].tolist()]


def given_parts(
    table: Table, names: Sequence[str], rows: np.ndarray | None, nodes: Nodes, number: int
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Ascending ids of train, val and test, and notes.

    rows: (n,) the row of each node, -1 where it has none; None where there are lists of nodes.
    number: which of several splits.
    """
    notes: list[str] = []
    default = part_of(table.path.stem) or "train"
    columns = {part_of(name) or default: (name, table.use(name)) for name in names}
    if rows is not None and len(names) == 1 and table.columns[names[0]].dtype.kind in "OU":
        words = _words(table, names[0])
        for row, word in enumerate(words):
            if word not in {*usual.WORDS, "", "none"}:
                allowed = "is not a part of a split (allowed: train, val, test, or empty)"
                raise UserError(f"{table.where(row, names[0])}: {word!r} {allowed}")
        chosen = np.array([usual.WORDS.get(word, "") for word in words])
        columns = {part: (names[0], chosen == part) for part in PARTS}
    masks = {}
    for part, (name, values) in columns.items():
        if values.dtype.kind not in "biuf" or sparse.issparse(values) or values.ndim > 2:
            origin = f"{table.path}, {table.called(name)}"
            raise UserError(f"{origin} is neither a mask of truth values nor a list of nodes")
        if values.ndim == 2:
            values = values if values.shape[0] == len(nodes.ids) else values.T
            notes.append(f"number {number} of {values.shape[1]} splits (choose by --split K)")
            if not 0 <= number < values.shape[1]:
                raise UserError(f"{table.path}, {table.called(name)}: there is no {notes[-1]}")
            values = values[:, number]
        masks[part] = _mask(table, name, values, rows, nodes)
    if "train" not in masks:
        masks["train"] = ~np.any([*masks.values()], axis=0)
        notes.append("the training nodes are all others")
    for one, other in combinations(masks, 2):
        if (both := np.flatnonzero(masks[one] & masks[other])).size:
            raise UserError(
                f"{table.path}: the parts {one} and {other} of the split overlap in the nodes"
                f" {few(nodes.ids[both])}; keep each in one part, or use no split (--nodes all)"
            )
    none = np.zeros(len(nodes.ids), dtype=bool)
    parts = {part: np.flatnonzero(masks.get(part, none)) for part in PARTS}
    return parts, [*dict.fromkeys(notes)]


def _mask(
    table: Table, name: str, values: np.ndarray, rows: np.ndarray | None, nodes: Nodes
) -> np.ndarray:
    """(n,) from truth values in the rows, or from a list of ids."""
    origin, n = f"{table.path}, {table.called(name)}", len(nodes.ids)
    values = np.nan_to_num(values)  # an empty field is no member
    binary = len(values) in (n, table.rows) and len(values) > 2 and np.isin(values, (0, 1)).all()
    if values.dtype == bool or "mask" in stem(name) or binary:
        if rows is not None and len(values) == table.rows:
            return (rows >= 0) & values[rows].astype(bool)
        if len(values) != n:
            given = f"the mask of {part_of(name)} has {len(values)} values"
            raise UserError(f"{origin}: {given} for {n} nodes")
        return values.astype(bool)
    found = nodes.require(values, lambda _: f"{origin}, neither a mask nor a list of ids")
    return np.isin(np.arange(n), found)
