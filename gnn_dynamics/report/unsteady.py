"""Runs whose loss often rose without diverging: rounding errors decide their curves."""

from pathlib import Path

import pandas as pd

from gnn_dynamics.artifacts.parquet import read_table
from gnn_dynamics.config.grid import KEYS
from gnn_dynamics.summaries import select

UNSTEADY = 0.05  # share of steps at which the loss rose; rounding errors grow in runs above it


def read_ends(training: str | Path) -> pd.DataFrame:
    """The last record of every run, including runs that no figure shows.

    Raises:
        UserError: if the file is damaged.
    """
    columns = [*KEYS, "step", "loss_increases", "status"]
    return select.ends(read_table(training, columns=columns))


def unsteady_runs(ends: pd.DataFrame | None) -> str:
    """A sentence with the number of such runs in each experiment; empty if there are none."""
    if ends is None:
        return ""
    ends = ends[(ends["status"] == "ok") & (ends["step"] > 0)]
    unsteady = ends[ends["loss_increases"] > UNSTEADY * ends["step"]]
    if unsteady.empty:
        return ""
    counts = unsteady.groupby("experiment").size()
    experiments = ", ".join(f"{name}: {count:,}" for name, count in counts.items())
    return (
        f"In {len(unsteady):,} of {select.plural(len(ends), 'run')} that did not diverge, the loss"
        f" rose in more than {100 * UNSTEADY:.0f} % of the steps ({experiments})."
    )
