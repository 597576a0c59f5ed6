"""Gradient flow as on a GPU: it arrives when the flow of a CPU does, and the host rarely waits."""

import numpy as np
import pytest
import torch
from gpu_waits import Waits
from test_dynamics_flow import METHODS, hitting_times
from theory_problems import objective_of, random_weights, toy

import gnn_dynamics.dynamics.train as train_module
from benchmarks.gpu.stand_in import loop_of_a_gpu
from gnn_dynamics.dynamics import chebyshev, steppers
from gnn_dynamics.dynamics.cuda_graph import move
from gnn_dynamics.dynamics.runge_kutta import runge_kutta_flow
from gnn_dynamics.dynamics.sharpness import lambda_max
from gnn_dynamics.dynamics.steppers import STEPPERS
from gnn_dynamics.dynamics.train import train
from gnn_dynamics.models.model import stack_weights

pytestmark = pytest.mark.slow

FLOWS = METHODS | {"runge-kutta": lambda tolerance: runge_kutta_flow(lambda_max)}


def start(models: int = 2, scale: float = 1.0):
    """Objective, weights of K models, and the L* of their toy graph."""
    problem = toy("gcn", 2, True)
    drawn = [random_weights(problem.arch, seed) for seed in range(models)]
    weights = stack_weights(drawn).map(lambda tensor: scale * tensor)
    return objective_of(problem), weights, problem.optimum


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("scale", [1.0, 1e-2])
def test_flows_arrive_when_they_do_on_a_cpu(name, scale):
    """Within what their tolerance allows; function space takes the same steps, bit for bit."""
    objective, weights, optimum = start(scale=scale)
    targets = np.array([0.5, 0.2]) * (float(objective(weights)[0].min()) - optimum)
    stop = torch.full((2,), optimum + targets[-1], dtype=torch.float64)

    def run():
        return train(objective, weights, FLOWS[name](2e-3), None, 400, [0, 33], stop_below=stop)

    cpu = run()
    with loop_of_a_gpu():
        gpu = run()
    assert gpu.status == cpu.status
    if name == "function-space":
        assert torch.equal(gpu.loss.nan_to_num(), cpu.loss.nan_to_num())
        assert torch.equal(gpu.error.nan_to_num(), cpu.error.nan_to_num())
    for model in range(2):
        want, got = (hitting_times(one, optimum, targets, model) for one in (cpu, gpu))
        np.testing.assert_allclose(got, want, rtol=5e-3)


def test_a_plan_serves_the_models_that_still_train(monkeypatch):
    """Stages are at most what the steps of a block may grow to, and few plans are used."""
    objective, weights, _ = start()
    plans, needed = [], []
    stages = chebyshev.stages

    def noted(*args):
        plans.append(args[-1])
        needed.append(int(args[-2].max()))
        return stages(*args)

    monkeypatch.setattr(chebyshev, "stages", noted)
    with loop_of_a_gpu():
        train(objective, weights, FLOWS["chebyshev"](2e-3), None, 120)
    # One stage more is rounding.
    assert all(have <= plan + 1 for have, plan in zip(needed, plans, strict=True))
    assert sum(plans) < 1.6 * sum(needed)
    assert len(set(plans)) < 20


@pytest.mark.parametrize("name", [*FLOWS, "gd", "adam"])
def test_the_host_waits_once_for_a_block_of_steps(name, monkeypatch):
    """Where it reads the losses. Curvature is another matter: two reads for 20 steps of Lanczos."""
    objective, weights, _ = start()
    flow = name in FLOWS
    stepper = FLOWS[name](2e-3) if flow else STEPPERS[name]
    monkeypatch.setattr(steppers, "fused_adam", steppers.separate_adam)  # that of a GPU
    waits, by_step = Waits(), {}
    advance, flush = train_module._Run.advance, train_module.LossTrace.flush

    def counted(self, step, observe):
        before = len(waits.names)
        advance(self, step, observe)
        by_step[step] = waits.names[before:]

    def read(*args):
        before = len(waits.names)
        result = flush(*args)
        copies = waits.names[before:].count("cpu")
        waits.names[before:] = ["cpu"] * copies  # the rest of it works on the host
        return result

    monkeypatch.setattr(train_module._Run, "advance", counted)
    monkeypatch.setattr(train_module.LossTrace, "flush", read)
    with loop_of_a_gpu(), waits:
        train(objective, weights, stepper, None if flow else [1e-3] * 2, 101)
    every = stepper.check_every
    between = [names for step, names in by_step.items() if step % every and every < step < 101]
    assert between and not any(between)
    looks = 25 if name in ("chebyshev", "runge-kutta") else 102  # steps between two at curvature
    blocks = [names for step, names in by_step.items() if step % every == 0 and step % looks]
    assert all(names.count("cpu") == 1 for names in blocks)


def test_tensors_that_trade_places_keep_their_values():
    a, b, c = (torch.full((2,), float(value)) for value in (1, 2, 3))
    move((a, b, c), (b, c[:], a))
    assert (a[0], b[0], c[0]) == (2, 3, 1)
