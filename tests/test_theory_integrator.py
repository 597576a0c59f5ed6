"""The error of the integrator, which enters every check of a bound."""

import numpy as np
import pytest
import torch
from theory_problems import near_identity, toy, trained

from gnn_dynamics.claims.bounds import bounds_table
from gnn_dynamics.dynamics.chebyshev import chebyshev_flow
from gnn_dynamics.dynamics.rosenbrock import function_space_flow
from gnn_dynamics.dynamics.runge_kutta import runge_kutta_flow
from gnn_dynamics.dynamics.sharpness import lambda_max

METHODS = {
    "chebyshev": chebyshev_flow(lambda_max, 1e-3),
    "function-space": function_space_flow(1e-3),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("multiscale", [False, True])
@pytest.mark.parametrize("depth", [1, 2])
def test_bounds_hold_on_runs_of_the_engine_within_the_measured_error(depth, multiscale, name):
    problem = toy("gcn", depth, multiscale)
    start = near_identity(problem.arch)
    training, condition, _, optimum = trained(problem, start, METHODS[name], None, 60, 5)
    table = bounds_table(training, condition, optimum)
    assert table.holds.all() and table.chain_holds.all()
    assert table.rate_kernel.notna().all()
    assert table.integrator_error.is_monotonic_increasing
    assert 1e-6 < table.integrator_error.iloc[-1] < 0.1


def test_an_error_that_is_no_number_excuses_nothing():
    problem = toy("gcn", 1, True)
    start = near_identity(problem.arch)
    training, condition, _, optimum = trained(problem, start, METHODS["chebyshev"], None, 40, 5)
    broken = training.copy()
    broken.loc[broken.index[3:], "integrator_error"] = np.nan
    table = bounds_table(broken, condition, optimum)
    assert np.isfinite(table.integrator_error.iloc[:3]).all()
    assert np.isposinf(table.integrator_error.iloc[3:]).all()
    broken.loc[broken.index[4], "loss"] = 2 * broken.loss.max()  # no flow gains so much
    assert not bounds_table(broken, condition, optimum).holds.iloc[4]


def test_the_reference_measures_no_error():
    problem = toy("gcn", 1, True)
    stepper = runge_kutta_flow(lambda objective, weights: torch.tensor([10.0]), factor=0.2)
    training, condition, _, optimum = trained(
        problem, near_identity(problem.arch), stepper, None, 40, 5
    )
    assert bounds_table(training, condition, optimum).integrator_error.isna().all()
