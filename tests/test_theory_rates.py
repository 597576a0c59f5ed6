"""The inequalities behind the bounds, at arbitrary weights; subsets of layers; critical points."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from theory_problems import objective_of, prefix_products, random_weights, signal, toy

from gnn_dynamics.models.model import Weights
from gnn_dynamics.theory.products import outputs
from gnn_dynamics.theory.rates import geometry, rate_kernel, rate_sharp
from gnn_dynamics.theory.time_condition import lambda_min_restricted


@settings(deadline=None, max_examples=60)
@given(depth=st.integers(0, 4), multiscale=st.booleans(), seed=st.integers(0, 1000))
def test_rates_are_in_the_order_of_the_chain(depth, multiscale, seed):
    """For weights that no flow has made, and any V: gradient descent and Adam included."""
    problem = toy("gcn", depth, multiscale, seed)
    weights, space = random_weights(problem.arch, seed, models=3), geometry(problem.G)
    loss, gradient = objective_of(problem)(weights)
    sharp, Bbar = rate_sharp(weights, space), prefix_products(weights)
    pairs = zip(problem.arch.levels, space.bases, strict=True)
    lowest = torch.stack([lambda_min_restricted(Bbar[l], U) for l, U in pairs]).amin(dim=0)
    sigma = problem.sigma[space.rows.shape[1] - 1]
    kernel, error = rate_kernel(weights, space)
    assert (4 * lowest * sigma**2 <= sharp * (1 + 1e-9)).all()
    assert (sharp <= kernel * (1 + 1e-9) + error).all()
    assert (kernel <= gradient.squared_norm() / (loss - problem.optimum) * (1 + 1e-9) + error).all()


@pytest.mark.parametrize("multiscale", [False, True])
def test_kernel_rate_is_that_of_the_derivative_of_the_outputs(multiscale):
    """By automatic differentiation, on the directions that features can reach; rank below nbar."""
    problem = toy("gcn", 2, multiscale, m_x=3)
    weights, space = random_weights(problem.arch), geometry(problem.G)

    def flat(row):
        return (outputs(weights.unflatten(row[None]), problem.G)[0] @ space.rows).flatten()

    J = torch.func.jacrev(flat)(weights.flatten()[0])
    assert space.rows.shape[1] < problem.Y.shape[1]
    expected = 4 * float(torch.linalg.svdvals(J)[-1]) ** 2
    assert float(rate_kernel(weights, space)[0]) == pytest.approx(expected, rel=1e-6)


def test_without_layers_the_kernel_adds_nothing():
    problem = toy("gcn", 0, False)
    weights, space = random_weights(problem.arch), geometry(problem.G)
    sharp = float(rate_sharp(weights, space))
    assert float(rate_kernel(weights, space)[0]) == pytest.approx(sharp, rel=1e-9)


def test_sharp_rate_is_the_singular_value_of_the_hidden_features():
    problem = toy("gcn", 3, True, nbar=9)
    weights, Bbar = random_weights(problem.arch), prefix_products(random_weights(problem.arch))
    Z = torch.cat([Bbar[l][0] @ G_l for l, G_l in zip(problem.arch.levels, problem.G, strict=True)])
    rank = geometry(problem.G).rows.shape[1]
    assert rank == 9
    expected = 4 * float(torch.linalg.svdvals(Z)[rank - 1]) ** 2
    assert float(rate_sharp(weights, geometry(problem.G))) == pytest.approx(expected, rel=1e-9)


@settings(deadline=None, max_examples=40)
@given(depth=st.integers(1, 3), seed=st.integers(0, 1000), data=st.data())
def test_subset_of_layers_has_a_rate_for_its_own_residual(depth, seed, data):
    """||grad||^2 >= 4 lambda^(K) sigma_min+^2(G_K) ||(Yhat - Y) P_K||^2: what survives of (ii)."""
    levels = list(range(depth + 1))
    chosen = data.draw(st.lists(st.sampled_from(levels), min_size=1, unique=True))
    problem = toy("gcn", depth, True, seed)
    weights = random_weights(problem.arch, seed)
    parts = [problem.G[l] for l in sorted(chosen)]
    space, Bbar = geometry(parts), prefix_products(weights)
    pairs = zip(sorted(chosen), space.bases, strict=True)
    lowest = min(float(lambda_min_restricted(Bbar[l], U)) for l, U in pairs)
    sigma = np.linalg.svd(torch.cat(parts).numpy(), compute_uv=False)[space.rows.shape[1] - 1]
    residual = signal(problem, weights)[0] / 2 @ space.rows
    squared = float(objective_of(problem)(weights)[1].squared_norm())
    assert squared >= 4 * lowest * sigma**2 * float(residual.square().sum()) * (1 - 1e-9)


def optimum_of(G, Y):
    N = geometry(G).rows
    return float((Y - Y @ N @ N.mT).square().sum())


def test_saddle_with_one_live_layer_attains_its_optimum():
    """B = 0 and heads zero but W_0, fitted to G_0: critical, lambda^(0) = 1, and L = L*_0."""
    problem = toy("gcn", 2, True)
    fit = np.linalg.lstsq(problem.G[0].numpy().T, problem.Y.numpy().T, rcond=None)[0].T
    zero = random_weights(problem.arch).map(torch.zeros_like)
    saddle = Weights(zero.B, (torch.tensor(fit)[None], *zero.W[1:]))
    loss, gradient = objective_of(problem)(saddle)
    assert float(gradient.squared_norm()) < 1e-20
    assert float(loss) == pytest.approx(optimum_of(problem.G[:1], problem.Y), rel=1e-12)
    assert float(loss) > problem.optimum * 1.01


@pytest.mark.parametrize("seed", range(4))
def test_critical_points_are_no_worse_than_any_live_layer(seed):
    """||grad|| = 0 and lambda^(l) > 0 imply L <= L*_l: the part of Theorem 2(ii) that is true."""
    problem = toy("gcn", 2, True, seed)
    objective, like = objective_of(problem), random_weights(problem.arch, seed)
    sizes = [tensor.numel() for tensor in like.tensors()]

    def unflat(theta):
        parts = iter(torch.split(torch.tensor(theta), sizes))
        return like.map(lambda tensor: next(parts).reshape(tensor.shape))

    def value(theta):
        loss, gradient = objective(unflat(theta))
        return float(loss), torch.cat([g.reshape(-1) for g in gradient.tensors()]).numpy()

    start = torch.cat([tensor.reshape(-1) for tensor in like.tensors()]).numpy()
    found = minimize(value, start, jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 4000})
    critical = unflat(found.x)
    Bbar = prefix_products(critical)
    for l, U in zip(problem.arch.levels, geometry(problem.G).bases, strict=True):
        assert float(lambda_min_restricted(Bbar[l], U)) > 1e-6
        assert found.fun <= optimum_of([problem.G[l]], problem.Y) + 1e-6


def test_rounding_errors_of_a_reduction_are_no_direction_of_the_features():
    """As on ogbg-molhiv: 32 901 columns reduced to 40 leave errors that 40 columns would not."""
    rng = np.random.default_rng(0)
    rotations = [np.linalg.qr(rng.standard_normal((40, 40)))[0] for _ in range(2)]
    sigma = np.concatenate([np.geomspace(1, 1e-7, 30), [50 * 2.2e-16], np.zeros(9)])
    G = torch.as_tensor(rotations[0] * sigma @ rotations[1])
    assert geometry([G]).rows.shape[1] == 31
    assert geometry([G], (40, 32_901)).rows.shape[1] == 30
    assert geometry([G], (40, 32_901)).bases[0].shape[1] == 30
