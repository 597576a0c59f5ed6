"""How skip connections repair the graph condition: singular values against depth, per graph.

No skip: G_H = X S^H R (Theorem 1). Skip: the stack of G_0..G_H (Theorem 2).
"""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnn_dynamics.claims import names
from gnn_dynamics.figures import log_axis, style
from gnn_dynamics.summaries import select

COLUMNS = 4
CIRCLES: Mapping[bool, str] = {True: "o", False: "o"}
ZERO = {True: "+", False: "x"}  # both are visible where two zeros coincide
_LABEL = {True: "skip: all layers", False: "no skip: last layer"}
CELL = ["dataset", "aggregation", "nodes"]


def shown(graph_condition: pd.DataFrame) -> tuple[pd.DataFrame, dict]:
    """The rows of one kind of features, and what they have in common."""
    return select.fix(graph_condition, (*CELL, "multiscale", "depth"), select.DATA_FIRST)


def draw(rows: pd.DataFrame, fixed: dict) -> Figure:
    """A panel for each dataset, aggregation and set of nodes."""
    parts = _parts(rows)
    lines = -(-len(parts) // COLUMNS)
    figure = style.new_figure(0.75 + 1.75 * lines)
    axes = figure.subplots(lines, min(COLUMNS, len(parts)), squeeze=False).ravel()
    for ax, ((dataset, aggregation, nodes), part) in zip(axes, parts, strict=False):
        draw_values(ax, part)
        ax.set_title(f"{names.name(dataset)}\n{names.name(aggregation)}, {nodes}")
    for ax in axes[len(parts) :]:
        ax.set_axis_off()
    style.legend_above(figure, legend(), select.describe(fixed), columns=4)
    figure.supxlabel("depth H", fontsize=8)
    figure.supylabel(r"$\sigma^2_{\min}$", fontsize=8)
    return figure


def _parts(rows: pd.DataFrame) -> list[tuple[tuple[str, str, str], pd.DataFrame]]:
    """((dataset, aggregation, nodes), rows) in the order of the panels."""
    datasets = select.ordered(rows["dataset"], "dataset")
    return sorted(
        rows.groupby(CELL),
        key=lambda part: (datasets.index(part[0][0]), part[0][1], part[0][2] == "all"),
    )


def measured(rows: pd.DataFrame, fixed: dict) -> list[str]:
    """For each panel: where the condition holds and how sigma^2 changes, skip and no skip."""
    sentences = [f"Setting: {select.describe(fixed)}."]
    for cell, part in _parts(rows):
        no_skip, skip = (select.keep(part, multiscale=value) for value in (False, True))
        if len(no_skip) and len(skip):
            sentences.append(
                f"{names.listed(*cell)}: the condition holds at {_share(no_skip)} depths (no skip)"
                f" and {_share(skip)} (skip); the smallest positive σ² goes {_change(no_skip)} (no"
                f" skip) and {_change(skip)} (skip)."
            )
    return sentences


def _share(part: pd.DataFrame) -> str:
    return f"{int(part['condition_holds'].sum())} of {len(part)}"


def _change(part: pd.DataFrame) -> str:
    part = part.sort_values("depth")
    ends = part["sigma_min_positive_sq"].iloc[[0, -1]].tolist()
    depths = part["depth"].iloc[[0, -1]].tolist()
    return f"from {ends[0]:.2g} at H = {depths[0]} to {ends[1]:.2g} at H = {depths[1]}"


def by_skip(rows: pd.DataFrame) -> list[tuple[bool, pd.DataFrame, style.Look]]:
    """A curve in the order of the depths, with its style, for each value of `multiscale`."""
    curves = rows.sort_values("depth").groupby("multiscale")
    return [(bool(skip), curve, style.SKIP[bool(skip)]) for skip, curve in curves]


def draw_values(
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
        _LABEL[skip]: style.SKIP[skip] | ({"marker": markers[skip]} if markers else {})
        for skip in (False, True)
    }
    entries["× and +: exactly 0"] = {"color": style.GREY, "marker": "x", "ls": ""}
    entries["thin: smallest positive"] = {"color": style.GREY, "lw": 0.7}
    return entries
