"""Four statements that fail, each on the smallest problem that shows it (docs/theory.md).

(a) the printed inequality of appendix A.1.3 beside Pythagoras' identity; (b) the constant 4 of
Theorem 1 beside 8, at H = 0; (c) the bound of a single layer on a multiscale net; (d) the singular
margin of Definition 4 under a rescaling that leaves the loss as it is.
"""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnn_dynamics.figures import style
from gnn_dynamics.theory.counterexamples import exponent_at_depth_zero, margin_rescaled
from gnn_dynamics.theory.negative_results import SUBSET_EPS, erratum_flow, subset_flow

DASHED, DOTTED = (0, (4, 1.6)), (0, (1, 1.2))
EPS_COLOURS = (style.SKY, style.BLUE, style.PURPLE)


@style.styled
def draw(table: pd.DataFrame) -> Figure:
    """The four panels; `table` (negative_results.parquet) gives the verdicts in their titles."""
    if table is None or table.empty:
        what = "No statement was checked (table 'negative_results' is empty)."
        return style.missing_figure(what, "Run the workflow to its end.")
    figure = style.new_figure(5.4)
    axes = figure.subplots(2, 2)
    _erratum(axes[0, 0])
    _constant(axes[0, 1])
    _subset(axes[1, 0])
    _margin(axes[1, 1])
    for ax, mark, (title, source) in zip(axes.flat, "abcd", _PANELS, strict=True):
        style.letter(ax, mark, f"{title}: {_verdict(table, source)}")
        ax.grid(axis="y")
    return figure


# Title of each panel, and the beginning of its rows' `source`.
_PANELS: Sequence[tuple[str, str]] = (
    ("printed step of the proof", "proof of Theorem 1"),
    ("a constant above 4", "Theorem 1 with a larger"),
    ("bound of one layer alone", "Theorem 2(ii)"),
    ("singular margin", "Definition 4"),
)


def _verdict(table: pd.DataFrame, source: str) -> str:
    verdicts = table.verdict[table.source.str.startswith(source)]
    return "fails" if (verdicts == "fails").any() else "holds"


def _erratum(ax: Axes) -> None:
    run = erratum_flow()
    ax.plot(run.time, run.right, color=style.BLACK, lw=2.4, label=r"$a^2-b^2=L-L^*$")
    ax.plot(run.time, run.projected, color=style.GREEN, ls=DASHED, label="corrected: equal to it")
    ax.plot(run.time, run.printed_left, color=style.RED, label=r"printed: $(a-b)^2$ is not above")
    ax.set(yscale="log", xlabel="time of the gradient flow", ylabel="squared distance")
    style.log_ticks(ax.yaxis)
    ax.legend()


def _constant(ax: Axes) -> None:
    four, eight = exponent_at_depth_zero(4.0), exponent_at_depth_zero(8.0)
    ax.plot(four.times, four.excess, color=style.BLACK, lw=2.4, label="measured, H = 0")
    ax.plot(four.times, four.bound, color=style.GREEN, ls=DASHED, label="bound, constant 4")
    ax.plot(eight.times, eight.bound, color=style.RED, ls=DOTTED, label="bound, constant 8")
    ax.set(yscale="log", xlabel="time of the gradient flow", ylabel=r"$L-L^*$")
    style.log_ticks(ax.yaxis)
    ax.legend()


def _subset(ax: Axes) -> None:
    for eps, colour in zip(SUBSET_EPS, EPS_COLOURS, strict=True):
        single, _ = subset_flow(eps)
        ax.plot(single.times, single.excess, color=colour, label=rf"measured, $\epsilon$ = {eps:g}")
    ax.plot(single.times, single.bound, color=style.RED, ls=DOTTED, label="claimed bound")
    ax.set(yscale="log", xlabel="time of the gradient flow", ylabel=r"$L-L^*_{0}$")
    style.log_ticks(ax.yaxis)
    ax.legend()


def _margin(ax: Axes) -> None:
    facts = margin_rescaled((1.0, 1e-1, 1e-2, 1e-3, 1e-4))
    loss = [value / facts["loss"][0] for value in facts["loss"]]
    inverse = [1 / c for c in facts["scale"]]
    ax.plot(inverse, loss, "s-", color=style.BLACK, label="loss / its start")
    ax.plot(inverse, facts["sigma_min"], "o-", color=style.RED, label=r"$\sigma_{\min}$")
    ax.set(xscale="log", yscale="log", xlabel=r"$1/c$ in $(W/c,\; c\,B_1)$")
    style.log_ticks(ax.yaxis)
    style.log_ticks(ax.xaxis)
    ax.legend()


def measured(table: pd.DataFrame) -> list[str]:
    """A sentence for each row of the table that fails."""
    if table is None or table.empty:
        return []
    failing = table[table.verdict == "fails"]
    return [
        f"{row.source} ({row.wording}): {row.quantity} is {row.value:.3g}, where {row.expected}"
        " would be needed."
        for row in failing.itertuples()
    ]
