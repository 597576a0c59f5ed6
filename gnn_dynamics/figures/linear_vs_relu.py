"""Figure 1: training curves of linear and ReLU graph neural networks (Xu et al. 2021, Figure 1)."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gnn_dynamics.claims import names
from gnn_dynamics.figures import seed_bands, style
from gnn_dynamics.summaries import select

CELL = ["aggregation", "multiscale", "depth"]


def shown(training: pd.DataFrame) -> tuple[pd.DataFrame, dict]:
    """Runs of experiment `curves` on the first dataset, and the keys that are fixed."""
    return select.fix(select.experiment(training, "curves"), [*CELL, "activation"])


def draw(rows: pd.DataFrame, fixed: dict) -> Figure:
    """A panel for each aggregation (row) and depth (column)."""
    kinds, depths = select.ordered(rows["aggregation"], "aggregation"), sorted(set(rows["depth"]))
    figure = style.new_figure(0.55 + 1.75 * len(kinds))
    axes = figure.subplots(len(kinds), len(depths), squeeze=False, sharex="row", sharey="row")
    model = ["activation", "multiscale"]
    models = rows[model].drop_duplicates().sort_values("activation")
    looks = {
        (activation, skip): {
            "color": style.ACTIVATION_COLOUR.get(activation, style.GREEN),
            "linestyle": style.SKIP[skip]["ls"],
        }
        for activation, skip in models.itertuples(index=False)
    }
    for line, kind in zip(axes, kinds, strict=True):
        for ax, depth in zip(line, depths, strict=True):
            part = select.keep(rows, aggregation=kind, depth=depth)
            if part.empty:
                style.missing(ax, "No runs.", select.HOW_TO_GET)
            else:
                seed_bands.draw(ax, part, model, looks)
                seed_bands.finish(ax, fixed)
            ax.set_title(f"{names.name(kind)}, H = {depth}")
        for ax in line[1:]:
            ax.set_ylabel("")
    entries = {names.listed(*values): look for values, look in looks.items()}
    title = f"{names.name(fixed['dataset'])}; {seed_bands.BAND}"
    style.legend_above(figure, entries, title, columns=4)
    return figure


def measured(rows: pd.DataFrame, fixed: dict) -> list[str]:
    """How far ReLU and linear curves are apart, over all panels."""
    summary = select.over_seeds(rows, [*CELL, "activation"])
    wide = summary.pivot_table(index=[*CELL, "step"], columns="activation", values="median")
    if not {"linear", "relu"} <= set(wide):
        return [f"Only {', '.join(wide)} networks were trained, so there is nothing to compare."]
    log_ratio = np.log10(wide["relu"] / wide["linear"])
    last = log_ratio.groupby(CELL).last()
    largest = log_ratio.abs().groupby(CELL).max()
    aggregation, multiscale, depth = largest.idxmax()
    return [
        f"Setting: {select.describe(fixed)}.",
        "At the last iteration that both have, the ReLU network's median loss is between"
        f" {10 ** last.min():.2f} and {10 ** last.max():.2f} times the linear one's"
        f" ({select.plural(len(last), 'cell')}).",
        f"Anywhere along training the two medians differ by at most a factor"
        f" {10 ** largest.max():.2f} ({names.listed(aggregation, multiscale)}, H = {depth}).",
    ]
