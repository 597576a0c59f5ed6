"""Curves along training: the median over seeds with a band, and the axes that go with it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from gnn_dynamics.figures import log_axis, style

BAND = "line: median over seeds; band: lowest to highest seed"


def draw_band(ax: Axes, summary: pd.DataFrame, **look: Any) -> None:
    """Median over seeds with the band from the lowest to the highest seed."""
    ax.plot(summary["step"], summary["median"], **look)
    if summary["seeds"].max() > 1:
        band = (summary["step"], summary["low"], summary["high"])
        ax.fill_between(*band, color=look["color"], alpha=style.BAND_ALPHA, lw=0)


def finish(ax: Axes, fixed: Mapping[str, Any]) -> None:
    """Scales and units."""
    log_axis.y_axis(ax)
    ax.set_xlabel(x_label(fixed))
    ax.set_ylabel(style.LOSS_AXIS.get(fixed.get("loss_fn", ""), "training loss"))
    ax.margins(x=0)
    ax.locator_params(axis="x", nbins=4)
    ax.grid(axis="y")


def x_label(fixed: Mapping[str, Any]) -> str:
    """Iterations of an optimiser; steps of an integrator differ in length."""
    return "integration step" if fixed.get("optimizer") == "flow" else "iteration"
