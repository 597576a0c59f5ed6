"""The grid ends with the best rate of every model between two worse ones."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnn_dynamics.runs.learning_rates import (
    REACH,
    Score,
    first_rates,
    missing_rates,
    rate,
    start_index,
)


def search(optima: dict[str, int], start: int) -> dict:
    """Widen for models whose steps grow away from a known optimum; far above it they diverge."""
    scores, todo = {}, first_rates(optima, start)
    while todo:
        for model, k in todo:
            diverged = k > optima[model] + 1
            steps = math.inf if diverged else 10.0 + abs(k - optima[model])
            scores[model, k] = Score(steps, math.inf if diverged else 0.0)
        todo = missing_rates(scores, start)
    return scores


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(-20, 20))
def test_search_ends_with_every_best_rate_interior(a, b, start):
    optima = {"a": start + a, "b": start + b}
    scores = search(optima, start)
    for model, k in optima.items():
        assert min(s for (m, _), s in scores.items() if m == model) == scores[model, k]
        assert {(model, k - 1), (model, k + 1)} <= set(scores)


def test_a_best_rate_out_of_reach_ends_the_search_at_the_edge():
    scores = search({"a": REACH + 5}, 0)
    assert max(k for _, k in scores) == REACH


def test_without_any_threshold_reached_the_loss_decides():
    scores = {("a", k): Score(math.inf, -k) for k in (-1, 0, 1)}
    assert missing_rates(scores, 0) == [("a", 2)]


def test_rates_are_half_decades_below_the_inverse_curvature():
    assert rate(-3) == 0.0316228
    assert rate(start_index(100.0)) == 0.01
    assert start_index(50.0) == -4
    with pytest.raises(ValueError, match="positive"):
        start_index(0.0)
