"""Balancedness along flows, and what a start guarantees for ever (in place of Propositions 1-2)."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from theory_problems import (
    bounds_of,
    flow,
    near_identity,
    prefix_products,
    random_weights,
    toy,
    zero_head,
)

from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.theory.conservation import balancedness, drift, guaranteed_lambda
from gnn_dynamics.theory.products import levels_of
from gnn_dynamics.theory.reference import flow_reference, squared_gradient
from gnn_dynamics.theory.time_condition import smallest_eigenvalue

pytestmark = pytest.mark.slow

MODELS = [(depth, multiscale) for depth in (1, 2, 3) for multiscale in (False, True)]


@pytest.mark.parametrize(("depth", "multiscale"), MODELS)
@pytest.mark.parametrize("aggregation", ["gcn", "gin"])
def test_flow_conserves_the_balancedness_matrices(aggregation, depth, multiscale):
    run = flow(aggregation, depth, multiscale)
    start = balancedness(run.weights[0])
    assert max(float(drift(weights, start)) for weights in run.weights) < 1e-10
    moved = run.weights[0].zip(torch.sub, run.weights[-1]).squared_norm().sqrt()
    assert float(moved) > 0.3  # the weights themselves do not stand still


def test_descent_does_not_conserve_them():
    """A step of gradient descent changes C_l by a term of second order in the step size."""
    problem = toy(depth=2)
    weights = random_weights(problem.arch)
    gradient = squared_gradient(problem.G, problem.Y)(weights)
    start = balancedness(weights)
    drifts = [
        float(drift(weights.zip(lambda w, g, eta=eta: w - eta * g, gradient), start))
        for eta in (1e-2, 1e-3)
    ]
    assert drifts[0] / drifts[1] == pytest.approx(100, rel=1e-6)


@pytest.mark.parametrize(("depth", "multiscale"), MODELS)
@pytest.mark.parametrize("width", [4, 7])
def test_zero_heads_keep_lambda_at_one(depth, multiscale, width):
    """All W = 0 and orthonormal columns: lambda_T^(l) >= 1 for every l, with wider layers too."""
    run = flow("gcn", depth, multiscale, "zero-head", width=width)
    levels = levels_of(run.weights[0])
    assert all(float(g) == pytest.approx(1.0, abs=1e-12) for g in guaranteed_lambda(run.weights[0]))
    smallest = min(
        float(smallest_eigenvalue(prefix_products(weights)[l]))
        for weights in run.weights
        for l in levels
        if l
    )
    assert smallest >= 1 - 1e-9
    assert float(run.weights[-1].W[-1].square().sum()) > 0.01  # the head did move


@pytest.mark.parametrize("multiscale", [False, True])
def test_the_guaranteed_bound_holds_for_zero_heads(multiscale):
    table = bounds_of(flow("gcn", 2, multiscale, "zero-head"))
    assert (table.rate_guaranteed > 0).all()
    assert (table.excess <= table.bound_guaranteed * (1 + 1e-9)).all()


@settings(deadline=None, max_examples=8)
@given(
    widths=st.lists(st.integers(2, 5), min_size=1, max_size=3),
    multiscale=st.booleans(),
    head=st.floats(0.0, 0.6),
    seed=st.integers(0, 1000),
)
def test_start_bounds_lambda_for_ever(widths, multiscale, head, seed):
    """The proposition on the start, for layers of any shape: wide, narrow, falling or rising."""
    depth, problem = len(widths), toy(depth=len(widths), multiscale=multiscale, seed=seed, m_x=3)
    sizes, random = [3, *widths], np.random.default_rng(seed)
    B = tuple(
        torch.tensor(np.eye(m, k) + 0.1 * random.standard_normal((m, k)))[None]
        for k, m in pairwise(sizes)
    )
    heads = [sizes[l] for l in problem.arch.levels]
    W = tuple(torch.tensor(head * random.standard_normal((1, 2, m))) for m in heads)
    start = Weights(B, W)
    guaranteed = [float(g) for g in guaranteed_lambda(start)]
    run = flow_reference(squared_gradient(problem.G, problem.Y), start, [0.0, 0.05, 0.3])
    for weights in run:
        for l in range(1, depth + 1):
            measured = float(smallest_eigenvalue(prefix_products(weights)[l]))
            assert measured >= guaranteed[l] - 1e-9


def test_guarantee_of_one_layer_is_its_margin_over_the_head():
    """sigma_min(B)^2 - ||W||^2 for a square layer below one row of W along its weak direction."""
    B, W = (
        torch.diag(torch.tensor([2.0, 1.5])).double()[None],
        torch.tensor([[[0.0, 0.5]]]).double(),
    )
    assert float(guaranteed_lambda(Weights((B,), (W,)))[1]) == pytest.approx(1.5**2 - 0.5**2)


def test_default_start_guarantees_nothing():
    arch = Architecture(4, 5, 2, 3, True)
    assert float(guaranteed_lambda(initial_weights(arch, "default", [0]))[3]) == 0.0
    assert float(guaranteed_lambda(near_identity(arch))[0]) == 1.0
    assert torch.allclose(
        torch.stack(guaranteed_lambda(initial_weights(arch, "zero-head", [0, 1]))),
        torch.ones(4, 2, dtype=torch.float64),
    )
    assert zero_head(arch).W[0].abs().max() == 0
