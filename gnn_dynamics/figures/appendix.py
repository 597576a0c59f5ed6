"""Appendix: the training curves of one dataset, {GCN, GIN} x {linear, ReLU} x {skip or no skip}.

The paper's appendix B repeats Figure 4 for the remaining combinations; so does this grid.
"""

from itertools import product

import pandas as pd
from matplotlib.figure import Figure

from gnn_dynamics.figures import curves, seed_bands, style
from gnn_dynamics.figures.training_speed import MISSING, title
from gnn_dynamics.summaries import names, paper_curves, select

PANELS = (
    *(paper_curves.SKIPS, paper_curves.DEPTH, paper_curves.DEPTH_NO_SKIP),
    paper_curves.LABELS,
)


def _cells(training: pd.DataFrame, dataset: str) -> tuple[list[dict[str, str]], pd.DataFrame]:
    """The keys of each row of panels: aggregation and activation."""
    rows = pd.concat([select.experiment(training, name) for name in ("curves", "labels")])
    rows = select.keep(rows, dataset=dataset)
    present = set(zip(rows["aggregation"], rows["activation"], strict=True))
    cells = [
        {"dataset": dataset, "aggregation": aggregation, "activation": activation}
        for aggregation, activation in product(("gcn", "gin", "rw"), ("linear", "relu"))
        if (aggregation, activation) in present
    ]
    return cells, training


@style.figure(_cells, MISSING, select.HOW_TO_GET)
def draw(cells: list[dict[str, str]], training: pd.DataFrame) -> Figure:
    """Rows: aggregation and activation. Columns: skips, depth (skip and no skip), labels.

    From table `training`, for the option `dataset`.
    """
    figure = style.new_figure(0.75 + 1.7 * len(cells), width=style.WIDTH * 1.25)
    columns = curves.draw_columns(figure, training, cells, PANELS)
    for contrast, panels in zip(PANELS, columns, strict=True):
        for (ax, fixed), cell in zip(panels, cells, strict=True):
            text = title(contrast, fixed, cell["activation"])
            style.letter(ax, "", f"{names.name(cell['aggregation'])}, {text}")
            ax.title.set_fontsize(7)
    figure.suptitle(f"{names.name(cells[0]['dataset'])}; {seed_bands.BAND}", fontsize=8)
    return figure


@style.sentences(_cells)
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


def _ordered_ends(
    training: pd.DataFrame, contrast: paper_curves.Contrast, cell: dict
) -> bool | None:
    """Whether the last medians fall with skips, depth or true labels; None if unknown."""
    rows, _ = paper_curves.panel_rows(training, contrast, **cell)
    if rows.empty:
        return None
    summary = select.over_seeds(rows, [contrast.column])
    last = summary[summary["step"] == summary["step"].max()].set_index(contrast.column)["median"]
    if contrast.column == "labels":
        random = last.drop("true", errors="ignore")
        return bool(last["true"] < random.min()) if 0 < len(random) < len(last) else None
    fastest_first = last.sort_index(ascending=False)
    return bool(fastest_first.is_monotonic_increasing) if len(last) > 1 else None
