"""Every exact form trains the same model as plain autograd; inexact ones are refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference import (
    cells,
    cora_shaped,
    dense_loss_and_gradient,
    make_example,
    one_hot,
    pyg_loss_and_gradient,
    random_weights,
    selection,
)
from test_dynamics_train import assert_same_run, plain_descent, stable_rate

from gnn_dynamics.dynamics.steppers import STEPPERS
from gnn_dynamics.dynamics.train import train
from gnn_dynamics.errors import UserError
from gnn_dynamics.linalg.device import free_bytes, torch_device
from gnn_dynamics.models import costs
from gnn_dynamics.models.costs import bytes_per_model, candidates, models_per_batch
from gnn_dynamics.models.forms import choose_form
from gnn_dynamics.models.model import Architecture

CPU = torch.device("cpu")
FORMS = ("stacked", "horner", "left", "row_space", "row_space+left", "svd")


def exact_forms(cell, optimizer: str) -> list[str]:
    found = candidates(cell.example, cell.arch, cell.loss, optimizer, CPU)
    return [candidate.name for candidate in found if not candidate.condition]


def run_form(cell, name: str, optimizer: str, lr, steps: int):
    """Trajectory in the form's coordinates, its weights led back to full space."""
    form = choose_form(cell.example, cell.arch, cell.loss, optimizer, form=name)
    objective, start = form.objective(cell.Y), form.reduce(cell.weights)
    run = train(objective, start, STEPPERS[optimizer], lr, steps)
    return run, form.expand(run.weights, cell.weights)


def assert_form_equals(cell, name: str, reference, steps: int = 150) -> None:
    lr = stable_rate(cell, steps)
    losses, weights = plain_descent(cell, reference, lr, steps)
    run, expanded = run_form(cell, name, "gd", lr, steps)
    torch.testing.assert_close(run.loss, losses, rtol=1e-12, atol=1e-12)
    for got, want in zip(expanded.tensors(), weights.tensors(), strict=True):
        torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-10)


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(cells(activations=["linear"]), st.sampled_from(FORMS))
def test_form_equals_autograd_for_150_steps(cell, name):
    assume(name in exact_forms(cell, "gd"))
    assert_form_equals(cell, name, dense_loss_and_gradient)


@pytest.mark.slow
@settings(deadline=None, max_examples=3)
@given(cells(activations=["linear"], max_depth=3), st.sampled_from(FORMS))
def test_form_equals_pyg_for_150_steps(cell, name):
    assume(name in exact_forms(cell, "gd"))
    assert_form_equals(cell, name, pyg_loss_and_gradient)


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(cells(activations=["linear"], max_depth=2), st.sampled_from(["adam", "momentum"]))
def test_forms_agree_under_other_optimizers(cell, optimizer):
    lr = stable_rate(cell, 300)
    runs = [run_form(cell, name, optimizer, lr, 30) for name in exact_forms(cell, optimizer)]
    assert len(runs) >= 2
    for run, weights in runs[1:]:
        torch.testing.assert_close(run.loss, runs[0][0].loss, rtol=1e-10, atol=1e-10)
        # Adam divides by the size of the gradient, so its rounding errors weigh more.
        for got, want in zip(weights.tensors(), runs[0][1].tensors(), strict=True):
            torch.testing.assert_close(got, want, rtol=1e-8, atol=1e-8)


@settings(deadline=None, max_examples=25)
@given(cells(activations=["linear"]), st.sampled_from(FORMS), st.integers(0, 99))
def test_operator_is_the_definition_and_its_adjoint(cell, name, seed):
    assume(name in exact_forms(cell, "flow"))
    form = choose_form(cell.example, cell.arch, cell.loss, "flow", form=name)
    generator = torch.Generator().manual_seed(seed)
    operator, (K, m_y) = form.operator, (3, cell.arch.m_y)
    shape = (K, len(form.G), m_y, operator.m)
    A = torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
    V = torch.randn((K, m_y, operator.nbar), generator=generator, dtype=torch.float64)
    Yhat, D = operator.apply(A), operator.adjoint(V)
    direct = sum(A[:, j] @ G_l for j, G_l in enumerate(form.G))
    scale = max(1.0, max(G_l.abs().max().item() for G_l in form.G))
    torch.testing.assert_close(Yhat, direct, rtol=1e-11, atol=1e-11 * scale)
    for j, G_l in enumerate(form.G):
        torch.testing.assert_close(D[:, j], V @ G_l.mT, rtol=1e-11, atol=1e-11 * scale)
    (by_autograd,) = torch.autograd.grad((Yhat * V).sum(), A)
    torch.testing.assert_close(by_autograd, D, rtol=1e-12, atol=1e-12 * scale)


@settings(deadline=None, max_examples=25)
@given(cells(activations=["linear"]), st.sampled_from(FORMS))
def test_expand_undoes_reduce(cell, name):
    assume(name in exact_forms(cell, "flow"))
    form = choose_form(cell.example, cell.arch, cell.loss, "flow", form=name)
    back = form.expand(form.reduce(cell.weights), cell.weights)
    for got, want in zip(back.tensors(), cell.weights.tensors(), strict=True):
        torch.testing.assert_close(got, want, rtol=1e-14, atol=1e-14)


@settings(deadline=None, max_examples=25)
@given(cells(activations=["linear"]), st.sampled_from(FORMS))
def test_singular_values_survive_the_change_of_coordinates(cell, name):
    assume(name in exact_forms(cell, "flow"))
    form, plain = (
        choose_form(cell.example, cell.arch, cell.loss, "flow", form=f) for f in (name, "stacked")
    )
    ours, full = (torch.linalg.svdvals(torch.cat(f.G)) for f in (form, plain))
    size = min(len(ours), len(full))
    torch.testing.assert_close(ours[:size], full[:size], rtol=1e-10, atol=1e-12 * full[0].item())
    if full[0] > 0:
        assert form.sigma_max == pytest.approx(full[0].item(), rel=1e-6)


@settings(deadline=None, max_examples=40)
@given(cells(activations=["linear"]))
def test_row_space_basis_is_orthonormal_and_complete(cell):
    form = choose_form(cell.example, cell.arch, cell.loss, "gd", form="row_space")
    plain = choose_form(cell.example, cell.arch, cell.loss, "gd", form="stacked")
    m_x = cell.arch.m_x
    for level, G_l, reduced in zip(cell.arch.levels, plain.G, form.G, strict=True):
        basis = form.frame.Q if level else form.frame.Q_0
        gram = basis.mT @ basis
        torch.testing.assert_close(gram, gram.diag().round().diag(), rtol=0, atol=1e-13)
        assert gram.trace().round() <= m_x
        scale = 1e-13 * max(1.0, G_l.abs().max().item())
        torch.testing.assert_close(basis @ reduced, G_l[:m_x], rtol=0, atol=scale)


def line_problem(nodes: int = 12):
    X = np.random.default_rng(0).standard_normal((nodes, 4))
    import scipy.sparse as sp

    path = sp.csr_array(sp.diags_array([np.ones(nodes - 1)] * 2, offsets=[1, -1]))
    return make_example(path, "gcn", X, selection(np.arange(nodes), nodes))


@pytest.mark.parametrize(
    ("name", "loss", "optimizer", "multiscale", "needs"),
    [
        ("row_space", "squared", "adam", True, "gradient descent, momentum and flow"),
        ("left", "cross_entropy", "gd", True, "the squared loss"),
        ("row_space\\+left", "cross_entropy", "adam", True, "gradient descent.*squared loss"),
        ("svd", "squared", "gd", True, "without skip connections"),
        ("svd", "squared", "adam", False, "gradient descent"),
    ],
)
def test_inexact_forms_are_refused(name, loss, optimizer, multiscale, needs):
    arch = Architecture(4, 3, 2, 2, multiscale)
    with pytest.raises(UserError, match=f"{name}.*{needs}"):
        choose_form(line_problem(), arch, loss, optimizer, form=name.replace("\\", ""))


def test_row_space_would_be_wrong_for_adam():
    """Not a matter of taste: forced past the check, the losses differ."""
    example = line_problem()
    arch = Architecture(4, 3, 2, 2, multiscale=True)
    weights, Y = random_weights(arch, 1, 0), one_hot(2, 12, 0).unsqueeze(0)
    losses = []
    for form in (
        choose_form(example, arch, "squared", "gd", form="row_space"),
        choose_form(example, arch, "squared", "gd", form="stacked"),
    ):
        args = (form.objective(Y), form.reduce(weights), STEPPERS["adam"], [1e-2], 50)
        losses.append(train(*args).loss)
    assert (losses[0] - losses[1]).abs().max() > 1e-3


def test_unknown_names_are_refused():
    arch = Architecture(4, 3, 2, 2, True)
    with pytest.raises(UserError, match=r"unknown 'fast'.*stacked.*svd"):
        choose_form(line_problem(), arch, "squared", "gd", form="fast")
    with pytest.raises(UserError, match="device: unknown 'tpu'"):
        choose_form(line_problem(), arch, "squared", "gd", device="tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_cuda_without_a_gpu_is_an_error():
    with pytest.raises(UserError, match="finds no GPU"):
        torch_device("cuda")


@pytest.mark.parametrize(
    ("nodes", "multiscale", "loss", "optimizer", "depth", "expected"),
    [
        (140, False, "squared", "gd", 2, "svd"),
        (140, True, "squared", "gd", 2, "row_space"),
        (140, True, "cross_entropy", "flow", 2, "row_space"),
        (2708, True, "cross_entropy", "adam", 6, "horner"),
        (2708, True, "squared", "adam", 6, "horner"),
    ],
)
def test_choice_on_a_graph_like_cora(nodes, multiscale, loss, optimizer, depth, expected):
    example = cora_shaped("gcn", nodes=nodes)
    arch = Architecture(example.m_x, 64, 7, depth, multiscale)
    form = choose_form(example, arch, loss, optimizer)
    assert form.name == expected
    assert "multiplications per step" in form.reason


def test_left_reduction_is_chosen_when_columns_abound():
    example = line_problem(400)
    arch = Architecture(4, 8, 2, 3, multiscale=True)
    form = choose_form(example, arch, "squared", "adam")
    assert form.name == "left"
    assert form.operator.nbar == 16


def test_number_of_models_side_by_side():
    small = Architecture(100, 16, 2, 1, True)
    large = Architecture(10_000, 512, 2, 1, True)
    assert models_per_batch(small, 100, 50, "gd", CPU) == 32
    assert models_per_batch(large, 10_000, 50, "adam", CPU) == 1
    shared = Architecture(3703, 32, 6, 6, True)  # G_l of CiteSeer: more than any cache holds
    assert models_per_batch(shared, 3703, 120, "adam", CPU) == 6
    middle = Architecture(1440, 32, 7, 6, True)
    assert 2 <= models_per_batch(middle, 1440, 2708, "adam", CPU) <= 8


def test_number_of_models_side_by_side_on_a_gpu(monkeypatch):
    """Half of the free memory, or MOST_ON_GPU models; on a CPU the nodes do not count."""
    arch = Architecture(1440, 32, 7, 6, True, "relu")

    def number(free: int, nodes: int = 0) -> int:
        monkeypatch.setattr(costs, "free_bytes", lambda device: free)
        args = (arch, 1440, 2708, "adam")
        assert models_per_batch(*args, CPU, 8, nodes) == models_per_batch(*args, CPU)
        return models_per_batch(*args, torch.device("cuda"), 8, nodes)

    size = bytes_per_model(arch, 1440, 2708, "adam", 8)
    with_nodes = bytes_per_model(arch, 1440, 2708, "adam", 8, 2708)
    assert with_nodes - size == 8 * 3 * 2708 * 6 * 32
    own = replace(arch, activation="own.py:f")  # has the states of any nonlinear network
    assert bytes_per_model(own, 1440, 2708, "adam", 8, 2708) == with_nodes
    assert number(0) == number(size) == 1
    assert number(2 * 100 * size) == 100
    assert number(2 * 100 * with_nodes, 2708) == 100
    assert number(10**15) == costs.MOST_ON_GPU


def test_memory_that_a_gpu_may_still_take(monkeypatch):
    """What the process keeps without using it counts as free: blocks of a job follow each other."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10, 100))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 50)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 20)
    assert free_bytes(torch.device("cuda")) == 40


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_train_in_reduced_coordinates_bit_for_bit_alone_or_in_a_batch(precision):
    """Padding makes it so even for a width and m_x that fill no cache line."""
    example = cora_shaped("gcn", nodes=31)
    arch = Architecture(example.m_x, 13, 3, 2, multiscale=True)
    weights = random_weights(arch, 5, 0, 0.3)
    Y = torch.stack([one_hot(3, 31, seed) for seed in range(5)])
    for name, optimizer in (("row_space", "gd"), ("stacked", "adam"), ("horner", "adam")):
        form = choose_form(example, arch, "squared", optimizer, form=name, precision=precision)
        start, objective = form.reduce(weights), form.objective(Y)
        assert {tensor.dtype for tensor in start.tensors()} == {form.dtype}
        lr = torch.full((5,), 1e-3, dtype=torch.float64)
        batch = train(objective, start, STEPPERS[optimizer], lr, 8)
        for k in (0, 3):
            index = torch.tensor([k])
            args = (objective.take(index), start.take(index), STEPPERS[optimizer], lr[index], 8)
            assert torch.equal(train(*args).loss[:, 0], batch.loss[:, k]), name


@settings(deadline=None, max_examples=30)
@given(cells(), st.sampled_from((*FORMS, "relu-prefix")))
def test_float32_has_the_loss_and_gradient_of_float64(cell, name):
    """From weights that were cast once; loss in float64, gradient in float32."""
    if cell.arch.activation == "linear":
        assume(name in exact_forms(cell, "gd"))
    else:
        assume(name == "relu-prefix")
    single, exact = (
        choose_form(cell.example, cell.arch, cell.loss, "gd", form=name, precision=precision)
        for precision in ("float32", "float64")
    )
    start = single.reduce(cell.weights)
    loss, gradient = single.objective(cell.Y)(start)
    expected, reference = exact.objective(cell.Y)(start.map(torch.Tensor.double))
    assert loss.dtype == torch.float64
    size = max(1.0, start.squared_norm().max().item(), reference.squared_norm().max().item())
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-4 * size)
    for one, other in zip(gradient.tensors(), reference.tensors(), strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one.double(), other, rtol=1e-3, atol=1e-4 * size)


def test_same_run_helper_sees_a_difference():
    example = line_problem()
    arch = Architecture(4, 3, 2, 1, multiscale=True)
    weights = random_weights(arch, 1, 0)
    form = choose_form(example, arch, "squared", "gd", form="stacked")
    run = train(
        form.objective(one_hot(2, 12, 0)[None]),
        form.reduce(weights),
        STEPPERS["gd"],
        [1e-3],
        5,
    )
    with pytest.raises(AssertionError):
        assert_same_run(run, run.loss + 1e-6, run.weights)


def test_triangular_features_are_multiplied_stair_by_stair():
    example = line_problem(600)
    wide = make_example(example.adjacency, "gcn", np.eye(600)[:, :130], example.R)
    arch = Architecture(130, 8, 3, 1, multiscale=True)
    form = choose_form(wide, arch, "squared", "adam", form="left")
    assert [(s.top, s.bottom) for s in form.operator.stairs] == [(0, 96), (96, 192), (192, 260)]
    generator = torch.Generator().manual_seed(0)
    A = torch.randn((2, 2, 3, form.operator.m), generator=generator, dtype=torch.float64)
    V = torch.randn((2, 3, form.operator.nbar), generator=generator, dtype=torch.float64)
    direct = sum(A[:, j] @ G_l for j, G_l in enumerate(form.G))
    torch.testing.assert_close(form.operator.apply(A), direct, rtol=1e-13, atol=1e-13)
    D = torch.stack([V @ G_l.mT for G_l in form.G], dim=1)
    torch.testing.assert_close(form.operator.adjoint(V), D, rtol=1e-13, atol=1e-13)
