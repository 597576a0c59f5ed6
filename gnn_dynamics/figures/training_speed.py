"""Figure 4: what accelerates training: skips, depth, true labels (Xu et al. 2021, Figure 4)."""

import pandas as pd
from matplotlib.figure import Figure

from gnn_dynamics.config.grid import KEYS
from gnn_dynamics.figures import curves, seed_bands, style
from gnn_dynamics.summaries import names, select
from gnn_dynamics.summaries.paper_curves import FIGURE_4, panel_rows


def shown(training: pd.DataFrame) -> tuple[list[dict], pd.DataFrame]:
    """The keys of each row of panels: first dataset, first aggregation, each activation."""
    rows, cell = select.fix(
        curves.rows(training), [key for key in KEYS if key not in ("dataset", "aggregation")]
    )
    activations = select.ordered(rows["activation"], "activation")
    return [{**cell, "activation": activation} for activation in activations], training


def draw(cells: list[dict], training: pd.DataFrame) -> Figure:
    """Skip connections or not (a), depth (b), true or random labels (c); by activation (row).

    The paper's digitised curves are drawn where the setting is theirs (Cora, GCN, Adam, mean
    cross-entropy).
    """
    figure = style.new_figure(0.75 + 1.95 * len(cells))
    columns = curves.draw_columns(figure, training, cells, FIGURE_4)
    for mark, column in zip("abc", columns, strict=True):
        for ax, title in column:
            style.letter(ax, mark, title)
    graph = names.listed(cells[0]["dataset"], cells[0]["aggregation"])
    figure.suptitle(f"{graph}; {seed_bands.BAND}", fontsize=8)
    return figure


def measured(cells: list[dict], training: pd.DataFrame) -> list[str]:
    """Final losses in every panel."""
    sentences = []
    for cell in cells:
        for contrast, mark in zip(FIGURE_4, "abc", strict=True):
            rows, fixed = panel_rows(training, contrast, **cell)
            if len(rows):
                final = _final(rows, contrast.column)
                sentences.append(f"({mark}) {select.describe(fixed)}: {final}.")
    return sentences


def _final(rows: pd.DataFrame, column: str) -> str:
    """`median loss at iteration 6000: 0.11 (skip), 0.32 (no skip); 5 seeds`."""
    summary = select.over_seeds(rows, [column])
    last = summary["step"].max()
    parts = [
        f"{select.at_step(select.keep(summary, **{column: value}), last):.3g} ({look['label']})"
        for value, look in curves.looks(column, summary[column].unique()).items()
    ]
    seeds = select.plural(int(summary["seeds"].max()), "seed")
    return f"median loss at iteration {last:,}: {', '.join(parts)}; {seeds}"
