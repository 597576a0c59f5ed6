"""Graphs pooled: as statsmodels and a published meta-analysis say, with the promised coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t
from statsmodels.stats.meta_analysis import combine_effects

from gnn_dynamics.claims.pooling import ITERATION, mean_with_interval, pool

pytestmark = pytest.mark.slow

EFFECTS = st.lists(st.floats(-3, 3), min_size=3, max_size=20)
# Thirteen trials of the BCG vaccine (Colditz et al., JAMA 271 (1994), 698-702): cases
# and others among the vaccinated, then among the controls.
BCG = """
4 119 11 128  6 300 29 274  3 228 11 209  62 13536 248 12619  33 5036 47 5761  180 1361 372 1079
8 2537 10 619  505 87886 499 87892  29 7470 45 7232  17 1699 65 1600  186 50448 141 27197
5 2493 3 2338  27 16886 29 17825
"""


def risk_ratios() -> tuple[np.ndarray, np.ndarray]:
    """Log relative risks of the trials, and their standard errors."""
    a, b, c, d = np.array(BCG.split(), float).reshape(-1, 4).T
    effects = np.log(a / (a + b)) - np.log(c / (c + d))
    return effects, np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))


def errors_of(effects: list[float], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.05, 0.5, len(effects))


def test_the_bcg_trials_give_the_published_numbers():
    """Paule-Mandel estimate, error, tau^2, and I^2 from Q = 152.2, as metafor prints them."""
    found = pool(*risk_ratios(), 0.95)
    assert found.effect == pytest.approx(-0.7150, abs=5e-5)
    assert found.se == pytest.approx(0.1809, abs=5e-5)
    assert found.tau**2 == pytest.approx(0.3181, abs=5e-5)
    assert found.i2 == pytest.approx(1 - 12 / 152.233, abs=5e-5)


@settings(max_examples=50, deadline=None)
@given(EFFECTS, st.integers(0, 2**32 - 1))
def test_pooling_is_statsmodels_own(effects, seed):
    y, errors = np.array(effects), errors_of(effects, seed)
    found = pool(y, errors, 0.95)
    theirs = combine_effects(y, errors**2, method_re="iterated", use_t=True, **ITERATION)
    intervals = theirs.conf_int()[1], theirs.conf_int()[3]
    widest = max(intervals, key=lambda ends: ends[1] - ends[0])
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(widest), abs=1e-12)
    assert found.effect == pytest.approx(theirs.mean_effect_re, abs=1e-12)
    assert found.tau**2 == pytest.approx(theirs.tau2, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(EFFECTS, st.floats(-2, 2), st.integers(0, 100))
def test_a_shift_shifts_and_the_sides_are_alike(effects, shift, seed):
    y, errors = np.array(effects), errors_of(effects, seed)
    one, moved, mirrored = (pool(values, errors, 0.95) for values in (y, y + shift, -y))
    assert moved.ci_low == pytest.approx(one.ci_low + shift, abs=1e-3)
    assert mirrored.ci_high == pytest.approx(-one.ci_low, abs=1e-3)
    assert one.prediction_low <= one.ci_low <= one.effect <= one.ci_high <= one.prediction_high
    assert 0 <= one.i2 <= 1


@settings(max_examples=200, deadline=None)
@given(EFFECTS, st.integers(0, 2**32 - 1))
def test_a_spread_beyond_the_errors_is_never_lost_to_rounding(effects, seed):
    y, errors = np.array(effects), errors_of(effects, seed)
    found = pool(y, errors, 0.95)
    assert found.tau > 0 or found.i2 < 1e-4


def test_equal_graphs_have_no_spread():
    found = pool(np.full(6, 0.7), np.full(6, 0.1), 0.95)
    assert (found.effect, found.tau, found.i2) == (pytest.approx(0.7), 0, 0)
    assert found.se == pytest.approx(0.1 / np.sqrt(6))  # of the model: their agreement is luck


def world(rng, graphs: int, seeds: int, tau: float) -> tuple[np.ndarray, np.ndarray]:
    """Effects and errors of graphs around 0.5, each from a few seeds of unequal spread."""
    true = 0.5 + tau * rng.normal(size=graphs)
    spread = rng.uniform(0.05, 0.4, graphs)
    samples = true[:, None] + spread[:, None] * rng.normal(size=(graphs, seeds))
    means = [mean_with_interval(sample, 0.01, 0.95)[:2] for sample in samples]
    return tuple(np.array(means).T)


@pytest.mark.parametrize(("tau", "least", "most"), [(0.5, 0.93, 0.97), (0.1, 0.9, 0.99)])
@pytest.mark.parametrize("graphs", [5, 20])
def test_intervals_cover_what_they_promise(graphs, tau, least, most):
    """Of the mean and for a new graph, in made-up worlds with five seeds.

    Where graphs differ by less than seeds do, errors that are estimated from five seeds cost a few
    percent.
    """
    rng, worlds = np.random.default_rng(0), 1000
    mean_in, new_in = 0, 0
    for _ in range(worlds):
        found = pool(*world(rng, graphs, 5, tau), 0.95)
        mean_in += found.ci_low <= 0.5 <= found.ci_high
        new_in += found.prediction_low <= 0.5 + tau * rng.normal() <= found.prediction_high
    assert least <= mean_in / worlds <= most
    assert least - 0.05 * (tau < 0.5) <= new_in / worlds <= most


def test_the_normal_interval_would_cover_too_little():
    """Why Student's t is used: with five graphs, 95 % would be 88 %."""
    rng, worlds, covered = np.random.default_rng(0), 1000, 0
    for _ in range(worlds):
        effects, errors = world(rng, 5, 5, 0.5)
        low, high = combine_effects(effects, errors**2, method_re="iterated").conf_int()[1]
        covered += low <= 0.5 <= high
    assert covered / worlds < 0.91


def test_the_interval_of_a_graph_is_students():
    sample = np.array([0.1, 0.4, 0.2, 0.7, 0.6])
    mean, error, low, high = mean_with_interval(sample, 0.01, 0.95)
    assert (mean, error) == pytest.approx((0.4, np.std(sample, ddof=1) / 5**0.5))
    assert (low, high) == pytest.approx(t.interval(0.95, 4, 0.4, error))
    assert mean_with_interval(np.zeros(5), 0.01, 0.95)[:2] == (0.0, 0.01)  # ties
