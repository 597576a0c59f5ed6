"""Singular values of the propagated features against depth, with and without skip connections."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes

from gnn_dynamics.figures import log_axis, style

CIRCLES: Mapping[bool, str] = {True: "o", False: "o"}
ZERO = {True: "+", False: "x"}  # both are visible where two zeros coincide
_LABEL = {True: "skip: all layers", False: "no skip: last layer"}


def by_skip(rows: pd.DataFrame) -> list[tuple[bool, pd.DataFrame, style.Look]]:
    """A curve in the order of the depths, with its style, for each value of `multiscale`."""
    curves = rows.sort_values("depth").groupby("multiscale")
    return [(bool(skip), curve, style.skip_look(bool(skip))) for skip, curve in curves]


def draw(
    ax: Axes,
    rows: pd.DataFrame,
    markers: Mapping[bool, str] = CIRCLES,
    room: Sequence[float] = (),
) -> None:
    """Squared smallest singular values of one graph; exact zeros are crosses on a grey strip.

    A thin line shows the smallest positive one. The axis includes the values in `room`.
    """
    positive_values = rows["sigma_min_positive_sq"].dropna()
    values = [*rows["sigma_min_sq"], *(room or positive_values)]
    zero_y = log_axis.with_zero(ax, values)
    for skip, curve, look in by_skip(rows):
        positive, zero = curve[curve["sigma_min_sq"] > 0], curve[curve["sigma_min_sq"] == 0]
        ax.plot(curve["depth"], curve["sigma_min_positive_sq"], lw=0.7, alpha=0.5, **look)
        ax.plot(positive["depth"], positive["sigma_min_sq"], marker=markers[skip], ms=3, **look)
        ax.plot(zero["depth"], [zero_y] * len(zero), ZERO[skip], color=look["color"], mew=1.2)


def legend(markers: Mapping[bool, str] | None = None) -> dict[str, style.Look]:
    """Legend of the two networks, zeros and the thin line."""
    entries: dict[str, style.Look] = {
        _LABEL[skip]: style.skip_look(skip) | ({"marker": markers[skip]} if markers else {})
        for skip in (False, True)
    }
    entries["× and +: exactly 0"] = {"color": style.GREY, "marker": "x", "ls": ""}
    entries["thin: smallest positive"] = {"color": style.GREY, "lw": 0.7}
    return entries
