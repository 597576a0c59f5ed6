"""Logarithmic axes: plain ticks, and a strip for exact zeros."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis


def with_zero(ax: Axes, values: Iterable[float], label: str = "") -> float:
    """Make y logarithmic with a grey strip for exact zeros at its foot; returns the strip's y.

    The strip is drawn only if there are zeros, so that a small number never looks like a zero.
    """
    numbers = np.asarray([v for v in values if np.isfinite(v)], dtype=float)
    ax.set_yscale("log")
    positive = numbers[numbers > 0] if (numbers > 0).any() else np.ones(1)
    low, high = np.log10(positive.min()), np.log10(positive.max())
    span = max(high - low, 1.0)
    above = 0.18 if label else 0.12  # of the strip, with room for a label above the marks
    zero = low - (above + 0.08) * span  # log10 of the strip's y
    zeros = bool((numbers == 0).any())
    bottom = zero - 0.06 * span if zeros else low - 0.06 * span
    ax.set_ylim(10**bottom, 10 ** (high + 0.08 * span))
    plain_ticks(ax.yaxis, floor=10 ** (low - 0.03 * span), zero_y=10**zero if zeros else None)
    if zeros:
        ax.axhspan(10**bottom, 10 ** (zero + above * span), color="#EEEEEE", zorder=0, lw=0)
        across = ax.get_yaxis_transform()
        text_y = 10 ** (zero + above * span)
        ax.text(0.01, text_y, label, transform=across, va="top", fontsize=6.5)
    return float(10**zero)


def y_axis(ax: Axes) -> None:
    """A logarithmic y axis with plain ticks; call it when everything is drawn."""
    ax.set_yscale("log")
    plain_ticks(ax.yaxis)


def plain_ticks(axis: Axis, floor: float = 0.0, zero_y: float | None = None) -> None:
    """Plain ticks for a log axis: powers of ten, or more per decade where the range is short.

    At least three, over at least half of the axis, where the finest choice has them. No tick below
    `floor`; a tick named 0 at `zero_y`.
    """
    low, high = axis.get_view_interval()
    low = max(low, floor)
    first, last = np.floor(np.log10(low)), np.ceil(np.log10(high))
    stride = max(1, int(np.ceil((last - first) / 7)))
    exponents = np.arange(np.ceil(first / stride) * stride, last + 1, stride)
    choices = [(1,), (1, 2, 5), range(1, 10), (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 8)]
    for digits in choices[0 if last - first > 3 else 1 :]:
        ticks = [digit * 10.0**exponent for exponent in exponents for digit in digits]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) > 2 and (ticks[-1] / ticks[0]) ** 2 >= high / low:
            break
    plain = len(ticks) > 0 and min(ticks) >= 1e-2 and max(ticks) <= 1e3
    labels = [f"{tick:g}" if plain else power(tick, 1) for tick in ticks]
    if zero_y is not None:
        ticks, labels = [zero_y, *ticks], ["0", *labels]
    axis.set_ticks(ticks, labels)
    axis.set_ticks([], minor=True)


def power(value: float, decimals: int = 0) -> str:
    r"""A number of this many decimals at most, times a power of ten, as `$3\cdot10^{-4}$`."""
    digits, power = f"{value:.{decimals}e}".split("e")
    digits = f"{float(digits):g}"
    times = "" if digits == "1" else rf"{digits}\!\cdot\!"
    return f"${times}10^{{{int(power)}}}$"


def zeros_at(values: Iterable[float], zero_y: float) -> np.ndarray:
    """Values for a logarithmic axis: zeros moved to `zero_y`."""
    numbers = np.asarray(list(values), dtype=float)
    return np.where(numbers == 0, zero_y, numbers)
