"""The comparisons of the paper's Figure 4: rows of each panel, and the paper's own curves.

The curves were read from the printed figure (Xu et al. 2021; see paper_figure4.csv).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.summaries import select


@dataclass(frozen=True)
class Contrast:
    """What a panel compares: one curve for each value of `column`."""

    column: str
    title: str
    setting: Mapping[str, Any]  # the paper's values of other keys; others are taken if need be
    panel: str  # panel of the paper's Figure 4, for the digitised curves
    experiment: str = "curves"


_TWO_LAYERS = {"multiscale": False, "depth": 2, "lr": 1e-4}
SKIPS = Contrast("multiscale", "skip or no skip", {"depth": 6, "lr": 5e-5}, "a")
DEPTH = Contrast("depth", "depth, skip", {"multiscale": True, "lr": 5e-5}, "b")
DEPTH_NO_SKIP = Contrast("depth", "depth, no skip", {"multiscale": False, "lr": 5e-5}, "")
LABELS = Contrast("labels", "labels", _TWO_LAYERS, "c", "labels")
FIGURE_4 = (SKIPS, DEPTH, LABELS)
# What the paper's Figure 4 shows in all panels, as far as it could be reconstructed.
PAPER_SETTING = {
    "dataset": "cora",
    "aggregation": "gcn",
    "loss_fn": "cross_entropy",
    "optimizer": "adam",
}
# Our key values for each digitised curve: (panel, curve) -> value of the panel's column.
PAPER_CURVES = {
    ("a", "multiscale"): True,
    ("a", "non-multiscale"): False,
    ("b", "2 layer"): 2,
    ("b", "4 layer"): 4,
    ("b", "6 layer"): 6,
    ("c", "signal"): "true",
    ("c", "noise"): "uniform",
}
ITERATIONS = (1000, 2000, 3000, 4000, 5000, 6000)


@cache
def paper_figure4() -> pd.DataFrame:
    """The paper's Figure 4 as digitised: panel, curve, iteration, loss, quality (see the file)."""
    with files("gnn_dynamics.summaries").joinpath("paper_figure4.csv").open() as lines:
        return pd.read_csv(lines, comment="#")


def panel_rows(
    training: pd.DataFrame | None, contrast: Contrast, **cell: Any
) -> tuple[pd.DataFrame, dict]:
    """The rows that a panel shows, and the values of the keys that are fixed in it."""
    table = select.keep(select.experiment(training, contrast.experiment), **cell)
    first = {key: [value] for key, value in contrast.setting.items()}
    if "depth" in first and len(table):
        first["depth"].append(table["depth"].max())
    return select.fix(table, (contrast.column,), first)


def is_papers_setting(contrast: Contrast, fixed: Mapping[str, Any]) -> bool:
    """Whether the digitised curves of a panel are of this setting."""
    setting = PAPER_SETTING | dict(contrast.setting)
    return bool(contrast.panel) and all(fixed.get(key) == value for key, value in setting.items())


def deviation(training: pd.DataFrame | None) -> pd.DataFrame:
    """Our median loss compared with the digitised Figure 4, on Cora with GCN.

    Returns columns activation, panel, curve, iteration, paper, ours, relative (ours / paper - 1);
    empty where no run has the paper's setting.
    """
    rows = []
    for activation in ("linear", "relu"):
        for contrast in FIGURE_4:
            rows += _deviation_rows(training, contrast, activation)
    columns = ["activation", "panel", "curve", "iteration", "paper", "ours", "relative"]
    return pd.DataFrame(rows, columns=columns)


def _deviation_rows(
    training: pd.DataFrame | None, contrast: Contrast, activation: str
) -> list[tuple]:
    cell = {"dataset": "cora", "aggregation": "gcn", "activation": activation}
    chosen, fixed = panel_rows(training, contrast, **cell)
    if chosen.empty or not is_papers_setting(contrast, fixed):
        return []
    summary = select.over_seeds(chosen, [contrast.column])
    rows: list[tuple] = []
    for (panel, curve), value in PAPER_CURVES.items():
        if panel == contrast.panel:
            paper = select.keep(paper_figure4(), panel=panel, curve=curve)
            paper = paper[paper["iteration"].isin(ITERATIONS)]
            runs = select.keep(summary, **{contrast.column: value})
            ours = select.at_step(runs, paper["iteration"])
            columns = (paper["iteration"], paper["loss"], ours, ours / paper["loss"] - 1)
            rows += [(activation, panel, curve, *row) for row in zip(*columns, strict=True)]
    return [row for row in rows if np.isfinite(row[-1])]
