"""Why flow time and steps disagree about depth: the effect of depth, the rate, the sharpness.

A deeper network is sharper, so that gradient descent becomes unstable (lr * lambda_max = 2) at a
smaller rate. Flow time has no such limit, an equal rate need not reach it, and the best rate of
each network depends on it.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gnn_dynamics.figures import log_axis, style
from gnn_dynamics.summaries import depth_rates, effects, names, select
from gnn_dynamics.summaries.depth_rates import MEASURES, MODEL, PAIR, best_rates, by_rate

MOSTLY = 0.5
EDGE = 2.0  # of stability, for lr * lambda_max
EFFECT = r"deeper: speed-up ($\log_2$)"
NO_RATES = (
    "No depths were compared at equal learning rates.",
    "Train both depths with optimizer gd and the same `lr`.",
)
NO_SHARPNESS = (
    "No sharpness was observed along gradient descent.",
    "Add `observe: [sharpness]` to an experiment with optimizer gd and run the workflow again.",
)


def shown(comparisons: pd.DataFrame, training: pd.DataFrame) -> tuple:
    """Cells of claim 10, keys that are fixed, other graphs, and the sharpness."""
    rows, fixed = depth_rates.shown(comparisons)
    if rows.empty:
        return (rows,)
    others = depth_rates.other_graphs(comparisons, fixed)
    return rows, fixed, others, depth_rates.sharpness(training, fixed)


def draw(rows: pd.DataFrame, fixed: dict, others: pd.DataFrame, sharp: pd.DataFrame) -> Figure:
    """A row for skip and one for no skip: (a) effects, (b) effect and (c) sharpness by rate."""
    skips = [skip for skip in (True, False) if skip in set(rows["multiscale"])]
    colours = style.depth_colours([*rows["depth"], *rows["other"], *sharp["depth"]])
    figure = style.new_figure(0.8 + 2.25 * len(skips))
    axes = figure.subplots(len(skips), 3, squeeze=False, width_ratios=[1, 1.1, 1.1])
    for line, skip in zip(axes, skips, strict=True):
        cells = select.keep(rows, multiscale=skip)
        best = best_rates(cells)
        _measures(line[0], cells, select.keep(others, multiscale=skip), colours)
        _rates(line[1], cells, best, colours)
        _sharpness(line[2], select.keep(sharp, multiscale=skip), best, colours)
        titles = ("three measures", "equal rates", "sharpness")
        for ax, mark, title in zip(line, "abc", titles, strict=True):
            style.letter(ax, mark, f"{title}, {names.name(skip)}")
        for ax in line[:2]:  # so few at any height, or the layout misjudges the labels' width
            if ax.has_data():
                ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    title = depth_rates.describe(rows, fixed)
    style.legend_above(figure, _legend(rows, colours), title, columns=4)
    return figure


def _measures(ax: Axes, rows: pd.DataFrame, others: pd.DataFrame, colours: dict) -> None:
    """A group for each measure: a mark for each pair of depths, its cells, then other graphs."""
    column = list(MEASURES).index
    pairs = dict(list(rows.groupby(["depth", "other"])))
    offsets = np.linspace(-0.3, 0.1, len(pairs)) if len(pairs) > 1 else [-0.1]
    for offset, ((depth, _), pair) in zip(offsets, pairs.items(), strict=True):
        cells, color = pair.assign(x=pair["measure"].map(column) + offset), colours[depth]
        ax.plot(cells["x"], cells["effect"], ".", ms=3, alpha=0.35, mew=0, color=color)
        _marks(ax, effects.medians(cells, ["x"]), color)
    ax.axhline(0, color=style.BLACK, lw=0.7, zorder=1)
    # Other graphs must not change the scale: effects outside it are drawn at the edge.
    clipped = others["effect"].clip(*ax.get_ylim())
    xs = others["measure"].map(column).astype(float) + 0.33
    ax.plot(xs, clipped, "_", color=style.GREY, ms=5, mew=0.8)
    ax.set_xticks(range(len(MEASURES)), MEASURES.values())
    ax.set_xlim(-0.6, len(MEASURES) - 0.4)
    ax.set_ylabel(EFFECT)


def _marks(ax: Axes, summary: pd.DataFrame, colour: tuple) -> None:
    """Medians with their intervals at `x`; hollow where most pairs only bound it."""
    ax.vlines(summary["x"], summary["ci_low"], summary["ci_high"], color=colour, lw=1)
    for x, effect, bounded in summary[["x", "effect", "bounded"]].itertuples(index=False):
        ax.plot(x, effect, "o", ms=4.5, color=colour, mfc="white" if bounded > MOSTLY else colour)


def _rates(ax: Axes, rows: pd.DataFrame, best: pd.DataFrame, colours: dict) -> None:
    """The effect by rate, from the flow on the left; triangles at each depth's own best rate."""
    curves = by_rate(rows)
    rates = curves["lr"][curves["lr"] > 0]
    if rates.empty:
        style.missing(ax, *NO_RATES)
        return
    flow = rates.min() / 10**0.5
    for (depth, _), curve in curves.groupby(["depth", "other"]):
        curve = curve.assign(x=log_axis.zeros_at(curve["lr"], flow))
        ax.plot(curve["x"], curve["effect"], color=colours[depth], lw=1)
        _marks(ax, curve, colours[depth])
    ax.axhline(0, color=style.BLACK, lw=0.7, zorder=1)
    ax.margins(y=0.05 * (2 + len(best)))
    _at_best(ax, best, colours)
    _rate_axis(ax, [*rates, *best["lr"]], flow if (curves["lr"] == 0).any() else None)
    ax.set_ylabel(EFFECT)


def _at_best(ax: Axes, best: pd.DataFrame, colours: dict) -> None:
    """A triangle for each depth at the foot of a panel, each on a line of its own."""
    across = ax.get_xaxis_transform()
    for line, row in enumerate(best.sort_values("depth").itertuples()):
        color = colours[row.depth]
        ax.plot(row.lr, 0.03 + 0.05 * line, "^", transform=across, color=color, ms=5, mew=0)


def _rate_axis(ax: Axes, rates: list[float], flow: float | None = None) -> None:
    """Labels at the powers of ten, or at the ends; `flow` is the position of the gradient flow."""
    rates = sorted(set(rates))
    powers = [rate for rate in rates if np.isclose(np.log10(rate) % 1, [0, 1], atol=0.01).any()]
    labelled = powers if len(powers) > 1 else [rates[0], rates[-1]]
    ticks = {rate: log_axis.power(rate) for rate in labelled} | ({flow: "flow"} if flow else {})
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
    for position, depth in reversed(list(enumerate(sorted(colours)))):
        curve, color = select.keep(sharp, depth=depth), colours[depth]
        band = (curve["lr"], curve["low"], curve["high"])
        ax.fill_between(*band, color=color, alpha=style.BAND_ALPHA, lw=0)
        # Wider below narrower, so that equal curves are all visible.
        width = 1.2 + 1.8 * position / max(len(colours) - 1, 1)
        ax.plot(curve["lr"], curve["median"], "-", lw=width, color=color)
        diverged = curve[curve["diverged"] > 0]["lr"]
        # A line of crosses for each depth at the top of the panel.
        heights, across = [0.97 - 0.05 * position] * len(diverged), ax.get_xaxis_transform()
        ax.plot(diverged, heights, "x", transform=across, ms=4, color=color)
    ax.axhline(EDGE, color=style.BLACK, lw=0.8, ls=":")
    ax.set_yscale("log")
    ax.margins(y=0.06 * (1 + len(best)))
    _at_best(ax, best, colours)
    log_axis.plain_ticks(ax.yaxis)
    _rate_axis(ax, list(sharp["lr"]))
    ax.set_ylabel(r"largest lr $\times\ \lambda_{\max}$")


def _legend(rows: pd.DataFrame, colours: dict) -> dict[str, style.Look]:
    """Colours of depths, with the shallower ones that each is compared with."""
    entries: dict[str, style.Look] = {}
    for depth in sorted(colours):
        others = sorted(set(rows["other"][rows["depth"] == depth]))
        against = f" (vs. {', '.join(map(str, others))})" if others else ""
        entries[f"H = {depth}{against}"] = {"color": colours[depth], "marker": "o"}
    grey = {"color": style.GREY, "ls": ""}
    entries["(a) other graphs"] = {**grey, "marker": "_", "ms": 5}
    entries["hollow: lower bound of the size"] = {**grey, "marker": "o", "mfc": "white"}
    entries["best rate for a depth"] = {**grey, "marker": "^"}
    entries["(c) runs diverged"] = {**grey, "marker": "x"}
    entries["(c) edge of stability, 2"] = {"color": style.BLACK, "ls": ":", "lw": 0.8}
    return entries


def measured(
    rows: pd.DataFrame, fixed: dict, others: pd.DataFrame, sharp: pd.DataFrame
) -> list[str]:
    """The three measures for every pair of depths, then the rates and the sharpness behind them."""
    return [
        f"Setting: {depth_rates.describe(rows, fixed)}. An effect is the log₂ of how many times"
        " faster the deeper network is: the median over the thresholds (and kinds) that all"
        " measures of a pair have, with the medians of the interval ends.",
        *(f"{_pair(*pair)}: {_measures_text(part)}." for pair, part in rows.groupby(PAIR)),
        *(
            f"{_pair(*pair)}, by rate: {_rates_text(curve)}."
            for pair, curve in by_rate(rows).groupby(PAIR)
        ),
        *(
            f"{names.name(skip).capitalize()}, best rate: {_best_text(part)} (median over cells)."
            for skip, part in best_rates(rows).groupby("multiscale")
        ),
        *(
            f"{names.name(skip).capitalize()}, H = {depth}, largest rate × λmax:"
            f" {_sharpness_text(curve)}."
            for (skip, depth), curve in sharp.groupby(MODEL[:2])
        ),
    ]


def _pair(skip: bool, depth: int, other: int) -> str:
    return f"{names.name(skip).capitalize()}, H = {depth} vs. {other}"


def _measures_text(cells: pd.DataFrame) -> str:
    summary = effects.medians(cells, ["measure"]).set_index("measure").reindex(MEASURES).dropna()
    return ", ".join(
        f"{MEASURES[row.Index].replace(chr(10), ' ')} {effects.with_ends(row)}"
        for row in summary.itertuples()
    )


def _rates_text(curve: pd.DataFrame) -> str:
    return ", ".join(
        f"{effects.with_ends(row)} at {f'rate {row.lr:.2g}' if row.lr else 'flow'}"
        for row in curve.itertuples()
    )


def _best_text(best: pd.DataFrame) -> str:
    return ", ".join(f"{row.lr:.2g} for H = {row.depth}" for row in best.itertuples())


def _sharpness_text(curve: pd.DataFrame) -> str:
    known, diverged = curve.dropna(subset="median"), curve[curve["diverged"] > 0]
    parts = [f"{row.median:.2g} at {row.lr:.2g}" for row in known.itertuples()]
    parts += [
        f"{row.diverged} of {row.runs} runs diverge at {row.lr:.2g}"
        for row in diverged.itertuples()
    ]
    return ", ".join(parts)
