"""Theorem 3: the terms against Kronecker products, against autograd, and for ReLU nets."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from theory_problems import flow, metrics_of, prefix_products, random_weights, tables, toy

from gnn_dynamics.dynamics.sharpness import lambda_max
from gnn_dynamics.dynamics.train import Snapshot
from gnn_dynamics.models.linear import LinearModel
from gnn_dynamics.models.losses import LOSSES
from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.models.objective import Objective
from gnn_dynamics.models.operators import StackedOperator
from gnn_dynamics.models.receptive_field import receptive_field
from gnn_dynamics.models.relu import ReluModel
from gnn_dynamics.problem.problem import Problem
from gnn_dynamics.theory.metrics import measure, relu_metrics
from gnn_dynamics.theory.products import label_signals, outputs
from gnn_dynamics.theory.relu import relu_gradient
from gnn_dynamics.theory.terms import (
    autograd_gradient,
    head_matrices,
    inner,
    layer_matrices,
    relative_error,
    side_condition,
    theory_gradient,
)

LABELS = ("squared", "cross_entropy")


def problem_and_signal(loss, multiscale, depth, seed, models=1):
    problem = toy("gin" if seed % 2 else "gcn", depth, multiscale, seed)
    Y = torch.softmax(problem.Y, dim=0) if loss == "cross_entropy" else problem.Y
    weights = random_weights(problem.arch, seed, models)
    return problem, weights, Y, LOSSES[loss](outputs(weights, problem.G), Y)[1]


@settings(deadline=None, max_examples=60)
@given(
    loss=st.sampled_from(LABELS),
    multiscale=st.booleans(),
    depth=st.integers(0, 4),
    seed=st.integers(0, 10_000),
    models=st.integers(1, 3),
)
def test_terms_sum_to_the_squared_gradient(loss, multiscale, depth, seed, models):
    """Theorem 3 with autograd of the definition as the other side, for each of K models."""
    problem, weights, Y, V = problem_and_signal(loss, multiscale, depth, seed, models)
    D = label_signals(V, problem.G)
    ours = theory_gradient(weights, D)
    true = autograd_gradient(lambda w: LOSSES[loss](outputs(w, problem.G), Y)[0], weights)
    terms = torch.stack([inner(M, M) for M in ours.tensors()])
    assert (relative_error(terms, true.squared_norm()) < 1e-12).all()
    for mine, theirs in zip(ours.tensors(), true.tensors(), strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-10, atol=1e-12)


def vec(M):
    """Columns of M one below the other."""
    return M.mT.reshape(-1)


@pytest.mark.parametrize("loss", LABELS)
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_cheap_forms_equal_the_kronecker_forms(loss, depth):
    """F_(l) = Bbar_l^T Bbar_l kron I and J_(i,l) = Bbar_{i-1} kron (W_l B_l ... B_{i+1})^T."""
    problem, weights, _, V = problem_and_signal(loss, True, depth, seed=3)
    D = label_signals(V, problem.G)
    Bbar = [M[0] for M in prefix_products(weights)]
    B, W = [M[0] for M in weights.B], [M[0] for M in weights.W]
    identity = torch.eye(problem.arch.m_y, dtype=torch.float64)
    for l, head in enumerate(head_matrices(weights, D)):
        F, v = torch.kron(Bbar[l].mT @ Bbar[l], identity), vec(D[0, l])
        assert float(inner(head, head)) == pytest.approx(float(v @ F @ v), rel=1e-12)
    a, b = layer_matrices(weights, D)
    for i in range(1, depth + 1):
        parts = []
        for l in range(i, depth + 1):
            above = W[l]
            for j in range(l, i, -1):
                above = above @ B[j - 1]
            parts.append(torch.kron(Bbar[i - 1], above.mT.contiguous()) @ vec(D[0, l]))
        expected_a = sum(parts[:-1], torch.zeros_like(parts[-1]))
        assert torch.allclose(vec(a[i - 1][0]), expected_a, rtol=1e-10, atol=1e-13)
        assert torch.allclose(vec(b[i - 1][0]), parts[-1], rtol=1e-10, atol=1e-13)


def test_side_condition_is_the_difference_of_the_layer_terms():
    """sum ||a + b||^2 - sum ||b||^2: what skips add at the same V and weights (equation 14)."""
    problem, weights, _, V = problem_and_signal("squared", True, 4, seed=1, models=3)
    a, b = layer_matrices(weights, label_signals(V, problem.G))
    with_skips = sum(inner(x + y, x + y) for x, y in zip(a, b, strict=True))
    without = sum(inner(y, y) for y in b)
    assert torch.allclose(side_condition(a, b), with_skips - without, rtol=1e-10)


@pytest.mark.parametrize("multiscale", [False, True])
def test_identity_holds_at_every_recorded_step(multiscale):
    _, _, terms, _ = tables(flow("gcn", 2, multiscale))
    assert terms.relative_error.max() < 1e-12
    steps = terms.groupby("step").agg({"value": "sum", "grad_norm_sq": "first"})
    assert steps.value.to_numpy() == pytest.approx(steps.grad_norm_sq.to_numpy(), rel=1e-12)
    assert len(terms) == 33 * (2 + (3 if multiscale else 1))


@pytest.mark.parametrize("multiscale", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_identity_holds_to_rounding_where_the_labels_are_fitted(multiscale, seed):
    """There V = softmax - y is tiny: two ways to compute it differ by more than 1e-12."""
    problem = toy("gcn", 4, multiscale, seed=seed, m_y=3, nbar=6)
    weights = random_weights(problem.arch, seed, models=1)
    scale = 200 / outputs(weights, problem.G).abs().max()
    weights = Weights(weights.B, tuple(scale * W for W in weights.W))
    classes = outputs(weights, problem.G).argmax(dim=1)
    Y = torch.eye(3, dtype=torch.float64)[classes].mT
    objective = Objective(LinearModel(StackedOperator(problem.G)), Y, "cross_entropy")
    loss, gradient = objective(weights)
    metrics = metrics_of(problem, weights, ["gradient_terms"], features=None)
    one = torch.ones(1, dtype=torch.float64)
    snapshot = Snapshot(0, torch.arange(1), objective, weights, gradient, loss, one, one)
    rows = measure(metrics, snapshot)["gradient_terms"]
    assert max(row["relative_error"] for row in rows) < 1e-13


def test_the_signal_of_a_fitted_node_has_all_its_digits():
    """softmax - 1 would cancel; decimals know the truth to 40 digits."""
    Yhat = np.array([[0.0, -30.0, 1.0], [-30.0, 3.0, 0.0], [-20.0, -10.0, -25.0]])
    Y = np.array([[1.0, 0.0, 0.2], [0.0, 1.0, 0.5], [0.0, 0.0, 0.3]])  # the last one no unit vector
    with localcontext(prec=40):
        powers = np.vectorize(lambda x: Decimal(x).exp(), otypes=[object])(Yhat)
        exact = (powers / powers.sum(axis=0) - np.vectorize(Decimal, otypes=[object])(Y)) / 3
    _, V = LOSSES["cross_entropy"](torch.from_numpy(Yhat)[None], torch.from_numpy(Y)[None])
    np.testing.assert_allclose(V[0, :, :2], exact[:, :2].astype(float), rtol=1e-14)
    np.testing.assert_allclose(V[0, :, 2], exact[:, 2].astype(float), rtol=1e-13, atol=1e-16)


def test_identity_with_any_differentiable_loss_needs_its_own_signal():
    """With V of another loss the identity must break: the check is not vacuous."""
    problem, weights, Y, V = problem_and_signal("squared", True, 2, seed=0)
    true = autograd_gradient(lambda w: LOSSES["squared"](outputs(w, problem.G), Y)[0], weights)
    ours = theory_gradient(weights, label_signals(V.abs(), problem.G))
    terms = torch.stack([inner(M, M) for M in ours.tensors()])
    assert float(relative_error(terms, true.squared_norm())) > 1e-3


def relu_problem(seed):
    random = np.random.default_rng(seed)
    n, nbar, m_x = 12, 5, 4
    A = np.triu(random.random((n, n)) < 0.3, 1)
    S = sp.csr_array((A + A.T + np.eye(n)) / 3)
    R = sp.csr_array(np.eye(n)[:, :nbar])
    labels = random.integers(0, 3, nbar)
    return Problem(S, random.random((n, m_x)), R, labels, 3, "classification", np.arange(nbar))


@pytest.mark.parametrize("loss", LABELS)
@pytest.mark.parametrize("multiscale", [False, True])
def test_relu_split_against_autograd(loss, multiscale):
    """-||grad||^2 = heads + layers for any net: the gradient by hand against autograd's."""
    problem, arch = relu_problem(1), Architecture(4, 6, 3, 3, multiscale, "relu")
    weights = random_weights(arch, 1, models=2)
    Y = torch.eye(3, dtype=torch.float64)[problem.labels].mT[None]
    field = receptive_field(problem.S, problem.X, problem.R, arch.levels)
    objective = Objective(ReluModel(field), Y, loss)
    value, gradient = objective(weights)
    second = relu_gradient(problem, arch.levels, loss)
    metrics = relu_metrics(arch, ["gradient_terms"], second, lambda full, _: full, lambda_max)
    one = torch.ones(2, dtype=torch.float64)
    snapshot = Snapshot(0, torch.arange(2), objective, weights, gradient, value, one, one)
    rows = measure(metrics, snapshot)["gradient_terms"]
    assert {(row["term"], row["index"]) for row in rows} == {
        *(("head", l) for l in arch.levels),
        *(("layer", i) for i in (1, 2, 3)),
    }
    assert max(row["relative_error"] for row in rows) < 1e-12
    mutated = snapshot.gradient.map(lambda tensor: 1.001 * tensor)
    wrong = Snapshot(0, torch.arange(2), objective, weights, mutated, value, one, one)
    assert max(r["relative_error"] for r in measure(metrics, wrong)["gradient_terms"]) > 1e-4
