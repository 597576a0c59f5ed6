"""The derivative of linear models, their neural tangent kernel, and the curvature of the losses."""

import pytest
import torch
from theory_problems import random_weights, toy
from torch.utils._python_dispatch import TorchDispatchMode

from gnn_dynamics.models.linear import LinearModel
from gnn_dynamics.models.losses import LOSSES, curvature_root
from gnn_dynamics.models.model import stack_weights
from gnn_dynamics.models.operators import StackedOperator
from gnn_dynamics.models.tangent import Tangent, batched_kernel, tangent_kernel
from gnn_dynamics.theory.products import outputs


def tangent(depth: int, multiscale: bool, models: int = 2):
    problem = toy("gcn", depth, multiscale)
    weights = stack_weights([random_weights(problem.arch, seed) for seed in range(models)])
    return problem, Tangent.at(LinearModel(StackedOperator(problem.G)), weights)


def jacobian(problem, weights):
    """J (K, N, size) by automatic differentiation of the definition of the model."""

    def flat(row):
        return outputs(weights.take([0]).unflatten(row[None]), problem.G).flatten()

    return torch.stack([torch.func.jacrev(flat)(row) for row in weights.flatten()])


@pytest.mark.parametrize("multiscale", [False, True])
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_products_with_the_derivative_and_the_kernel(depth, multiscale):
    problem, at = tangent(depth, multiscale)
    J = jacobian(problem, at.weights)
    generator = torch.Generator().manual_seed(0)
    v = torch.randn(2, J.shape[2], generator=generator, dtype=torch.float64)
    U = torch.randn(2, J.shape[1], generator=generator, dtype=torch.float64)
    close = {"rtol": 1e-12, "atol": 1e-12}
    torch.testing.assert_close(at.outputs(), outputs(at.weights, problem.G), **close)
    product = at.times(at.weights.unflatten(v)).flatten(1)
    torch.testing.assert_close(product, (J @ v[:, :, None])[..., 0], **close)
    transposed = at.transpose(U.view(2, problem.arch.m_y, -1)).flatten()
    torch.testing.assert_close(transposed, (J.mT @ U[:, :, None])[..., 0], **close)
    torch.testing.assert_close(at.kernel(), J @ J.mT, **close)


class Largest(TorchDispatchMode):
    """The numbers of the largest tensor that was made."""

    numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor):
            self.numbers = max(self.numbers, made.untyped_storage().nbytes() // 8)
        return made


def test_the_kernel_of_a_deep_network_needs_no_memory_for_all_pairs_of_its_heads(monkeypatch):
    monkeypatch.setattr("gnn_dynamics.models.tangent.MOST_NUMBERS", 1000)
    problem, at = tangent(12, True, models=1)
    J, p = jacobian(problem, at.weights), problem.G[0].shape[1]
    with Largest() as largest:
        kernel = at.kernel()
    torch.testing.assert_close(kernel, J @ J.mT, rtol=1e-12, atol=1e-12)
    # The pairs of one layer, or those that were held before it.
    assert largest.numbers <= max(J.shape[1] ** 2, 12**2 * p**2 + 1000)


def test_a_kernel_does_not_depend_on_the_models_beside_it():
    problem, at = tangent(2, True, models=3)
    for k in range(3):
        alone = tangent_kernel(at.weights.take([k]), problem.G)
        assert torch.equal(alone[0], at.kernel()[k])


@pytest.mark.parametrize("multiscale", [False, True])
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_kernels_of_all_models_in_one_product_are_the_same(depth, multiscale):
    """As on a GPU."""
    problem, at = tangent(depth, multiscale, models=3)
    together = batched_kernel(at.weights, problem.G)
    torch.testing.assert_close(together, at.kernel(), rtol=1e-12, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_curvature_of_the_losses(loss):
    """R R^T is the Hessian by automatic differentiation, column by column."""
    generator = torch.Generator().manual_seed(1)
    Yhat = 2 * torch.randn(1, 3, 5, generator=generator, dtype=torch.float64)
    Y = torch.eye(3, dtype=torch.float64)[:, [0, 1, 2, 1, 0]][None]

    def value(flat):
        return LOSSES[loss](flat.view_as(Yhat), Y)[0].sum()

    hessian = torch.func.hessian(value)(Yhat.flatten()).view(3, 5, 3, 5)
    root = curvature_root(loss, Yhat).expand(1, 5, 3, 3)[0]
    for i in range(5):
        torch.testing.assert_close(root[i] @ root[i].mT, hessian[:, i, :, i], rtol=1e-9, atol=1e-12)
