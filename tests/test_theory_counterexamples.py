"""Statements that fail must keep failing, and their repairs hold on the same problems."""

import numpy as np
import pytest

from gnn_dynamics.theory.counterexamples import (
    exponent_at_depth_zero,
    layer_subset,
    margin_rescaled,
)


def test_constant_four_is_attained_and_eight_fails():
    assert exponent_at_depth_zero(4.0).worst_ratio == pytest.approx(1.0, abs=1e-9)
    assert exponent_at_depth_zero(8.0).worst_ratio > 1e3
    assert exponent_at_depth_zero(4.01).worst_ratio > 1.01


@pytest.mark.parametrize(("eps", "loss"), [(0.1, 0.207), (0.01, 0.797), (0.001, 0.976)])
def test_bound_of_a_single_layer_fails_and_the_full_one_holds(eps, loss):
    """Two nodes, H = 1, H' = 0: the loss at T = 3 stays near 1, the claimed bound is 1.2e-5."""
    claimed, full = layer_subset(eps)
    assert claimed.excess[-1] == pytest.approx(loss, abs=1e-3)
    assert claimed.bound[-1] == pytest.approx(2 * np.exp(-12), rel=1e-9)
    assert claimed.worst_ratio > 1e4
    assert full.worst_ratio <= 1 + 1e-9


def test_singular_margin_can_be_rescaled_away():
    facts = margin_rescaled()
    assert facts["loss"] == pytest.approx([facts["loss"][0]] * 3, rel=1e-12)
    ratios = np.array(facts["sigma_min"]) / facts["sigma_min"][0]
    assert ratios == pytest.approx(facts["scale"], rel=1e-9)
