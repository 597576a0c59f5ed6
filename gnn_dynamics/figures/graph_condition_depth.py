"""How skip connections repair the graph condition: singular values against depth, per graph.

Linear model: G_H = X S^H R (Theorem 1). Multiscale: the stack of G_0..G_H (Theorem 2).
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnn_dynamics.figures import style
from gnn_dynamics.summaries import select

COLUMNS = 4
ZERO = {False: "x", True: "+"}  # two zeros at one place are both seen
CELL = ["dataset", "aggregation", "nodes"]
_LABEL = {True: "multiscale: all layers", False: "no skips: last layer"}


@style.styled
def draw(graph_condition: pd.DataFrame) -> Figure:
    """A panel for each dataset, aggregation and set of nodes; features are held at one value.

    graph_condition: the table. Crosses on the grey strip are exact zeros, where the faint line
    still shows the smallest positive singular value.
    """
    rows, held = _rows(graph_condition)
    if rows.empty:
        what = "No graph conditions were computed."
        return style.missing_figure(what, "Set `datasets` and `graph_condition` in the config.")
    cells = _cells(rows)
    lines = -(-len(cells) // COLUMNS)
    figure = style.new_figure(0.75 + 1.75 * lines)
    axes = figure.subplots(lines, min(COLUMNS, len(cells)), squeeze=False).ravel()
    for ax, cell in zip(axes, cells, strict=False):
        _panel(ax, select.keep(rows, **dict(zip(CELL, cell, strict=True))))
        style.letter(ax, "", f"{style.name(cell[0])}\n{style.name(cell[1])}, {cell[2]}")
    for ax in axes[len(cells) :]:
        ax.set_axis_off()
    style.legend_above(figure, _legend(), select.describe(held), columns=4)
    figure.supxlabel("depth H", fontsize=8)
    figure.supylabel(r"$\sigma^2_{\min}$", fontsize=8)
    return figure


def _rows(graph_condition: pd.DataFrame | None) -> tuple[pd.DataFrame, dict]:
    if graph_condition is None or graph_condition.empty:
        return pd.DataFrame(), {}
    free = (*CELL, "multiscale", "depth")
    return select.hold(graph_condition, free, select.DATA_FIRST)


def _cells(rows: pd.DataFrame) -> list[tuple[str, str, str]]:
    """(dataset, aggregation, nodes), a line of the grid for each dataset where there are four."""
    cells = set(rows[CELL].itertuples(index=False, name=None))
    datasets = select.ordered(rows["dataset"], "dataset")
    return sorted(cells, key=lambda c: (datasets.index(c[0]), c[1], c[2] == "all"))


def _panel(ax: Axes, part: pd.DataFrame) -> None:
    values = [*part["sigma_min_sq"], *part["sigma_min_positive_sq"]]
    place = style.log_axis_with_zero(ax, values)
    for multiscale, curve in part.sort_values("depth").groupby("multiscale"):
        look = {"color": style.SCALE_COLOUR[multiscale], "ls": style.SCALE_LINE[multiscale]}
        positive, zero = curve[curve["sigma_min_sq"] > 0], curve[curve["sigma_min_sq"] == 0]
        ax.plot(curve["depth"], curve["sigma_min_positive_sq"], lw=0.7, alpha=0.5, **look)
        ax.plot(positive["depth"], positive["sigma_min_sq"], marker="o", ms=3, **look)
        ax.plot(zero["depth"], [place] * len(zero), ZERO[multiscale], color=look["color"], mew=1.2)
    ax.grid(axis="y")


def _legend() -> list:
    looks = {
        _LABEL[scale]: {"color": style.SCALE_COLOUR[scale], "ls": style.SCALE_LINE[scale]}
        for scale in (False, True)
    }
    looks["× and +: exactly 0"] = {"color": style.GREY, "marker": "x", "ls": ""}
    looks["thin: smallest positive"] = {"color": style.GREY, "lw": 0.7}
    return style.key(looks)


def measured(graph_condition: pd.DataFrame) -> list[str]:
    """For each panel: where the condition holds with and without skips, and how sigma^2 moves."""
    rows, held = _rows(graph_condition)
    if rows.empty:
        return []
    sentences = [f"Setting: {select.describe(held)}."]
    for cell in _cells(rows):
        part = select.keep(rows, **dict(zip(CELL, cell, strict=True)))
        single, multi = (select.keep(part, multiscale=scale) for scale in (False, True))
        if len(single) and len(multi):
            sentences.append(
                f"{', '.join(map(style.name, cell))}: condition holds at"
                f" {_share(single)} depths without skips, at {_share(multi)} with; smallest"
                f" positive σ² {_change(single)} without skips, {_change(multi)} with."
            )
    return sentences


def _share(part: pd.DataFrame) -> str:
    return f"{int(part['condition_holds'].sum())} of {len(part)}"


def _change(part: pd.DataFrame) -> str:
    part = part.sort_values("depth")
    ends = part["sigma_min_positive_sq"].iloc[[0, -1]].tolist()
    depths = part["depth"].iloc[[0, -1]].tolist()
    return f"from {ends[0]:.2g} at H = {depths[0]} to {ends[1]:.2g} at H = {depths[1]}"
