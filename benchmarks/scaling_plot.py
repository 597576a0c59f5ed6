"""The picture of scaling.parquet: stages against nodes and against edges, with exponents."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from gnn_dynamics.figures.style import context, new_figure

LOOKS = {  # stage: name, colour, marker
    "read": ("read", "#8C8C8C", "s"),
    "propagate": ("aggregate", "#0072B2", "o"),
    "qr": ("QR (TSQR)", "#D55E00", "^"),
    "svd": ("singular values", "#CC79A7", "v"),
    "reduce": ("QR with labels", "#E69F00", "D"),
    "train": ("100 steps", "#009E73", "P"),
    "check": ("whole check", "#222222", "*"),
}
SWEEPS = {
    "nodes": ("nodes", "nodes, 15 stored entries each, 8 % labelled"),
    "entries": ("entries", "stored entries, 300 000 nodes"),
}
TIME, PEAK = "cpu_seconds", "peak_bytes"
AXES = {TIME: "CPU seconds", PEAK: "peak memory of the process (GB)"}
TITLES = {TIME: "exponent", PEAK: "exponent, beyond the program"}
LIMITS = {TIME: (0.01, 2000), PEAK: (0.25, 100)}  # with room for the legends
FITTED = 100_000  # nodes or entries from which the exponent is fitted: below, fixed costs rule
BUDGET_GB = 8


@context()
def picture(table: pd.DataFrame):
    """Two sweeps by two measures, on logarithmic axes."""
    fig = new_figure(height=6.8)
    axes = fig.subplots(2, 2, sharex="col", sharey="row")
    for row, measure in zip(axes, AXES, strict=True):
        for ax, (series, (size, label)) in zip(row, SWEEPS.items(), strict=True):
            ax.set(xscale="log", yscale="log")
            draw(ax, table[sweep(table, series)], size, measure)
            ax.xaxis.set_minor_formatter(NullFormatter())
            if measure == PEAK:
                ax.set_xlabel(label)
        row[0].set_ylabel(AXES[measure])
    return fig


def sweep(table: pd.DataFrame, series: str) -> pd.Series:
    """The cases of a sweep; that over entries shares one with that over nodes."""
    shared = (series == "entries") & (table["nodes"] == 300_000)
    return (table["series"] == series) | shared


def draw(ax: Axes, rows: pd.DataFrame, size: str, measure: str) -> None:
    """A line for each stage, its exponent in the legend; the budget, where memory is drawn."""
    for stage, (name, colour, marker) in LOOKS.items():
        part = rows[rows["stage"] == stage].sort_values(size)
        beyond = part[measure] - (part["program_bytes"] if measure == PEAK else 0)
        label = f"{name}: {exponent(part[size], beyond):z.2f}"
        drawn = part[measure] / (1e9 if measure == PEAK else 1)
        ax.plot(part[size], drawn, color=colour, marker=marker, ms=4, label=label)
    if measure == PEAK:
        ax.axhline(BUDGET_GB, color="0.6", ls="--", lw=0.8)
        ax.text(rows[size].max(), BUDGET_GB, "budget", ha="right", va="bottom", fontsize="x-small")
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_ylim(LIMITS[measure])
    look = {"fontsize": "x-small", "title_fontsize": "x-small", "alignment": "left"}
    ax.legend(title=TITLES[measure], loc="upper left", **look)


def exponent(size: pd.Series, value: pd.Series) -> float:
    """Slope of log value on log size over the large sizes; nan with fewer than two of them.

    Nor where a value is not positive: what does not grow may be all of it the program's own.
    """
    large = size >= FITTED
    if large.sum() < 2 or (value[large] <= 0).any():
        return np.nan
    return float(np.polyfit(np.log(size[large]), np.log(value[large]), 1)[0])
