"""Four statements that fail, each on the smallest problem that shows it (docs/theory.md).

(a) the printed inequality of appendix A.1.3 beside Pythagoras' identity; (b) the constant 4 of
Theorem 1 beside 8, at H = 0; (c) the bound of a single layer on a network with skip connections;
(d) the singular margin of Definition 4 under a rescaling that leaves the loss as it is.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnn_dynamics.figures import log_axis, style
from gnn_dynamics.figures.style import BLACK, BLUE, DASHED, DOTTED, GREEN, PURPLE, RED, SKY
from gnn_dynamics.summaries import select


@dataclass(frozen=True)
class Curve:
    """Label and style of one curve; `where` are its parameters, columns of the table."""

    curve: str
    label: str
    look: style.Look
    where: dict[str, float]


@dataclass(frozen=True)
class Panel:
    """A panel: the name in the table, title, the beginning of its rows' `source`, and curves."""

    name: str
    title: str
    source: str
    axis: dict[str, Any]
    curves: tuple[Curve, ...]


_FLOW = {"yscale": "log", "xlabel": "time of the gradient flow"}
PANELS = (
    Panel(
        "printed_inequality",
        "printed step of the proof",
        "proof of Theorem 1",
        {**_FLOW, "ylabel": "squared distance"},
        (
            Curve("right", r"$a^2-b^2=L-L^*$", {"color": BLACK, "lw": 2.4}, {}),
            Curve("projected", "corrected: equal to it", {"color": GREEN, "ls": DASHED}, {}),
            Curve("printed_left", r"printed: $(a-b)^2$ is not above", {"color": RED}, {}),
        ),
    ),
    Panel(
        "constant",
        "a constant above 4",
        "Theorem 1 with a larger",
        {**_FLOW, "ylabel": r"$L-L^*$"},
        (
            Curve("excess", "measured, H = 0", {"color": BLACK, "lw": 2.4}, {"constant": 4}),
            Curve("bound", "bound, constant 4", {"color": GREEN, "ls": DASHED}, {"constant": 4}),
            Curve("bound", "bound, constant 8", {"color": RED, "ls": DOTTED}, {"constant": 8}),
        ),
    ),
    Panel(
        "single_layer",
        "bound of one layer alone",
        "Theorem 2(ii)",
        {**_FLOW, "ylabel": r"$L-L^*_{0}$"},
        (
            *(
                Curve("excess", rf"measured, $\epsilon$ = {eps:g}", {"color": colour}, {"eps": eps})
                for eps, colour in ((0.1, SKY), (0.01, BLUE), (0.001, PURPLE))
            ),
            Curve("bound", "claimed bound", {"color": RED, "ls": DOTTED}, {"eps": 0.001}),
        ),
    ),
    Panel(
        "singular_margin",
        "singular margin",
        "Definition 4",
        {"yscale": "log", "xscale": "log", "xlabel": r"$1/c$ in $(W/c,\; c\,B_1)$"},
        (
            Curve("loss", "loss / its start", {"color": BLACK, "marker": "s"}, {}),
            Curve("sigma_min", r"$\sigma_{\min}$", {"color": RED, "marker": "o"}, {}),
        ),
    ),
)


@style.figure(
    style.as_given,
    "No statement was checked (table 'negative_results' is empty).",
    "Run the workflow to its end.",
)
def draw(results: pd.DataFrame, curves: pd.DataFrame) -> Figure:
    """The four panels of table `negative_curves`; the verdicts are those of `negative_results`."""
    figure = style.new_figure(5.4)
    for ax, mark, panel in zip(figure.subplots(2, 2).flat, "abcd", PANELS, strict=True):
        _panel(ax, panel, curves)
        style.letter(ax, mark, f"{panel.title}: {_verdict(results, panel.source)}")
    return figure


def _panel(ax: Axes, panel: Panel, curves: pd.DataFrame) -> None:
    for curve in panel.curves:
        points = select.keep(curves, panel=panel.name, curve=curve.curve, **curve.where)
        ax.plot(points["x"], points["y"], label=curve.label, **curve.look)
    ax.set(**panel.axis)
    log_axis.plain_ticks(ax.yaxis)
    if ax.get_xscale() == "log":
        log_axis.plain_ticks(ax.xaxis)
    ax.legend()
    ax.grid(axis="y")


def _verdict(results: pd.DataFrame, source: str) -> str:
    verdicts = results.verdict[results.source.str.startswith(source)]
    return "fails" if (verdicts == "fails").any() else "holds"


@style.sentences(style.as_given)
def measured(results: pd.DataFrame, curves: pd.DataFrame) -> list[str]:
    """A sentence for each row of `negative_results` that fails."""
    failing = results[results.verdict == "fails"]
    return [
        f"{row.source} ({row.wording}): {row.quantity} is {row.value:.3g}, where {row.expected}"
        " would be needed."
        for row in failing.itertuples()
    ]
