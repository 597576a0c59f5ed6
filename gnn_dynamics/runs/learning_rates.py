"""A learning-rate grid that widens, model by model, until each model's best rate is interior.

Rates lie on the half-decade lattice 10^(k/2), the same for every model, so that runs of different
models can be compared at equal rate as well as at each one's best (docs/claims.md).
"""

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

Model = TypeVar("Model", bound=Hashable)

# Half-decades on either side of the start; a best rate at this edge is reported as not interior.
REACH = 12


class Score(NamedTuple):
    """How good a run was, smaller is better; ties in steps are broken by the loss at the end."""

    steps: float  # to the smallest threshold, inf where not reached
    loss: float  # at the end, inf where diverged


def scores(speed: Iterable[Mapping[str, Any]]) -> list[Score]:
    """Of runs, by their rows of the table speed, at the smallest threshold of the label norm."""
    rows = [row for row in speed if row["threshold_kind"] == "label_norm"]
    smallest = min(row["threshold"] for row in rows)
    return [
        Score(
            math.inf if row["censored"] else row["steps_to_threshold"],
            math.inf if row["status"] == "diverged" else row["end_loss"],
        )
        for row in rows
        if row["threshold"] == smallest
    ]


def rate(k: int) -> float:
    """10^(k/2), rounded so that equal k gives the same printed number everywhere."""
    return float(f"{10 ** (k / 2):.6g}")


def start_index(curvature: float) -> int:
    """Lattice index of the largest rate <= 1/curvature.

    `curvature` is a scale of the problem: 2 sigma_max^2 of the features for the squared loss, the
    largest curvature in a head over Bbar = I.

    Raises:
        ValueError: for a curvature that is not positive and finite.
    """
    if not 0 < curvature < math.inf:
        raise ValueError(f"curvature must be positive and finite, got {curvature}")
    return math.floor(-2 * math.log10(curvature))


def first_rates(models: Iterable[Model], start: int) -> list[tuple[Model, int]]:
    """Three neighbouring rates for each model."""
    return [(model, k) for model in models for k in range(start - 1, start + 2)]


def missing_rates(scores: Mapping[tuple[Model, int], Score], start: int) -> list[tuple[Model, int]]:
    """(model, k) still to train so that every model's best rate has both neighbours trained.

    The list is empty when both neighbours of every best rate are trained or lie outside
    start - REACH ... start + REACH.
    """
    best: dict[Model, int] = {}
    for (model, k), score in sorted(scores.items(), key=lambda item: item[0][1]):
        if model not in best or score < scores[model, best[model]]:
            best[model] = k
    neighbours = ((model, k + side) for model, k in best.items() for side in (-1, 1))
    return [cell for cell in neighbours if cell not in scores and abs(cell[1] - start) <= REACH]
