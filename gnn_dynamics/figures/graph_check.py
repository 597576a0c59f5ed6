"""One graph at a glance: the graph condition, how far it fails, and the speed to expect."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gnn_dynamics.figures import log_axis, style
from gnn_dynamics.figures.graph_condition_depth import by_skip, draw_values, legend
from gnn_dynamics.summaries import names

MARKERS = {True: "o", False: "s"}


@style.context()
def draw(graph_condition: pd.DataFrame, title: str) -> Figure:
    """A column for each aggregation: sigma_min^2, missing rank, half-life; against H.

    graph_condition: rows of one graph, with the columns of diagnosis.analysis.expected.
    """
    aggregations = sorted(graph_condition["aggregation"].unique())
    figure = style.new_figure(5.6)
    axes = figure.subplots(3, len(aggregations), sharex=True, squeeze=False)
    axes[0, 0].set_ylabel("$\\sigma^2_{\\min}$ of the\npropagated features")
    axes[1, 0].set_ylabel("missing rank\n(dimensions)")
    axes[2, 0].set_ylabel("half-life of the\nexcess loss (GD steps)")
    for column, aggregation in zip(axes.T, aggregations, strict=True):
        part = graph_condition[graph_condition["aggregation"] == aggregation]
        positive = part["sigma_min_positive_sq"].dropna()
        # Room around the curves: at least a decade, so that the axis has ticks.
        room = [positive.min() / 4, positive.max() * 4] if len(positive) else []
        draw_values(column[0], part, MARKERS, room)
        _missing(column[1], part)
        _speed(column[2], part)
        column[0].set_title(names.name(aggregation))
        column[2].set_xlabel("depth H (hidden layers)")
    figure.align_ylabels(axes[:, 0])
    style.legend_above(figure, legend(MARKERS), title, columns=4)
    return figure


def _missing(ax: Axes, part: pd.DataFrame) -> None:
    most = 1
    for skip, curve, look in by_skip(part):
        missing = np.minimum(curve["rows"], curve["cols"]) - curve["rank"]
        ax.plot(curve["depth"], missing, marker=MARKERS[skip], ms=3, **look)
        most = max(most, missing.max())
    ax.set_ylim(-0.08 * most, 1.08 * most)
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))


def _speed(ax: Axes, part: pd.DataFrame) -> None:
    ax.set_yscale("log")
    for skip, curve, look in by_skip(part):
        finite = curve[np.isfinite(curve["descent_steps"])]
        ax.plot(finite["depth"], finite["descent_steps"], marker=MARKERS[skip], ms=3, **look)
    low, high = ax.get_ylim()
    ax.set_ylim(low / 2, high * 2)
    log_axis.plain_ticks(ax.yaxis)
    ax.set_xticks(sorted(part["depth"].unique()))
