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
_LOOKS: dict[str, dict] = {"multiscale": style.SKIP, "labels": style.LABELS}


def rows(training: pd.DataFrame) -> pd.DataFrame:
    """Rows of the experiments of Figure 4."""
    return pd.concat([select.experiment(training, name) for name in ("curves", "labels")])


def draw_columns(
    figure: Figure, training: pd.DataFrame, cells: Sequence[Mapping], contrasts: Sequence[Contrast]
) -> list[list[tuple[Axes, str]]]:
    """A column for each contrast with its legend below, a row for each cell of key values.

    Returns, by column and row, the axes and their title.
    """
    columns = list(figure.subfigures(1, len(contrasts), squeeze=False)[0])
    panels = [
        [
            (ax, _draw_contrast(ax, training, contrast, **cell))
            for ax, cell in zip(column.subplots(len(cells), squeeze=False).flat, cells, strict=True)
        ]
        for contrast, column in zip(contrasts, columns, strict=True)
    ]
    for column, entries in zip(columns, _handles(columns), strict=True):
        column.legend(
            handles=entries,
            loc="outside lower center",
            ncols=2,
            handlelength=2.2,
            columnspacing=1.0,
        )
    return panels


def _handles(columns: Sequence[SubFigure]) -> list[list[Artist]]:
    """The entries of each column's legend, as many in each so that the panels stay aligned."""
    handles = []
    for column in columns:
        pairs = [zip(*ax.get_legend_handles_labels(), strict=True) for ax in column.axes]
        handles.append(list({label: handle for ax in pairs for handle, label in ax}.values()))
    blank = Line2D([], [], alpha=0, label=" ")
    most = max(map(len, handles))
    return [[*entries, *[blank] * (most - len(entries))] for entries in handles]


def _draw_contrast(ax: Axes, training: pd.DataFrame, contrast: Contrast, **cell: Any) -> str:
    """Draw one panel; returns its title: what is compared, and at which depth if that is fixed."""
    title = f"{names.name(cell['activation'])}: {contrast.title}"
    rows, fixed = paper_curves.panel_rows(training, contrast, **cell)
    if rows.empty:
        setting = names.listed(*cell.values())
        missing = f"No runs of experiment '{contrast.experiment}' for {setting}."
        style.missing(ax, missing, select.HOW_TO_GET)
        return title
    # Colours depend on all values in the experiment, so that the panels of a column agree.
    every = select.experiment(training, contrast.experiment)[contrast.column].unique()
    seed_bands.draw(ax, rows, [contrast.column], looks(contrast.column, every))
    if paper_curves.is_papers_setting(contrast, fixed):
        _draw_paper(ax, contrast.panel)
    seed_bands.finish(ax, fixed)
    return f"{title}, H = {fixed['depth']}" if "depth" in fixed else title


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
    return {
        value: _LOOKS[column][value] | {"label": _SHORT.get(value, str(value))}
        for value in select.ordered(values, column)
    }


def _draw_paper(ax: Axes, panel: str) -> None:
    """The paper's digitised curves, thin and grey, with one label for all."""
    paper = select.keep(paper_curves.paper_figure4(), panel=panel)
    for i, (_, curve) in enumerate(paper.groupby("curve")):
        label = PAPER_LABEL if i == 0 else None
        ax.plot(curve["iteration"], curve["loss"], color=style.GREY, lw=0.8, zorder=1, label=label)
