"""Figure 4: what accelerates training (Xu et al. 2021, Figure 4), and how far we are from theirs.

(a) skip connections or not, (b) depth, (c) true or random labels.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gnn_dynamics.figures import curves, style
from gnn_dynamics.summaries import select

PANELS = (curves.SKIPS, curves.DEPTH, curves.LABELS)
ITERATIONS = (1000, 2000, 3000, 4000, 5000, 6000)


@style.styled
def draw(training: pd.DataFrame) -> Figure:
    """Panels (a), (b), (c) for each activation (row), first dataset and aggregation.

    training: table `training`; experiments `curves` and `labels` are used. The paper's digitised
    curves are drawn where the setting is theirs (Cora, GCN, Adam, mean cross-entropy).
    """
    cell, activations = _cell(training)
    if not cell:
        return style.missing_figure(
            "No runs of the experiments 'curves' and 'labels'.", select.HOW_TO_GET
        )
    figure = style.new_figure(0.75 + 1.95 * len(activations))
    cells = [{**cell, "activation": activation} for activation in activations]
    columns = curves.draw_columns(figure, training, cells, PANELS)
    for mark, contrast, panels in zip("abc", PANELS, columns, strict=True):
        for (ax, held), activation in zip(panels, activations, strict=True):
            style.letter(ax, mark, title(contrast, held, activation))
    title_ = f"{style.name(cell['dataset'])}, {style.name(cell['aggregation'])}; {curves.BAND}"
    figure.suptitle(title_, fontsize=8)
    return figure


def title(contrast: curves.Contrast, held: dict, activation: str) -> str:
    """Panel title: the contrast, and what it was held at."""
    depth = f", H = {held['depth']}" if "depth" in held else ""
    return f"{style.name(activation)}: {contrast.title}{depth}"


def _cell(training: pd.DataFrame) -> tuple[dict, list[str]]:
    rows = pd.concat([select.experiment(training, name) for name in ("curves", "labels")])
    if rows.empty:
        return {}, []
    dataset = select.ordered(rows["dataset"], "dataset")[0]
    rows = select.keep(rows, dataset=dataset)
    aggregation = select.ordered(rows["aggregation"], "aggregation")[0]
    return {"dataset": dataset, "aggregation": aggregation}, select.ordered(
        rows["activation"], "activation"
    )


def deviation(training: pd.DataFrame | None) -> pd.DataFrame:
    """Our median loss against the digitised Figure 4, on Cora with GCN.

    Returns columns activation, panel, curve, iteration, paper, ours, relative (ours / paper - 1);
    empty where no run has the paper's setting.
    """
    rows = []
    for activation in ("linear", "relu"):
        for contrast in PANELS:
            rows += _deviation_rows(training, contrast, activation)
    columns = ["activation", "panel", "curve", "iteration", "paper", "ours", "relative"]
    return pd.DataFrame(rows, columns=columns)


def _deviation_rows(
    training: pd.DataFrame | None, contrast: curves.Contrast, activation: str
) -> list[tuple]:
    cell = {"dataset": "cora", "aggregation": "gcn", "activation": activation}
    chosen, held = curves.chosen(training, contrast, **cell)
    if chosen.empty or not curves.is_papers_setting(contrast, held):
        return []
    summary = select.over_seeds(chosen, [contrast.column])
    rows = []
    for (panel, curve), value in curves.PAPER_CURVES.items():
        if panel == contrast.panel:
            paper = select.keep(curves.paper_figure4(), panel=panel, curve=curve)
            paper = paper[paper["iteration"].isin(ITERATIONS)]
            ours = select.at_step(
                select.keep(summary, **{contrast.column: value}), paper["iteration"]
            )
            columns = (paper["iteration"], paper["loss"], ours, ours / paper["loss"] - 1)
            rows += [(activation, panel, curve, *row) for row in zip(*columns, strict=True)]
    return [row for row in rows if np.isfinite(row[-1])]


def measured(training: pd.DataFrame) -> list[str]:
    """Final losses in every panel, then the distance from the digitised curves."""
    cell, activations = _cell(training)
    sentences = []
    for activation in activations:
        for contrast, mark in zip(PANELS, "abc", strict=True):
            rows, held = curves.chosen(training, contrast, **cell, activation=activation)
            if len(rows):
                final = _final(rows, contrast.column)
                sentences.append(f"({mark}) {select.describe(held)}: {final}.")
    return sentences


def _final(rows: pd.DataFrame, column: str) -> str:
    """`median loss at iteration 6000: 0.11 (multiscale), 0.32 (no skips); 5 seeds`."""
    summary = select.over_seeds(rows, [column])
    last = summary["step"].max()
    labels = curves.looks(column, summary[column].unique())
    parts = [
        f"{select.at_step(select.keep(summary, **{column: value}), last):.3g} ({look['label']})"
        for value, look in labels.items()
    ]
    seeds = select.plural(int(summary["seeds"].max()), "seed")
    return f"median loss at iteration {last:,}: {', '.join(parts)}; {seeds}"
