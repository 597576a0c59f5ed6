"""One graph at a glance: the graph condition, how far it fails, and the speed to expect."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gnn_dynamics.figures import style

_LABEL = {True: "multiscale: all layers", False: "linear: last layer"}
MARKER = {True: "o", False: "s"}
ZERO = {True: "+", False: "x"}  # two zeros at one place are both seen


@style.styled
def draw(graph_condition: pd.DataFrame, title: str) -> Figure:
    """A column for each aggregation: sigma_min^2, rank that is missing, half-life; against H.

    graph_condition: the table, one graph, with the columns of cli/expectation.py beside it.
    """
    aggregations = sorted(graph_condition["aggregation"].unique())
    figure = style.new_figure(5.6)
    axes = figure.subplots(3, len(aggregations), sharex=True, squeeze=False)
    axes[0, 0].set_ylabel("$\\sigma^2_{\\min}$ of the\npropagated features")
    axes[1, 0].set_ylabel("missing rank\n(dimensions)")
    axes[2, 0].set_ylabel("half-life of the\nexcess loss (GD steps)")
    for column, aggregation in zip(axes.T, aggregations, strict=True):
        part = graph_condition[graph_condition["aggregation"] == aggregation]
        _condition(column[0], part)
        _missing(column[1], part)
        _speed(column[2], part)
        style.letter(column[0], "", style.name(aggregation))
        column[2].set_xlabel("depth H (hidden layers)")
    figure.align_ylabels(axes[:, 0])
    style.legend_above(figure, _legend(), title, columns=4)
    return figure


def _curves(part: pd.DataFrame) -> list[tuple[bool, pd.DataFrame, dict]]:
    looks = {s: {"color": style.SCALE_COLOUR[s], "ls": style.SCALE_LINE[s]} for s in (False, True)}
    groups = part.sort_values("depth").groupby("multiscale")
    return [(bool(scale), curve, looks[bool(scale)]) for scale, curve in groups]


def _condition(ax: Axes, part: pd.DataFrame) -> None:
    positive = part["sigma_min_positive_sq"].dropna()
    # Room around the curves: at least a decade, so that the axis has ticks.
    room = [positive.min() / 4, positive.max() * 4] if len(positive) else []
    place = style.log_axis_with_zero(ax, [*part["sigma_min_sq"], *room])
    for scale, curve, look in _curves(part):
        zero = curve[curve["sigma_min_sq"] == 0]
        positive = curve[curve["sigma_min_sq"] > 0]
        ax.plot(curve["depth"], curve["sigma_min_positive_sq"], lw=0.7, alpha=0.6, **look)
        ax.plot(positive["depth"], positive["sigma_min_sq"], marker=MARKER[scale], ms=3, **look)
        ax.plot(zero["depth"], [place] * len(zero), ZERO[scale], color=look["color"], mew=1.2)
    ax.grid(axis="y")


def _missing(ax: Axes, part: pd.DataFrame) -> None:
    most = 1
    for scale, curve, look in _curves(part):
        missing = np.minimum(curve["rows"], curve["cols"]) - curve["rank"]
        ax.plot(curve["depth"], missing, marker=MARKER[scale], ms=3, **look)
        most = max(most, missing.max())
    ax.set_ylim(-0.08 * most, 1.08 * most)
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.grid(axis="y")


def _speed(ax: Axes, part: pd.DataFrame) -> None:
    ax.set_yscale("log")
    for scale, curve, look in _curves(part):
        finite = curve[np.isfinite(curve["descent_steps"])]
        ax.plot(finite["depth"], finite["descent_steps"], marker=MARKER[scale], ms=3, **look)
    low, high = ax.get_ylim()
    ax.set_ylim(low / 2, high * 2)
    style.log_ticks(ax.yaxis)
    ax.set_xticks(sorted(part["depth"].unique()))
    ax.grid(axis="y")


def _legend() -> list:
    looks = {
        _LABEL[s]: {"color": style.SCALE_COLOUR[s], "ls": style.SCALE_LINE[s], "marker": MARKER[s]}
        for s in (False, True)
    }
    looks["× and +: exactly 0"] = {"color": style.GREY, "marker": "x", "ls": ""}
    looks[r"thin: smallest positive $\sigma^2$"] = {"color": style.GREY, "lw": 0.7}
    return style.key(looks)
