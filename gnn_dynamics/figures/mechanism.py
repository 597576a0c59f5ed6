"""Why it should train faster, above; how much faster it trains, below; both against depth.

Skip connections repair the graph condition (Theorem 2), heads carry the decrease of the loss
(Theorem 3), true labels lie in the leading directions of the propagated features.
"""

import textwrap
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gnn_dynamics.figures import style
from gnn_dynamics.figures.gradient_terms import term_sums
from gnn_dynamics.summaries import effects, select

CLAIMS = {"09": "skips", "10": "depth", "11": "true labels"}
TITLES = {
    "09": ("graph condition", "skips against none"),
    "10": ("share of the head terms", "H against the depth before"),
    "11": ("label alignment", "true or permuted labels"),
}
COLOURS = (style.BLUE, style.RED, style.GREEN, style.PURPLE, style.SKY, style.ORANGE)
MARKERS = "osD^vP"
SOLID, DASHED, DOTTED = "-", (0, (4, 1.6)), (0, (1, 1.2))
WIDE = 0.12  # of a depth, between two graphs at the same depth


@style.styled
def draw(
    graph_condition: pd.DataFrame | None,
    gradient_terms: pd.DataFrame | None,
    alignment: pd.DataFrame | None,
    comparisons: pd.DataFrame | None,
) -> Figure:
    """Three columns: skips, depth, labels; the mechanism above the measured effect in flow time.

    The tables of these names. Graphs are told apart by colour and marker, at most six of them; one
    aggregation is shown.
    """
    cells, held = _cells(comparisons)
    if cells.empty:
        what = "No acceleration was measured in flow time with squared loss."
        return style.missing_figure(what, select.HOW_TO_GET)
    looks = _looks(cells)
    figure = style.new_figure(4.6)
    axes = figure.subplots(2, 3)
    _condition(axes[0, 0], _of(graph_condition, held), looks)
    _heads(axes[0, 1], gradient_terms, looks)
    _alignment(axes[0, 2], _of(alignment, held), looks)
    for column, claim in enumerate(CLAIMS):
        _effects(axes[1, column], select.keep(cells, claim=claim), looks)
        for row in (0, 1):
            style.letter(axes[row, column], "abcdef"[3 * row + column], TITLES[claim][row])
    for ax in axes.flat:
        ax.set_xlabel("depth H")
        ax.grid(axis="y")
    for ax in axes[0]:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    title = "\n".join(textwrap.wrap(select.describe(held), 90))
    style.legend_above(figure, _legend(looks), title, columns=5)
    return figure


def _cells(comparisons: pd.DataFrame | None) -> tuple[pd.DataFrame, dict]:
    """Cells of the three accelerations in flow time, other keys held at one value."""
    rows = effects.judged(comparisons, list(CLAIMS), ["flow_time"])
    if rows.empty:
        return rows, {}
    free = ("dataset", "multiscale", "depth", "labels", "lr")
    return effects.hold(rows.astype({"width": int}), free)


def _looks(cells: pd.DataFrame) -> dict[str, dict]:
    """Colour and marker of each graph."""
    datasets = select.ordered(cells["dataset"], "dataset")[: len(COLOURS)]
    return {
        name: {"color": colour, "marker": marker, "ms": 3.5}
        for name, colour, marker in zip(datasets, COLOURS, MARKERS, strict=False)
    }


def _of(table: pd.DataFrame | None, held: Mapping) -> pd.DataFrame:
    """Rows of a table on the same problem as the cells."""
    if table is None:
        return pd.DataFrame()
    keys = {key: held[key] for key in ("aggregation", "features", "nodes")}
    return select.keep(table, **keys)


def _condition(ax: Axes, rows: pd.DataFrame, looks: Mapping[str, dict]) -> None:
    """Smallest positive singular value, squared, of G_H (dashed) and of the stack (solid)."""
    if rows.empty or not rows["dataset"].isin(looks).any():
        return style.missing(ax, "No graph condition for these features and nodes.", "See config.")
    for name, look in looks.items():
        for scale, line in ((True, SOLID), (False, DASHED)):
            curve = select.keep(rows, dataset=name, multiscale=scale).sort_values("depth")
            ax.plot(curve["depth"], curve["sigma_min_positive_sq"], ls=line, **look)
    ax.set_yscale("log")
    style.log_ticks(ax.yaxis)
    ax.set_ylabel(r"smallest positive $\sigma^2$")


def _heads(ax: Axes, gradient_terms: pd.DataFrame | None, looks: Mapping[str, dict]) -> None:
    """Median over the recorded steps of (head terms / all terms)."""
    shares = head_shares(gradient_terms)
    if shares.empty:
        return style.missing(ax, "No runs with gradient terms.", "Add experiment `terms`.")
    for name, rows in shares.groupby("dataset"):
        look = looks.get(name, {"color": style.GREY, "marker": "o", "ms": 3.5})
        ax.plot(rows["depth"], rows["share"], **look)
    ax.axhline(0.5, color=style.BLACK, lw=0.7, ls=":")
    ax.set(ylim=(0, 1), ylabel="head terms / all terms")


def head_shares(gradient_terms: pd.DataFrame | None) -> pd.DataFrame:
    """Columns dataset, depth, share: medians over steps and seeds, true labels, multiscale nets."""
    if gradient_terms is None or gradient_terms.empty:
        return pd.DataFrame()
    parts = [
        term_sums(select.keep(gradient_terms, dataset=name, nodes=nodes, labels="true"))[0]
        for name in gradient_terms["dataset"].unique()
        for nodes in select.ordered(gradient_terms["nodes"], "nodes")[-1:]
    ]
    sums = pd.concat(parts)
    if sums.empty:
        return sums
    sums = sums.assign(share=sums["head"] / (sums["head"] + sums["layer"]))
    return sums.groupby(["dataset", "depth"])["share"].median().reset_index()


def _alignment(ax: Axes, rows: pd.DataFrame, looks: Mapping[str, dict]) -> None:
    """Share of the true labels in the leading directions (solid), and its mean when permuted."""
    rows = rows[rows["labels"] == "true"] if len(rows) else rows
    if rows.empty or not rows["dataset"].isin(looks).any():
        return style.missing(ax, "No label alignment for these features and nodes.", "See config.")
    rows = select.keep(rows, multiscale=bool(rows["multiscale"].max()))
    for name, look in looks.items():
        curve = select.keep(rows, dataset=name).groupby("depth").median(numeric_only=True)
        ax.plot(curve.index, curve["alignment"], ls=SOLID, **look)
        ax.plot(curve.index, curve["alignment_expected"], ls=DOTTED, **look)
    ax.set(ylim=(0, None), ylabel=r"$\|Y P_k\|^2/\|Y\|^2$")


def _effects(ax: Axes, cells: pd.DataFrame, looks: Mapping[str, dict]) -> None:
    """For each graph and depth medians over thresholds of the effect and of its interval's ends."""
    ax.axhline(0, color=style.BLACK, lw=0.7)
    ax.set_ylabel("times faster (log$_2$)")
    if cells.empty:
        return style.missing(ax, "No cell was decided.", "More steps or seeds.")
    scales = (True, False) if cells["multiscale"].nunique() > 1 else cells["multiscale"].unique()
    for place, (name, look) in enumerate(looks.items()):
        for scale in scales:
            rows = select.keep(cells, dataset=name, multiscale=scale)
            curve = effects.medians(rows, ["depth"])
            x = curve["depth"].astype(float) + WIDE * (place - (len(looks) - 1) / 2)
            line = SOLID if scale else DASHED
            ax.vlines(x, curve["ci_low"], curve["ci_high"], color=look["color"], lw=0.8)
            ax.plot(x, curve["effect"], ls=line, **look)
    depths = sorted(set(cells["depth"].astype(int)))
    ax.set(xticks=depths, xlim=(depths[0] - 0.5, depths[-1] + 0.5))


def _legend(looks: Mapping[str, dict]) -> list:
    entries = {style.name(name): look for name, look in looks.items()}
    entries["multiscale"] = {"color": style.GREY, "ls": SOLID}
    entries["no skips"] = {"color": style.GREY, "ls": DASHED}
    entries["(c) mean of permuted labels"] = {"color": style.GREY, "ls": DOTTED}
    return style.key(entries)


def measured(
    graph_condition: pd.DataFrame | None,
    gradient_terms: pd.DataFrame | None,
    alignment: pd.DataFrame | None,
    comparisons: pd.DataFrame | None,
) -> list[str]:
    """For each graph the mechanism at the deepest network, and the effect beside it."""
    cells, held = _cells(comparisons)
    if cells.empty:
        return []
    sentences = [f"Setting: {select.describe(held)}, flow time."]
    for claim, title in CLAIMS.items():
        for row in effects.medians(select.keep(cells, claim=claim), ["dataset"]).itertuples():
            sentences.append(
                f"{style.name(row.dataset)}, {title}: effect {effects.said(row)}, median over"
                f" {select.plural(row.cells, 'cell')}."
            )
    rows = _of(alignment, held)
    for name, part in rows[rows["labels"] == "true"].groupby("dataset") if len(rows) else ():
        deepest = part[part["depth"] == part["depth"].max()].median(numeric_only=True)
        sentences.append(
            f"{style.name(name)}: {deepest['alignment']:.0%} of the true labels lie in the leading"
            f" directions at H = {deepest['depth']:.0f}, {deepest['alignment_expected']:.0%} in"
            " the mean of permuted ones."
        )
    return sentences
