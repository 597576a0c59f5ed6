"""The picture of scaling.parquet: stages against nodes and against edges, with exponents."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from gnn_dynamics.figures.style import new_figure, styled

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
MEASURES = {"cpu_seconds": "CPU seconds", "peak_bytes": "peak memory of the process (GB)"}
FITTED = 100_000  # nodes or entries from which the exponent is fitted: below, fixed costs rule


@styled
def picture(table: pd.DataFrame):
    """Two sweeps by two measures, on logarithmic axes."""
    fig = new_figure(height=6.4)
    axes = fig.subplots(2, 2, sharex="col", sharey="row")
    for row, measure in zip(axes, MEASURES, strict=True):
        for ax, (series, (size, label)) in zip(row, SWEEPS.items(), strict=True):
            draw(ax, table[sweep(table, series)], size, measure)
            ax.set(xscale="log", yscale="log")
            if measure == "peak_bytes":
                ax.set_xlabel(label)
        row[0].set_ylabel(MEASURES[measure])
    return fig


def sweep(table: pd.DataFrame, series: str) -> pd.Series:
    """The cases of a sweep; that over entries shares one with that over nodes."""
    shared = (series == "entries") & (table["nodes"] == 300_000)
    return (table["series"] == series) | shared


def draw(ax: Axes, rows: pd.DataFrame, size: str, measure: str) -> None:
    """A line for each stage, its exponent in the legend."""
    unit = 1e9 if measure == "peak_bytes" else 1.0
    for stage, (name, colour, marker) in LOOKS.items():
        part = rows[rows["stage"] == stage].sort_values(size)
        slope = exponent(part[size], part[measure])
        label = f"{name}: {slope:.2f}"
        ax.plot(part[size], part[measure] / unit, color=colour, marker=marker, ms=4, label=label)
    ax.legend(title="exponent", fontsize="x-small", title_fontsize="x-small")


def exponent(size: pd.Series, value: pd.Series) -> float:
    """Slope of log value on log size over the large sizes; nan with fewer than two of them."""
    large = size >= FITTED
    if large.sum() < 2:
        return np.nan
    return float(np.polyfit(np.log(size[large]), np.log(value[large]), 1)[0])
