"""Figure 5: the two terms of the loss decrease dL/dt (Theorem 3; Xu et al. 2021, Figure 5)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnn_dynamics.figures import log_axis, style
from gnn_dynamics.figures.seed_bands import BAND, draw_band, x_label
from gnn_dynamics.summaries import names, select
from gnn_dynamics.summaries.gradient_terms import ratio_summary, term_sums

TERM_LINE = {"head": style.SOLID, "layer": style.DASHED}
TERM_NAME = {"head": "first term (heads)", "layer": "second term (layers)"}


def _rows(gradient_terms: pd.DataFrame) -> tuple[pd.DataFrame, dict, pd.DataFrame]:
    return *term_sums(gradient_terms), gradient_terms


@style.figure(
    _rows,
    "No runs with `observe: [gradient_terms]` (experiment 'terms').",
    select.HOW_TO_GET,
)
def draw(sums: pd.DataFrame, fixed: dict, gradient_terms: pd.DataFrame) -> Figure:
    """For each set of nodes two rows, the terms and their ratio; a column for each depth.

    From table `gradient_terms`: experiment `terms` (else `labels`), linear networks with skips.
    """
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
            terms, ratio = axes[2 * i, j], axes[2 * i + 1, j]
            part = select.keep(sums, nodes=kind, depth=depth)
            _terms(terms, part)
            _ratio(ratio, part)
            style.letter(terms, "", f"{names.name(kind)}, H = {depth}")
            terms.sharex(ratio)  # nodes may differ in their steps
            terms.tick_params(labelbottom=False)
            ratio.set_xlabel(x_label(fixed))
    for ax in axes[:, 1:].flat:
        ax.set_ylabel("")
    title = f"{names.listed(fixed['dataset'], fixed['aggregation'])}; {BAND}"
    style.legend_above(figure, _legend(sums), title, columns=2)
    return figure


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
    log_axis.y_axis(ax)
    ax.set_ylabel("first / second")
    ax.grid(axis="y")


def _legend(sums: pd.DataFrame) -> list:
    entries = {
        f"{TERM_NAME[term]}, {names.name(labels)}": {
            "color": style.LABEL_COLOUR[labels],
            "linestyle": line,
        }
        for labels in select.ordered(sums["labels"], "labels")
        for term, line in TERM_LINE.items()
    }
    return style.key(entries)


@style.sentences(_rows)
def measured(sums: pd.DataFrame, fixed: dict, gradient_terms: pd.DataFrame) -> list[str]:
    """The ratio of the terms in every panel, and the largest error of the identity."""
    worst = gradient_terms["relative_error"].max()
    return [
        *(
            f"{names.name(row.nodes)}, H = {row.depth}, {names.name(row.labels)}: first / second"
            f" term {row.low:.2g} to {row.high:.2g} during training (median {row.median:.2g})."
            for row in ratio_summary(gradient_terms).itertuples()
        ),
        f"Theorem 3's identity holds to a relative error of {worst:.1e} at every record.",
    ]
