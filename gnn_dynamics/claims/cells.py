"""Cells: the settings on which a claim is decided. A cell is everything about a run but its seed.

Every claim turns its tables into a frame of cells with the columns

    claim, cell   number of the claim, readable name of the cell
    value         the number that decides
    ci_low, ci_high  its interval over seeds, null where the worst seed decides
    limit         the number that `value` is compared with
    state         supports, refutes, undecided or vacuous
    reason        why, in a few words
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

# Words of a name, in their order.
NAMED = (
    *("experiment", "dataset", "aggregation", "activation", "features", "nodes", "multiscale"),
    *("depth", "width", "init", "loss_fn", "optimizer", "lr", "labels"),
    *("measure", "threshold", "threshold_kind", "layer", "case"),
)
WORDS: dict[str, Callable[[Any], str]] = {
    "multiscale": lambda value: value if isinstance(value, str) else "skip" if value else "no skip",
    "depth": "H={:g}".format,
    "width": "width={:g}".format,
    "lr": "lr={:g}".format,
    "labels": "{} labels".format,
    "threshold": "threshold={:g}".format,
    "threshold_kind": "of {}".format,
    "layer": "H'={:g}".format,
}
STATES = ("supports", "refutes", "undecided", "vacuous")
Rule = tuple[pd.Series, str, str]  # condition, state, reason


def name_cells(frame: pd.DataFrame, compare: str | None = None) -> pd.Series:
    """Readable, unique names: `descent cora gcn linear row train skip H=4 ... `.

    The value of the column `compare` is named for both sides: `H=4 vs H=2`.
    """
    columns = [key for key in NAMED if key in frame]
    rows = frame[[*columns, "other"] if compare else columns].to_dict("records")
    return pd.Series([_name(row, columns, compare) for row in rows], frame.index, dtype=object)


def _name(row: Mapping[str, Any], columns: Sequence[str], compare: str | None) -> str:
    words = []
    for key in columns:
        if not pd.isna(row[key]):
            word = WORDS.get(key, str)
            both = f" vs {word(row['other'])}" if key == compare else ""
            words.append(f"{word(row[key])}{both}")
    return " ".join(words)


def decide(frame: pd.DataFrame, *rules: Rule, otherwise: tuple[str, str]) -> pd.DataFrame:
    """Add `state` and `reason` of the first rule whose condition is true."""
    conditions = [np.asarray(condition, bool) for condition, _, _ in rules]
    return frame.assign(
        state=np.select(conditions, [state for _, state, _ in rules], otherwise[0]),
        reason=np.select(conditions, [reason for _, _, reason in rules], otherwise[1]),
    )
