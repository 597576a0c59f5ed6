"""Appendix: the training curves of one dataset, {GCN, GIN} x {linear, ReLU} x {multiscale or not}.

The paper's appendix B repeats Figure 4 for the remaining combinations; so does this grid.
"""

from itertools import product

import pandas as pd
from matplotlib.figure import Figure

from gnn_dynamics.figures import curves, style
from gnn_dynamics.figures.training_speed import title
from gnn_dynamics.summaries import select

PANELS = (curves.SKIPS, curves.DEPTH, curves.DEPTH_SINGLE, curves.LABELS)


@style.styled
def draw(training: pd.DataFrame, dataset: str) -> Figure:
    """Rows: aggregation and activation. Columns: skips, depth with and without skips, labels."""
    cells = _cells(training, dataset)
    if not cells:
        what = f"No runs of the experiments 'curves' and 'labels' on {style.name(dataset)}."
        return style.missing_figure(what, select.HOW_TO_GET)
    figure = style.new_figure(0.75 + 1.7 * len(cells), width=style.WIDTH * 1.25)
    columns = curves.draw_columns(figure, training, cells, PANELS)
    for contrast, panels in zip(PANELS, columns, strict=True):
        for (ax, held), cell in zip(panels, cells, strict=True):
            text = title(contrast, held, cell["activation"])
            style.letter(ax, "", f"{style.name(cell['aggregation'])}, {text}")
            ax.title.set_fontsize(7)
    figure.suptitle(f"{style.name(dataset)}; {curves.BAND}", fontsize=8)
    return figure


def _cells(training: pd.DataFrame, dataset: str) -> list[dict[str, str]]:
    rows = pd.concat([select.experiment(training, name) for name in ("curves", "labels")])
    rows = rows[rows["dataset"] == dataset]
    present = set(zip(rows["aggregation"], rows["activation"], strict=True))
    return [
        {"dataset": dataset, "aggregation": aggregation, "activation": activation}
        for aggregation, activation in product(("gcn", "gin", "rw"), ("linear", "relu"))
        if (aggregation, activation) in present
    ]


def measured(training: pd.DataFrame, dataset: str) -> list[str]:
    """How often the accelerated curve ends below the other, over the rows of the grid."""
    cells = _cells(training, dataset)
    sentences = []
    for contrast in PANELS:
        ends = [_ordered_ends(training, contrast, cell) for cell in cells]
        known = [end for end in ends if end is not None]
        if known:
            sentences.append(
                f"{contrast.title}: the end losses are in the order that the paper's claim asks for"
                f" in {sum(known)} of {select.plural(len(known), 'row')}."
            )
    return sentences


def _ordered_ends(training: pd.DataFrame, contrast: curves.Contrast, cell: dict) -> bool | None:
    """Whether the last medians fall with skips, with depth, with true labels; None if unknown."""
    rows, _ = curves.chosen(training, contrast, **cell)
    if rows.empty:
        return None
    summary = select.over_seeds(rows, [contrast.column])
    last = summary[summary["step"] == summary["step"].max()].set_index(contrast.column)["median"]
    if contrast.column == "labels":
        random = last.drop("true", errors="ignore")
        return bool(last["true"] < random.min()) if 0 < len(random) < len(last) else None
    fastest_first = last.sort_index(ascending=False)
    return bool(fastest_first.is_monotonic_increasing) if len(last) > 1 else None
