"""The speed of training that the singular values of a graph imply, in numbers and words.

Along gradient flow of the squared loss the excess L - L* decreases at a rate of at least
4 lambda sigma_r^2 per unit of time (Xu et al. 2021, arXiv 2105.04550, Theorems 1 and 2, with the
smallest positive singular value sigma_r; docs/theory.md). lambda depends on the products of
weights and is 1 for the identity.
"""

import math
from collections.abc import Mapping
from typing import Any


def expected(row: Mapping[str, Any]) -> dict[str, float]:
    """rate, half_life and descent_steps for a row of graph_condition.parquet, at lambda = 1.

    rate: 4 sigma_r^2, per unit of flow time. half_life: log 2 / rate, the time in which the slowest
    part of the excess halves. descent_steps: the number of steps of gradient descent in which it
    halves, with step size 1 / (2 sigma_max^2), half the largest stable one.
    """
    slow, fast = row["sigma_min_positive_sq"], row["sigma_max"] ** 2
    if not slow > 0:
        return {"rate": 0.0, "half_life": math.inf, "descent_steps": math.inf}
    rate = 4.0 * slow
    remains = 2.0 * math.log1p(-slow / fast) if slow < fast else -math.inf
    steps = max(1.0, math.log(0.5) / remains) if remains else math.inf
    return {"rate": rate, "half_life": math.log(2.0) / rate, "descent_steps": steps}


def in_words(steps: float) -> str:
    """`descent_steps` as one of five words, from fast to out of reach."""
    for most, words in ((100, "fast"), (1e4, "moderate"), (1e6, "slow"), (1e9, "very slow")):
        if steps <= most:
            return words
    return "out of reach"
