"""Integrators of gradient flow: order, stiffness, saddle points, errors, choice of the method."""

from functools import cache

import numpy as np
import pytest
import torch
from theory_problems import near_identity, objective_of, random_weights, toy

from gnn_dynamics.dynamics import chebyshev, rosenbrock
from gnn_dynamics.dynamics.chebyshev import chebyshev_flow
from gnn_dynamics.dynamics.flow import choose_flow, stiffness
from gnn_dynamics.dynamics.rosenbrock import Linearised, function_space_flow
from gnn_dynamics.dynamics.sharpness import lambda_max
from gnn_dynamics.dynamics.train import train
from gnn_dynamics.errors import UserError
from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.linear import LinearModel
from gnn_dynamics.models.losses import curvature_root
from gnn_dynamics.models.model import Architecture, Weights, stack_weights
from gnn_dynamics.models.objective import Objective
from gnn_dynamics.models.operators import StackedOperator
from gnn_dynamics.models.tangent import Tangent
from gnn_dynamics.runs.speed import crossing_time, first_below
from gnn_dynamics.theory.reference import flow_reference

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
METHODS = {
    "chebyshev": lambda tolerance: chebyshev_flow(lambda_max, tolerance),
    "function-space": function_space_flow,
}


def hitting_times(trajectory, optimum: float, targets, model: int = 0) -> np.ndarray:
    """Times at which L - L* passes each of the targets."""
    usable = np.isfinite(trajectory.loss[:, model].numpy())
    excess = trajectory.loss[:, model].numpy()[usable] - optimum
    times = trajectory.time[:, model].numpy()[usable]
    steps = [first_below(excess, target) for target in targets]
    return np.array(
        [crossing_time(times, excess, s, t) for s, t in zip(steps, targets, strict=True)]
    )


def reference_times(objective, weights, optimum: float, targets, end: float) -> np.ndarray:
    """The same by DOP853 at relative tolerance 1e-11, from losses at 1000 times."""
    times = np.linspace(0, end, 1000)
    states = flow_reference(lambda w: objective(w)[1], weights, times)
    excess = np.array([float(objective(state)[0]) for state in states]) - optimum
    return np.array([crossing_time(times, excess, first_below(excess, t), t) for t in targets])


# Order -------------------------------------------------------------------------------------------


def end_of_steps(name: str, objective: Objective, weights: Weights, dt: float, count: int):
    """Weights after `count` equal steps without control of their size."""
    size = torch.tensor([dt], dtype=torch.float64)
    z = Tangent.at(objective.model, weights).outputs()
    for _ in range(count):
        if name == "chebyshev":
            gradient = objective(weights)[1]
            counts = torch.tensor([6])
            weights = chebyshev.stages(objective, weights, gradient, size, counts, 6)
        else:
            tangent = Tangent.at(objective.model, weights)
            factor = rosenbrock.linearised(tangent, objective.loss, z, size).factor
            root = curvature_root(objective.loss, z)
            trial = rosenbrock.attempt(objective, Linearised(tangent, root, factor, size), z, 1.0)
            weights, (z,) = trial.weights, trial.carried
    return weights


@pytest.mark.parametrize("loss", ["squared", "cross_entropy"])
@pytest.mark.parametrize(("name", "order"), [("chebyshev", 2), ("function-space", 3)])
def test_order(name, order, loss):
    problem = toy("gcn", 2, True)
    Y = problem.Y if loss == "squared" else problem.Y.softmax(dim=0)
    objective = Objective(LinearModel(StackedOperator(problem.G)), Y[None], loss)
    weights, end, counts = near_identity(problem.arch), 0.1, [8, 16, 32, 64]
    exact = flow_reference(lambda w: objective(w)[1], weights, [0.0, end])[1]
    errors = []
    for count in counts:
        got = end_of_steps(name, objective, weights, end / count, count)
        errors.append(float(got.zip(torch.sub, exact).squared_norm().sqrt()))
    slope = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert slope == pytest.approx(order, abs=0.35)


def test_coefficients_are_of_order_three_for_any_jacobian_matrix():
    """Order conditions of W-methods up to 3 (Hairer, Wanner II, IV.7), and stiff accuracy."""
    alpha, gamma, b = rosenbrock._ALPHA, rosenbrock._GAMMAS, rosenbrock._B
    beta = alpha + gamma
    a, g = alpha.sum(axis=1), gamma.sum(axis=1)
    conditions = {
        "f": (b.sum(), 1),
        "f'f": (b @ a, 1 / 2),
        "Af": (b @ g, 0),
        "f''ff": (b @ a**2, 1 / 3),
        "f'f'f": (b @ alpha @ a, 1 / 6),
        "f'Af": (b @ alpha @ g, 0),
        "Af'f": (b @ gamma @ a, 0),
        "AAf": (b @ gamma @ g, 0),
    }
    for tree, (got, want) in conditions.items():
        assert got == pytest.approx(want, abs=1e-12), tree
    np.testing.assert_allclose(beta[-1], b, atol=1e-14)
    assert rosenbrock._B_EMBEDDED.sum() == pytest.approx(1, abs=1e-14)
    assert rosenbrock._B_EMBEDDED @ a == pytest.approx(1 / 2, abs=1e-12)


@pytest.mark.parametrize("stages", [2, 5, 20, 100, 250])
def test_chebyshev_is_stable_and_of_order_two_on_the_negative_axis(stages):
    """The stability polynomial: |R| <= 1 up to the length used, R(z) = 1 + z + z^2 / 2 + O(z^3)."""
    table = chebyshev.coefficients(CPU)[stages, : stages + 1].numpy()

    def R(z):
        before, present = 1.0, 1.0
        for c_0, c_1, c_2, f, f_0 in table[1:]:
            if present is before and f == 0:
                before, present = 1.0, c_0 + f_0 * z
            else:
                before, present = (
                    present,
                    c_0 + c_1 * present + c_2 * before + (f * present + f_0) * z,
                )
        return present

    lengths = np.linspace(0, stages**2, 2000)
    needed = chebyshev.stages_needed(torch.from_numpy(lengths)).numpy()
    longest = lengths[needed <= stages].max()
    values = np.array([R(-x) for x in np.linspace(0, longest, 3001)[1:]])
    assert (np.abs(values) < 1).all()
    for z in (-1e-3, -2e-3):
        assert R(z) - (1 + z + z**2 / 2) == pytest.approx(0, abs=abs(z) ** 3)


# Stiffness ---------------------------------------------------------------------------------------


def stiff_problem(condition: float):
    """H = 0, singular values from 1 to `condition`: the flow is known in closed form."""
    generator = torch.Generator().manual_seed(0)
    U = torch.linalg.qr(torch.randn(8, 8, generator=generator, dtype=torch.float64))[0]
    V = torch.linalg.qr(torch.randn(8, 8, generator=generator, dtype=torch.float64))[0]
    s = torch.logspace(0, np.log10(condition), 8, dtype=torch.float64)
    G = U @ torch.diag(s) @ V.mT
    Y = torch.randn(2, 8, generator=generator, dtype=torch.float64)
    return G, Y, s, ((Y @ V) ** 2).sum(dim=0)


@pytest.mark.parametrize(("name", "condition"), [("chebyshev", 30), ("function-space", 1e5)])
def test_stiff_problem_with_a_known_solution(name, condition):
    """All thresholds within 0.4 % of the sum of exponentials, at any condition number."""
    G, Y, s, energy = stiff_problem(condition)
    objective = Objective(LinearModel(StackedOperator([G])), Y[None], "squared")
    weights = Weights((), (torch.zeros(1, 2, 8, dtype=torch.float64),))
    targets = np.array([0.5, 0.1, 0.01, 1e-4]) * float(energy.sum())
    stop = torch.tensor([targets[-1]])
    run = train(objective, weights, METHODS[name](3e-3), None, 3000, stop_below=stop)

    def excess(t):
        return float((energy * torch.exp(-4 * s**2 * t)).sum())

    for time, target in zip(hitting_times(run, 0.0, targets), targets, strict=True):
        assert excess(time * 1.004) < target < excess(time * 0.996)


@cache
def reference(multiscale: bool):
    """A toy, two targets of L - L*, and the times at which DOP853 passes them."""
    problem = toy("gcn", 3, multiscale)
    weights, objective = random_weights(problem.arch), objective_of(problem)
    targets = np.array([0.5, 0.2]) * (float(objective(weights)[0]) - problem.optimum)
    end = 8.0 if multiscale else 1.3
    return problem, targets, reference_times(objective, weights, problem.optimum, targets, end)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("multiscale", [False, True])
def test_hitting_times_against_scipy(name, multiscale):
    problem, targets, want = reference(multiscale)
    weights, objective = random_weights(problem.arch), objective_of(problem)
    stop = torch.tensor([problem.optimum + targets[-1]])
    errors = []
    for tolerance in (2e-2, 5e-3, 1.25e-3):
        run = train(objective, weights, METHODS[name](tolerance), None, 3000, stop_below=stop)
        errors.append(np.abs(hitting_times(run, problem.optimum, targets) / want - 1).max())
    assert errors[1] < 4e-3
    assert errors[2] < max(errors[0] / 4, 2e-5)  # the tolerance is 16 times smaller


@pytest.mark.parametrize("name", METHODS)
def test_the_way_out_of_a_saddle_point(name):
    """From weights of 1e-3 the flow stays at the saddle at 0 for long, then leaves it steeply."""
    problem = toy("gcn", 2, False)
    weights = random_weights(problem.arch).map(lambda tensor: 1e-2 * tensor)
    objective = objective_of(problem)
    start = float(objective(weights)[0])
    targets = np.array([0.5]) * (start - problem.optimum)
    run = train(
        objective,
        weights,
        METHODS[name](5e-3),
        None,
        3000,
        stop_below=torch.tensor([problem.optimum + targets[-1]]),
    )
    end = 1.2 * float(run.time[:, 0].nan_to_num().max())
    want = reference_times(objective, weights, problem.optimum, targets, end=end)
    np.testing.assert_allclose(hitting_times(run, problem.optimum, targets), want, rtol=5e-3)


# Batches, errors, choice -------------------------------------------------------------------------


@pytest.mark.parametrize("name", METHODS)
def test_models_side_by_side_equal_models_alone(name):
    """Bit for bit, though steps, stages and ends differ."""
    problem = toy("gcn", 2, True)
    starts = [
        random_weights(problem.arch, seed).map(lambda w, s=seed: w * (1 + s)) for seed in range(3)
    ]
    objective, stop = objective_of(problem), torch.tensor([1.2 * problem.optimum])
    together = train(
        objective, stack_weights(starts), METHODS[name](5e-3), None, 60, stop_below=stop.expand(3)
    )
    for k, weights in enumerate(starts):
        alone = train(objective, weights, METHODS[name](5e-3), None, 60, stop_below=stop)
        assert torch.equal(alone.loss[:, 0].nan_to_num(), together.loss[:, k].nan_to_num())
        assert torch.equal(alone.time[:, 0].nan_to_num(), together.time[:, k].nan_to_num())


@pytest.mark.parametrize("name", METHODS)
def test_the_estimated_error_bounds_the_error_of_the_loss(name):
    """What the errors of all steps add up to bounds the distance to exact flow at the end."""
    problem = toy("gcn", 2, True)
    weights, objective = near_identity(problem.arch), objective_of(problem)
    run = train(objective, weights, METHODS[name](5e-3), None, 40)
    end = float(run.time[-1, 0])
    exact = flow_reference(lambda w: objective(w)[1], weights, [0.0, end])[1]
    difference = abs(float(objective(exact)[0]) - float(run.loss[-1, 0]))
    assert difference <= float(run.error.nan_to_num().sum()) < 0.05 * float(run.loss[0, 0])


def test_a_step_that_fails_moves_nothing():
    problem = toy("gcn", 2, True)
    weights, objective = random_weights(problem.arch), objective_of(problem)
    run = train(objective, weights, function_space_flow(1e-12), None, 3)
    idle = run.time.diff(dim=0)[:, 0] == 0
    assert idle.any()
    assert (run.loss.diff(dim=0)[:, 0][idle] == 0).all()


def test_the_method_is_chosen_by_size_and_stiffness():
    G, Y, *_ = stiff_problem(1e4)
    easy, *_ = stiff_problem(2)
    arch = Architecture(8, 16, 2, 0, False)
    few, relu = StackedOperator([G]), Architecture(8, 16, 2, 1, False, "relu")
    start = initial_weights(arch, "default", [0])
    assert choose_flow(arch, few, start, Y, 0.01).name == "function-space"
    assert choose_flow(arch, StackedOperator([easy]), start, Y, 0.01).name == "chebyshev"
    assert choose_flow(relu, few, start, Y, 0.01).name == "chebyshev"
    assert choose_flow(arch, few, start, Y, 0.01, "runge-kutta").name == "runge-kutta"
    with pytest.raises(UserError, match="function-space is for linear models"):
        choose_flow(relu, few, start, Y, 0.01, "function-space")
    with pytest.raises(UserError, match="unknown 'euler'"):
        choose_flow(arch, few, start, Y, 0.01, "euler")


def test_stiffness_is_the_time_of_the_frozen_flow():
    G, Y, s, energy = stiff_problem(10)
    chi = stiffness(G.mT @ G, Y, 0.01)
    left = (energy * torch.exp(-2 * (s / s.max()) ** 2 * chi)).sum() / energy.sum()
    assert float(left) == pytest.approx(0.01, rel=1e-6)
    assert stiffness(0 * G.mT @ G, Y, 0.01) == 1.0
