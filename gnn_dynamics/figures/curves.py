"""Panels of training curves and the paper's own, shared by Figure 4 and the appendix."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from gnn_dynamics.figures import seed_bands, style
from gnn_dynamics.summaries import names, paper_curves, select
from gnn_dynamics.summaries.paper_curves import Contrast

PAPER_LABEL = "paper, digitised"
_SHORT = {True: "skip", False: "no skip", "uniform": "random"}
_DEPTH_LINES = (style.SOLID, (0, (5, 1.2)), (0, (2, 1)), (0, (1, 1)), (0, (5, 1, 1, 1)))
_LOOKS: dict[str, tuple[dict, dict]] = {  # colours and lines by key
    "multiscale": (style.SKIP_COLOUR, style.SKIP_LINE),
    "labels": (style.LABEL_COLOUR, style.LABEL_LINE),
}


def draw_columns(
    figure: Figure, training: pd.DataFrame, cells: Sequence[Mapping], contrasts: Sequence[Contrast]
) -> list[list[tuple[Axes, dict]]]:
    """A column for each contrast with its legend below, a row for each cell of key values.

    Returns, by column and row, the axes and the keys that are fixed in the panel.
    """
    columns = list(figure.subfigures(1, len(contrasts), squeeze=False)[0])
    axes = [list(column.subplots(len(cells), 1, squeeze=False)[:, 0]) for column in columns]
    panels = [
        [
            (ax, draw_contrast(ax, training, contrast, **cell))
            for ax, cell in zip(column, cells, strict=True)
        ]
        for contrast, column in zip(contrasts, axes, strict=True)
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
    by_label: dict[str, Artist] = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        by_label |= dict(zip(labels, handles, strict=True))
    return list(by_label.values())


def draw_contrast(ax: Axes, training: pd.DataFrame, contrast: Contrast, **cell: Any) -> dict:
    """Draw one panel; returns the keys that are fixed in it (empty where nothing was drawn)."""
    rows, fixed = paper_curves.panel_rows(training, contrast, **cell)
    if rows.empty:
        setting = names.listed(*cell.values())
        missing = f"No runs of experiment '{contrast.experiment}' for {setting}."
        style.missing(ax, missing, select.HOW_TO_GET)
        return {}
    summary = select.over_seeds(rows, [contrast.column])
    # Colours depend on all values in the experiment, so that the panels of a column agree.
    every = select.experiment(training, contrast.experiment)[contrast.column].unique()
    for value, look in looks(contrast.column, every).items():
        curve = select.keep(summary, **{contrast.column: value})
        if len(curve):
            seed_bands.draw_band(ax, curve, **look)
    if paper_curves.is_papers_setting(contrast, fixed):
        draw_paper(ax, contrast.panel)
    seed_bands.finish(ax, fixed)
    return fixed


def looks(column: str, values: Sequence[Any]) -> dict[Any, style.Look]:
    """Colour, line style and label for each value of a key, the same in all figures."""
    if column == "depth":
        colours = style.depth_colours(values)
        return {
            depth: {
                "color": colours[depth],
                "linestyle": _DEPTH_LINES[i % len(_DEPTH_LINES)],
                "label": f"H = {depth}",
            }
            for i, depth in enumerate(sorted(values))
        }
    colour, line = _LOOKS[column]
    return {
        v: {"color": colour[v], "linestyle": line[v], "label": _SHORT.get(v, str(v))}
        for v in select.ordered(values, column)
    }


def draw_paper(ax: Axes, panel: str) -> None:
    """The paper's digitised curves, thin and grey, with one label for all."""
    paper = select.keep(paper_curves.paper_figure4(), panel=panel)
    for i, (_, curve) in enumerate(paper.groupby("curve")):
        label = PAPER_LABEL if i == 0 else None
        ax.plot(curve["iteration"], curve["loss"], color=style.GREY, lw=0.8, zorder=1, label=label)
