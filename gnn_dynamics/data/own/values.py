"""Features, labels and split: which columns they are in, and what their values mean."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gnn_dynamics.data.graph import PARTS
from gnn_dynamics.data.own import names as usual
from gnn_dynamics.data.own.names import first, is_id, part_of, stem
from gnn_dynamics.data.own.nodes import Nodes, differ
from gnn_dynamics.data.own.table import Table, few, misfit
from gnn_dynamics.errors import UserError


def feature_names(table: Table, label: str | None) -> list[str]:
    """The columns and matrices that are features, without those of ids, labels and the split."""
    names = [name for name in table.plain if name not in (table.key, label) and not part_of(name)]
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
    """X (n, m_x), dense or sparse, and the name and the place of each feature."""
    blocks, titles = [], []
    for name in names:
        values = table.columns[name]
        if values.dtype.kind not in "buif" or values.shape[:1] != (table.rows,) or values.ndim > 2:
            origin = f"{table.path}, {table.called(name)}"
            raise misfit(origin, values, "not numbers (nodes, features)")
        values = table.at_nodes(name)
        blocks.append(values if values.ndim == 2 else values[:, None])
        places = range(blocks[-1].shape[1])
        titles += [(name, f", feature {k}" if values.ndim == 2 else "") for k in places]
    if any(map(sparse.issparse, blocks)):
        return sparse.hstack([sparse.csr_array(block) for block in blocks], format="csr"), titles
    return (blocks[0] if len(blocks) == 1 else np.hstack(blocks)), titles


def label_name(table: Table, option: str | None, only: bool, regression: bool) -> str | None:
    """The column of the labels: the option, one with a usual name, or the `only` one beside ids.

    A `y` beside an `x` is a coordinate, and texts that all differ are names.
    """
    if option is not None:
        return option if option in table.columns else None
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


def labels(table: Table, name: str, regression: bool) -> tuple[np.ndarray, list[str], list[str]]:
    """(n,) int64 classes with -1 where unlabelled, or float64 targets with NaN; names; notes.

    -1, an empty field, NaN and words such as `unknown` mean unlabelled, as do nodes without a row.
    Classes are numbered in ascending order.
    """
    if table.columns[name].shape[:1] != (table.rows,):
        count = len(np.atleast_1d(table.columns[name]))
        raise UserError(f"{table.path}: {count} labels, but {table.rows} nodes")
    notes, values = [], table.at_nodes(name)
    values = values.toarray() if sparse.issparse(values) else values
    if values.ndim == 2 and (values.sum(axis=1) == 1).all() and np.isin(values, (0, 1)).all():
        notes.append(f"one-hot in {values.shape[1]} columns")
        values = values.argmax(axis=1)
    if values.ndim != 1:
        given = f"{table.where_node(0, name)}: the labels have the shape {values.shape}"
        raise UserError(f"{given}, not one column; check without labels (--no-labels)")
    words = pd.Series(values).astype(object).where(table.order >= 0)
    words = words.map(str, na_action="ignore").fillna("").astype(str)
    unknown = sorted({*words[words.str.lower().isin(usual.UNKNOWN)]})
    notes += [f"{word!r} means unlabelled; rename it to make it a class" for word in unknown]
    words = words.mask(words.isin([*unknown, "", "nan", *([] if regression else ["-1", "-1.0"])]))
    real = pd.to_numeric(words, errors="coerce")
    text = real.isna() & words.notna()
    fraction = (real % 1 != 0) & real.notna() & ~text.any()
    wrong = (text | np.isinf(real)) if regression else fraction
    if wrong.any():
        node, kind = int(wrong.argmax()), "target of a regression" if regression else "class"
        remedy = "real targets need the option `task: regression` (--regression)"
        raise UserError(f"{table.where_node(node, name)} is {words[node]}, not a {kind}; {remedy}")
    if regression:
        return real.to_numpy(float), [], notes
    codes, classes = pd.factorize(words if text.any() else real, sort=True)
    if len(classes) == len(values):
        notes.append("as many classes as nodes; are they names? (--labels NAME)")
    named = [c if text.any() else f"{c:.0f}" for c in classes]
    return codes.astype(np.int64), named, notes


def split_names(table: Table, only: bool) -> list[str]:
    """The columns or arrays of the split; with `only`, the last one whatever its name."""
    parts = {name: part_of(name) for name in table.columns if part_of(name)}
    if "train" in parts.values() or len(parts) > 1:
        return [*parts]
    known = [name for name in table.flat if stem(name) in usual.SPLITS]
    words = [name for name in known if {*usual.WORDS} & {*_words(table, name)}]
    return words[:1] or ([*table.columns][-1:] if only else [])


def _words(table: Table, name: str) -> list[str]:
    """The words in a column of text in small letters; empty for numbers."""
    text = table.columns[name].dtype.kind in "OU"
    return [str(word or "").lower() for word in table.columns[name].ravel()] if text else []


def split_parts(
    table: Table, names: Sequence[str], nodes: Nodes, number: int
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Ascending numbers of the nodes of train, val and test, and notes.

    Words, masks and lists of ids all become masks (n,). number: which of several splits.
    """
    notes: list[str] = []
    default = part_of(table.path.stem) or "train"
    columns = {part_of(name) or default: (name, table.use(name)) for name in names}
    if len(names) == 1 and {*usual.WORDS} & {*_words(table, names[0])}:
        columns = {part: (names[0], mask) for part, mask in _masks_of_words(table, names[0])}
    masks = {}
    for part, (name, values) in columns.items():
        if (
            sparse.issparse(values)
            or values.dtype.kind not in "biufOU"
            or values.ndim not in (1, 2)
        ):
            origin = f"{table.path}, {table.called(name)}"
            raise UserError(f"{origin} is neither a mask of truth values nor a list of nodes")
        if values.ndim == 2:
            values = values if values.shape[0] == len(nodes.ids) else values.T
            notes.append(f"number {number} of {values.shape[1]} splits (choose by --split K)")
            if not 0 <= number < values.shape[1]:
                raise UserError(f"{table.path}, {table.called(name)}: there is no {notes[-1]}")
            values = values[:, number]
        masks[part] = _mask(table, name, values, nodes)
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


def _masks_of_words(table: Table, name: str) -> list[tuple[str, np.ndarray]]:
    """A mask (rows,) for each part, from a column of words."""
    words = _words(table, name)
    for row, word in enumerate(words):
        if word not in {*usual.WORDS, "", "none"}:
            allowed = "is not a part of a split (allowed: train, val, test, or empty)"
            raise UserError(f"{table.where(row, name)}: {word!r} {allowed}")
    chosen = np.array([usual.WORDS.get(word, "") for word in words])
    return [(part, chosen == part) for part in PARTS]


def _mask(table: Table, name: str, values: np.ndarray, nodes: Nodes) -> np.ndarray:
    """(n,) from truth values in the rows, or from a list of ids; empty fields are no members."""
    origin, n = f"{table.path}, {table.called(name)}", len(nodes.ids)
    size, listed = (n if table.key is None else table.rows), values[~pd.isna(values)]
    binary = values.dtype.kind in "biuf" and np.isin(listed, (0, 1)).all()
    if values.dtype == bool or "mask" in stem(name) or (binary and len(values) == size > 2):
        if len(values) != size:
            given = f"the mask of {part_of(name) or 'the split'} has {len(values)} values"
            raise UserError(f"{origin}: {given} for {size} nodes")
        members = ~pd.isna(values) & (values != 0)
        return (table.order >= 0) & members[table.order]
    found = nodes.require(listed, lambda _: f"{origin}, neither a mask nor a list of ids")
    return np.isin(np.arange(n), found)
