"""Effects in words: a factor of time, points of accuracy, or a rank correlation."""

from typing import Any, NamedTuple

import numpy as np

from gnn_dynamics.claims.units import ABOVE, BELOW, LOG2, OPEN, POINTS, RHO, VARIES, WITHIN


class Words(NamedTuple):
    """What is said about effects of a unit.

    above, below, within: adverbs of the side that the claim names, of the other, and of neither.
    pattern: of a number with one of the first two. noun, after: of several numbers in a row.
    same: effects that differ by less are called the same.
    """

    above: str
    below: str
    within: str
    pattern: str
    noun: str
    after: str
    same: float

    def without_number(self, finding: str) -> str | None:
        """What is said in place of a number; None if it is one that is said."""
        if finding in WITHIN:
            return self.within
        if finding == VARIES:
            return f"{self.above} on some graphs and {self.below} on others"
        return f"neither clearly {self.above} nor clearly {self.below}" if finding == OPEN else None


WORDS = {
    LOG2: Words(
        above="sooner",
        below="later",
        within="equally soon",
        pattern="{number} times {word}",
        noun="factor",
        after="",
        same=float(np.log2(1.05)),
    ),
    POINTS: Words(
        above="better",
        below="worse",
        within="equally well",
        pattern="{number} points {word}",
        noun="difference",
        after=" points",
        same=0.1,
    ),
    RHO: Words(
        above="in the same order",
        below="in the opposite order",
        within="unrelated",
        pattern="{word} with rank correlation {number}",
        noun="rank correlation",
        after="",
        same=0.01,
    ),
}


def factor(row: Any) -> str:
    """`1.4 times sooner`, `1.4 points worse`, or what stands for another finding."""
    words = WORDS[row.unit]
    size = row.effect if row.unit == RHO else abs(row.effect)
    word = words.above if row.finding in ABOVE else words.below
    said = words.pattern.format(number=amount(size, row.unit), word=word)
    return words.without_number(row.finding) or said


def times(effect: float) -> str:
    """An effect (log2) as a factor with two digits, more for large ones."""
    return f"{2**effect:.2g}" if effect < np.log2(99.5) else f"{2**effect:.0f}"


def amount(effect: float, unit: str) -> str:
    """An effect in its unit: a factor, points, or a rank correlation."""
    if unit == LOG2:
        return times(effect)
    return f"{effect:.{1 if unit == POINTS else 2}f}".replace("-", "−")


def interval(low: float, high: float, finding: str, unit: str = LOG2) -> str:
    """`1.3 to 1.6`, of the number that `factor` gives."""
    ends = (-high, -low) if finding in BELOW and unit != RHO else (low, high)
    return " to ".join(amount(end, unit) for end in ends)
