"""The training loop: batched equals separate, ill neighbours, early stops, the record."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import (
    cells,
    dense_loss_and_gradient,
    make_example,
    one_hot,
    pyg_loss_and_gradient,
    random_weights,
)
from test_models_linear import levels_data

from benchmarks.gpu.stand_in import loop_of_a_gpu
from gnn_dynamics.dynamics.steppers import STEPPERS
from gnn_dynamics.dynamics.train import train
from gnn_dynamics.models.forms import choose_form
from gnn_dynamics.models.linear import LinearModel
from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.models.objective import Objective
from gnn_dynamics.models.operators import StackedOperator


def objective_of(cell) -> Objective:
    return Objective(
        LinearModel(StackedOperator(levels_data(cell.example, cell.arch))), cell.Y, cell.loss
    )


def stable_rate(cell, steps: int) -> torch.Tensor:
    """A step size (K,) small enough that the loss cannot rise within a few hundred steps."""
    _, gradient = objective_of(cell)(cell.weights)
    size = cell.weights.squared_norm().clamp(min=1.0)
    return 0.1 * (size / gradient.squared_norm().clamp(min=1e-12)).sqrt().clamp(max=1.0) / steps


def assert_same_run(trajectory, losses, weights) -> None:
    torch.testing.assert_close(trajectory.loss, losses, rtol=1e-12, atol=1e-12)
    for got, want in zip(trajectory.weights.tensors(), weights.tensors(), strict=True):
        torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-10)


def plain_descent(cell, reference, lr, steps):
    """(losses (steps + 1, K), weights) by a reference gradient and w - lr g."""
    weights, losses = cell.weights, []
    for step in range(steps + 1):
        args = (cell.arch, weights, cell.example, cell.Y, cell.loss)
        loss, gradient = reference(*args)
        losses.append(loss)
        if step < steps:
            weights = weights.zip(lambda w, g: w - lr.reshape(-1, 1, 1) * g, gradient)
    return torch.stack(losses), weights


@pytest.mark.slow
@settings(deadline=None, max_examples=8)
@given(cells(activations=["linear"]))
def test_descent_equals_autograd_for_150_steps(cell):
    lr = stable_rate(cell, 150)
    run = train(objective_of(cell), cell.weights, STEPPERS["gd"], lr, 150)
    assert_same_run(run, *plain_descent(cell, dense_loss_and_gradient, lr, 150))
    assert not run.increases.any()


@pytest.mark.slow
@settings(deadline=None, max_examples=3)
@given(cells(activations=["linear"], max_depth=3))
def test_descent_equals_pyg_for_150_steps(cell):
    lr = stable_rate(cell, 150)
    run = train(objective_of(cell), cell.weights, STEPPERS["gd"], lr, 150)
    assert_same_run(run, *plain_descent(cell, pyg_loss_and_gradient, lr, 150))


def regression_cell(models: int, m_y: int = 3, width: int = 6):
    """A well-conditioned squared problem on a path of eight nodes: its objective and start."""
    path = sp.csr_array(sp.diags_array([np.ones(7), np.ones(7)], offsets=[1, -1]))
    X = np.random.default_rng(0).standard_normal((8, 5))
    example = make_example(path, "gcn", X, sp.eye_array(8, format="csr"))
    arch = Architecture(5, width, m_y, 2, multiscale=True)
    weights = random_weights(arch, models, seed=3, scale=0.5)
    Y = torch.stack([one_hot(m_y, 8, seed) for seed in range(models)])
    form = choose_form(example, arch, "squared", "adam", form="stacked")
    return form.objective(Y), form.reduce(weights)


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(
    st.integers(1, 8),
    st.integers(1, 9),
    st.integers(1, 40),
    st.sampled_from(["gd", "momentum", "adam"]),
)
def test_batched_equals_separate_bit_for_bit(models, m_y, width, optimizer):
    objective, weights = regression_cell(models, m_y, width)
    lr = torch.linspace(1e-3, 5e-3, models, dtype=torch.float64)
    batched = train(objective, weights, STEPPERS[optimizer], lr, 20)
    for k in range(models):
        index = torch.tensor([k])
        args = (objective.take(index), weights.take(index), STEPPERS[optimizer], lr[index], 20)
        alone = train(*args)
        assert torch.equal(alone.loss[:, 0], batched.loss[:, k])
        for one, many in zip(alone.weights.tensors(), batched.weights.tensors(), strict=True):
            assert torch.equal(one[0], many[k])


@pytest.mark.parametrize("optimizer", ["gd", "momentum", "adam"])
def test_a_diverged_model_leaves_its_neighbours_alone(optimizer):
    objective, weights = regression_cell(3)
    calm = torch.full((3,), 2e-3, dtype=torch.float64)
    wild = calm.clone()
    wild[1] = 1e60
    quiet = train(objective, weights, STEPPERS[optimizer], calm, 170)
    noisy = train(objective, weights, STEPPERS[optimizer], wild, 170)
    assert noisy.status == ("ok", "diverged", "ok")
    assert noisy.last_step[1] < 10
    assert noisy.loss[noisy.last_step[1] + 1 :, 1].isnan().all()
    for k in (0, 2):
        assert torch.equal(noisy.loss[:, k], quiet.loss[:, k])
        for one, other in zip(noisy.weights.tensors(), quiet.weights.tensors(), strict=True):
            assert torch.equal(one[k], other[k])


def test_models_stop_at_their_threshold_and_the_others_go_on():
    objective, weights = regression_cell(3)
    lr = [2e-3] * 3
    full = train(objective, weights, STEPPERS["gd"], lr, 200)
    bound = torch.tensor([full.loss[33, 0], -1.0, full.loss[120, 2]], dtype=torch.float64)
    seen = {}
    run = train(
        objective,
        weights,
        STEPPERS["gd"],
        lr,
        200,
        record_steps=[0, 60, 200],
        observe=lambda snapshot: seen.update({snapshot.step: snapshot.models.tolist()}),
        stop_below=bound,
    )
    assert run.last_step.tolist() == [33, 200, 120]
    assert run.status == ("ok", "ok", "ok")
    assert seen == {0: [0, 1, 2], 60: [1, 2], 200: [1]}
    assert torch.equal(run.loss[:34, 0], full.loss[:34, 0]) and run.loss[34:, 0].isnan().all()
    assert torch.equal(run.loss[:, 1], full.loss[:, 1])
    assert torch.equal(run.loss[:121, 2], full.loss[:121, 2])
    torch.testing.assert_close(run.time[:34, 0], torch.arange(34).double() * 2e-3)


def test_the_record_holds_gradients_and_rises_of_the_loss():
    objective, weights = regression_cell(2)
    snapshots = []
    run = train(objective, weights, STEPPERS["gd"], [1e-3, 0.06], 90, [0, 7, 90], snapshots.append)
    assert [snapshot.step for snapshot in snapshots] == [0, 7, 90]
    for row, snapshot in enumerate(snapshots):
        loss, gradient = objective(snapshot.weights)
        assert torch.equal(loss, run.loss[snapshot.step])
        assert torch.equal(gradient.squared_norm(), run.grad_norm_sq[row])
    rose = (run.loss[1:] > run.loss[:-1]).sum(dim=0)
    assert torch.equal(run.increases[-1], rose)
    assert rose[0] == 0 and rose[1] > 0


def test_all_models_may_leave_early():
    objective, weights = regression_cell(2)
    run = train(objective, weights, STEPPERS["gd"], [1e50, 1e50], 300, [0, 250])
    assert run.status == ("diverged", "diverged")
    assert run.grad_norm_sq[1].isnan().all()
    assert isinstance(run.weights, Weights) and run.weights.models == 2


@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_the_loop_of_a_gpu_leaves_the_same_record(optimizer):
    """There the batch keeps its size, and steps between two looks are replayed."""
    objective, weights = regression_cell(3)
    stop = torch.tensor([-1.0, -1.0, 0.98 * objective(weights)[0][2]], dtype=torch.float64)

    def run():
        snapshots = []
        args = (STEPPERS[optimizer], [1e-3, 1e60, 1e-3], 130, [0, 20, 130], snapshots.append)
        return train(objective, weights, *args, stop_below=stop), snapshots

    cpu, seen = run()
    with loop_of_a_gpu():
        gpu, also_seen = run()
    assert gpu.status == cpu.status == ("ok", "diverged", "ok")
    assert torch.equal(gpu.last_step, cpu.last_step) and gpu.last_step[2] < 130
    torch.testing.assert_close(gpu.loss, cpu.loss, rtol=0, atol=0, equal_nan=True)
    torch.testing.assert_close(gpu.grad_norm_sq, cpu.grad_norm_sq, rtol=0, atol=0, equal_nan=True)
    for ours, theirs in zip(also_seen, seen, strict=True):
        assert torch.equal(ours.models, theirs.models)
        assert torch.equal(ours.gradient.W[0], theirs.gradient.W[0])
