"""Statistics over pairs against known values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import bootstrap

from gnn_dynamics.claims.statistics import holm, median_intervals, sign_test


def intervals(samples, confidence=0.9):
    low, high = median_intervals(np.asarray(samples, float), confidence, 2000, 0)
    return low, high


def test_holm_on_the_textbook_example():
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, then non-decreasing.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]).shape == (0,)


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_lies_between_no_adjustment_and_bonferroni(p_values):
    adjusted = holm(p_values)
    assert (adjusted >= np.array(p_values)).all()
    assert (adjusted <= np.minimum(1, len(p_values) * np.array(p_values))).all()
    assert (np.diff(adjusted[np.argsort(p_values, kind="stable")]) >= 0).all()


def test_sign_test_is_exact():
    assert sign_test(5, 0) == pytest.approx(2 / 2**5)
    assert sign_test(9, 1) == sign_test(1, 9) == pytest.approx(2 * 11 / 2**10)
    assert sign_test(3, 3) == sign_test(0, 0) == 1.0


@pytest.mark.parametrize("n", [2, 5, 6, 11])
def test_intervals_are_those_of_scipy(n):
    sample = np.sort(np.random.default_rng(n).normal(size=n))
    rng = np.random.default_rng(0)
    found = bootstrap(
        (sample,), np.median, confidence_level=0.9, n_resamples=2000, method="percentile", rng=rng
    ).confidence_interval
    low, high = intervals(sample[None])
    assert (low[0], high[0]) == pytest.approx((found.low, found.high), abs=1e-14)


def test_five_pairs_give_their_range():
    low, high = intervals([[3.0, 1.0, 5.0, 2.0, 4.0]])
    assert (low[0], high[0]) == (1.0, 5.0)


def test_interval_covers_the_true_median_about_as_often_as_it_says():
    samples = np.random.default_rng(0).normal(size=(400, 10))
    low, high = intervals(samples)
    assert 0.85 <= np.mean((low <= 0) & (high >= 0)) <= 0.99


def test_a_cell_does_not_depend_on_its_neighbours():
    samples = np.random.default_rng(1).normal(size=(200, 8))
    together, alone = intervals(samples), intervals(samples[70:71])
    assert (together[0][70], together[1][70]) == (alone[0][0], alone[1][0])


@settings(max_examples=20, deadline=None)
@given(arrays(float, (3, 6), elements=st.floats(-100, 100)), st.floats(-5, 5))
def test_interval_moves_with_the_sample_and_lies_within_it(samples, shift):
    low, high = intervals(samples)
    assert (samples.min(axis=1) <= low).all() and (low <= high).all()
    assert (high <= samples.max(axis=1)).all()
    moved = intervals(samples + shift)
    assert np.allclose(moved[0], low + shift) and np.allclose(moved[1], high + shift)
