"""Guaranteed and measured times, and the step size up to which descent keeps the bound."""

import numpy as np
import pandas as pd
import pytest
from theory_problems import bounds_of, flow, toy, trained, zero_head

from gnn_dynamics.claims.bounds import bounds_table
from gnn_dynamics.claims.guarantees import descent_limits, guarantee_times
from gnn_dynamics.dynamics.steppers import STEPPERS

RATES = [1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0]


@pytest.mark.slow
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_guaranteed_time_is_never_below_the_measured_one(depth):
    """Zero heads on well-conditioned features, where the gap closes within the run."""
    run = flow("gcn", depth, False, "zero-head", end=12.0, points=61, m_x=2, width=3)
    times = guarantee_times(bounds_of(run), fraction=0.1).iloc[0]
    assert np.isfinite(times.measured_time)
    assert 1 <= times.guarantee_ratio < np.inf


def test_without_a_guarantee_the_time_is_infinite():
    times = guarantee_times(bounds_of(flow("gcn", 1, False, "random")), fraction=0.5).iloc[0]
    assert times.guaranteed_time == np.inf
    assert times.measured_time > 0


def test_unreached_fraction_is_null():
    times = guarantee_times(bounds_of(flow("gcn", 2, True)), fraction=1e-6).iloc[0]
    assert np.isnan(times.measured_time)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_descent_keeps_the_bound_up_to_some_step_size(depth):
    """Zero heads: small steps keep the flow's bound, steps past the edge of stability do not."""
    problem = toy("gcn", depth, True)
    start = zero_head(problem.arch)
    training, condition, _, optimum = trained(problem, start, STEPPERS["gd"], RATES, 400, 10)
    bounds = bounds_table(training, condition, optimum, optimizer="gd")
    limits = descent_limits(bounds).iloc[0]
    assert limits.rates == len(RATES)
    for kind in ("guaranteed", "restricted"):
        assert limits[f"{kind}_lr"] >= 1e-2
        assert limits[f"{kind}_lr_broken"] > limits[f"{kind}_lr"]
    assert limits.restricted_lr <= limits.guaranteed_lr


def test_one_bad_rate_below_a_good_one_sets_the_limit():
    base = bounds_of(flow("gcn", 1, False)).assign(excess_error=0.0)
    good = base.assign(excess=0.5, bound_guaranteed=1.0, bound_restricted=1.0)
    parts = [good.assign(lr=lr) for lr in (0.1, 0.2, 0.4)]
    parts[1] = parts[1].assign(bound_guaranteed=0.1)
    parts[2] = parts[2].assign(diverged=True)
    limits = descent_limits(pd.concat(parts)).iloc[0]
    assert (limits.guaranteed_lr, limits.guaranteed_lr_broken) == (0.1, 0.2)
    assert (limits.restricted_lr, limits.restricted_lr_broken) == (0.2, 0.4)
