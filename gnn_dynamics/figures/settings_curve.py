"""All settings in which a claim was tested, sorted by effect, with a mark for what each one was.

A specification curve (Simonsohn, Simmons, Nelson, Nature Human Behaviour 4 (2020), 1208-1214): one
look shows whether the answer hangs on a choice, and on which.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from gnn_dynamics.claims import names
from gnn_dynamics.claims.units import LOG2, MEASURES, POINTS
from gnn_dynamics.claims.words import amount
from gnn_dynamics.figures import style
from gnn_dynamics.figures.forest import SHORT, as_factor, as_points
from gnn_dynamics.summaries import select

KEYS: dict[str, dict | str] = {  # choices that are shown, with how their values are called
    "measure": {
        "flow_time": "flow time",
        "scaled_flow_time": "scaled flow time",
        "best_lr_steps": "steps, best rate",
        "equal_lr_steps": "steps, equal rate",
        **SHORT,
    },
    "aggregation": {},
    "multiscale": {},
    "activation": {"linear": "linear", "relu": "ReLU"},
    "depth": "H = {:g}",
    "other": {"permuted": "against permuted", "uniform": "against uniform"},
    "width": "width {:g}",
    "init": "{}",
    "loss_fn": {},
    "nodes": {},
    "threshold_kind": {
        "pair": "same loss, 10 % left",
        "initial": "share of first excess",
        "label_norm": "share of ‖Y‖², excess",
        "loss": "share of ‖Y‖², loss",
    },
    "threshold": "threshold {:g}",
}
MOST_VALUES = 8  # of a key, the most frequent ones
BINS = 240
MANY = 200  # settings, whose points are small
LINE = 0.15  # inches for each value
REACH = {LOG2: 6.0, POINTS: 40.0}  # effects beyond are drawn at the edge
STATES = {"supports": style.BLUE, "refutes": style.RED, "undecided": style.GREY}


def shown(comparisons: pd.DataFrame, claim: str) -> tuple:
    """The cells of the claim with an effect in the unit of its claim, the smallest first."""
    if comparisons.empty:
        return (comparisons,)
    cells = comparisons[(comparisons["claim"] == claim) & comparisons["effect"].notna()]
    points = cells["measure"].map(MEASURES) == POINTS
    cells = cells[points] if points.any() else cells
    return (cells.sort_values(["effect", "cell"], ignore_index=True),)


def _unit(cells: pd.DataFrame) -> str:
    return MEASURES.get(cells["measure"].iloc[0], LOG2)


def draw(cells: pd.DataFrame) -> Figure:
    """From table `comparisons`. Above the effects, below a row for each value of each choice."""
    marks, groups = _marks(cells)
    figure = style.new_figure(2.1 + LINE * len(marks), style.NARROW)
    heights = [1.5, LINE * len(marks)]
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=heights)
    _effects(above, cells)
    _choices(below, marks, groups, len(cells))
    looks = {name: {"color": colour, "marker": ".", "ls": ""} for name, colour in STATES.items()}
    word = "better" if _unit(cells) == POINTS else "faster"
    said = {"supports": f"clearly {word}", "refutes": f"not {word}", "undecided": "undecided"}
    entries = {said[state]: look for state, look in looks.items()}
    figure.legend(handles=style.key(entries), loc="outside upper right", ncols=3)
    return figure


def _effects(ax: Axes, cells: pd.DataFrame) -> None:
    unit = _unit(cells)
    effects = cells["effect"].clip(-REACH[unit], REACH[unit])
    for state, colour in STATES.items():
        chosen = cells["state"] == state
        size = 2.5 if len(cells) > MANY else 5
        ax.plot(effects.index[chosen], effects[chosen], ".", ms=size, mew=0, color=colour)
    ax.axhline(0, color=style.BLACK, lw=0.7)
    reach = max(1.0, effects.abs().max() * 1.05)
    ax.set(ylim=(-reach, reach), xlim=(-0.5, len(cells) - 0.5))
    if unit == LOG2:
        ticks = np.arange(-int(reach), int(reach) + 1, 1 if reach < 3.2 else 2)
        ax.set_yticks(ticks, [as_factor(float(tick)) for tick in ticks])
        ax.set_ylabel("times sooner")
    else:
        ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: as_points(y)))
        ax.set_ylabel("points of accuracy")
    ax.tick_params(axis="x", length=0, labelbottom=False)


def _marks(cells: pd.DataFrame) -> tuple[dict[str, pd.Series], list[int]]:
    """For each value in words, the cells that have it; and the number of values of each key."""
    marks: dict[str, pd.Series] = {}
    groups = []
    for key, words in KEYS.items():
        values = cells[key].dropna() if key in cells else cells[[]]
        if key == "other" and not set(values) <= {"permuted", "uniform"}:
            continue
        if values.nunique() if len(values) else 0:
            frequent = values.value_counts().index[:MOST_VALUES]
            pattern = isinstance(words, str)  # of numbers, which ascend
            order = sorted(set(values)) if pattern else words or select.ordered(values, key)
            chosen = [value for value in order if value in set(frequent)]
            if len(chosen) > 1:
                marks |= {_word(words, value): cells[key] == value for value in chosen}
                groups.append(len(chosen))
    return marks, groups


def _word(words: dict | str, value: object) -> str:
    if isinstance(words, str):
        return words.format(value)
    return words.get(value) or names.name(value)


def _choices(ax: Axes, marks: dict[str, pd.Series], groups: list[int], count: int) -> None:
    """Each row is dark where most of the neighbouring cells have the value."""
    bins = min(BINS, count)
    edges = np.linspace(0, count, bins + 1).astype(int)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(axis="both", length=0)
    ax.set_xlabel(f"{select.plural(count, 'setting')}, each with all its seeds, sorted by effect")
    ax.set_xticks([])
    if not marks:
        ax.set_yticks([])
        return
    sums = np.array([np.add.reduceat(mark.to_numpy(float), edges[:-1]) for mark in marks.values()])
    shares = sums / np.diff(edges)
    colours = LinearSegmentedColormap.from_list("marks", ["white", style.BLACK])
    extent = (-0.5, count - 0.5, len(marks) - 0.5, -0.5)
    ax.imshow(
        shares, cmap=colours, vmin=0, vmax=1, aspect="auto", extent=extent, interpolation="none"
    )
    ax.set_yticks(range(len(marks)), list(marks), fontsize=8)
    for row in range(len(marks)):
        ax.axhline(row - 0.5, color="white", lw=1.5)
    for row in np.cumsum(groups)[:-1]:
        ax.axhline(row - 0.5, color="#BBBBBB", lw=0.7)


def measured(cells: pd.DataFrame) -> list[str]:
    """How many settings lie on which side, and their median."""
    ahead, median = (cells["effect"] > 0).mean(), cells["effect"].median()
    word = "better" if _unit(cells) == POINTS else "faster"
    said = (
        f"difference is {amount(median, POINTS)} points"
        if word == "better"
        else f"factor is {2**median:.2g}"
    )
    return [
        f"The side that the claim calls {word} was ahead in {ahead:.0%} of"
        f" {select.plural(len(cells), 'setting')}; the median {said}."
    ]
