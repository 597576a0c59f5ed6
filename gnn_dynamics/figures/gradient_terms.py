"""Figure 5: the two terms of the loss decrease dL/dt (Theorem 3; Xu et al. 2021, Figure 5)."""

import pandas as pd
from matplotlib.figure import Figure

from gnn_dynamics.figures import log_axis, seed_bands, style
from gnn_dynamics.summaries import names, select
from gnn_dynamics.summaries.gradient_terms import ratio_summary, term_sums

TERMS = {
    "head": ("first term (heads)", style.SOLID),
    "layer": ("second term (layers)", style.DASHED),
}


def shown(gradient_terms: pd.DataFrame) -> tuple[pd.DataFrame, dict, pd.DataFrame]:
    """The sums of the terms, the keys that are fixed, and the table itself."""
    return *term_sums(gradient_terms), gradient_terms


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
    labels = select.ordered(sums["labels"], "labels")
    for i, kind in enumerate(nodes):
        for terms, ratio, depth in zip(axes[2 * i], axes[2 * i + 1], depths, strict=True):
            part = select.keep(sums, nodes=kind, depth=depth)
            for term in TERMS:
                seed_bands.draw(terms, part, ["labels"], _looks(labels, term), term)
            seed_bands.draw(ratio, part, ["labels"], _looks(labels, "head"), "ratio")
            ratio.axhline(1, color=style.BLACK, lw=0.7, ls=":")
            terms.set_title(f"{names.name(kind)}, H = {depth}")
            terms.margins(x=0)
            for ax in (terms, ratio):
                log_axis.y_axis(ax)
            terms.sharex(ratio)  # nodes may differ in their steps
            terms.tick_params(labelbottom=False)
            ratio.set_xlabel(seed_bands.x_label(fixed))
        axes[2 * i, 0].set_ylabel(r"part of $-\mathrm{d}L/\mathrm{d}t$")
        axes[2 * i + 1, 0].set_ylabel("first / second")
    entries = {
        f"{name}, {names.name(key)}": _looks([key], term)[key]
        for key in labels
        for term, (name, _) in TERMS.items()
    }
    title = f"{names.listed(fixed['dataset'], fixed['aggregation'])}; {seed_bands.BAND}"
    style.legend_above(figure, entries, title, columns=2)
    return figure


def _looks(labels: list[str], term: str) -> dict[str, style.Look]:
    return {
        key: {"color": style.LABELS[key]["color"], "linestyle": TERMS[term][1]}
        for key in sorted(labels)
    }


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
