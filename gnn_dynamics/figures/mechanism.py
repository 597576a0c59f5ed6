"""Why it should train faster, above; how much faster it trains, below; both against depth.

Skip connections repair the graph condition (Theorem 2), heads carry the decrease of the loss
(Theorem 3), true labels lie in the leading directions of the propagated features.
"""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gnn_dynamics.figures import log_axis, style
from gnn_dynamics.figures.style import DASHED, DOTTED, SKIP_LINE, SOLID
from gnn_dynamics.summaries import effects, names, select
from gnn_dynamics.summaries.gradient_terms import head_shares

ACCELERATIONS = {  # by claim: short name, title of the mechanism, title of the effect
    "09": ("skip connections", "graph condition", "skip vs. no skip"),
    "10": ("depth", "share of the head terms", "depth H vs. the next smaller"),
    "11": ("true labels", "label alignment", "true vs. permuted labels"),
}
# Curves of the mechanisms: column, line, values of other keys.
Curves = Sequence[tuple[str, style.Line, Mapping[str, Any]]]
SIGMA = "sigma_min_positive_sq"
CONDITION: Curves = [(SIGMA, SKIP_LINE[skip], {"multiscale": skip}) for skip in (True, False)]
HEADS: Curves = [("share", SOLID, {})]
ALIGNMENT: Curves = [("alignment", SOLID, {}), ("alignment_expected", DOTTED, {})]
COLOURS = (style.BLUE, style.RED, style.GREEN, style.PURPLE, style.SKY, style.ORANGE)
MARKERS = "osD^vP"
WIDE = 0.12  # of a depth, between two graphs at the same depth

Looks = Mapping[str, style.Look]  # by dataset


def _rows(
    graph_condition: pd.DataFrame,
    gradient_terms: pd.DataFrame,
    alignment: pd.DataFrame,
    comparisons: pd.DataFrame,
) -> tuple:
    """Cells of the accelerations in flow time, fixed keys, condition, head shares, alignment."""
    cells = effects.judged(comparisons, list(ACCELERATIONS), ["flow_time"])
    if cells.empty:
        return (cells,)
    free = ("dataset", "multiscale", "depth", "labels", "lr")
    cells, fixed = effects.fix(cells.astype({"width": int}), free)
    labels = _same_problem(alignment, fixed)
    if len(labels):
        labels = select.keep(labels, labels="true", multiscale=bool(labels["multiscale"].max()))
    return cells, fixed, _same_problem(graph_condition, fixed), head_shares(gradient_terms), labels


def _same_problem(table: pd.DataFrame, fixed: Mapping) -> pd.DataFrame:
    """Rows of a table on the same problem as the cells."""
    keys = ("aggregation", "features", "nodes") if len(table) else ()
    return select.keep(table, **{key: fixed[key] for key in keys})


@style.figure(
    _rows, "No acceleration was measured in flow time with squared loss.", select.HOW_TO_GET
)
def draw(
    cells: pd.DataFrame,
    fixed: dict,
    condition: pd.DataFrame,
    shares: pd.DataFrame,
    labels: pd.DataFrame,
) -> Figure:
    """Three columns: skips, depth, labels; the mechanism above the measured effect in flow time.

    From tables `graph_condition`, `gradient_terms`, `alignment` and `comparisons`. Colour and
    marker distinguish the graphs, at most six of them; one aggregation is shown.
    """
    datasets = select.ordered(cells["dataset"], "dataset")
    looks: Looks = {
        name: {"color": colour, "marker": marker, "ms": 3.5}
        for name, colour, marker in zip(datasets, COLOURS, MARKERS, strict=False)
    }
    # The runs of Figure 5 may be of graphs without a measured effect.
    grey = {name: {"color": style.GREY, "marker": "o", "ms": 3.5} for name in shares["dataset"]}
    figure = style.new_figure(4.6)
    axes = figure.subplots(2, 3)
    sigma, heads, alignment = axes[0]
    if _lines(sigma, condition, CONDITION, looks, "graph conditions for these features and nodes"):
        sigma.set(yscale="log", ylabel=r"smallest positive $\sigma^2$")
        log_axis.plain_ticks(sigma.yaxis)
    if _lines(heads, shares, HEADS, {**grey, **looks}, "runs with gradient terms"):
        heads.axhline(0.5, color=style.BLACK, lw=0.7, ls=":")
        heads.set(ylim=(0, 1), ylabel="head terms / all terms")
    if _lines(alignment, labels, ALIGNMENT, looks, "label alignments for these features and nodes"):
        alignment.set(ylim=(0, None), ylabel=r"$\|Y P_k\|^2/\|Y\|^2$")
    for column, marks, (claim, (_, *titles)) in zip(
        axes.T, ("ad", "be", "cf"), ACCELERATIONS.items(), strict=True
    ):
        column[0].xaxis.set_major_locator(MaxNLocator(integer=True))
        _effects(column[1], select.keep(cells, claim=claim), looks)
        for ax, mark, title in zip(column, marks, titles, strict=True):
            style.letter(ax, mark, title)
            ax.set_xlabel("depth H")
            ax.grid(axis="y")
    title = "\n".join(textwrap.wrap(select.describe(fixed), 90))
    style.legend_above(figure, _legend(looks), title, columns=5)
    return figure


def _lines(
    ax: Axes,
    rows: pd.DataFrame,
    curves: Curves,
    looks: Looks,
    missing: str,
) -> bool:
    """Medians of each curve's column by depth, for each graph; whether anything was drawn."""
    if rows.empty or not rows["dataset"].isin(looks).any():
        style.missing(ax, f"No {missing}.", "Add them to the config (config/README.md).")
        return False
    for (name, look), (column, line, keys) in product(looks.items(), curves):
        curve = select.keep(rows, dataset=name, **keys).groupby("depth")[column].median()
        ax.plot(curve.index, curve, ls=line, **look)
    return True


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
        ax.plot(x, curve["effect"], ls=SKIP_LINE[skip], **look)
    depths = sorted(set(cells["depth"].astype(int)))
    ax.set(xticks=depths, xlim=(depths[0] - 0.5, depths[-1] + 0.5))


def _legend(looks: Looks) -> list:
    entries = {names.name(dataset): look for dataset, look in looks.items()}
    lines = {"skip": SOLID, "no skip": DASHED, "(c) mean of permuted labels": DOTTED}
    return style.key(
        entries | {label: {"color": style.GREY, "ls": line} for label, line in lines.items()}
    )


@style.sentences(_rows)
def measured(
    cells: pd.DataFrame,
    fixed: dict,
    condition: pd.DataFrame,
    shares: pd.DataFrame,
    labels: pd.DataFrame,
) -> list[str]:
    """For each graph the effects, then the label alignment at the deepest network."""
    sentences = [f"Setting: {select.describe(fixed)}, flow time."]
    for claim, (short, *_) in ACCELERATIONS.items():
        for row in effects.medians(select.keep(cells, claim=claim), ["dataset"]).itertuples():
            sentences.append(
                f"{names.name(row.dataset)}, {short}: effect {effects.with_ends(row)}, median over"
                f" {select.plural(row.cells, 'cell')}."
            )
    for name, part in labels.groupby("dataset") if len(labels) else ():
        deepest = part[part["depth"] == part["depth"].max()].median(numeric_only=True)
        sentences.append(
            f"{names.name(name)}: at H = {deepest['depth']:.0f} the leading directions contain"
            f" {deepest['alignment']:.0%} of the true labels, and"
            f" {deepest['alignment_expected']:.0%} of permuted labels on average."
        )
    return sentences
