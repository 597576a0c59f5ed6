"""Every claim with its verdict, and its effect on every graph: the picture for a slide.

The effect is log2(speed of the side that the claim calls faster / speed of the other): +1 means
twice as fast as the other, 0 no difference, negative values the reverse.
"""

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnn_dynamics.figures import style
from gnn_dynamics.summaries import names, select
from gnn_dynamics.summaries.names import MARKS, verdict_counts

WIDTH, LINE = 9.6, 0.165  # inches
TOP, FOOT = 0.35, 0.5  # inches for legend and axis
NUMBER, TITLE, STATEMENT, LABEL, EFFECTS = 1.12, 1.42, 4.75, 5.95, 6.05  # inches from the left
ASSERTION_LETTERS, STATEMENT_LETTERS = 58, 86  # letters per line
BODY, SMALL = 1.35, 0.73  # lines: where small text begins under a title, and its height
SMALL_TEXT: style.Look = {"va": "top", "fontsize": 6.5, "linespacing": 1.3}
MOST_LINES = 60  # beyond which the measures of speed are pooled
MEASURES = {
    "flow_time": ("flow time", "o"),
    "best_lr_steps": ("steps, best rate", "s"),
    "equal_lr_steps": ("steps, equal rate", "^"),
    "head_to_layer_terms": ("head / layer terms", "D"),
}
POOLED = "all measures"
DIRECTIONS = {
    "as claimed": style.BLUE,
    "reversed": style.RED,
    "no clear direction": style.GREY,
}


def draw(claims: pd.DataFrame, comparisons: pd.DataFrame) -> Figure:
    """A block for each claim: verdict, statement, then a line for each graph and measure of speed.

    From tables `claims` and `comparisons`. The large mark is the median effect over a graph's
    cells, its bar joins the medians of the cells' interval ends, and the small dots are the
    cells. A claim that compares no runs shows its result in words.
    """
    lines = graph_lines(comparisons)
    blocks = [_block(row, lines[lines["claim"] == row.claim]) for row in claims.itertuples()]
    tops = np.concatenate([[0], np.cumsum([height for _, _, height in blocks])])
    height = TOP + FOOT + LINE * tops[-1]
    figure = style.new_figure(height, WIDTH, layout=None)
    words, effects = _axes(figure, tops[-1], height)
    _scale(effects, lines)
    for (row, part, _), top, bottom in zip(blocks, tops[:-1], tops[1:], strict=True):
        _claim(words, row, top)
        if len(part):
            _effects(words, effects, part, top)
        else:
            effects.axhspan(top, bottom, color="white", zorder=2)  # no axis where nothing is on it
            box = {"facecolor": "white", "edgecolor": "none", "pad": 2}
            text = _wrapped(row.statement, STATEMENT_LETTERS)
            words.text(STATEMENT, top + 0.5, text, bbox=box, **SMALL_TEXT)
        words.axhline(bottom, color="#DDDDDD", lw=0.6)
    figure.legend(handles=_legend(lines), loc="upper center", ncols=7, handlelength=1.2)
    return figure


def _axes(figure: Figure, lines: float, height: float) -> tuple[Axes, Axes]:
    """Words with x in inches over the whole width, and effects at the right; y counts lines."""
    low, high = FOOT / height, LINE * lines / height
    effects = figure.add_axes((EFFECTS / WIDTH, low, (WIDTH - EFFECTS - 0.15) / WIDTH, high))
    words = figure.add_axes((0, low, 1, high), xlim=(0, WIDTH), facecolor="none")
    words.set_axis_off()
    for ax in (words, effects):
        ax.set_ylim(lines, 0)
    return words, effects


def graph_lines(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Per claim, dataset and measure: medians of effect, ci_low, ci_high; the cells' effects."""
    keys = ["claim", "dataset", "measure"]
    if comparisons.empty:
        return pd.DataFrame(columns=[*keys, "effect", "ci_low", "ci_high", "cells"])
    known = comparisons[comparisons["effect"].notna()]
    judged = known["state"] != "noted"
    if len(known.loc[judged, keys].drop_duplicates()) > MOST_LINES:
        known = known.assign(measure=POOLED)
    medians = known[judged].groupby(keys)[["effect", "ci_low", "ci_high"]].median()
    lines = medians.assign(cells=known.groupby(keys)["effect"].agg(list)).reset_index()
    datasets, measures = select.ordered(lines["dataset"], "dataset"), [*MEASURES, POOLED]
    rank = {name: i for i, name in enumerate([*datasets, *measures])}
    return lines.sort_values(
        keys, key=lambda column: column if column.name == "claim" else column.map(rank).fillna(-1)
    )


def _block(row: Any, lines: pd.DataFrame) -> tuple:
    """(claim, its lines, height in lines)."""
    left = BODY + SMALL * (1 + _wrapped(row.assertion, ASSERTION_LETTERS).count("\n"))
    statement = 0.5 + SMALL * (1 + _wrapped(row.statement, STATEMENT_LETTERS).count("\n"))
    return row, lines, max(left, len(lines) + 0.5 if len(lines) else statement) + 0.4


def _wrapped(text: str, letters: int) -> str:
    return "\n".join(textwrap.wrap(str(text), letters))


def _scale(ax: Axes, lines: pd.DataFrame) -> None:
    ends = lines[["effect", "ci_low", "ci_high"]].to_numpy(dtype=float).ravel()
    ends = ends[np.isfinite(ends)]
    reach = max(1.0, np.abs(ends).max() * 1.1) if len(ends) else 1.0
    ax.set_xlim(-reach, reach)
    ax.axvline(0, color=style.BLACK, lw=0.8)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("effect: speed-up (log$_2$; +1: twice as fast)")
    ax.grid(axis="x")


def _claim(words: Axes, row: Any, top: float) -> None:
    colour = style.VERDICT_COLOUR.get(row.verdict, style.GREY)
    box = {"boxstyle": "round,pad=0.25", "facecolor": colour, "edgecolor": "none"}
    look: style.Look = {"va": "top", "fontsize": 7.5, "weight": "bold"}
    ink = style.BLACK if row.verdict == "mixed" else "white"  # enough contrast on orange
    mark = f"{MARKS.get(row.verdict, '')} {row.verdict}"
    words.text(0.1, top + 0.5, mark, color=ink, bbox=box, **look)
    words.text(NUMBER, top + 0.45, f"{row.claim}", **look)
    words.text(TITLE, top + 0.45, row.title, **look)
    words.text(TITLE, top + BODY, _wrapped(row.assertion, ASSERTION_LETTERS), **SMALL_TEXT)


def _effects(words: Axes, ax: Axes, lines: pd.DataFrame, top: float) -> None:
    for offset, line in enumerate(lines.itertuples()):
        y = top + 0.95 + offset
        one_sided = "as claimed" if line.ci_low > 0 else "reversed" if line.ci_high < 0 else ""
        colour = DIRECTIONS[one_sided or "no clear direction"]
        label, marker = MEASURES.get(line.measure, (line.measure, "o"))
        shown = np.clip(line.cells, *ax.get_xlim())
        ax.plot(shown, np.full(len(shown), y), ".", color=colour, ms=3, alpha=0.45, mew=0)
        ax.hlines(y, line.ci_low, line.ci_high, color=colour, lw=1.8)
        ax.plot(line.effect, y, marker, color=colour, ms=4.5, mec="white", mew=0.5)
        text = f"{names.name(line.dataset)}, {label}"
        words.text(LABEL, y, text, ha="right", va="center", fontsize=6.5)


def _legend(lines: pd.DataFrame) -> list:
    entries: dict[str, style.Look] = {
        label: {"color": style.GREY, "marker": marker, "ls": ""}
        for measure, (label, marker) in MEASURES.items()
        if measure in set(lines["measure"])
    }
    entries |= {label: {"color": colour, "lw": 3} for label, colour in DIRECTIONS.items()}
    return style.key(entries)


def measured(claims: pd.DataFrame, comparisons: pd.DataFrame) -> list[str]:
    """How many claims have which verdict, and on how many cells they rest."""
    return [
        f"{verdict_counts(claims['verdict'])}.",
        f"The comparisons have {select.plural(len(comparisons), 'cell')};"
        " a cell is one setting with all its seeds.",
    ]
