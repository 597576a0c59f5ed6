"""Curves along training: the median over seeds with a band, and the axes that go with it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from gnn_dynamics.figures import log_axis, style
from gnn_dynamics.summaries import select

BAND = "line: median over seeds; band: lowest to highest seed"


def draw(
    ax: Axes,
    rows: pd.DataFrame,
    by: list[str],
    looks: Mapping[Any, style.Look],
    value: str = "loss",
) -> None:
    """For each key of `looks`: the median of `value` over seeds, in a band of all seeds."""
    curves = dict(list(select.over_seeds(rows, by, value).groupby(by if len(by) > 1 else by[0])))
    for curve, look in ((curves[key], look) for key, look in looks.items() if key in curves):
        ax.plot(curve["step"], curve["median"], **look)
        if curve["seeds"].max() > 1:
            band = (curve["step"], curve["low"], curve["high"])
            ax.fill_between(*band, color=look["color"], alpha=style.BAND_ALPHA, lw=0)


def finish(ax: Axes, fixed: Mapping[str, Any]) -> None:
    """Scales and units."""
    log_axis.y_axis(ax)
    ax.set_xlabel(x_label(fixed))
    ax.set_ylabel(style.LOSS_AXIS.get(fixed.get("loss_fn", ""), "training loss"))
    ax.margins(x=0)
    ax.locator_params(axis="x", nbins=4)


def x_label(fixed: Mapping[str, Any]) -> str:
    """Iterations of an optimiser; steps of an integrator differ in length."""
    return "integration step" if fixed.get("optimizer") == "flow" else "iteration"
