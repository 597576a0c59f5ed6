"""The one slide: every claim with its verdict, and the effect of those about speed on GCN and GIN.

Effects are factors on a logarithmic axis: right of 1 the side that the claim calls faster is
faster.
"""

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnn_dynamics.claims import names
from gnn_dynamics.claims.conclusion import join, phrase
from gnn_dynamics.claims.evidence import POOLED
from gnn_dynamics.claims.strata import networks
from gnn_dynamics.claims.units import LOG2, POINTS, RHO
from gnn_dynamics.claims.words import amount, interval, times
from gnn_dynamics.figures import style
from gnn_dynamics.figures.forest import COLOURS, factor_axis, marker, reach_of, skips
from gnn_dynamics.summaries import select

WIDTH, SIDE = style.NARROW, 0.1  # inches
TOP, TALL, AXIS, LOW = 0.45, 0.95, 0.55, 0.4  # title, a claim about speed, its axis, any other
PLOTS = (2.5, 4.0, 5.4)  # edges of the two plots, from the left
CHIP = 0.98  # width of a verdict
LETTERS, TITLE_LETTERS = 36, 26  # of a line: below a title, and of a small title
MOST = 3.0  # log2: effects beyond 8 times are drawn at the edge, with an arrow
MOST_WORDS, MOST_NAMES = 6, 4  # lines of a plot that have their factors in words, and graphs
AGGREGATIONS = ("gcn", "gin")
UNITS = {POINTS: "{} points ({})", RHO: "Spearman {} ({})"}
BOX = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}  # behind words on a plot


def draw(claims: pd.DataFrame, evidence: pd.DataFrame) -> Figure:
    """From tables `claims` and `evidence`: above the claims about speed, below all others.

    A diamond is the effect over all graphs, a dot that on one graph, each with its 95 % interval.
    """
    primary, rest = evidence, evidence
    if len(evidence):
        primary = evidence[evidence["primary"].astype(bool)]
        primary, rest = (primary[(primary["unit"] == LOG2) == flag] for flag in (True, False))
    speed = [
        row for row in claims.itertuples() if len(primary) and row.claim in set(primary["claim"])
    ]
    others = [row for row in claims.itertuples() if row not in speed]
    plots = TALL * len(speed) + (AXIS if speed else 0)
    height = TOP + plots + LOW * ((len(others) + 1) // 2) + 0.1
    figure = style.new_figure(height, WIDTH, layout=None)
    words = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(height, 0), facecolor="none")
    words.set_axis_off()
    effects = [primary[primary["claim"] == row.claim] for row in speed]
    for i, (row, rows) in enumerate(zip(speed, effects, strict=True)):
        _speed_claim(words, row, rows, TOP + TALL * i)
    if speed:
        _plots(figure, height, effects)
    for i, row in enumerate(others):
        line, column = i % ((len(others) + 1) // 2), i // ((len(others) + 1) // 2)
        found = rest[rest["claim"] == row.claim] if len(rest) else rest
        _other_claim(words, row, found, column * WIDTH / 2, TOP + plots + LOW * line)
    return figure


def _chip(words: Axes, row: Any, x: float, y: float) -> None:
    colour = style.VERDICT_COLOUR.get(row.verdict, style.GREY)
    ink = style.BLACK if colour == style.ORANGE else "white"  # enough contrast on orange
    box = {"boxstyle": "round,pad=0.25", "facecolor": colour, "edgecolor": "none"}
    text = f"{names.MARKS.get(row.verdict, '')} {row.verdict}"
    words.text(x, y, text, color=ink, bbox=box, va="center", fontsize=7.5, weight="bold")


def _speed_claim(words: Axes, row: Any, rows: pd.DataFrame, top: float) -> None:
    words.text(SIDE, top + 0.05, row.title, va="top", fontsize=10, weight="bold")
    _chip(words, row, SIDE + 0.05, top + 0.36)
    lines = textwrap.wrap(row.scope, LETTERS)
    lines = [*lines[:2], f"{lines[2]} …"] if len(lines) > 3 else lines
    scaled = rows.loc[rows["measure"] == "scaled_flow_time", "aggregation"].unique()
    if len(scaled):
        where = phrase("measure", "scaled_flow_time")
        lines.append(f"{join([*map(names.name, scaled)])}: in {where}")
    if text := "\n".join(lines):
        words.text(SIDE, top + 0.5, text, va="top", fontsize=8, color="#444444")
    words.hlines(top, SIDE, WIDTH - SIDE, color="#DDDDDD", lw=0.6)


def _other_claim(words: Axes, row: Any, rows: pd.DataFrame, left: float, top: float) -> None:
    """Verdict, title and, of a claim in another unit than speed, the effect over all graphs."""
    _chip(words, row, left + SIDE + 0.05, top + LOW / 2)
    title = "\n".join(textwrap.wrap(row.title, TITLE_LETTERS)).replace("lambda_T", r"$\lambda_T$")
    look: style.Look = {"va": "center", "fontsize": 8, "linespacing": 1.1}
    words.text(left + SIDE + CHIP, top + LOW / 2, title + _in_unit(rows), **look)


def _in_unit(rows: pd.DataFrame) -> str:
    """`0.7 points (−1.2 to 2.6)`, of the leading stratum if its graphs were pooled."""
    if rows.empty:
        return ""
    leads = _leads(rows)
    pooled = leads[leads["graph"] == POOLED]
    if pooled.empty:
        return ""
    row = next(pooled.itertuples())
    ends = interval(row.ci_low, row.ci_high, "", row.unit)
    return "\n" + UNITS[row.unit].format(amount(row.effect, row.unit), ends)


def _plots(figure: Figure, height: float, claims: list[pd.DataFrame]) -> None:
    """One axis for each aggregation; claims are TALL inches high."""
    leads = [_leads(rows) for rows in claims]
    everything, tall = pd.concat(leads), TALL * len(claims)
    named = (everything["graph"] != POOLED).any()  # and so need more room for words
    reach = min(reach_of(everything) * (1.8 if named else 1.2), MOST)
    for left, right, aggregation in zip(PLOTS, PLOTS[1:], AGGREGATIONS, strict=False):
        size = (right - left - 0.2) / WIDTH, tall / height
        place = (left / WIDTH, (height - TOP - tall) / height, *size)
        ax = figure.add_axes(place, ylim=(tall, 0), facecolor="none")
        for i, rows in enumerate(leads):
            _effects(ax, rows[rows["aggregation"] == aggregation], TALL * i, reach)
        if aggregation not in set(everything["aggregation"]):
            look: style.Look = {"ha": "center", "color": style.GREY, "fontsize": 8}
            ax.text(0, TALL / 2, "not run", bbox=BOX, **look)
        factor_axis(ax, reach, wide=False)
        ax.set_yticks([])
        ax.set_title(names.name(aggregation), fontsize=10, weight="bold", loc="center")
    found = {skips(network) for rows in claims for network in networks(rows)} - {""}
    looks = {word: {"color": COLOURS[word], "marker": "D", "ls": ""} for word in sorted(found)}
    figure.legend(handles=style.key(looks), loc="upper left", ncols=2, fontsize=7.5, handlelength=1)


def _leads(rows: pd.DataFrame) -> pd.DataFrame:
    """The judged rows of the leading stratum of each linear network, else of each ReLU one."""
    strata = networks(rows)
    linear = {name: found for name, found in strata.items() if not name.startswith("ReLU")}
    leads = [found[0].assign(network=name) for name, found in (linear or strata).items()]
    rows = pd.concat(leads)
    return rows[rows["judged"].astype(bool) & rows["effect"].notna()]


def _effects(ax: Axes, rows: pd.DataFrame, top: float, reach: float) -> None:
    """A line for each row, within TALL inches below `top`."""
    rows = rows.sort_values(["graph", "network"])
    few = len(rows) <= MOST_WORDS
    for i, row in enumerate(rows.itertuples()):
        y = top + TALL * (i + 0.5) / len(rows)
        look: style.Look = {"color": COLOURS[skips(row.network)]}
        low, centre, high = np.clip([row.ci_low, row.effect, row.ci_high], -reach, reach)
        if few:
            _number(ax, row, y, (low, high), reach, len(rows) <= MOST_NAMES, look)
        ax.hlines(y, low, high, lw=2, **look)
        ax.plot(centre, y, marker(row, reach), ms=5 if few else 3.5, mec="white", mew=0.5, **look)


def _number(
    ax: Axes,
    row: Any,
    y: float,
    ends: tuple[float, float],
    reach: float,
    named: bool,
    look: style.Look,
) -> None:
    """The factor beside its interval, on the side where there is room."""
    left = row.effect > 0
    x = ends[0] - 0.08 * reach if left else ends[1] + 0.08 * reach
    side = "right" if left else "left"
    ax.text(x, y, _said(row, named), ha=side, va="center", fontsize=8, bbox=BOX, **look)


def _said(row: Any, named: bool) -> str:
    """`1.4× sooner`, `1×`, or on one graph, where there is less room, `1.4× Cora` or `1.4×`."""
    if row.graph != POOLED:
        return f"{times(row.effect)}×{f' {names.name(row.graph)}' if named else ''}"
    number = times(abs(row.effect))
    word = " sooner" if row.effect > 0 else " later"
    return f"{number}×{'' if number == '1' else word}"


def measured(claims: pd.DataFrame, evidence: pd.DataFrame) -> list[str]:
    """How many claims have which verdict, and on how many graphs those about speed rest."""
    graphs = evidence.loc[evidence["graph"] != POOLED, "graph"].nunique() if len(evidence) else 0
    return [
        f"{names.verdict_counts(claims['verdict'])}.".capitalize(),
        f"The claims about speed rest on {select.plural(graphs, 'graph')}.",
    ]
