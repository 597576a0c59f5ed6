"""Predicted mechanisms (top) and measured accelerations (bottom) against depth.

Skip connections repair the graph condition (Theorem 2), heads carry the decrease of the loss
(Theorem 3), true labels lie in the leading directions of the propagated features.
"""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gnn_dynamics.claims import names
from gnn_dynamics.figures import log_axis, style
from gnn_dynamics.figures.style import DASHED, DOTTED, SOLID
from gnn_dynamics.summaries import effects, select
from gnn_dynamics.summaries.effects import ACCELERATIONS
from gnn_dynamics.summaries.gradient_terms import head_shares

COLOURS = (style.BLUE, style.RED, style.GREEN, style.PURPLE, style.SKY, style.ORANGE)
MARKERS = "osD^vP"
GREY: style.Look = {"color": style.GREY, "marker": "o", "ms": 3.5}
# Hollow marks tell the networks apart where there is only one depth, and so no line.
NETWORKS: dict[bool, style.Look] = {True: {"ls": SOLID}, False: {"ls": DASHED, "mfc": "white"}}
WIDE = 0.12  # of a depth, between two graphs at the same depth

Looks = Mapping[str, style.Look]  # by dataset


class Column(NamedTuple):
    """The panels of a claim: titles of the mechanism and of the effect, and the mechanism.

    curves: column, line and marker, values of other keys
    """

    mechanism: str
    effect: str
    absent: str
    axis: style.Look
    curves: Sequence[tuple[str, style.Look, Mapping[str, Any]]]


COLUMNS = {
    "09": Column(
        "graph condition",
        "skip vs. no skip",
        "graph conditions for these features and nodes",
        {"yscale": "log", "ylabel": r"smallest positive $\sigma^2$"},
        [("sigma_min_positive_sq", NETWORKS[s], {"multiscale": s}) for s in (True, False)],
    ),
    "10": Column(
        "share of the head terms",
        "depth H vs. the next smaller",
        "runs with gradient terms",
        {"ylim": (0, 1), "ylabel": "head terms / all terms"},
        [("share", {"ls": SOLID}, {})],
    ),
    "11": Column(
        "label alignment",
        "true vs. permuted labels",
        "label alignments for these features and nodes",
        {"ylim": (0, None), "ylabel": r"$\|Y P_k\|^2/\|Y\|^2$"},
        [("alignment", {"ls": SOLID}, {}), ("alignment_expected", {"ls": DOTTED}, {})],
    ),
}


def shown(
    graph_condition: pd.DataFrame,
    gradient_terms: pd.DataFrame,
    alignment: pd.DataFrame,
    comparisons: pd.DataFrame,
) -> tuple[pd.DataFrame, dict, dict[str, pd.DataFrame]]:
    """Cells of the accelerations in flow time, keys that are fixed, and the mechanisms' rows."""
    cells = effects.judged(comparisons, list(ACCELERATIONS), ["flow_time"])
    if cells.empty:
        return cells, {}, {}
    free = ("dataset", "multiscale", "depth", "labels", "lr")
    cells, fixed = effects.fix(cells.astype({"width": int}), free)
    problem = {key: fixed[key] for key in ("aggregation", "features", "nodes")}
    condition, labels = (
        select.keep(table, **problem) if len(table) else table
        for table in (graph_condition, alignment)
    )
    if len(labels):
        labels = select.keep(labels, labels="true", multiscale=bool(labels["multiscale"].max()))
    return cells, fixed, {"09": condition, "10": head_shares(gradient_terms), "11": labels}


def draw(cells: pd.DataFrame, fixed: dict, mechanisms: dict[str, pd.DataFrame]) -> Figure:
    """Three columns: skips, depth, labels; the mechanism above the measured effect in flow time.

    Colour and marker distinguish the graphs, at most six of them; one aggregation is shown.
    """
    datasets = select.ordered(cells["dataset"], "dataset")
    looks: Looks = {
        name: {"color": colour, "marker": marker, "ms": 3.5}
        for name, colour, marker in zip(datasets, COLOURS, MARKERS, strict=False)
    }
    # The runs of Figure 5 may be of graphs without a measured effect.
    shares = mechanisms["10"]
    grey = dict.fromkeys(shares["dataset"], GREY)
    figure = style.new_figure(4.6)
    axes = figure.subplots(2, 3)
    for (above, below), marks, (claim, column) in zip(
        axes.T, ("ad", "be", "cf"), COLUMNS.items(), strict=True
    ):
        known = {**grey, **looks} if claim == "10" else looks
        _mechanism(above, mechanisms[claim], column, known)
        _effects(below, select.keep(cells, claim=claim), looks)
        style.letter(above, marks[0], column.mechanism)
        style.letter(below, marks[1], column.effect)
        for ax in (above, below):
            ax.set_xlabel("depth H")
    if len(shares):
        axes[0, 1].axhline(0.5, color=style.BLACK, lw=0.7, ls=":")
    entries = {names.name(dataset): look for dataset, look in looks.items()}
    entries |= {names.name(skip): {**GREY, **look} for skip, look in NETWORKS.items()}
    entries["(c) mean of permuted labels"] = {"color": style.GREY, "ls": DOTTED}
    title = "\n".join(textwrap.wrap(select.describe(fixed), 90))
    style.legend_above(figure, entries, title, columns=5)
    return figure


def _mechanism(ax: Axes, rows: pd.DataFrame, column: Column, looks: Looks) -> None:
    """Medians of each curve's column by depth, for each graph."""
    if rows.empty or not rows["dataset"].isin(looks).any():
        how = "Add them to the config (config/README.md)."
        style.missing(ax, f"No {column.absent}.", how)
        return
    for (name, look), (value, network, keys) in product(looks.items(), column.curves):
        curve = select.keep(rows, dataset=name, **keys).groupby("depth")[value].median()
        ax.plot(curve.index, curve, **network, **look)
    ax.set(**column.axis)
    if ax.get_yscale() == "log":
        log_axis.plain_ticks(ax.yaxis)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def _effects(ax: Axes, cells: pd.DataFrame, looks: Looks) -> None:
    """For each graph and depth medians over thresholds of the effect and of its interval's ends."""
    ax.axhline(0, color=style.BLACK, lw=0.7)
    ax.set_ylabel("speed-up (log$_2$)")
    if cells.empty:
        style.missing(ax, "No cell was decided.", "More steps or seeds.")
        return
    skips = (True, False) if cells["multiscale"].nunique() > 1 else cells["multiscale"].unique()
    for (position, (name, look)), skip in product(enumerate(looks.items()), skips):
        curve = effects.medians(select.keep(cells, dataset=name, multiscale=skip), ["depth"])
        x = curve["depth"].astype(float) + WIDE * (position - (len(looks) - 1) / 2)
        ax.vlines(x, curve["ci_low"], curve["ci_high"], color=look["color"], lw=0.8)
        ax.plot(x, curve["effect"], **NETWORKS[bool(skip)], **look)
    depths = sorted(set(cells["depth"].astype(int)))
    ax.set(xticks=depths, xlim=(depths[0] - 0.5, depths[-1] + 0.5))


def measured(cells: pd.DataFrame, fixed: dict, mechanisms: dict[str, pd.DataFrame]) -> list[str]:
    """For each graph the effects, then the label alignment at the deepest network."""
    sentences = [f"Setting: {select.describe(fixed)}, flow time."]
    for row in effects.medians(cells, ["claim", "dataset"]).itertuples():
        sentences.append(
            f"{names.name(row.dataset)}, {ACCELERATIONS[row.claim]}: effect"
            f" {effects.with_ends(row)}, median over {select.plural(row.cells, 'cell')}."
        )
    labels = mechanisms["11"]
    for name, part in labels.groupby("dataset") if len(labels) else ():
        deepest = part[part["depth"] == part["depth"].max()].median(numeric_only=True)
        sentences.append(
            f"{names.name(name)}: at H = {deepest['depth']:.0f} the leading directions contain"
            f" {deepest['alignment']:.0%} of the true labels, and"
            f" {deepest['alignment_expected']:.0%} of permuted labels on average."
        )
    return sentences
