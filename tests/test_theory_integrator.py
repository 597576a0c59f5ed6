"""RK4 against DOP853, and the local error that stands beside every bound."""

import numpy as np
import pytest
import torch
from theory_problems import flow, near_identity, objective_of, toy, trained

from gnn_dynamics.claims.bounds import bounds_table
from gnn_dynamics.dynamics.steppers import flow as flow_stepper
from gnn_dynamics.dynamics.steppers import stages
from gnn_dynamics.theory.integrator import local_error
from gnn_dynamics.theory.reference import flow_reference, squared_gradient, squared_loss


def curvature_at_start(problem, weights):
    """Largest eigenvalue of the Hessian in size, by power iteration on differences of gradients."""
    objective, generator = objective_of(problem), torch.Generator().manual_seed(0)
    direction = weights.map(lambda w: torch.randn(w.shape, generator=generator, dtype=w.dtype))
    for _ in range(60):
        size = float(direction.squared_norm().sqrt())
        ahead = weights.zip(lambda w, d, size=size: w + 1e-6 / size * d, direction)
        behind = weights.zip(lambda w, d, size=size: w - 1e-6 / size * d, direction)
        direction = objective(ahead)[1].zip(lambda a, b: (a - b) / 2e-6, objective(behind)[1])
    return float(direction.squared_norm().sqrt())


@pytest.mark.parametrize("multiscale", [False, True])
@pytest.mark.parametrize("depth", [1, 3])
def test_local_error_is_the_distance_to_exact_flow(depth, multiscale):
    """One step of the engine's RK4 against DOP853: the estimate is above, and not by far."""
    problem = toy("gcn", depth, multiscale)
    weights, objective = near_identity(problem.arch), objective_of(problem)
    gradient = objective(weights)[1]
    for factor in (0.5, 1.0, 2.0):
        dt = torch.tensor([factor / curvature_at_start(problem, weights)], dtype=torch.float64)
        stepped = stages(objective, weights, gradient, dt)[0]
        exact = flow_reference(squared_gradient(problem.G, problem.Y), weights, [0, float(dt)])[1]
        losses = [float(squared_loss(w, problem.G, problem.Y)) for w in (stepped, exact)]
        estimate = float(local_error(objective, weights, gradient, dt))
        assert abs(losses[0] - losses[1]) <= 2 * estimate
        assert estimate <= 20 * abs(losses[0] - losses[1])


def test_local_error_has_order_five():
    problem = toy("gcn", 2, True)
    weights, objective = near_identity(problem.arch), objective_of(problem)
    gradient, steps = objective(weights)[1], np.array([0.005, 0.01, 0.02])
    errors = [
        float(local_error(objective, weights, gradient, torch.tensor([dt], dtype=torch.float64)))
        for dt in steps
    ]
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope == pytest.approx(5.0, abs=0.3)


@pytest.mark.parametrize("depth", [1, 2])
def test_bounds_hold_on_runs_of_the_engine_within_the_measured_error(depth):
    problem = toy("gcn", depth, True)
    start = near_identity(problem.arch)
    constant = curvature_at_start(problem, start)
    stepper = flow_stepper(lambda objective, weights: torch.tensor([constant]), factor=0.2)
    training, condition, _, optimum = trained(problem, start, stepper, None, 400, 20)
    table = bounds_table(training, condition, optimum)
    assert table.holds.all() and table.chain_holds.all()
    assert table.integrator_error.is_monotonic_increasing
    assert 1e-12 < table.integrator_error.iloc[-1] < 1e-3
    assert training.conservation_drift.max() < 1e-4


def test_an_error_that_is_no_number_excuses_nothing():
    problem = toy("gcn", 1, True)
    start = near_identity(problem.arch)
    stepper = flow_stepper(lambda objective, weights: torch.tensor([10.0]), factor=0.2)
    training, condition, _, optimum = trained(problem, start, stepper, None, 40, 5)
    broken = training.copy()
    broken.loc[broken.index[2], "local_error"] = np.nan
    table = bounds_table(broken, condition, optimum)
    assert np.isfinite(table.integrator_error.iloc[:2]).all()
    assert np.isposinf(table.integrator_error.iloc[3:]).all()
    broken.loc[broken.index[4], "loss"] = 2 * broken.loss.max()  # no flow gains so much
    assert not bounds_table(broken, condition, optimum).holds.iloc[4]
    unmeasured = bounds_table(training.assign(local_error=np.nan), condition, optimum)
    assert unmeasured.integrator_error.isna().all()


def test_engine_flow_agrees_with_the_reference_within_its_error():
    """Same start, same end: what local errors add up to bounds the difference of the losses."""
    run = flow("gcn", 2, True)
    objective, start = objective_of(run.problem), run.weights[0]
    constant = curvature_at_start(run.problem, start)
    steps = int(np.ceil(run.times[-1] * constant / 0.2))
    dt = torch.tensor([run.times[-1] / steps], dtype=torch.float64)
    weights, spent = start, 0.0
    for _ in range(steps):
        gradient = objective(weights)[1]
        spent += float(local_error(objective, weights, gradient, dt))
        weights = stages(objective, weights, gradient, dt)[0]
    ends = [
        float(squared_loss(w, run.problem.G, run.problem.Y)) for w in (weights, run.weights[-1])
    ]
    assert abs(ends[0] - ends[1]) < spent
    assert spent < 1e-3 * ends[1]
