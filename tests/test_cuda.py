"""What only a GPU can show: its gradients and its graphed steps agree with the CPU.

`python -m benchmarks gpu` runs this file without the packages of the workflow, so it imports few.
"""

import pytest
import torch

from benchmarks.gpu.case import random_graph
from gnn_dynamics.dynamics.steppers import STEPPERS
from gnn_dynamics.dynamics.train import train
from gnn_dynamics.models.forms import choose_form
from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.model import Architecture
from gnn_dynamics.models.receptive_field import receptive_field
from gnn_dynamics.models.relu import ReluModel
from gnn_dynamics.problem.problem import build_problem, targets

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no GPU here: device cuda is untested and unmeasured"
)


def run_on(device: str, loss: str, optimizer: str, rates):
    problem = build_problem(random_graph("cora"), "gcn", "row", "train")
    arch = Architecture(problem.m_x, 32, 7, 3, multiscale=True)
    form = choose_form(problem, arch, loss, optimizer, device=device)
    weights = initial_weights(arch, "default", range(3)).map(lambda tensor: tensor.to(device))
    labels = [torch.from_numpy(targets(problem, "permuted", seed)) for seed in range(3)]
    Y = torch.stack(labels).to(device)
    seen = []
    run = train(
        form.objective(Y),
        form.reduce(weights),
        STEPPERS[optimizer],
        rates,
        120,
        [0, 33, 120],
        lambda snapshot: seen.append(snapshot.models.tolist()),
    )
    return run, form.expand(run.weights, weights), seen


@pytest.mark.parametrize(
    ("loss", "optimizer", "rate"),
    [("squared", "gd", 1e-3), ("cross_entropy", "adam", 1e-3), ("squared", "momentum", 1e-4)],
)
def test_graphed_steps_agree_with_the_cpu(loss, optimizer, rate):
    (gpu, weights, seen), (cpu, expected, _) = (
        run_on(device, loss, optimizer, [rate] * 3) for device in ("cuda", "cpu")
    )
    torch.testing.assert_close(gpu.loss.cpu(), cpu.loss, rtol=1e-10, atol=1e-10)
    for got, want in zip(weights.tensors(), expected.tensors(), strict=True):
        torch.testing.assert_close(got.cpu(), want, rtol=1e-8, atol=1e-10)
    assert seen == [[0, 1, 2]] * 3


def test_a_diverged_model_leaves_its_neighbours_alone_on_a_gpu():
    calm, _, _ = run_on("cuda", "squared", "gd", [1e-3] * 3)
    wild, _, seen = run_on("cuda", "squared", "gd", [1e-3, 1e60, 1e-3])
    assert wild.status == ("ok", "diverged", "ok")
    assert seen == [[0, 1, 2], [0, 2], [0, 2]]
    assert torch.equal(wild.loss[:, [0, 2]], calm.loss[:, [0, 2]])


@pytest.mark.parametrize("kind", ["gcn", "gin"])
@pytest.mark.parametrize("models", [1, 3])
def test_relu_gradients_agree_with_the_cpu(kind, models):
    problem = build_problem(random_graph("cora"), kind, "row", "train")
    arch = Architecture(problem.m_x, 64, 7, 3, True, "relu")
    weights = initial_weights(arch, "default", range(models))
    Y = torch.from_numpy(targets(problem, "true", 0)[None])
    results = []
    for device in ("cuda", "cpu"):
        field = receptive_field(problem.S, problem.X, problem.R, arch.levels, device=device)
        moved = weights.map(lambda tensor, device=device: tensor.to(device))
        loss, gradient = ReluModel(field).loss_and_gradient(moved, Y.to(device), "squared")
        results.append([tensor.cpu() for tensor in (loss, *gradient.tensors())])
    for got, want in zip(*results, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-10 * float(want.abs().max()))
