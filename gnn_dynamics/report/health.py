"""Runs whose loss kept rising without diverging: what rounding decides in them, not the model."""

from pathlib import Path

import pandas as pd

from gnn_dynamics.artifacts.parquet import read_table
from gnn_dynamics.config.grid import KEYS
from gnn_dynamics.report.sections import joined
from gnn_dynamics.summaries import select

RESTLESS = 0.05  # share of the steps at which the loss rose; above it rounding was seen to grow


def read_ends(training: str | Path) -> pd.DataFrame:
    """The last record of every run, those that no figure shows included.

    Raises:
        UserError: if the file is damaged.
    """
    columns = [*KEYS, "step", "loss_increases", "status"]
    return select.ends(read_table(training, columns=columns))


def restless_runs(ends: pd.DataFrame | None) -> str:
    """How many runs there are, and in which experiments; empty where there are none."""
    if ends is None:
        return ""
    ends = ends[(ends["status"] == "ok") & (ends["step"] > 0)]
    restless = ends[ends["loss_increases"] > RESTLESS * ends["step"]]
    if restless.empty:
        return ""
    counts = restless.groupby("experiment").size()
    where = joined([f"{name} {count:,}" for name, count in counts.items()])
    return (
        f"In {len(restless):,} of {select.plural(len(ends), 'run')} that did not diverge the loss"
        f" rose in more than {100 * RESTLESS:.0f} % of the steps ({where})."
    )
