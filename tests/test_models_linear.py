"""The hand gradient of the linear models against two independent ones, and mutations of it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from problems import random_adjacency
from reference import (
    Cell,
    Example,
    cells,
    cora_shaped,
    dense_loss_and_gradient,
    make_example,
    one_hot,
    pyg_loss_and_gradient,
    random_weights,
    relative_error,
    selection,
)

from gnn_dynamics.models import linear
from gnn_dynamics.models.linear import LinearModel
from gnn_dynamics.models.model import Architecture
from gnn_dynamics.models.operators import StackedOperator


def levels_data(example: Example, arch: Architecture) -> list[np.ndarray]:
    """[G_l for the levels], straight from the definition X S^l R."""
    G = [example.X.toarray().T]
    for _ in range(arch.depth):
        G.append(G[-1] @ example.S.toarray())
    return [G[l] @ example.R.toarray() for l in arch.levels]


def ours(cell: Cell):
    operator = StackedOperator(levels_data(cell.example, cell.arch))
    return LinearModel(operator).loss_and_gradient(cell.weights, cell.Y, cell.loss)


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(cells(activations=["linear"]))
def test_gradient_equals_autograd_and_pyg(cell):
    loss, gradient = ours(cell)
    for reference in (dense_loss_and_gradient, pyg_loss_and_gradient):
        args = (cell.arch, cell.weights, cell.example, cell.Y, cell.loss)
        expected_loss, expected = reference(*args)
        torch.testing.assert_close(loss, expected_loss, rtol=1e-12, atol=1e-12)
        for got, want in zip(gradient.tensors(), expected.tensors(), strict=True):
            scale = want.abs().max().clamp(min=1.0)
            torch.testing.assert_close(got, want, rtol=1e-11, atol=1e-12 * scale.item())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gcn", "gin"])
@pytest.mark.parametrize("loss", ["squared", "cross_entropy"])
def test_cora_shaped_graph(kind, loss):
    example = cora_shaped(kind)
    arch = Architecture(example.m_x, 64, 7, 2, multiscale=True)
    weights = random_weights(arch, models=1, seed=0, scale=0.1)
    cell = Cell(example, arch, weights, one_hot(7, example.nbar, 0).unsqueeze(0), loss)
    value, gradient = ours(cell)
    expected, theirs = pyg_loss_and_gradient(arch, weights, example, cell.Y, loss)
    assert (value / expected - 1).abs().item() < 1e-12
    assert relative_error(gradient, theirs) < 1e-12


def gradient_error(cell: Cell) -> float:
    _, theirs = dense_loss_and_gradient(cell.arch, cell.weights, cell.example, cell.Y, cell.loss)
    return relative_error(ours(cell)[1], theirs)


@pytest.fixture
def square_cell() -> Cell:
    """All widths equal, so that a transposed factor raises no error about shapes."""
    rng = np.random.default_rng(0)
    adjacency = random_adjacency(9, 14, rng)
    X, R = rng.standard_normal((9, 4)), selection(np.arange(6), 9)
    arch = Architecture(4, 4, 2, 3, multiscale=True)
    weights, Y = random_weights(arch, models=2, seed=1), one_hot(2, 6, 0).unsqueeze(0)
    return Cell(make_example(adjacency, "gcn", X, R), arch, weights, Y, "squared")


def transposed_layer(weights, rows, D):
    """gradient_from with B_2^T in place of B_2 where E passes it."""
    swapped = [B.mT if k == 1 else B for k, B in enumerate(weights.B)]
    return ORIGINAL(type(weights)(tuple(swapped), weights.W), rows, D)


def shifted_rows(weights, rows, D):
    """gradient_from with the rows R of the layer below (as if l > k were l >= k)."""
    return ORIGINAL(weights, [rows[0], rows[1].roll(1, dims=1), *rows[2:]], D)


def heads_in_wrong_order(weights, rows, D):
    return ORIGINAL(weights, rows, D.flip(1))


ORIGINAL = linear.gradient_from


@pytest.mark.parametrize("mutant", [transposed_layer, shifted_rows, heads_in_wrong_order])
def test_mutants_of_the_gradient_are_detected(square_cell, mutant, monkeypatch):
    assert gradient_error(square_cell) < 1e-12
    monkeypatch.setattr(linear, "gradient_from", mutant)
    assert gradient_error(square_cell) > 1e-3
