"""One look for all figures: colours, names, units, and how to draw a zero on a logarithmic axis.

Sizes are inches for two-column print (full width 7 in, letters 7-9 pt). The colours are those of
Okabe and Ito (2008), which stay apart under every common form of colour blindness; line styles
and markers repeat what colours say, so that a grey print loses nothing.
"""

import functools
import logging
import textwrap
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

WIDTH = 7.0  # inches, both columns
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, GREY, BLACK = "#CC79A7", "#56B4E9", "#8C8C8C", "#222222"
BAND_ALPHA = 0.18

NAMES = {
    "cora": "Cora",
    "citeseer": "CiteSeer",
    "pubmed": "PubMed",
    "digits": "Digits",
    "wine": "Wine",
    "breast-cancer": "Breast cancer",
    "amazon-photo": "Amazon Photo",
    "amazon-computers": "Amazon Computers",
    "coauthor-cs": "Coauthor CS",
    "coauthor-physics": "Coauthor Physics",
    "chameleon-filtered": "Chameleon (filtered)",
    "squirrel-filtered": "Squirrel (filtered)",
    "chameleon": "Chameleon",
    "squirrel": "Squirrel",
    "actor": "Actor",
    "texas": "Texas",
    "wisconsin": "Wisconsin",
    "cornell": "Cornell",
    "minesweeper": "Minesweeper",
    "tolokers": "Tolokers",
    "gcn": "GCN",
    "gin": "GIN",
    "rw": "random walk",
    "linear": "linear",
    "relu": "ReLU",
    "raw": "raw features",
    "row": "row-normalised features",
    "standard": "standardised features",
    "train": "training nodes",
    "all": "all labelled nodes",
    "squared": "squared loss (sum)",
    "cross_entropy": "mean cross-entropy",
    "adam": "Adam",
    "gd": "gradient descent",
    "flow": "gradient flow",
    "true": "true labels",
    "permuted": "permuted labels",
    "uniform": "uniformly random labels",
    "holds": "holds",
    True: "multiscale (with skips)",
    False: "not multiscale (no skips)",
}
LOSS_AXIS = {"squared": "training loss (squared, sum)", "cross_entropy": "training loss (mean CE)"}
ACTIVATION_COLOUR = {"linear": BLUE, "relu": RED}
SCALE_COLOUR = {True: BLUE, False: RED}
LABEL_COLOUR = {"true": BLUE, "uniform": RED, "permuted": PURPLE}
SCALE_LINE = {True: "-", False: (0, (4, 1.6))}
LABEL_LINE = {"true": "-", "uniform": (0, (4, 1.6)), "permuted": (0, (1, 1.2))}
VERDICT_COLOUR = {
    "holds": GREEN,
    "fails": RED,
    "mixed": ORANGE,
    "vacuous": GREY,
    "not tested": GREY,
}

_RC = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
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
# Embedding a font in a PDF is told glyph by glyph otherwise, and fills the logs.
logging.getLogger("fontTools.subset").setLevel(logging.WARNING)
# A user's matplotlibrc must not change the artifacts; backend keys cannot be part of a context.
_DEFAULTS = {k: v for k, v in mpl.rcParamsDefault.items() if not k.startswith("backend")}


def context() -> AbstractContextManager:
    """The settings that every figure is drawn and saved under."""
    return mpl.rc_context({**_DEFAULTS, **_RC})


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Draw under `context()`, leaving matplotlib's global settings as they were."""

    @functools.wraps(draw)
    def wrapped(*args, **kwargs) -> Figure:
        with context():
            return draw(*args, **kwargs)

    return wrapped


class _Figure(Figure):
    """Saves under `context()`, too: fonts and resolution are looked up only then."""

    def savefig(self, *args, **kwargs) -> None:
        with context():
            super().savefig(*args, **kwargs)


def new_figure(height: float, width: float = WIDTH, layout: str = "constrained") -> Figure:
    """An empty Figure of `width` x `height` inches, free of pyplot's global state."""
    return _Figure(figsize=(width, height), layout=layout)


def name(value: object) -> str:
    """How a key's value is written for a reader; unknown names stay as they are."""
    return NAMES.get(value, str(value).replace("pca-", "PCA-"))


def depth_colours(depths: Iterable[int]) -> dict[int, tuple]:
    """Along viridis, which is even in lightness: deeper is darker."""
    ordered = sorted(set(depths), reverse=True)
    places = np.linspace(0.0, 0.85, max(len(ordered), 2))
    return {depth: mpl.colormaps["viridis"](p) for depth, p in zip(ordered, places, strict=False)}


def letter(ax: Axes, mark: str, title: str) -> None:
    """A panel's title, left-aligned: (a) in bold, then what it shows."""
    ax.set_title(f"$\\bf{{({mark})}}$ {title}" if mark else title, loc="left")


def missing(ax: Axes, what: str, how: str) -> None:
    """Say in place of a panel what is not there and how to get it."""
    # An empty frame of usual size, so that panels beside it stay aligned.
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


def log_axis_with_zero(ax: Axes, values: Iterable[float], label: str = "") -> float:
    """Make y logarithmic with a grey strip for exact zeros at its foot; returns the strip's height.

    The strip is drawn only if there are zeros, so that a small number never looks like a zero.
    """
    values = np.asarray([v for v in values if np.isfinite(v)], dtype=float)
    ax.set_yscale("log")
    positive = values[values > 0] if (values > 0).any() else np.ones(1)
    low, high = np.log10(positive.min()), np.log10(positive.max())
    span = max(high - low, 1.0)
    place = low - 0.2 * span
    zeros = (values == 0).any()
    bottom = place - 0.06 * span if zeros else low - 0.06 * span
    ax.set_ylim(10**bottom, 10 ** (high + 0.08 * span))
    log_ticks(ax.yaxis, floor=10 ** (low - 0.03 * span), zero=10**place if zeros else None)
    if zeros:
        ax.axhspan(10**bottom, 10 ** (place + 0.12 * span), color="#EEEEEE", zorder=0, lw=0)
        where = {"transform": ax.get_yaxis_transform(), "va": "bottom", "fontsize": 6.5}
        ax.text(0.01, 10 ** (place + 0.03 * span), label, **where)
    return 10**place


def log_ticks(axis: Axis, floor: float = 0.0, zero: float | None = None) -> None:
    """Plain ticks for a log axis: powers of ten, or more per decade where the range is short.

    At least three, over at least half of the axis, where the finest choice has them. No tick below
    `floor`; a tick named 0 at `zero`.
    """
    low, high = axis.get_view_interval()
    low = max(low, floor)
    first, last = np.floor(np.log10(low)), np.ceil(np.log10(high))
    stride = max(1, int(np.ceil((last - first) / 7)))
    exponents = np.arange(np.ceil(first / stride) * stride, last + 1, stride)
    choices = [(1,), (1, 2, 5), range(1, 10), (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 8)]
    for digits in choices[0 if last - first > 3 else 1 :]:
        places = [d * 10.0**e for e in exponents for d in digits]
        places = [place for place in places if low <= place <= high]
        if len(places) > 2 and (places[-1] / places[0]) ** 2 >= high / low:
            break
    plain = len(places) > 0 and min(places) >= 1e-2 and max(places) <= 1e3
    names = [f"{place:g}" if plain else power(place, 1) for place in places]
    if zero is not None:
        places, names = [zero, *places], ["0", *names]
    axis.set_ticks(places, names)
    axis.set_ticks([], minor=True)


def power(value: float, decimals: int = 0) -> str:
    """A number of this many decimals at most, times a power of ten, as `$3\\cdot10^{-4}$`."""
    digits, power = f"{value:.{decimals}e}".split("e")
    digits = f"{float(digits):g}"
    times = "" if digits == "1" else rf"{digits}\!\cdot\!"
    return f"${times}10^{{{int(power)}}}$"


def at(values: Iterable[float], place: float) -> np.ndarray:
    """Values for a logarithmic axis: zeros moved to `place`."""
    values = np.asarray(list(values), dtype=float)
    return np.where(values == 0, place, values)


def legend_above(figure: Figure, handles: list[Line2D], title: str, columns: int) -> None:
    """One legend for all panels, above them, with a line that says what is shown."""
    place = {"loc": "outside upper center", "ncols": columns, "handlelength": 2.6}
    figure.legend(handles=handles, title=title, title_fontsize=8, **place)


def key(entries: Mapping[str, Mapping]) -> list[Line2D]:
    """Legend handles from {label: line properties}."""
    return [Line2D([], [], label=label, **look) for label, look in entries.items()]
