"""Four statements that fail, each on the smallest problem that shows it (docs/theory.md)."""

import pandas as pd
from matplotlib.figure import Figure

from gnn_dynamics.figures import log_axis, style
from gnn_dynamics.figures.style import BLACK, BLUE, DASHED, DOTTED, GREEN, PURPLE, RED, SKY
from gnn_dynamics.summaries import select

THICK = {"color": BLACK, "lw": 2.4}
CORRECT, CLAIMED = {"color": GREEN, "ls": DASHED}, {"color": RED, "ls": DOTTED}
EPS = {0.1: SKY, 0.01: BLUE, 0.001: PURPLE}
FLOW = {"yscale": "log", "xlabel": "time of the gradient flow"}
# By the name in table `negative_curves`: title, beginning of `source` in `negative_results`, axes.
PANELS: dict[str, tuple[str, str, style.Look]] = {
    "printed_inequality": (
        "printed step of the proof",
        "proof of Theorem 1",
        {**FLOW, "ylabel": "squared distance"},
    ),
    "constant": (
        "a constant above 4",
        "Theorem 1 with a larger",
        {**FLOW, "ylabel": r"$L-L^*$"},
    ),
    "single_layer": (
        "bound of one layer alone",
        "Theorem 2(ii)",
        {**FLOW, "ylabel": r"$L-L^*_{0}$"},
    ),
    "singular_margin": (
        "singular margin",
        "Definition 4",
        {"xscale": "log", "yscale": "log", "xlabel": r"$1/c$ in $(W/c,\; c\,B_1)$"},
    ),
}
# Panel, curve, values of its parameters, label, style.
CURVES: tuple[tuple[str, str, dict[str, float], str, style.Look], ...] = (
    ("printed_inequality", "right", {}, r"$a^2-b^2=L-L^*$", THICK),
    ("printed_inequality", "projected", {}, "corrected: the same", CORRECT),
    (
        "printed_inequality",
        "printed_left",
        {},
        r"printed: $(a-b)^2$, should be above",
        {"color": RED},
    ),
    ("constant", "excess", {"constant": 4}, "measured, H = 0", THICK),
    ("constant", "bound", {"constant": 4}, "bound, constant 4", CORRECT),
    ("constant", "bound", {"constant": 8}, "bound, constant 8", CLAIMED),
    *(
        ("single_layer", "excess", {"eps": e}, rf"measured, $\epsilon$ = {e:g}", {"color": colour})
        for e, colour in EPS.items()
    ),
    ("single_layer", "bound", {"eps": 0.001}, "claimed bound", CLAIMED),
    ("singular_margin", "loss", {}, "loss / its start", {"color": BLACK, "marker": "s"}),
    ("singular_margin", "sigma_min", {}, r"$\sigma_{\min}$", {"color": RED, "marker": "o"}),
)


def draw(results: pd.DataFrame, curves: pd.DataFrame) -> Figure:
    """The four panels of table `negative_curves`; the verdicts are those of `negative_results`."""
    figure = style.new_figure(5.4)
    axes = dict(zip(PANELS, figure.subplots(2, 2).flat, strict=True))
    for panel, curve, parameters, label, look in CURVES:
        points = select.keep(curves, panel=panel, curve=curve, **parameters)
        axes[panel].plot(points["x"], points["y"], label=label, **look)
    for (panel, ax), mark in zip(axes.items(), "abcd", strict=True):
        title, source, axis = PANELS[panel]
        style.letter(ax, mark, f"{title}: {_verdict(results, source)}")
        ax.set(**axis)
        log_axis.plain_ticks(ax.yaxis)
        if ax.get_xscale() == "log":
            log_axis.plain_ticks(ax.xaxis)
        ax.legend()
    return figure


def _verdict(results: pd.DataFrame, source: str) -> str:
    verdicts = results.verdict[results.source.str.startswith(source)]
    return "fails" if (verdicts == "fails").any() else "holds"


def measured(results: pd.DataFrame, curves: pd.DataFrame) -> list[str]:
    """A sentence for each row of `negative_results` that fails."""
    failing = results[results.verdict == "fails"]
    return [
        f"{row.source} ({row.wording}): {row.quantity} is {row.value:.3g};"
        f" required: {row.expected}."
        for row in failing.itertuples()
    ]
