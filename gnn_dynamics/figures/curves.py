"""Panels of training curves: what Figures 1, 4 and the appendix have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from gnn_dynamics.figures import style
from gnn_dynamics.summaries import select

BAND = "line: median over seeds; band: lowest to highest seed"
PAPER_LABEL = "paper, digitised"


@dataclass(frozen=True)
class Contrast:
    """What a panel compares: one curve for each value of `column`."""

    column: str
    title: str
    wanted: Mapping[str, Any]  # the paper's values of other keys; others are taken if need be
    panel: str  # panel of the paper's Figure 4, for the digitised curves
    experiment: str = "curves"


_TWO_LAYERS = {"multiscale": False, "depth": 2, "lr": 1e-4}
SKIPS = Contrast("multiscale", "skips or not", {"depth": 6, "lr": 5e-5}, "a")
DEPTH = Contrast("depth", "depth, multiscale", {"multiscale": True, "lr": 5e-5}, "b")
DEPTH_SINGLE = Contrast("depth", "depth, no skips", {"multiscale": False, "lr": 5e-5}, "")
LABELS = Contrast("labels", "labels", _TWO_LAYERS, "c", "labels")
# What the paper's Figure 4 shows in all panels, as far as it could be reconstructed.
PAPER_SETTING = {
    "dataset": "cora",
    "aggregation": "gcn",
    "loss_fn": "cross_entropy",
    "optimizer": "adam",
}

# Our key values for each digitised curve: (panel, curve) -> value of the panel's column.
PAPER_CURVES = {
    ("a", "multiscale"): True,
    ("a", "non-multiscale"): False,
    ("b", "2 layer"): 2,
    ("b", "4 layer"): 4,
    ("b", "6 layer"): 6,
    ("c", "signal"): "true",
    ("c", "noise"): "uniform",
}
_SHORT = {True: "multiscale", False: "no skips", "uniform": "random", "true": "true"}


@cache
def paper_figure4() -> pd.DataFrame:
    """The paper's Figure 4 as digitised: panel, curve, iteration, loss, quality (see the file)."""
    with files("gnn_dynamics.figures").joinpath("paper_figure4.csv").open() as lines:
        return pd.read_csv(lines, comment="#")


def chosen(training: pd.DataFrame, contrast: Contrast, **cell: Any) -> tuple[pd.DataFrame, dict]:
    """The rows that a panel shows, and the values of the keys it holds."""
    table = select.keep(select.experiment(training, contrast.experiment), **cell)
    first = {key: [value] for key, value in contrast.wanted.items()}
    if "depth" in first and len(table):
        first["depth"].append(table["depth"].max())
    return select.hold(table, (contrast.column,), first)


def is_papers_setting(contrast: Contrast, held: Mapping[str, Any]) -> bool:
    """Whether the digitised curves of a panel are of this setting."""
    wanted = PAPER_SETTING | dict(contrast.wanted)
    return bool(contrast.panel) and all(held.get(key) == value for key, value in wanted.items())


def draw_columns(
    figure: Figure, training: pd.DataFrame, cells: Sequence[Mapping], contrasts: Sequence[Contrast]
) -> list[list[tuple[Axes, dict]]]:
    """A column for each contrast with its legend below, a row for each cell of key values.

    Returns, by column and row, the axes and the keys that the panel holds.
    """
    columns = np.atleast_1d(figure.subfigures(1, len(contrasts)))
    axes = [column.subplots(len(cells), 1, squeeze=False)[:, 0] for column in columns]
    panels = [
        [(ax, draw_contrast(ax, training, contrast, **cell)) for ax, cell in pairs]
        for contrast, pairs in zip(
            contrasts, (zip(c, cells, strict=True) for c in axes), strict=True
        )
    ]
    _add_legends(columns, axes)
    return panels


def _add_legends(columns: Sequence[SubFigure], axes: Sequence[Sequence[Axes]]) -> None:
    """A legend below each column, all of one height so that the panels stay aligned."""
    handles = [_handles(column) for column in axes]
    most = max(map(len, handles))
    for column, entries in zip(columns, handles, strict=True):
        blank = [Line2D([], [], alpha=0, label=" ")] * (most - len(entries))
        column.legend(
            handles=[*entries, *blank],
            loc="outside lower center",
            ncols=2,
            handlelength=2.2,
            columnspacing=1.0,
        )


def _handles(axes: Sequence[Axes]) -> list[Artist]:
    found = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    return list(found.values())


def draw_contrast(ax: Axes, training: pd.DataFrame, contrast: Contrast, **cell: Any) -> dict:
    """Draw one panel; returns the keys held (empty where nothing could be drawn)."""
    rows, held = chosen(training, contrast, **cell)
    if rows.empty:
        where = ", ".join(style.name(value) for value in cell.values())
        what = f"No runs of experiment '{contrast.experiment}' for {where}."
        style.missing(ax, what, select.HOW_TO_GET)
        return {}
    summary = select.over_seeds(rows, [contrast.column])
    # Colours follow from all values in the experiment, so that the panels of a column agree.
    every = select.experiment(training, contrast.experiment)[contrast.column].unique()
    present = set(summary[contrast.column])
    for value, look in looks(contrast.column, every).items():
        if value in present:
            draw_band(ax, select.keep(summary, **{contrast.column: value}), **look)
    if is_papers_setting(contrast, held):
        draw_paper(ax, contrast.panel)
    finish(ax, held)
    return held


def looks(column: str, values: Sequence[Any]) -> dict[Any, dict[str, Any]]:
    """Colour, line style and label for each value of a key, the same in all figures."""
    values = sorted(values) if column == "depth" else select.ordered(values, column)
    if column == "depth":
        colours = style.depth_colours(values)
        dashes = ["-", (0, (5, 1.2)), (0, (2, 1)), (0, (1, 1)), (0, (5, 1, 1, 1))]
        return {
            depth: {
                "color": colours[depth],
                "linestyle": dashes[i % len(dashes)],
                "label": f"H = {depth}",
            }
            for i, depth in enumerate(values)
        }
    colour, line = {
        "multiscale": (style.SCALE_COLOUR, style.SCALE_LINE),
        "labels": (style.LABEL_COLOUR, style.LABEL_LINE),
    }[column]
    return {
        v: {"color": colour[v], "linestyle": line[v], "label": _SHORT.get(v, str(v))}
        for v in values
    }


def draw_band(ax: Axes, summary: pd.DataFrame, **look: Any) -> None:
    """Median over seeds with the band from the lowest to the highest seed."""
    ax.plot(summary["step"], summary["median"], **look)
    if summary["seeds"].max() > 1:
        band = (summary["step"], summary["low"], summary["high"])
        ax.fill_between(*band, color=look["color"], alpha=style.BAND_ALPHA, lw=0)


def draw_paper(ax: Axes, panel: str) -> None:
    """The paper's digitised curves, thin and grey, with one label for all."""
    label = PAPER_LABEL
    for _, curve in select.keep(paper_figure4(), panel=panel).groupby("curve"):
        ax.plot(curve["iteration"], curve["loss"], color=style.GREY, lw=0.8, zorder=1, label=label)
        label = None


def finish(ax: Axes, held: Mapping[str, Any]) -> None:
    """Scales and units."""
    ax.set_yscale("log")
    style.log_ticks(ax.yaxis)
    ax.set_xlabel(x_label(held))
    ax.set_ylabel(style.LOSS_AXIS.get(held.get("loss_fn"), "training loss"))
    ax.margins(x=0)
    ax.locator_params(axis="x", nbins=4)
    ax.grid(axis="y")


def x_label(held: Mapping[str, Any]) -> str:
    """Iterations of an optimiser; steps of an integrator are not all of one length."""
    return "integration step" if held.get("optimizer") == "flow" else "iteration"
