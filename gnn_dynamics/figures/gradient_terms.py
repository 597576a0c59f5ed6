"""Figure 5: the two terms of the loss decrease dL/dt (Theorem 3; Xu et al. 2021, Figure 5).

-dL/dt = first term (all heads W_l) + second term (all layers B_i), both non-negative.
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnn_dynamics.config.grid import KEYS
from gnn_dynamics.figures import style
from gnn_dynamics.figures.curves import BAND, draw_band, x_label
from gnn_dynamics.summaries import select

FREE = ("nodes", "depth", "labels")
TERM_LINE = {"head": "-", "layer": (0, (4, 1.6))}
TERM_NAME = {"head": "first term (heads)", "layer": "second term (layers)"}


@style.styled
def draw(gradient_terms: pd.DataFrame) -> Figure:
    """For each set of nodes two rows, the terms and their ratio; a column for each depth.

    gradient_terms: the table; experiment `terms` (else `labels`) is used, multiscale linear models.
    """
    sums, held = term_sums(gradient_terms)
    if sums.empty:
        what = "No runs with `observe: [gradient_terms]` (experiment 'terms')."
        return style.missing_figure(what, select.HOW_TO_GET)
    nodes, depths = select.ordered(sums["nodes"], "nodes")[::-1], sorted(set(sums["depth"]))
    figure = style.new_figure(0.5 + 2.75 * len(nodes))
    axes = figure.subplots(
        2 * len(nodes),
        len(depths),
        squeeze=False,
        sharey="row",
        height_ratios=[1.5, 1] * len(nodes),
    )
    for i, kind in enumerate(nodes):
        for j, depth in enumerate(depths):
            part = select.keep(sums, nodes=kind, depth=depth)
            _terms(axes[2 * i, j], part)
            _ratio(axes[2 * i + 1, j], part)
            style.letter(axes[2 * i, j], "", f"{style.name(kind)}, H = {depth}")
            axes[2 * i, j].sharex(axes[2 * i + 1, j])  # nodes may differ in their steps
            axes[2 * i, j].tick_params(labelbottom=False)
            axes[2 * i + 1, j].set_xlabel(x_label(held))
    for ax in axes[:, 1:].flat:
        ax.set_ylabel("")
    title = f"{style.name(held['dataset'])}, {style.name(held['aggregation'])}; {BAND}"
    style.legend_above(figure, _legend(sums), title, columns=2)
    return figure


def term_sums(gradient_terms: pd.DataFrame) -> tuple[pd.DataFrame, dict]:
    """Columns keys, step, head, layer (sums over l and i) and ratio; and the keys held."""
    rows = select.experiment(gradient_terms, "terms", "labels")
    rows, held = select.hold(rows, FREE)
    if rows.empty:
        return rows, held
    sums = rows.groupby([*KEYS, "step", "term"], dropna=False)["value"].sum().unstack("term")
    sums = sums.reindex(columns=["head", "layer"], fill_value=0.0).reset_index()
    return sums.assign(ratio=sums["head"] / sums["layer"]), held


def _terms(ax: Axes, part: pd.DataFrame) -> None:
    for term, line in TERM_LINE.items():
        for labels, curve in select.over_seeds(part, ["labels"], term).groupby("labels"):
            draw_band(ax, curve, color=style.LABEL_COLOUR[labels], linestyle=line)
    ax.set_yscale("log")
    ax.set_ylabel(r"part of $-\mathrm{d}L/\mathrm{d}t$")
    ax.grid(axis="y")
    ax.margins(x=0)


def _ratio(ax: Axes, part: pd.DataFrame) -> None:
    for labels, curve in select.over_seeds(part, ["labels"], "ratio").groupby("labels"):
        draw_band(ax, curve, color=style.LABEL_COLOUR[labels])
    ax.axhline(1, color=style.BLACK, lw=0.7, ls=":")
    ax.set_yscale("log")
    style.log_ticks(ax.yaxis)
    ax.set_ylabel("first / second")
    ax.grid(axis="y")


def _legend(sums: pd.DataFrame) -> list:
    entries = {
        f"{TERM_NAME[term]}, {style.name(labels)}": {
            "color": style.LABEL_COLOUR[labels],
            "linestyle": line,
        }
        for labels in select.ordered(sums["labels"], "labels")
        for term, line in TERM_LINE.items()
    }
    return style.key(entries)


def ratio_summary(gradient_terms: pd.DataFrame) -> pd.DataFrame:
    """Ratio of first to second term after the start: nodes, depth, labels, low, median, high.

    The first record is the initialisation, which says little about training, and is left out.
    """
    sums, _ = term_sums(gradient_terms)
    if sums.empty:
        return pd.DataFrame(columns=[*FREE, "low", "median", "high"])
    sums = sums[sums["step"] > sums["step"].min()]
    spread = sums.groupby(list(FREE))["ratio"].agg(low="min", median="median", high="max")
    return spread.reset_index()


def measured(gradient_terms: pd.DataFrame) -> list[str]:
    """The ratio of the terms in every panel, and the largest error of the identity."""
    rows = select.experiment(gradient_terms, "terms", "labels")
    if rows.empty:
        return []
    sentences = [
        f"{style.name(row.nodes)}, H = {row.depth}, {style.name(row.labels)}: first / second term"
        f" {row.low:.2g} to {row.high:.2g} during training (median {row.median:.2g})."
        for row in ratio_summary(gradient_terms).itertuples()
    ]
    worst = f"{gradient_terms['relative_error'].max():.1e}"
    return [
        *sentences,
        f"Theorem 3's identity holds to a relative error of {worst} at every record.",
    ]
