"""Columns of the propagated features that are zero or multiples of each other.

Each column is reduced to its products with a few random vectors, so one pass over the hops compares
columns of any length. Multiples stay multiples; other columns become multiples with probability 0,
up to rounding.
"""

from dataclasses import dataclass

import numpy as np

VECTORS = 6
DIGITS = 8  # of the directions that are compared; rounding errors are near 1e-14


@dataclass(frozen=True)
class Signature:
    """The columns of a matrix: products with random vectors (VECTORS, cols), and sizes (cols,).

    The size is the largest absolute value in a column, so a size of 0 is exact.
    """

    products: np.ndarray
    sizes: np.ndarray

    def on_top_of(self, other: "Signature") -> "Signature":
        """The signature of both matrices stacked; `other` may be the empty EMPTY."""
        # Without the scale, a hop of large values would hide a hop of small values in the sum.
        scale = self.sizes.max() or 1.0
        return Signature(
            other.products + self.products / scale, np.maximum(other.sizes, self.sizes)
        )

    def zeros(self) -> np.ndarray:
        """Columns that are exactly 0, ascending."""
        return np.flatnonzero(self.sizes == 0)

    def multiples(self) -> list[np.ndarray]:
        """Groups of two or more nonzero columns that are multiples of each other, ascending."""
        nonzero = np.flatnonzero(self.sizes > 0)
        points = self.products[:, nonzero]
        points = points / np.linalg.norm(points, axis=0)
        leading = np.take_along_axis(points, np.abs(points).argmax(axis=0)[None], axis=0)
        rounded = np.round(points * np.sign(leading), DIGITS) + 0.0  # no negative zeros
        _, group = np.unique(rounded, axis=1, return_inverse=True)
        order = np.argsort(group.ravel(), kind="stable")
        ends = np.flatnonzero(np.diff(group.ravel()[order])) + 1
        return [nonzero[part] for part in np.split(order, ends) if len(part) > 1]


EMPTY = Signature(np.zeros(1), np.zeros(1))  # of a matrix without rows


def signature(G: np.ndarray, rng: np.random.Generator | None = None) -> Signature:
    """The signature of the columns of G (rows, cols).

    Stacked matrices need independent vectors: give them the same generator.
    """
    random = (rng or np.random.default_rng(0)).standard_normal((VECTORS, len(G)))
    return Signature(random @ G, np.abs(G).max(axis=0))  # (VECTORS, cols), (cols,)
