"""The split of a user's own graph: masks, lists of nodes, or a word for each node."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.data.graph import UNLABELLED
from gnn_dynamics.data.own.ids import Nodes
from gnn_dynamics.data.own.names import PARTS, SPLITS, WORDS, part_of, stem
from gnn_dynamics.data.own.table import Table
from gnn_dynamics.data.splits import split_per_class
from gnn_dynamics.errors import UserError


def find_split(table: Table, alone: bool) -> list[str]:
    """The columns or arrays of the split; with `alone`, the last column whatever its name."""
    names = [name for name in table.names if part_of(name)]
    if "train" in map(part_of, names) or len(names) > 1:
        return names
    words = [name for name in table.frame if stem(name) in SPLITS and _are_words(table.frame[name])]
    return words[:1] or (table.names[-1:] if alone else [])


def _are_words(column: pd.Series) -> bool:
    return column.dtype.kind == "O" and column.dropna().str.strip().str.lower().isin(WORDS).any()


def given_parts(
    table: Table, names: list[str], rows: np.ndarray | None, nodes: Nodes, number: int
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Masks (n,) of train, val and test, and notes.

    rows: (n,) the row of each node, -1 where there is none; None where the table has only lists.
    number: which of several splits.

    Raises:
        UserError: if a part is neither a mask nor a list of nodes, or a word is unknown.
    """
    if len(names) == 1 and part_of(names[0]) is None and names[0] in table.frame:
        if table.frame[names[0]].dtype.kind == "O":
            return _by_words(table, names[0], rows), []
    notes: list[str] = []
    masks = {}
    for name in names:
        values = np.asarray(table.use(name))
        part = part_of(name) or "train"
        by_row = name in table.frame
        masks[part] = _mask(table, name, values, rows if by_row else None, nodes, number, notes)
    if "train" not in masks:
        masks["train"] = ~np.any(list(masks.values()), axis=0)
        notes.append("the training nodes are all others")
    taken = np.zeros(nodes.n, dtype=bool)
    for part in PARTS:
        mask = masks.setdefault(part, np.zeros(nodes.n, dtype=bool))
        if both := int(np.count_nonzero(mask & taken)):
            notes.append(f"{both} nodes of {part} are also in a part before it and count there")
        masks[part] = mask & ~taken
        taken |= mask
    return masks, list(dict.fromkeys(notes))


def _by_words(table: Table, name: str, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Masks from train, val, test or an empty field at each node."""
    values = table.use(name)
    words = [str(values[row] or "").strip().lower() if row >= 0 else "" for row in rows]
    for row, word in zip(rows, words, strict=True):
        if word not in {*WORDS, "", "none"}:
            raise UserError(
                f"{table.cell(row, name)}: {word!r} is not a part of a split (allowed: train, val,"
                " test, or empty)"
            )
    chosen = np.array([WORDS.get(word, "") for word in words])
    return {part: chosen == part for part in PARTS}


def _mask(
    table: Table,
    name: str,
    values: np.ndarray,
    rows: np.ndarray | None,
    nodes: Nodes,
    number: int,
    notes: list[str],
) -> np.ndarray:
    """(n,) from truth values at the rows, or (n, splits), (splits, n), or a list of nodes."""
    origin, n = f"{table.path}, {table.called(name)}", nodes.n
    if values.ndim == 2 and 1 not in values.shape:
        values = values if values.shape[0] == n else values.T
        if not 0 <= number < values.shape[1]:
            raise UserError(f"{origin} has {values.shape[1]} splits; --split counts them from 0")
        notes.append(f"split {number} of {values.shape[1]} (from 0; choose by --split K)")
        values = values[:, number]
    values = values.ravel()
    if values.dtype.kind == "f":  # an empty field is no member
        values = np.nan_to_num(values)
    if values.dtype.kind not in "biuf":
        raise UserError(f"{origin} is neither a mask of truth values nor a list of nodes")
    binary = values.dtype == bool or bool(np.isin(values, (0, 1)).all())
    if rows is not None and binary:
        return np.where(rows >= 0, values[rows].astype(bool), False)
    if values.dtype == bool or (binary and len(values) == n > 2) or stem(name).endswith("mask"):
        if len(values) != n:
            raise UserError(f"{origin}: the mask of {part_of(name)} has {len(values)} values for {n} nodes")
        return values.astype(bool)
    found = nodes.locate(values, by_row=nodes.ids is None)
    if (found < 0).any():
        wrong = values[np.flatnonzero(found < 0)[0]]
        raise UserError(f"{origin}: there is no node {wrong}; it needs a mask, or ids of nodes")
    mask = np.zeros(n, dtype=bool)
    mask[found] = True
    return mask


def drawn_parts(labels: np.ndarray, drawn: Any) -> tuple[dict[str, np.ndarray], str]:
    """Ids of a drawn split, or of all labelled nodes for training, and its origin in words."""
    if drawn != "all":
        return split_per_class(labels, **drawn), "drawn: {train} per class".format(**drawn)
    real = labels.dtype.kind == "f"
    known = np.flatnonzero(np.isfinite(labels) if real else labels != UNLABELLED)
    none = np.array([], dtype=np.int64)
    return {"train": known, "val": none, "test": none}, "none, all labelled nodes train"
