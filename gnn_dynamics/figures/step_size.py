"""Why flow time and steps disagree about depth: the effect of depth, the rate, the sharpness.

A deeper network is sharper, so that gradient descent becomes unstable (lr * lambda_max = 2) at a
smaller rate. Flow time knows no such limit, an equal rate need not reach it, and the best rate of
each network is set by it.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gnn_dynamics.figures import style
from gnn_dynamics.summaries import effects, select
from gnn_dynamics.summaries.depth_rates import (
    MEASURES,
    MODEL,
    PAIR,
    best_rates,
    by_rate,
    describe,
    other_graphs,
    sharpness,
    shown,
)

MOSTLY = 0.5
EDGE = 2.0  # of stability, for lr * lambda_max
EFFECT = r"deeper: $\log_2$ of times faster"
ROW = {True: "with skips", False: "no skips"}
NO_SHARPNESS = (
    "No sharpness was observed along gradient descent.",
    "Add `observe: [sharpness]` to an experiment with optimizer gd and run the workflow again.",
)


@style.styled
def draw(comparisons: pd.DataFrame, training: pd.DataFrame) -> Figure:
    """A row with skips and one without: (a) effects, (b) effect and (c) sharpness by rate.

    comparisons: the table, of which claim 10 is shown. training: rows of gradient descent.
    """
    rows, held = shown(comparisons)
    if rows.empty:
        what = "No depths were compared in flow time or in steps of gradient descent."
        how = "Train two depths with optimizer flow or gd and at least 5 seeds."
        return style.missing_figure(what, how)
    others, best = other_graphs(comparisons, held), best_rates(rows)
    sharp = sharpness(training, held)
    scales = [scale for scale in (True, False) if scale in set(rows["multiscale"])]
    colours = style.depth_colours([*rows["depth"], *rows["other"], *sharp.get("depth", [])])
    figure = style.new_figure(0.8 + 2.25 * len(scales))
    axes = figure.subplots(len(scales), 3, squeeze=False, width_ratios=[1, 1.1, 1.1])
    for line, scale in zip(axes, scales, strict=True):
        own = [select.keep(part, multiscale=scale) for part in (rows, others, sharp, best)]
        _measures(line[0], *own[:2], colours)
        _rates(line[1], own[0], own[3], colours)
        _sharpness(line[2], *own[2:], colours)
        for ax, mark, title in zip(line, "abc", _TITLES, strict=True):
            style.letter(ax, mark, f"{title}, {ROW[scale]}")
        for ax in line[:2]:  # at most so many whatever the height, or the layout misjudges labels
            if ax.has_data():
                ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    style.legend_above(figure, _legend(rows, colours), describe(rows, held), columns=4)
    return figure


_TITLES = ("three measures", "equal rates", "sharpness")


def _measures(ax: Axes, rows: pd.DataFrame, others: pd.DataFrame, colours: dict) -> None:
    """A group for each measure: a mark for each pair of depths, its cells, then other graphs."""
    pairs = sorted(set(zip(rows["depth"], rows["other"], strict=True)))
    offsets = np.linspace(-0.3, 0.1, len(pairs)) if len(pairs) > 1 else [-0.1]
    for x, measure in enumerate(MEASURES):
        for offset, (depth, other) in zip(offsets, pairs, strict=True):
            cells = select.keep(rows, measure=measure, depth=depth, other=other)
            look = {"color": colours[depth]}
            ax.plot(
                [x + offset] * len(cells), cells["effect"], ".", ms=3, alpha=0.35, mew=0, **look
            )
            _marks(ax, effects.medians(cells, PAIR).assign(x=x + offset), colours[depth])
    ax.axhline(0, color=style.BLACK, lw=0.7, zorder=1)
    # Other graphs must not squeeze this one: what lies beyond is drawn at the edge.
    grey = others.assign(effect=others["effect"].clip(*ax.get_ylim()))
    places = grey["measure"].map(list(MEASURES).index).astype(float) + 0.33
    ax.plot(places, grey["effect"], "_", color=style.GREY, ms=5, mew=0.8)
    ax.set_xticks(range(len(MEASURES)), MEASURES.values())
    ax.set_xlim(-0.6, len(MEASURES) - 0.4)
    ax.set_ylabel(EFFECT)
    ax.grid(axis="y")


def _marks(ax: Axes, summary: pd.DataFrame, colour: tuple) -> None:
    """Medians with their intervals at `x`; hollow where most pairs only bound it."""
    for row in summary.itertuples():
        ax.vlines(row.x, row.ci_low, row.ci_high, color=colour, lw=1)
        inside = "white" if row.bounded > MOSTLY else colour
        ax.plot(row.x, row.effect, "o", ms=4.5, color=colour, mfc=inside)


def _rates(ax: Axes, rows: pd.DataFrame, best: pd.DataFrame, colours: dict) -> None:
    """The effect by rate, from the flow on the left; triangles at each depth's own best rate."""
    curves = by_rate(rows)
    rates = curves["lr"][curves["lr"] > 0]
    if rates.empty:
        what = "No depths were compared at equal learning rates."
        style.missing(ax, what, "Train both depths with optimizer gd and the same `lr`.")
        return
    flow = rates.min() / 10**0.5
    for (depth, _), curve in curves.groupby(["depth", "other"]):
        curve = curve.assign(x=style.at(curve["lr"], flow))
        ax.plot(curve["x"], curve["effect"], color=colours[depth], lw=1)
        _marks(ax, curve, colours[depth])
    ax.axhline(0, color=style.BLACK, lw=0.7, zorder=1)
    ax.margins(y=0.05 * (2 + len(best)))
    _at_best(ax, best, colours)
    _rate_axis(ax, [*rates, *best["lr"]], flow if (curves["lr"] == 0).any() else None)
    ax.set_ylabel(EFFECT)
    ax.grid(axis="y")


def _at_best(ax: Axes, best: pd.DataFrame, colours: dict) -> None:
    """A triangle for each depth at the foot of a panel, each on a line of its own."""
    across = ax.get_xaxis_transform()
    for line, row in enumerate(best.sort_values("depth").itertuples()):
        look = {"color": colours[row.depth], "ms": 5, "mew": 0}
        ax.plot(row.lr, 0.03 + 0.05 * line, "^", transform=across, **look)


def _rate_axis(ax: Axes, rates: list[float], flow: float | None = None) -> None:
    """Names at the powers of ten, or at the ends; `flow` where the gradient flow stands."""
    rates = sorted(set(rates))
    named = [rate for rate in rates if np.isclose(np.log10(rate) % 1, [0, 1], atol=0.01).any()]
    named = named if len(named) > 1 else [rates[0], rates[-1]]
    ticks = {rate: style.power(rate) for rate in named} | ({flow: "flow"} if flow else {})
    ax.set_xscale("log")
    ax.set_xlim((flow or rates[0]) / 1.5, rates[-1] * 1.5)
    ax.set_xticks(list(ticks), ticks.values())
    ax.set_xticks(rates, minor=True)
    ax.xaxis.set_minor_formatter("")
    ax.set_xlabel("learning rate")


def _sharpness(ax: Axes, sharp: pd.DataFrame, best: pd.DataFrame, colours: dict) -> None:
    """Largest lr * lambda_max by rate; crosses where runs diverged, rings at the best rates."""
    if sharp["median"].notna().sum() == 0:
        style.missing(ax, *NO_SHARPNESS)
        return
    for depth in sorted(set(sharp["depth"]), reverse=True):
        curve = select.keep(sharp, depth=depth)
        look = {"color": colours[depth]}
        ax.fill_between(
            curve["lr"], curve["low"], curve["high"], alpha=style.BAND_ALPHA, lw=0, **look
        )
        # Wider below narrower, so that equal curves are all seen.
        width = 1.2 + 1.8 * sorted(colours).index(depth) / max(len(colours) - 1, 1)
        ax.plot(curve["lr"], curve["median"], "-", lw=width, **look)
        lost = curve[curve["diverged"] > 0]["lr"]
        across = ax.get_xaxis_transform()
        ax.plot(lost, [_height(sharp, depth)] * len(lost), "x", transform=across, ms=4, **look)
    ax.axhline(EDGE, color=style.BLACK, lw=0.8, ls=":")
    ax.set_yscale("log")
    ax.margins(y=0.06 * (1 + len(best)))
    _at_best(ax, best, colours)
    style.log_ticks(ax.yaxis)
    _rate_axis(ax, list(sharp["lr"]))
    ax.set_ylabel(r"largest lr $\times\ \lambda_{\max}$")
    ax.grid(axis="y")


def _height(sharp: pd.DataFrame, depth: int) -> float:
    """Where the crosses of a depth stand, as a share of the panel: a line for each depth."""
    return 0.97 - 0.05 * sorted(set(sharp["depth"])).index(depth)


def _legend(rows: pd.DataFrame, colours: dict) -> list:
    """Colours of depths, with the shallower ones that each is compared with."""
    looks = {}
    for depth in sorted(colours):
        against = sorted(set(rows["other"][rows["depth"] == depth]))
        said = f" (against {', '.join(map(str, against))})" if against else ""
        looks[f"H = {depth}{said}"] = {"color": colours[depth], "marker": "o"}
    grey = {"color": style.GREY, "ls": ""}
    looks["(a) other graphs"] = {**grey, "marker": "_", "ms": 5}
    looks["hollow: at least so far from 0"] = {**grey, "marker": "o", "mfc": "white"}
    looks["best rate of a depth"] = {**grey, "marker": "^"}
    looks["(c) runs diverged"] = {**grey, "marker": "x"}
    looks["(c) edge of stability, 2"] = {"color": style.BLACK, "ls": ":", "lw": 0.8}
    return style.key(looks)


def measured(comparisons: pd.DataFrame, training: pd.DataFrame) -> list[str]:
    """The three measures for every pair of depths, then the rates and the sharpness behind them."""
    rows, held = shown(comparisons)
    if rows.empty:
        return []
    sharp = sharpness(training, held)
    return [
        f"Setting: {describe(rows, held)}. Effects are log₂ of how many times faster the deeper"
        " network is; medians over the thresholds (and kinds) that all measures of a pair have,"
        " with the medians of the interval's ends.",
        *(_said_measures(part, *pair) for pair, part in rows.groupby(PAIR)),
        *(_said_rates(part, *pair) for pair, part in by_rate(rows).groupby(PAIR)),
        *(_said_best(part, scale) for scale, part in best_rates(rows).groupby("multiscale")),
        *(_said_sharpness(part, *model) for model, part in sharp.groupby(MODEL[:2])),
    ]


def _pair(scale: bool, depth: int, other: int) -> str:
    return f"{ROW[scale].capitalize()}, H = {depth} against {other}"


def _said_measures(part: pd.DataFrame, *pair) -> str:
    summary = effects.medians(part, ["measure"]).set_index("measure").reindex(MEASURES).dropna()
    said = [
        f"{MEASURES[row.Index].replace(chr(10), ' ')} {effects.said(row)}"
        for row in summary.itertuples()
    ]
    return f"{_pair(*pair)}: {', '.join(said)}."


def _said_rates(curve: pd.DataFrame, *pair) -> str:
    said = [
        f"{effects.said(row)} at {f'rate {row.lr:.2g}' if row.lr else 'flow'}"
        for row in curve.itertuples()
    ]
    return f"{_pair(*pair)}, by rate: {', '.join(said)}."


def _said_best(best: pd.DataFrame, scale: bool) -> str:
    said = ", ".join(f"{row.lr:.2g} for H = {row.depth}" for row in best.itertuples())
    return f"{ROW[scale].capitalize()}, best rate: {said} (median over cells)."


def _said_sharpness(curve: pd.DataFrame, scale: bool, depth: int) -> str:
    known = curve.dropna(subset="median")
    parts = [f"{row.median:.2g} at {row.lr:.2g}" for row in known.itertuples()]
    lost = curve[curve["diverged"] > 0]
    parts += [
        f"{row.diverged} of {row.runs} runs diverge at {row.lr:.2g}" for row in lost.itertuples()
    ]
    return f"{ROW[scale].capitalize()}, H = {depth}, largest rate × λmax: {', '.join(parts)}."
