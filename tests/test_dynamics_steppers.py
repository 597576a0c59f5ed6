"""Steppers against torch.optim, and gradient flow against an exact solution."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from test_dynamics_train import regression_cell

from gnn_dynamics.dynamics import runge_kutta, steppers
from gnn_dynamics.dynamics.runge_kutta import runge_kutta_flow as rk4_flow
from gnn_dynamics.dynamics.sharpness import lambda_max
from gnn_dynamics.dynamics.steppers import STEPPERS
from gnn_dynamics.dynamics.train import train
from gnn_dynamics.models.linear import LinearModel
from gnn_dynamics.models.model import Weights, per_model
from gnn_dynamics.models.objective import Objective
from gnn_dynamics.models.operators import StackedOperator
from gnn_dynamics.models.relu import column_major

LR = torch.tensor([1e-3, 5e-3], dtype=torch.float64)


def torch_optim_run(objective, weights, k: int, make_optimizer, steps: int):
    """Losses (steps,) and parameters of model k, by autograd and torch.optim."""
    one = objective.take(torch.tensor([k]))
    leaves = weights.take([k]).map(lambda tensor: tensor.clone().requires_grad_())
    optimizer, losses = make_optimizer(leaves.tensors()), []
    for _ in range(steps):
        optimizer.zero_grad()
        A = leaves.W[2] @ leaves.B[1] @ leaves.B[0]
        A = torch.stack([leaves.W[0], leaves.W[1] @ leaves.B[0], A], dim=1)
        loss = (one.model.operator.apply(A) - one.Y).square().sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses), [leaf.detach() for leaf in leaves.tensors()]


@pytest.mark.parametrize(
    ("name", "make_optimizer"),
    [
        ("gd", lambda lr: lambda leaves: torch.optim.SGD(leaves, lr=lr)),
        ("momentum", lambda lr: lambda leaves: torch.optim.SGD(leaves, lr=lr, momentum=0.9)),
        ("adam", lambda lr: lambda leaves: torch.optim.Adam(leaves, lr=lr)),
    ],
)
def test_steppers_equal_torch_optim(name, make_optimizer):
    objective, weights = regression_cell(2)
    run = train(objective, weights, STEPPERS[name], LR / 5, 60)
    for k in range(2):
        optimizer = make_optimizer(LR[k].item() / 5)
        losses, leaves = torch_optim_run(objective, weights, k, optimizer, 60)
        torch.testing.assert_close(run.loss[:60, k], losses, rtol=1e-12, atol=0)
        for got, want in zip(run.weights.tensors(), leaves, strict=True):
            torch.testing.assert_close(got[k], want[0], rtol=1e-12, atol=1e-12)


def adam_case(dtype: torch.dtype):
    """(weights, gradients of five steps) of two models, whose sizes fill no register."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)

    def parts() -> Weights:
        return Weights((draw(2, 5, 13), draw(2, 3, 5)), (draw(2, 1, 13), draw(2, 7, 3)))

    return parts(), [parts() for _ in range(5)]


def after_adam(step, weights: Weights, gradients: list[Weights]) -> Weights:
    state = STEPPERS["adam"].start(weights, LR)
    for gradient in gradients:
        state = replace(state, scalars=(state.scalars[0] + 1,))
        state, weights = step(state, weights, gradient)
    return weights


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_fused_and_separate_adam_agree(dtype):
    weights, gradients = adam_case(dtype)
    kept = weights.map(torch.clone)
    fused, separate = (
        after_adam(step, weights, gradients)
        for step in (steppers.fused_adam, steppers.separate_adam)
    )
    rounding = 20 * torch.finfo(dtype).eps
    for one, other in zip(fused.tensors(), separate.tensors(), strict=True):
        torch.testing.assert_close(one, other, rtol=rounding, atol=rounding)
    assert all(map(torch.equal, weights.tensors(), kept.tensors()))  # the start stays as it was


@pytest.mark.parametrize("arranged", ["weights", "gradient", "both"])
def test_adam_does_not_depend_on_the_layout_in_memory(arranged):
    """The fused kernel reads memory in its order, whatever the strides."""
    weights, gradients = adam_case(torch.float64)
    expected = after_adam(steppers.fused_adam, weights, gradients)
    if arranged != "gradient":
        weights = weights.map(column_major)
    if arranged != "weights":
        gradients = [gradient.map(column_major) for gradient in gradients]
    found = after_adam(steppers.fused_adam, weights, gradients)
    for one, other in zip(found.tensors(), expected.tensors(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-14, atol=1e-14)


def convex_cell():
    """H = 0: dW/dt = -2 (W G - Y) G^T, solved exactly by the eigenvectors of G G^T."""
    rng = np.random.default_rng(1)
    G, Y, W = (torch.from_numpy(rng.standard_normal(size)) for size in ((4, 6), (2, 6), (2, 4)))
    return G, Y, Weights((), (W.unsqueeze(0),))


def squared_objective(G, Y) -> Objective:
    return Objective(LinearModel(StackedOperator([G])), Y[None], "squared")


def exact_flow(G, Y, W, time: float):
    squares, Q = torch.linalg.eigh(G @ G.mT)
    optimum = torch.linalg.solve(G @ G.mT, G @ Y.mT).mT
    return optimum + (W - optimum) @ Q @ torch.diag(torch.exp(-2 * squares * time)) @ Q.mT


def flow_error(steps: int, time: float = 0.3) -> float:
    """Error in W at `time` after `steps` equal Runge-Kutta steps."""
    G, Y, weights = convex_cell()
    curvature = torch.tensor([steps / time], dtype=torch.float64)
    stepper = rk4_flow(lambda objective, weights: curvature, factor=1.0, share=torch.inf)
    run = train(
        squared_objective(G, Y),
        weights,
        stepper,
        None,
        steps,
    )
    torch.testing.assert_close(run.time[-1], torch.tensor([time], dtype=torch.float64))
    return (run.weights.W[0][0] - exact_flow(G, Y, weights.W[0][0], time)).norm().item()


def test_runge_kutta_has_order_four():
    steps = [10, 20, 40, 80]
    errors = [flow_error(count) for count in steps]
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert -4.3 < slope < -3.8
    assert errors[-1] < 1e-6


def exact_curvature(objective, weights):
    """lambda_max of the squared loss at H = 0: 2 sigma_max(G)^2, whatever the weights."""
    sigma = torch.linalg.svdvals(objective.model.operator.Gs)[0]
    return (2 * sigma**2).expand(weights.models)


@pytest.mark.slow
def test_flow_reaches_the_optimum_with_the_step_of_its_curvature():
    G, Y, weights = convex_cell()
    objective = squared_objective(G, Y)
    calls = []

    def counted(objective, weights):
        calls.append(weights.models)
        return exact_curvature(objective, weights)

    run = train(objective, weights, rk4_flow(counted, every=50), None, 400)
    assert not run.increases.any()
    assert len(calls) == 9
    optimum = (Y - Y @ torch.linalg.pinv(G) @ G).square().sum()
    assert run.loss[-1].item() == pytest.approx(optimum.item(), rel=1e-10)


def test_flow_halves_a_step_that_the_curvature_does_not_allow():
    G, Y, weights = convex_cell()
    weights = weights.zip(lambda w, v: torch.cat([w, v]), weights)
    objective = squared_objective(G, Y)
    calls = []

    def too_flat_for_the_second(objective, weights):
        calls.append(weights.models)
        return exact_curvature(objective, weights) * torch.tensor([1.0, 1e-3])

    run = train(objective, weights, rk4_flow(too_flat_for_the_second, every=20), None, 45)
    assert calls == [2, 2, 2]
    assert not run.increases.any()
    assert run.loss[-1, 1] < run.loss[0, 1]
    alone = train(objective, weights.take([0]), rk4_flow(exact_curvature, every=20), None, 45)
    assert torch.equal(alone.loss[:, 0], run.loss[:, 0])


def test_flow_reports_the_step_that_it_took_where_halving_is_in_vain():
    """With k2 = 2 k1, k3 = 0 and k4 = k1 no step is short enough, and the mean slope is k1."""
    slope = Weights((), (torch.ones(1, 2, 3, dtype=torch.float64),))
    calls = itertools.cycle([2, 0, 1])

    def jumping(weights):
        return None, slope.map(lambda g: next(calls) * g)

    start, dt = slope.map(torch.zeros_like), torch.ones(1, dtype=torch.float64)
    state, moved = runge_kutta.runge_kutta(steppers.State(dt, (dt, dt)), jumping, start, slope)
    assert state.size < 1e-8
    assert torch.equal(moved.W[0], (-state.size).expand(1, 2, 3))


def chain_from_a_saddle(depth: int = 6) -> tuple[Objective, Weights]:
    """(1 - W B_depth ... B_1)^2 from small scalars of different sizes: a plateau, then a cliff."""
    scalars = torch.linspace(0.3, 0.5, depth + 1, dtype=torch.float64).view(-1, 1, 1, 1)
    weights = Weights(tuple(scalars[:-1]), (scalars[-1],))
    one = torch.ones(1, 1, dtype=torch.float64)
    return squared_objective(one, one), weights


def drift_on_the_way_out(monkeypatch, growth: float) -> float:
    """Largest change of the conserved B_{l+1}^2 - B_l^2 relative to their size."""
    monkeypatch.setattr(runge_kutta, "GROWTH", growth)
    objective, weights = chain_from_a_saddle()
    run = train(objective, weights, rk4_flow(lambda_max), None, 100)
    assert run.loss[-1] < 1e-3

    def squares(w: Weights) -> torch.Tensor:
        return torch.cat([tensor.flatten() for tensor in w.tensors()]).square().diff()

    before = squares(weights)
    return float((squares(run.weights) - before).norm() / before.norm())


@pytest.mark.slow
def test_flow_takes_short_steps_out_of_a_saddle_point(monkeypatch):
    assert drift_on_the_way_out(monkeypatch, runge_kutta.GROWTH) < 1e-4
    assert drift_on_the_way_out(monkeypatch, float("inf")) > 1e-3


def test_no_step_of_the_flow_takes_more_than_its_share_of_the_loss():
    G, Y, weights = convex_cell()
    objective = squared_objective(G, Y)
    run = train(objective, weights, rk4_flow(lambda *_: torch.tensor([1e-9]), share=0.1), None, 8)
    assert (run.loss[1:] >= 0.9 * run.loss[:-1]).all()  # the loss is convex along the flow
    assert (run.loss[-1] < 0.6 * run.loss[0]).all()


def test_flow_of_a_flat_loss_stands_still():
    G, Y, weights = convex_cell()
    objective = squared_objective(0 * G, Y)
    run = train(objective, weights, rk4_flow(exact_curvature), None, 5)
    assert torch.equal(run.weights.W[0], weights.W[0])
    assert run.time.isfinite().all()


def test_per_model_rates_reach_every_tensor():
    objective, weights = regression_cell(2)
    rates = torch.tensor([0.0, 1e-3], dtype=torch.float64)
    run = train(objective, weights, STEPPERS["gd"], rates, 1)
    _, gradient = objective(weights)
    for new, old, slope in zip(
        run.weights.tensors(), weights.tensors(), gradient.tensors(), strict=True
    ):
        assert torch.equal(new[0], old[0])
        torch.testing.assert_close(new, old - per_model(rates) * slope, rtol=0, atol=1e-16)


def test_adam_moves_equal_models_alike_however_many_there_are():
    """37 fill vectorised routines and leave a remainder, which powers of t must not show."""
    many = 37
    first = torch.randn(1, 8, 24, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    weights = Weights(
        (first.expand(many, -1, -1).clone(),), (first[:, :3, :8].expand(many, -1, -1),)
    )
    adam, lr = STEPPERS["adam"], torch.full((many,), 1e-3, dtype=torch.float64)
    state = adam.start(weights, lr)
    for step in range(200):
        state, weights = adam.step(state, None, weights, weights.map(lambda w: w * (0.5 + w)))
        for tensor in weights.tensors():
            assert torch.equal(tensor, tensor[-1:].expand_as(tensor)), step
