"""Lanczos against dense eigenvalues and ARPACK; products against differentiated definitions."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from reference import (
    Cell,
    cells,
    cora_shaped,
    dense_loss,
    one_hot,
    random_weights,
)
from scipy.sparse.linalg import LinearOperator, eigsh

from gnn_dynamics.dynamics import sharpness
from gnn_dynamics.dynamics.sharpness import (
    hessian_product,
    lambda_max,
    largest_eigenvalue,
    top_ritz_pairs,
)
from gnn_dynamics.models.linear import LinearModel
from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.models.objective import Objective
from gnn_dynamics.models.operators import HornerOperator, StackedOperator
from gnn_dynamics.models.receptive_field import receptive_field
from gnn_dynamics.models.reductions import Frame
from gnn_dynamics.models.relu import ReluModel

pytestmark = pytest.mark.slow


def levels_data(cell: Cell) -> list[np.ndarray]:
    """[G_l for the levels], straight from the definition X S^l R."""
    G = [cell.example.X.toarray().T]
    for _ in range(cell.arch.depth):
        G.append(G[-1] @ cell.example.S.toarray())
    return [G[l] @ cell.example.R.toarray() for l in cell.arch.levels]


def objective(cell: Cell) -> Objective:
    example, relu = cell.example, cell.arch.activation == "relu"
    if not relu:
        return Objective(LinearModel(StackedOperator(levels_data(cell))), cell.Y, cell.loss)
    field = receptive_field(example.S, example.X, example.R, cell.arch.levels)
    return Objective(ReluModel(field), cell.Y, cell.loss)


def dense_hessian(cell: Cell, k: int) -> torch.Tensor:
    """Hessian (size, size) of model k by autograd of the definitions."""
    one = cell.weights.take(slice(k, k + 1))
    Y = cell.Y[k % len(cell.Y)].unsqueeze(0)

    def loss(row: torch.Tensor) -> torch.Tensor:
        return dense_loss(cell.arch, one.unflatten(row[None]), cell.example, Y, cell.loss)[0]

    return torch.autograd.functional.hessian(loss, one.flatten()[0])


@settings(deadline=None, max_examples=25)
@given(cell=cells(max_depth=3))
def test_lanczos_finds_the_largest_eigenvalue(cell):
    found = lambda_max(objective(cell), cell.weights, tolerance=1e-9)
    for k, value in enumerate(found):
        eigenvalues = torch.linalg.eigvalsh(dense_hessian(cell, k))
        scale = eigenvalues.abs().max().item()
        assert value.item() == pytest.approx(eigenvalues[-1].item(), rel=1e-7, abs=1e-9 * scale)


@settings(deadline=None, max_examples=25)
@given(cell=cells(max_depth=3))
def test_products_are_those_of_the_dense_hessian(cell):
    generator = torch.Generator().manual_seed(1)
    v = cell.weights.map(lambda w: torch.randn(w.shape, generator=generator, dtype=w.dtype))
    got = hessian_product(objective(cell), cell.weights)(v).flatten()
    assert_products(cell, got, v)


@settings(deadline=None, max_examples=15)
@given(cell=cells(activations=["linear"], max_depth=3))
def test_products_in_horner_form(cell):
    generator = torch.Generator().manual_seed(1)
    v = cell.weights.map(lambda w: torch.randn(w.shape, generator=generator, dtype=w.dtype))
    example, frame = cell.example, Frame()
    operator = HornerOperator(example.S, example.X, example.R, cell.arch.levels)
    bound = Objective(LinearModel(operator), cell.Y, cell.loss)
    got = hessian_product(bound, frame.reduce(cell.weights))(frame.reduce(v))
    assert_products(cell, frame.expand(got, cell.weights).flatten(), v)


def assert_products(cell: Cell, got: torch.Tensor, v: Weights) -> None:
    for k in range(cell.weights.models):
        M, row = dense_hessian(cell, k), v.flatten()[k]
        largest = M.abs().max().item()
        if cell.loss == "cross_entropy":
            # Softmax rounds p - y to eps, however small it is; the features magnify that error.
            unsaturated = dense_hessian(replace(cell, loss="squared"), k)
            largest = max(largest, 1e-2 * unsaturated.abs().max().item())
        scale = max(largest * row.norm().item(), 1e-300)
        torch.testing.assert_close(got[k], M @ row, rtol=0, atol=1e-12 * scale)


@settings(deadline=None, max_examples=20)
@given(cells(max_depth=3))
def test_models_do_not_see_their_neighbours(cell):
    bound = objective(cell)
    together = lambda_max(bound, cell.weights)
    for k in range(cell.weights.models):
        index = torch.tensor([k])
        alone = lambda_max(bound.take(index), cell.weights.take(index))
        torch.testing.assert_close(together[index], alone, rtol=1e-9, atol=1e-12)


@settings(deadline=None, max_examples=15)
@given(cells(max_depth=3))
def test_a_diverged_model_gets_infinity_and_spoils_nothing(cell):
    assume(cell.weights.models > 1)
    bound, before = objective(cell), lambda_max(objective(cell), cell.weights)
    weights = cell.weights.map(torch.clone)
    for tensor in weights.tensors():
        tensor[0] = torch.nan
    after = lambda_max(bound, weights)
    assert after[0] == torch.inf
    torch.testing.assert_close(after[1:], before[1:], rtol=1e-9, atol=1e-12)


def symmetric(eigenvalues: np.ndarray, seed: int) -> torch.Tensor:
    Q, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(eigenvalues),) * 2))
    return torch.from_numpy((Q * eigenvalues) @ Q.T)


def lanczos_of(M: torch.Tensor, tolerance: float) -> torch.Tensor:
    like = Weights((), (torch.zeros(len(M), 1, M.shape[-1], dtype=torch.float64),))
    return largest_eigenvalue(
        lambda v: v.map(lambda w: (M @ w.mT).mT.contiguous()), like, tolerance
    )


def test_agrees_with_arpack_on_a_saddle():
    """Spectrum nearly symmetric about 0, as at the start of training: power iteration fails."""
    spectrum = np.linspace(-0.998, 1.0, 300) ** 3 * 8
    M = torch.stack([symmetric(spectrum, 0), symmetric(3 * spectrum, 1), symmetric(-spectrum, 2)])
    found = lanczos_of(M, 1e-8)
    for k, matrix in enumerate(M.numpy()):
        operator = LinearOperator(matrix.shape, matvec=lambda v, m=matrix: m @ v, dtype=float)
        start = np.random.default_rng(0).standard_normal(len(matrix))
        expected = eigsh(operator, k=1, which="LA", v0=start, return_eigenvectors=False)
        assert found[k].item() == pytest.approx(expected[0], rel=1e-9)


@pytest.mark.parametrize("eigenvalues", [np.zeros(5), np.full(5, -2.0), np.array([-3.0, -1.0])])
def test_exhausted_krylov_space(eigenvalues):
    found = lanczos_of(symmetric(eigenvalues, 0)[None], 1e-9)
    assert found.item() == pytest.approx(eigenvalues.max(), abs=1e-12)


def test_shared_targets_with_an_offset():
    """Reduced targets have a constant part; one set of them may serve all models."""
    example = cora_shaped("gcn", nodes=9)
    arch = Architecture(example.m_x, 3, 2, 1, multiscale=True)
    Y = one_hot(2, 9, seed=0).unsqueeze(0)
    weights = random_weights(arch, 3, seed=0)
    bound = objective(Cell(example, arch, weights, Y, "squared"))
    shifted = replace(bound, offset=torch.tensor([0.25], dtype=torch.float64))
    torch.testing.assert_close(lambda_max(shifted, weights), lambda_max(bound, weights))


# Looks at several steps at once -------------------------------------------------------------------


@pytest.mark.parametrize("last", [1, 3, 7])
def test_ritz_pairs_of_several_steps_equal_those_of_each(last):
    """Also beside a model whose products are not finite."""
    generator = torch.Generator().manual_seed(0)
    alphas = list(torch.randn(7, 4, generator=generator, dtype=torch.float64))
    betas = list(torch.rand(7, 4, generator=generator, dtype=torch.float64))
    alphas[4][1], betas[5][2] = torch.nan, torch.inf
    together = top_ritz_pairs(alphas, betas, 1e-2, last)
    for k, n in enumerate(range(8 - last, 8)):
        alone = top_ritz_pairs(alphas[:n], betas[:n], 1e-2)
        for one, other in zip(together, alone, strict=True):
            torch.testing.assert_close(one[k], other[0], rtol=1e-12, atol=1e-12, equal_nan=True)


@settings(deadline=None, max_examples=25)
@given(cells())
def test_sharpness_does_not_depend_on_when_lanczos_is_looked_at(cell):
    values = []
    for look_every in (1, 20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sharpness.LOOK_EVERY, "cpu", look_every)
            values.append(lambda_max(objective(cell), cell.weights))
    torch.testing.assert_close(*values, rtol=1e-9, atol=1e-12)
