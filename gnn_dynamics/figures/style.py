"""One style for all figures: colours, lines, legends, and what is drawn where data are missing.

Sizes are inches for two-column print (full width 7 in, letters 7-9 pt). The colours are those of
Okabe and Ito (2008), which can be told apart under every common form of colour blindness; line
styles and markers repeat what colours show, so that a grey print loses nothing.
"""

import functools
import logging
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

WIDTH = 7.0  # inches, both columns
NARROW = 5.4  # inches; letters of 8 pt are legible on a phone of 390 pixels, too
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, GREY, BLACK = "#CC79A7", "#56B4E9", "#8C8C8C", "#222222"
BAND_ALPHA = 0.18

Look = dict[str, Any]  # properties of a line
Line = str | tuple[int, tuple[float, ...]]  # line style: a name, or offset and dashes
SOLID: Line = "-"
DASHED: Line = (0, (4, 1.6))
DOTTED: Line = (0, (1, 1.2))
LOSS_AXIS = {"squared": "training loss (squared, sum)", "cross_entropy": "training loss (mean CE)"}
ACTIVATION_COLOUR = {"linear": BLUE, "relu": RED}
SKIP: dict[bool, Look] = {True: {"color": BLUE, "ls": SOLID}, False: {"color": RED, "ls": DASHED}}
LABELS: dict[str, Look] = {
    "true": {"color": BLUE, "ls": SOLID},
    "uniform": {"color": RED, "ls": DASHED},
    "permuted": {"color": PURPLE, "ls": DOTTED},
}
VERDICT_COLOUR = {
    "holds": GREEN,
    "holds for": GREEN,
    "depends on": ORANGE,
    "fails": RED,
    "vacuous": GREY,
    "undecided": GREY,
    "not tested": GREY,
}

_RC = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "lines.markersize": 4,
    "grid.linewidth": 0.4,
    "grid.color": "#DDDDDD",
    "pdf.fonttype": 42,
    "figure.dpi": 200,
    "savefig.dpi": 200,
}
# fontTools logs every glyph that it embeds in a PDF.
logging.getLogger("fontTools.subset").setLevel(logging.WARNING)
# A user's matplotlibrc must not change the artifacts; backend keys cannot be part of a context.
_SETTINGS: dict[Any, Any] = {
    **{key: value for key, value in mpl.rcParamsDefault.items() if not key.startswith("backend")},
    **_RC,
}


# The settings under which every figure is drawn and saved: a context, and a decorator.
context = functools.partial(mpl.rc_context, _SETTINGS)


class _Figure(Figure):
    """Saves under `context()` too, since fonts and resolution are looked up only then."""

    def savefig(self, *args: Any, **kwargs: Any) -> None:
        with context():
            super().savefig(*args, **kwargs)


def new_figure(
    height: float, width: float = WIDTH, layout: Literal["constrained"] | None = "constrained"
) -> Figure:
    """An empty Figure of `width` x `height` inches, without pyplot's global state."""
    return _Figure(figsize=(width, height), layout=layout)


def depth_colours(depths: Iterable[int]) -> dict[int, tuple]:
    """Along viridis, which is even in lightness: deeper is darker."""
    ordered = sorted(set(depths), reverse=True)
    shades = np.linspace(0.0, 0.85, max(len(ordered), 2))
    return {depth: mpl.colormaps["viridis"](s) for depth, s in zip(ordered, shades, strict=False)}


def letter(ax: Axes, mark: str, title: str) -> None:
    """A panel's title: (a) in bold, then what it shows."""
    ax.set_title(f"$\\bf{{({mark})}}$ {title}")


def missing(ax: Axes, what: str, how: str) -> None:
    """State in place of a panel what is missing and how to get it."""
    # An empty frame of the usual size keeps the panels beside it aligned.
    ax.spines[:].set_visible(False)
    ax.set_xticks([0.5], [" "])
    ax.set(yticks=[], xlabel=" ", xlim=(0, 1))
    ax.tick_params(length=0)
    text = "\n".join([*textwrap.wrap(what, 38), "", *textwrap.wrap(how, 38)])
    ax.text(
        0.5, 0.5, text, ha="center", va="center", color=GREY, transform=ax.transAxes, fontsize=7
    )


def missing_figure(what: str, how: str) -> Figure:
    """A whole figure that states what is missing."""
    figure = new_figure(1.6)
    missing(figure.subplots(), what, how)
    return figure


def legend_above(figure: Figure, entries: Mapping[str, Look], title: str, columns: int) -> None:
    """One legend above all panels, with a title that states the setting."""
    figure.legend(
        handles=key(entries),
        title=title,
        title_fontsize=8,
        loc="outside upper center",
        ncols=columns,
        handlelength=2.6,
    )


def key(entries: Mapping[str, Look]) -> list[Line2D]:
    """Legend handles from {label: line properties}."""
    return [Line2D([], [], label=label, **look) for label, look in entries.items()]
