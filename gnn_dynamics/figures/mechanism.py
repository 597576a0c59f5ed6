"""Why it should train faster, above; how much faster it trains, below; both against depth.

Skip connections repair the graph condition (Theorem 2), heads carry the decrease of the loss
(Theorem 3), true labels lie in the leading directions of the propagated features.
"""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gnn_dynamics.figures import log_axis, style
from gnn_dynamics.figures.style import DASHED, DOTTED, SOLID
from gnn_dynamics.summaries import effects, names, select
from gnn_dynamics.summaries.gradient_terms import head_shares

Looks = Mapping[str, style.Look]  # of each graph


@dataclass(frozen=True)
class Mechanism:
    """A column of the figure: a claim, and the panel of its mechanism.

    curves: value of `multiscale` (None: all rows), column and line of each curve
    every_graph: also draw graphs without a measured effect, in grey
    """

    short: str
    title: str
    effect: str
    curves: tuple[tuple[bool | None, str, style.Line], ...]
    ylabel: str
    missing: tuple[str, str]
    axis: Mapping[str, Any]
    middle: float | None = None  # where a dotted line is drawn
    every_graph: bool = False


MECHANISMS = {  # by claim
    "09": Mechanism(
        "skips",
        "graph condition",
        "skips against none",
        tuple((skip, "sigma_min_positive_sq", style.SCALE_LINE[skip]) for skip in (True, False)),
        r"smallest positive $\sigma^2$",
        ("No graph condition for these features and nodes.", "See config."),
        {"yscale": "log"},
    ),
    "10": Mechanism(
        "depth",
        "share of the head terms",
        "H against the depth before",
        ((None, "share", SOLID),),
        "head terms / all terms",
        ("No runs with gradient terms.", "Add experiment `terms`."),
        {"ylim": (0, 1)},
        middle=0.5,
        every_graph=True,
    ),
    "11": Mechanism(
        "true labels",
        "label alignment",
        "true or permuted labels",
        ((None, "alignment", SOLID), (None, "alignment_expected", DOTTED)),
        r"$\|Y P_k\|^2/\|Y\|^2$",
        ("No label alignment for these features and nodes.", "See config."),
        {"ylim": (0, None)},
    ),
}
COLOURS = (style.BLUE, style.RED, style.GREEN, style.PURPLE, style.SKY, style.ORANGE)
MARKERS = "osD^vP"
GREY_LOOK = {"color": style.GREY, "marker": "o", "ms": 3.5}
WIDE = 0.12  # of a depth, between two graphs at the same depth


def _rows(
    graph_condition: pd.DataFrame,
    gradient_terms: pd.DataFrame,
    alignment: pd.DataFrame,
    comparisons: pd.DataFrame,
) -> tuple[pd.DataFrame, dict, dict[str, pd.DataFrame]]:
    """Cells of the accelerations in flow time, the keys that are fixed, and rows by mechanism."""
    cells = effects.judged(comparisons, list(MECHANISMS), ["flow_time"])
    if cells.empty:
        return cells, {}, {}
    free = ("dataset", "multiscale", "depth", "labels", "lr")
    cells, fixed = effects.fix(cells.astype({"width": int}), free)
    labels = _same_problem(alignment, fixed)
    if len(labels):
        labels = select.keep(labels, labels="true", multiscale=bool(labels["multiscale"].max()))
    condition = _same_problem(graph_condition, fixed)
    return cells, fixed, {"09": condition, "10": head_shares(gradient_terms), "11": labels}


def _same_problem(table: pd.DataFrame, fixed: Mapping) -> pd.DataFrame:
    """Rows of a table on the same problem as the cells."""
    if table.empty:
        return table
    return select.keep(table, **{key: fixed[key] for key in ("aggregation", "features", "nodes")})


@style.figure(
    _rows, "No acceleration was measured in flow time with squared loss.", select.HOW_TO_GET
)
def draw(cells: pd.DataFrame, fixed: dict, rows: dict[str, pd.DataFrame]) -> Figure:
    """Three columns: skips, depth, labels; the mechanism above the measured effect in flow time.

    From tables `graph_condition`, `gradient_terms`, `alignment` and `comparisons`. Colour and
    marker distinguish the graphs, at most six of them; one aggregation is shown.
    """
    looks = _looks(cells)
    figure = style.new_figure(4.6)
    axes = figure.subplots(2, 3)
    for (top, bottom), (claim, mechanism), marks in zip(
        axes.T, MECHANISMS.items(), ("ad", "be", "cf"), strict=True
    ):
        _mechanism(top, mechanism, rows[claim], looks)
        _effects(bottom, select.keep(cells, claim=claim), looks)
        style.letter(top, marks[0], mechanism.title)
        style.letter(bottom, marks[1], mechanism.effect)
        top.xaxis.set_major_locator(MaxNLocator(integer=True))
    for ax in axes.flat:
        ax.set_xlabel("depth H")
        ax.grid(axis="y")
    title = "\n".join(textwrap.wrap(select.describe(fixed), 90))
    style.legend_above(figure, _legend(looks), title, columns=5)
    return figure


def _looks(cells: pd.DataFrame) -> Looks:
    """Colour and marker of each graph."""
    datasets = select.ordered(cells["dataset"], "dataset")[: len(COLOURS)]
    return {
        name: {"color": colour, "marker": marker, "ms": 3.5}
        for name, colour, marker in zip(datasets, COLOURS, MARKERS, strict=False)
    }


def _mechanism(ax: Axes, mechanism: Mechanism, rows: pd.DataFrame, looks: Looks) -> None:
    """Medians of each curve's column by depth, for each graph."""
    if mechanism.every_graph and len(rows):
        looks = dict.fromkeys(rows["dataset"], GREY_LOOK) | dict(looks)
    if rows.empty or not rows["dataset"].isin(looks).any():
        style.missing(ax, *mechanism.missing)
        return
    for (name, look), (skip, column, line) in product(looks.items(), mechanism.curves):
        part = select.keep(rows, dataset=name)
        part = part if skip is None else select.keep(part, multiscale=skip)
        curve = part.groupby("depth")[column].median()
        ax.plot(curve.index, curve, ls=line, **look)
    if mechanism.middle is not None:
        ax.axhline(mechanism.middle, color=style.BLACK, lw=0.7, ls=":")
    ax.set(ylabel=mechanism.ylabel, **mechanism.axis)
    if ax.get_yscale() == "log":
        log_axis.plain_ticks(ax.yaxis)


def _effects(ax: Axes, cells: pd.DataFrame, looks: Looks) -> None:
    """For each graph and depth medians over thresholds of the effect and of its interval's ends."""
    ax.axhline(0, color=style.BLACK, lw=0.7)
    ax.set_ylabel("times faster (log$_2$)")
    if cells.empty:
        style.missing(ax, "No cell was decided.", "More steps or seeds.")
        return
    skips = (True, False) if cells["multiscale"].nunique() > 1 else cells["multiscale"].unique()
    for position, (name, look) in enumerate(looks.items()):
        for skip in skips:
            rows = select.keep(cells, dataset=name, multiscale=skip)
            curve = effects.medians(rows, ["depth"])
            x = curve["depth"].astype(float) + WIDE * (position - (len(looks) - 1) / 2)
            ax.vlines(x, curve["ci_low"], curve["ci_high"], color=look["color"], lw=0.8)
            ax.plot(x, curve["effect"], ls=style.SCALE_LINE[skip], **look)
    depths = sorted(set(cells["depth"].astype(int)))
    ax.set(xticks=depths, xlim=(depths[0] - 0.5, depths[-1] + 0.5))


def _legend(looks: Looks) -> list:
    entries = {names.name(name): look for name, look in looks.items()}
    entries["multiscale"] = {"color": style.GREY, "ls": SOLID}
    entries["no skips"] = {"color": style.GREY, "ls": DASHED}
    entries["(c) mean of permuted labels"] = {"color": style.GREY, "ls": DOTTED}
    return style.key(entries)


@style.sentences(_rows)
def measured(cells: pd.DataFrame, fixed: dict, rows: dict[str, pd.DataFrame]) -> list[str]:
    """For each graph the effects, then the label alignment at the deepest network."""
    sentences = [f"Setting: {select.describe(fixed)}, flow time."]
    for claim, mechanism in MECHANISMS.items():
        for row in effects.medians(select.keep(cells, claim=claim), ["dataset"]).itertuples():
            sentences.append(
                f"{names.name(row.dataset)}, {mechanism.short}: effect {effects.with_ends(row)},"
                f" median over {select.plural(row.cells, 'cell')}."
            )
    for name, part in rows["11"].groupby("dataset") if len(rows["11"]) else ():
        deepest = part[part["depth"] == part["depth"].max()].median(numeric_only=True)
        sentences.append(
            f"{names.name(name)}: {deepest['alignment']:.0%} of the true labels lie in the leading"
            f" directions at H = {deepest['depth']:.0f}, {deepest['alignment_expected']:.0%} in"
            " the mean of permuted ones."
        )
    return sentences
