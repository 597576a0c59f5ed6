"""Columns, or rows, of the propagated features that are zero or multiples of each other.

Each column is reduced to its products with a few random vectors, so one pass over the hops compares
columns of any length. Multiples stay multiples; other columns become multiples with probability 0,
up to rounding.
"""

from collections.abc import Iterable, Iterator
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


def column_signatures(
    levels: Iterable[np.ndarray],
) -> Iterator[tuple[int, Signature, Signature]]:
    """(depth, signature of G_depth, signature of the stack of G_0, ..., G_depth).

    levels: the propagated features G_0, G_1, ... (m_x, nbar).
    """
    rng = np.random.default_rng(0)
    products, sizes = np.zeros(1), np.zeros(1)
    for depth, G in enumerate(levels):
        random = rng.standard_normal((VECTORS, len(G)))
        single = Signature(random @ G, np.abs(G).max(axis=0))  # (VECTORS, nbar), (nbar,)
        # Without the scale, a hop of large values would hide a hop of small values in the sum.
        scale = single.sizes.max() or 1.0
        products, sizes = products + single.products / scale, np.maximum(sizes, single.sizes)
        yield depth, single, Signature(products, sizes)
