"""Cells: what a claim is judged on. A cell is everything about a run but its seed.

Every claim turns its tables into a frame of cells with the columns

    claim, cell   number of the claim, readable name of the cell
    value         the number that decides
    ci_low, ci_high  its interval over seeds, null where the worst seed decides
    limit         what `value` is held against
    state         supports, refutes, undecided or vacuous
    reason        why, in a few words
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.config.grid import KEYS

CELL_KEYS = tuple(key for key in KEYS if key != "seed")
# The order in which a name says them.
NAMED = (
    *("experiment", "dataset", "aggregation", "activation", "features", "nodes", "multiscale"),
    *("depth", "width", "init", "loss_fn", "optimizer", "lr", "labels"),
    *("measure", "threshold", "threshold_kind", "layer", "case"),
)
WORDS = {
    "multiscale": lambda value: "multiscale" if value else "single-scale",
    "depth": "H={:g}".format,
    "width": "width={:g}".format,
    "lr": "lr={:g}".format,
    "labels": "{} labels".format,
    "threshold": "threshold={:g}".format,
    "threshold_kind": "of {}".format,
    "layer": "H'={:g}".format,
}
STATES = ("supports", "refutes", "undecided", "vacuous")


def name_cells(frame: pd.DataFrame, compare: str | None = None) -> pd.Series:
    """Readable, unique names: `descent cora gcn linear row train multiscale H=4 ... `.

    With `compare`, that key is said of both sides: `H=4 vs H=2`.
    """
    columns = [key for key in NAMED if key in frame]
    rows = frame[[*columns, "other"] if compare else columns].to_dict("records")
    return pd.Series([_name(row, columns, compare) for row in rows], frame.index, dtype=object)


def _name(row: Mapping[str, Any], columns: Sequence[str], compare: str | None) -> str:
    words = []
    for key in columns:
        if not pd.isna(row[key]):
            say = WORDS.get(key, str)
            both = f" vs {say(row['other'])}" if key == compare else ""
            words.append(f"{say(row[key])}{both}")
    return " ".join(words)


def decide(frame: pd.DataFrame, *rules: tuple[Any, str, str], otherwise: tuple[str, str]):
    """Columns `state` and `reason` by the first rule (condition, state, reason) that applies."""
    conditions = [np.asarray(condition, bool) for condition, _, _ in rules]
    states, reasons = [state for _, state, _ in rules], [reason for _, _, reason in rules]
    return frame.assign(
        state=np.select(conditions, states, otherwise[0]) if len(frame) else "",
        reason=np.select(conditions, reasons, otherwise[1]) if len(frame) else "",
    )
