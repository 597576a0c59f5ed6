"""Choose from a table what a panel shows: one setting of the keys, then median and range of seeds.

A figure varies a few keys; `fix` fixes every other key at one value, by an order of preference that
begins with the paper's own setting. So the same table always gives the same picture.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gnn_dynamics.claims import names
from gnn_dynamics.config.grid import KEYS, is_named

PREFERRED: dict[str, tuple] = {
    "dataset": ("cora", "citeseer", "pubmed", "digits"),
    "aggregation": ("gcn", "gin"),
    "features": ("row", "standard", "raw"),
    "nodes": ("all", "train"),
    "multiscale": (True, False),
    "activation": ("linear", "relu"),
    "depth": (2,),
    "width": (32,),
    "init": ("default",),
    "loss_fn": ("cross_entropy", "squared"),
    "optimizer": ("adam", "gd", "flow"),
    "lr": (5e-5, 1e-4),
    "labels": ("true", "uniform", "permuted"),
    "seed": (0,),
}
# For the graph condition, which is about the data as they are, at the nodes of the public split.
DATA_FIRST = {"features": ("raw",), "nodes": ("train",)}
HOW_TO_GET = "Add it to `experiments` in the config (config/README.md) and run the workflow again."


def ordered(values: Iterable[Any], key: str) -> list:
    """Distinct values, preferred ones first, the others in their natural order."""
    first = PREFERRED.get(key, ())
    distinct = {v for v in values if not pd.isna(v)}
    rank = {value: i for i, value in enumerate(first)}
    return sorted(distinct, key=lambda v: (rank.get(v, len(first)), v))


def experiment(table: pd.DataFrame | None, *experiments: str) -> pd.DataFrame:
    """Rows of the first of these experiments that has any; an empty frame if none has.

    An experiment `curves-<more>` counts as `curves`.
    """
    if table is None or "experiment" not in table:
        return pd.DataFrame(columns=[*KEYS, "step"])
    for prefix in experiments:
        rows = table.loc[[is_named(name, prefix) for name in table["experiment"]]]
        if len(rows):
            return rows
    return table.iloc[:0]


def ends(table: pd.DataFrame) -> pd.DataFrame:
    """The last row of every run, for rows in the order of their steps."""
    return table.groupby(list(KEYS), dropna=False).tail(1)


def keep(table: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """Rows whose columns have these values."""
    for column, value in values.items():
        table = table[table[column] == value]
    return table


def fix(
    table: pd.DataFrame, free: Sequence[str], first: Mapping[str, Sequence] | None = None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Fix every key outside `free` at one value; returns the rows and the values.

    Keys are fixed one after another on the rows that remain, so the result is empty only if the
    table is. `first` overrides the order of preference for some keys.
    """
    fixed: dict[str, Any] = {}
    for column in KEYS:
        if column in free or column in ("experiment", "seed") or column not in table:
            continue
        values = ordered(table[column].unique(), column)
        if not values:  # e.g. lr of a gradient flow: null everywhere
            continue
        preferred = [v for v in (first or {}).get(column, ()) if v in values]
        fixed[column] = (preferred or values)[0]
        table = table[table[column] == fixed[column]]
    return table, fixed


def over_seeds(table: pd.DataFrame, by: Sequence[str], value: str = "loss") -> pd.DataFrame:
    """Median, lowest and highest `value` over seeds for each of `by` and step.

    Returns columns by..., step, median, low, high, seeds. Values that are not finite (diverged
    runs) are left out; `seeds` counts the others.
    """
    finite = table[np.isfinite(table[value].astype(float))]
    grouped = finite.groupby([*by, "step"], sort=True)[value]
    summary = grouped.agg(median="median", low="min", high="max", seeds="count")
    return summary.reset_index()


def at_step(summary: pd.DataFrame, steps: ArrayLike) -> np.ndarray:
    """The median at `steps`, linear in log between recorded steps; NaN outside the record."""
    known = summary[(summary["median"] > 0)].sort_values("step")
    if known.empty:
        return np.full(np.shape(steps), np.nan)
    log_loss = np.interp(
        np.asarray(steps, dtype=float), known["step"], np.log(known["median"]), np.nan, np.nan
    )
    return np.exp(log_loss)


def describe(fixed: Mapping[str, Any]) -> str:
    """The fixed values in words, e.g. `Cora, GCN, ..., learning rate 5e-05`."""
    words = {
        "depth": lambda v: f"H = {v:g}",
        "width": lambda v: f"width {v:g}",
        "init": lambda v: f"{v} initialisation",
        "lr": lambda v: f"learning rate {v:g}",
        "activation": lambda v: f"{names.name(v)} activation",
    }
    return ", ".join(words.get(key, names.name)(value) for key, value in fixed.items())


def plural(count: int, word: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
