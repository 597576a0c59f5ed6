"""Figure 1: training curves of linear and ReLU graph neural networks (Xu et al. 2021, Figure 1)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnn_dynamics.figures import seed_bands, style
from gnn_dynamics.summaries import names, select

FREE = ("aggregation", "multiscale", "activation", "depth")
_CELL = ["aggregation", "multiscale", "depth"]


def _rows(training: pd.DataFrame) -> tuple[pd.DataFrame, dict]:
    """Runs of experiment `curves` on the first dataset, and the keys that are fixed."""
    return select.fix(select.experiment(training, "curves"), FREE)


@style.figure(_rows, "No runs of experiment 'curves'.", select.HOW_TO_GET)
def draw(rows: pd.DataFrame, fixed: dict) -> Figure:
    """A panel for each aggregation (row) and depth (column), from table `training`."""
    kinds, depths = select.ordered(rows["aggregation"], "aggregation"), sorted(set(rows["depth"]))
    figure = style.new_figure(0.55 + 1.75 * len(kinds))
    axes = figure.subplots(len(kinds), len(depths), squeeze=False, sharex="row", sharey="row")
    for i, kind in enumerate(kinds):
        for j, depth in enumerate(depths):
            _panel(axes[i, j], select.keep(rows, aggregation=kind, depth=depth), fixed)
            style.letter(axes[i, j], "", f"{names.name(kind)}, H = {depth}")
            axes[i, j].set_ylabel(axes[i, j].get_ylabel() if j == 0 else "")
    title = f"{names.name(fixed['dataset'])}; {seed_bands.BAND}"
    style.legend_above(figure, _legend(rows), title, columns=4)
    return figure


def _look(activation: str, multiscale: bool) -> style.Look:
    return {
        "color": style.ACTIVATION_COLOUR[activation],
        "linestyle": style.SKIP_LINE[multiscale],
        "label": names.listed(activation, multiscale),
    }


def _panel(ax: Axes, rows: pd.DataFrame, fixed: dict[str, Any]) -> None:
    if rows.empty:
        style.missing(ax, "No runs.", select.HOW_TO_GET)
        return
    summary = select.over_seeds(rows, ["activation", "multiscale"])
    for (activation, multiscale), curve in summary.groupby(["activation", "multiscale"]):
        seed_bands.draw_band(ax, curve, **_look(activation, multiscale))
    seed_bands.finish(ax, fixed)


def _legend(rows: pd.DataFrame) -> list:
    pairs = rows[["activation", "multiscale"]].drop_duplicates().sort_values(["activation"])
    entries = [_look(*pair) for pair in pairs.itertuples(index=False)]
    return style.key({look.pop("label"): look for look in entries})


@style.sentences(_rows)
def measured(rows: pd.DataFrame, fixed: dict) -> list[str]:
    """How far ReLU and linear curves are apart, over all panels."""
    summary = select.over_seeds(rows, list(FREE))
    wide = summary.pivot_table(index=[*_CELL, "step"], columns="activation", values="median")
    if not {"linear", "relu"} <= set(wide):
        return [f"Only {', '.join(wide)} networks were trained, so there is nothing to compare."]
    return [
        f"Setting: {select.describe(fixed)}.",
        *_distance(np.log10(wide["relu"] / wide["linear"])),
    ]


def _distance(log_ratio: pd.Series) -> list[str]:
    """log10 of ReLU loss over linear loss, by cell and step, in words."""
    last = log_ratio.groupby(_CELL).last()
    largest = log_ratio.abs().groupby(_CELL).max()
    aggregation, multiscale, depth = largest.idxmax()
    cell = f"{names.listed(aggregation, multiscale)}, H = {depth}"
    return [
        "At the last iteration that both have, the ReLU network's median loss is between"
        f" {10 ** last.min():.2f} and {10 ** last.max():.2f} times the linear one's"
        f" ({select.plural(len(last), 'cell')}).",
        f"Anywhere along training the two medians differ by at most a factor"
        f" {10 ** largest.max():.2f} ({cell}).",
    ]
