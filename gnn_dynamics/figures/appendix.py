"""Appendix: the training curves of one dataset, {GCN, GIN} x {linear, ReLU} x {skip or no skip}.

The paper's appendix B repeats Figure 4 for the remaining combinations; so does this grid.
"""

import pandas as pd
from matplotlib.figure import Figure

from gnn_dynamics.figures import curves, seed_bands, style
from gnn_dynamics.summaries import names, select
from gnn_dynamics.summaries.paper_curves import (
    DEPTH,
    DEPTH_NO_SKIP,
    LABELS,
    SKIPS,
    Contrast,
    panel_rows,
)

PANELS = (SKIPS, DEPTH, DEPTH_NO_SKIP, LABELS)
CELL = ["aggregation", "activation"]


def shown(training: pd.DataFrame, dataset: str) -> tuple[list[dict[str, str]], pd.DataFrame]:
    """The keys of each row of panels: aggregation and activation."""
    rows = select.keep(curves.rows(training), dataset=dataset)
    cells = rows[CELL].drop_duplicates().sort_values(CELL)
    return [{"dataset": dataset, **cell} for cell in cells.to_dict("records")], training


def draw(cells: list[dict[str, str]], training: pd.DataFrame) -> Figure:
    """Rows: aggregation and activation. Columns: skips, depth (skip and no skip), labels."""
    figure = style.new_figure(0.75 + 1.7 * len(cells), width=style.WIDTH * 1.25)
    for column in curves.draw_columns(figure, training, cells, PANELS):
        for (ax, title), cell in zip(column, cells, strict=True):
            ax.set_title(f"{names.name(cell['aggregation'])}, {title}")
    figure.suptitle(f"{names.name(cells[0]['dataset'])}; {seed_bands.BAND}", fontsize=8)
    return figure


def measured(cells: list[dict[str, str]], training: pd.DataFrame) -> list[str]:
    """How often the accelerated curve ends below the other, over the rows of the grid."""
    sentences = []
    for contrast in PANELS:
        ends = [_ordered_ends(training, contrast, cell) for cell in cells]
        known = [end for end in ends if end is not None]
        if known:
            sentences.append(
                f"{contrast.title.capitalize()}: the final losses have the order that the paper"
                f" claims in {sum(known)} of {select.plural(len(known), 'row')}."
            )
    return sentences


def _ordered_ends(training: pd.DataFrame, contrast: Contrast, cell: dict) -> bool | None:
    """Whether the last medians fall with skips, depth or true labels; None if unknown."""
    rows, _ = panel_rows(training, contrast, **cell)
    if rows.empty:
        return None
    summary = select.over_seeds(rows, [contrast.column])
    last = summary[summary["step"] == summary["step"].max()].set_index(contrast.column)["median"]
    if contrast.column == "labels":
        random = last.drop("true", errors="ignore")
        return bool(last["true"] < random.min()) if 0 < len(random) < len(last) else None
    fastest_first = last.sort_index(ascending=False)
    return bool(fastest_first.is_monotonic_increasing) if len(last) > 1 else None
