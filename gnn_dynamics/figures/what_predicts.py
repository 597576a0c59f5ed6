"""Does homophily, the smallest singular value or label alignment predict the acceleration?

Rows are the accelerations, columns the candidates, marks the graphs of the run.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from gnn_dynamics.figures import style
from gnn_dynamics.summaries import effects, names, select
from gnn_dynamics.summaries.predictors import (
    ACCELERATIONS,
    ENOUGH,
    PREDICTORS,
    correlations,
    graph_table,
    smallest_p,
)

# A correlation passes if it is at least this strong and this unlikely, after Holm's adjustment.
LEAST_RHO, MOST_P = 0.5, 0.05
LINEAR = 8  # largest effect that is drawn on a linear axis
TICKS = (-50, -20, -10, -5, -1, 0, 1, 5, 10, 20, 50)
LOOKS: dict[str, style.Look] = {
    "gcn": {"color": style.BLUE, "marker": "o"},
    "gin": {"color": style.RED, "marker": "s", "mfc": "white"},
}
OTHER_LOOK: style.Look = {"color": style.GREY, "marker": "D"}
AXES = {  # label, and for what the predictor is computed
    "edge_homophily": ("edge homophily", "graphs with edges"),
    "sigma_min_positive_sq": (
        r"$\sigma_r^2$ of the stacked features",
        "the features, nodes and depths of the runs in `graph_condition`",
    ),
    "alignment": (r"label alignment $\|YP_k\|^2/\|Y\|^2$", "runs with the squared loss"),
}
LEGEND = (
    "linear networks, gradient flow; medians over a graph's cells of effect and interval ends\n"
    f"Spearman's ρ, p by permutation and after Holm; ✓: |ρ| ≥ {LEAST_RHO:g} and p ≤ {MOST_P:g}"
)


def shown(
    comparisons: pd.DataFrame,
    graphs: pd.DataFrame,
    graph_condition: pd.DataFrame,
    alignment: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row for each graph, and the correlations over them."""
    table = graph_table(comparisons, graphs, graph_condition, alignment)
    return table, correlations(table) if len(table) else table


def draw(table: pd.DataFrame, tests: pd.DataFrame) -> Figure:
    """Each panel shows the graphs and their rank correlation."""
    figure = style.new_figure(6.4)
    axes = figure.subplots(3, 3)
    for row, (claim, name) in zip(axes, ACCELERATIONS.items(), strict=True):
        part = table[table["claim"] == claim]
        for ax, predictor in zip(row, PREDICTORS, strict=True):
            _panel(ax, part.dropna(subset=predictor), table[predictor], predictor)
            results = select.keep(tests, claim=claim, predictor=predictor).itertuples()
            lines = [f"{names.name(test.aggregation)}: {_result(test)}" for test in results]
            ax.set_title("\n".join(lines), fontsize=7)
        _wide(row, part)
        row[0].set_ylabel(f"{name}:\nspeed-up (log$_2$)")
    entries = {
        names.name(aggregation): {"ls": "", **LOOKS.get(aggregation, OTHER_LOOK)}
        for aggregation in select.ordered(table["aggregation"], "aggregation")
    }
    style.legend_above(figure, entries, LEGEND, columns=3)
    return figure


def _panel(ax: Axes, part: pd.DataFrame, everywhere: pd.Series, predictor: str) -> None:
    label, where = AXES[predictor]
    if part.empty:
        missing = f"No graph has both this acceleration and its {PREDICTORS[predictor]}."
        style.missing(ax, missing, f"It is computed for {where}.")
        return
    for aggregation, marks in part.groupby("aggregation"):
        look = LOOKS.get(aggregation, OTHER_LOOK)
        ax.vlines(marks[predictor], marks["ci_low"], marks["ci_high"], color=look["color"], lw=0.7)
        ax.plot(marks[predictor], marks["effect"], ls="", ms=4, **look)
    ax.axhline(0, color=style.BLACK, lw=0.7, zorder=1)
    ax.set_xlabel(label)
    if predictor == "sigma_min_positive_sq":
        ax.set_xscale("log")
        known = everywhere[everywhere > 0]
        low, high = np.floor(np.log10(known.min() / 1.5)), np.ceil(np.log10(known.max() * 1.5))
        ax.set_xlim(10**low, 10**high)  # the same whole powers of ten in every panel
        ax.xaxis.set_major_locator(LogLocator(numticks=5))
        ax.set_xticks([], minor=True)
    else:
        ax.set_xlim(-0.04, 1.04)  # shares


def _wide(axes: Sequence[Axes], part: pd.DataFrame) -> None:
    """Linear up to 1 and logarithmic beyond where GIN's effects are many times those of GCN."""
    ends = part[["effect", "ci_low", "ci_high"]].abs().max(axis=None)
    for ax in axes:
        if ax.lines and ends > LINEAR:
            ax.set_yscale("symlog", linthresh=1)
            ax.autoscale(axis="y")
            low, high = ax.get_ylim()
            ax.set_yticks([t for t in TICKS if low <= t <= high])
            ax.yaxis.set_major_formatter("{x:g}")
            ax.set_yticks([], minor=True)


def passes(test: Any) -> bool:
    """Whether a correlation is strong and significant, by the limits above; never with NaN."""
    return bool(abs(test.rho) >= LEAST_RHO and test.p_holm <= MOST_P)


def _result(test: Any, with_p: bool = False) -> str:
    """`ρ = +0.62, n = 15, p = 0.012`, or why there is no number; `with_p` before adjustment."""
    if np.isnan(test.rho):
        why = "too few graphs" if test.n < ENOUGH else "nothing varies"
        return f"{why} (n = {test.n})"
    rho = f"{test.rho:+.2f}".replace("-", "−")
    mark = " ✓" if passes(test) else ""
    unadjusted = f" ({test.p:.2g} before Holm's adjustment)" if with_p else ""
    return f"ρ = {rho}, n = {test.n}, p = {test.p_holm:.2g}{mark}{unadjusted}"


def measured(table: pd.DataFrame, tests: pd.DataFrame) -> list[str]:
    """The numbers of every graph, then every correlation, then the conclusion."""
    return [
        *(_graph_text(part, *graph) for graph, part in table.groupby(["dataset", "aggregation"])),
        *(
            f"{ACCELERATIONS[test.claim].capitalize()} by {PREDICTORS[test.predictor]},"
            f" {names.name(test.aggregation)}: {_result(test, with_p=True)}."
            for test in tests.itertuples()
        ),
        conclusion(tests),
    ]


def _graph_text(part: pd.DataFrame, dataset: str, aggregation: str) -> str:
    known = part[list(PREDICTORS)].median().dropna()
    values = [f"{PREDICTORS[name]} {value:.2g}" for name, value in known.items()]
    speeds = [
        f"{ACCELERATIONS[line.claim]} {effects.with_ends(line)}" for line in part.itertuples()
    ]
    return f"{names.listed(dataset, aggregation)}: {'; '.join([*values, *speeds])}."


def conclusion(tests: pd.DataFrame) -> str:
    """One sentence from the correlations: which candidates predict which acceleration."""
    known = tests.dropna(subset="p")
    most = int(tests["n"].max())
    if known.empty:
        return (
            f"{select.plural(most, 'graph')} cannot show whether homophily, σ²r or label alignment"
            f" predicts an acceleration: at least {ENOUGH} different ones are needed."
        )
    required = f"|ρ| ≥ {LEAST_RHO:g} with p ≤ {MOST_P:g} after Holm's adjustment"
    tried = f"Of {select.plural(len(known), 'rank correlation')} over up to {most} graphs"
    passing = known[[passes(line) for line in known.itertuples()]]
    if passing.empty:
        least = smallest_p(most) * len(known)
        too_few = f"; with {most} graphs none could pass, as Holm's p is then at least"
        return (
            f"{tried} none has {required}: there is no evidence here that homophily, σ²r or label"
            " alignment predicts an acceleration"
            f"{f'{too_few} {min(least, 1):.2g}' if least > MOST_P else ''}."
        )
    results = [
        f"{PREDICTORS[line.predictor]} with the acceleration by {ACCELERATIONS[line.claim]}"
        f" on {names.name(line.aggregation)} (ρ = {line.rho:+.2f})".replace("-", "−")
        for line in passing.itertuples()
    ]
    verb = "has" if len(passing) == 1 else "have"
    return f"{tried} {len(passing)} {verb} {required}: {', '.join(results)}."
