"""The ranking of a race: the steps of each network to 50, 10 and 1 % of the label norm."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnn_dynamics.figures import log_axis, style

LINE = 0.24  # inches for each network
MARKERS = {"steps_50": ("o", "50 %"), "steps_10": ("D", "10 %"), "steps_1": ("s", "1 %")}
SKIPS = {True: "with skips", False: "without skips"}


@style.context()
def draw(rows: Sequence[Mapping[str, Any]], title: str) -> Figure:
    """A line for each network, the fastest on top; a bar is the interval of the steps to 10 %.

    rows: of the table race, with `network` and `how` in words; those that did not arrive at 10 %
    are not drawn. title: the finding.
    """
    arrived = [row for row in rows if np.isfinite(row["steps_10"])]
    if not arrived:
        return style.missing_figure(title, "Give more time, or other features.")
    figure = style.new_figure(1.3 + LINE * len(arrived))
    ax = figure.subplots()
    ax.set_xscale("log")
    for y, row in enumerate(arrived):
        _line(ax, y, row)
    names = [f"{row['network']}, {row['how']}" for row in arrived]
    ax.set_yticks(range(len(arrived)), names)
    ax.set_ylim(len(arrived) - 0.5, -0.5)
    ax.grid(axis="x")
    ax.set_xlabel("training steps until the excess loss is that share of the label norm")
    log_axis.plain_ticks(ax.xaxis)
    looks = {
        label: {"color": style.GREY, "marker": marker, "ls": "none"}
        for name, (marker, label) in MARKERS.items()
        if any(np.isfinite(row[name]) for row in arrived)
    }
    looks |= {SKIPS[skip]: {"color": style.SKIP[skip]["color"]} for skip in (True, False)}
    style.legend_above(figure, looks, title, columns=len(looks))
    return figure


def _line(ax: Axes, y: int, row: Mapping[str, Any]) -> None:
    """The steps of one network; a start below a threshold counts one step."""
    colour = style.SKIP[bool(row["multiscale"])]["color"]
    steps = {name: max(row[name], 1.0) for name in MARKERS if np.isfinite(row[name])}
    ax.plot([*steps.values()], [y] * len(steps), color=colour, lw=0.8)
    interval = [max(row[name], 1.0) for name in ("steps_low", "steps_high")]
    if np.isfinite(interval).all():
        ax.plot(interval, [y, y], color=colour, lw=5, alpha=0.3, solid_capstyle="butt")
    for name, x in steps.items():
        ax.plot(x, y, color=colour, marker=MARKERS[name][0], ms=4)
