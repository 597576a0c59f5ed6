"""Which architecture trains fastest on a graph, and who knows it beforehand?

A panel is a measure of speed, a row a predictor. Dots are graphs, diamonds all graphs.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnn_dynamics.claims import names
from gnn_dynamics.claims.conclusion import phrase
from gnn_dynamics.claims.evidence import POOLED
from gnn_dynamics.claims.rankings import PREDICTORS
from gnn_dynamics.claims.units import MEASURES
from gnn_dynamics.claims.words import times
from gnn_dynamics.figures import style
from gnn_dynamics.summaries import select

LINE = 0.42  # inches for each predictor
COLOURS = {"gcn": style.BLUE, "gin": style.RED}
PANEL = ["measure", "aggregation"]
WHERE = 1.08  # of the words beside a panel, in units of the correlation


def shown(predictions: pd.DataFrame) -> tuple:
    """The rows of one initialisation for each measure and aggregation, PyTorch's if it was run."""
    if predictions.empty:
        return (predictions,)
    inits = select.ordered(predictions["init"], "init")
    order = predictions["init"].map({init: i for i, init in enumerate(inits)})
    first = order == order.groupby([predictions[key] for key in PANEL]).transform("min")
    return (predictions[first & predictions["rho"].notna()],)


def draw(rows: pd.DataFrame) -> Figure:
    """From table `predictions`. The predictor that was named beforehand has a grey band."""
    measures = [measure for measure in MEASURES if measure in set(rows["measure"])]
    predictors = [name for name in PREDICTORS if name in set(rows["predictor"])]
    aggregations = select.ordered(rows["aggregation"], "aggregation")
    apart = np.linspace(-0.2, 0.2, len(aggregations)) if len(aggregations) > 1 else [0.0]
    offsets = dict(zip(aggregations, apart, strict=True))
    figure = style.new_figure(1.25 + LINE * len(predictors))
    axes = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
    for ax, measure in zip(axes, measures, strict=True):
        _panel(ax, rows[rows["measure"] == measure], predictors, offsets)
        ax.set_title(_title(measure), fontsize=9, weight="bold")
    axes[0].set_yticks(range(len(predictors)), [PREDICTORS[name] for name in predictors])
    axes[0].set_ylim(len(predictors) - 0.5, -0.8)
    looks = {
        names.name(aggregation): {"color": _colour(aggregation), "marker": "D", "ls": ""}
        for aggregation in aggregations
    }
    style.legend_above(figure, looks, "", columns=len(looks))
    return figure


def _panel(ax: Axes, rows: pd.DataFrame, predictors: list[str], offsets: dict[str, float]) -> None:
    ax.text(WHERE, -0.62, "right   regret", fontsize=7, color=style.GREY, va="center")
    for y, predictor in enumerate(predictors):
        part = rows[rows["predictor"] == predictor]
        if part["primary"].any():
            ax.axhspan(y - 0.45, y + 0.45, color="#EEEEEE", lw=0)
        for aggregation, marks in part.groupby("aggregation"):
            _mark(ax, y + offsets[str(aggregation)], marks, _colour(aggregation))
    ax.axvline(0, color=style.BLACK, lw=0.8, zorder=1)
    ax.set(xlim=(-1.05, 1.05), xlabel="rank correlation", xticks=[-1, 0, 1])
    ax.grid(axis="x")
    ax.grid(False, axis="y")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _mark(ax: Axes, y: float, rows: pd.DataFrame, colour: str) -> None:
    """The graphs, what is pooled, and beside the panel the share of right pairs and the regret."""
    graphs, pooled = (rows[(rows["graph"] == POOLED) == flag] for flag in (False, True))
    ax.plot(graphs["rho"], np.full(len(graphs), y), "o", ms=3, color=colour, alpha=0.45, mew=0)
    for row in pooled.itertuples():
        ax.hlines(y, row.ci_low, row.ci_high, color=colour, lw=1.8)
        ax.plot(row.rho, y, "D", ms=5.5, color=colour, mec="white", mew=0.6, zorder=4)
    overall = pooled if len(pooled) else graphs
    numbers = f"{overall['right'].mean():4.0%}   {_times(overall['regret'])}"
    ax.text(WHERE, y, numbers, fontsize=7.5, color=colour, va="center")


def _title(measure: Any) -> str:
    words = phrase("measure", measure)
    return words[0].upper() + words[1:]


def _times(regret: pd.Series) -> str:
    return f"{times(np.log2(regret).mean())}×"


def _colour(aggregation: Any) -> str:
    return COLOURS.get(aggregation, style.BLACK)


def measured(rows: pd.DataFrame) -> list[str]:
    """For each measure and aggregation the predictor that was named, and the best of all."""
    sentences = []
    for (measure, aggregation), part in rows.groupby(PANEL):
        pooled = part["graph"] == POOLED
        part = part[pooled] if pooled.any() else part
        table = part.groupby("predictor").agg(
            {"rho": "mean", "right": "mean", "regret": "median", "graphs": "sum"}
        )
        known = part[part["primary"]]["predictor"].iloc[:1].tolist()
        best = table["right"].idxmax()
        words = "; ".join(_words(table.loc[name], name) for name in dict.fromkeys([*known, best]))
        chance = times(np.log2(part["regret_at_random"].median()))
        sentences.append(
            f"{_title(measure)}, {names.name(aggregation)}: {words}."
            f" An architecture picked at random takes {chance} times as long as the fastest."
        )
    return sentences


def _words(row: pd.Series, predictor: str) -> str:
    return (
        f"{PREDICTORS[predictor]} orders {row['right']:.0%} of the pairs right (rank correlation"
        f" {row['rho']:.2f}, {select.plural(int(row['graphs']), 'graph')}); its pick takes"
        f" {times(np.log2(row['regret']))} times as long as the fastest"
    ).replace(" -", " −")
