"""The two references agree with each other: no shared code, so no shared mistake."""

import pytest
import torch
from hypothesis import given, settings
from reference import (
    cells,
    dense_loss_and_gradient,
    pyg_loss_and_gradient,
    relative_error,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(cells())
def test_pyg_equals_the_definitions(cell):
    problem = (cell.arch, cell.weights, cell.example, cell.Y, cell.loss)
    loss, gradient = dense_loss_and_gradient(*problem)
    loss_pyg, gradient_pyg = pyg_loss_and_gradient(*problem)
    torch.testing.assert_close(loss, loss_pyg, rtol=1e-12, atol=1e-13)
    assert relative_error(gradient, gradient_pyg) < 1e-12


@settings(max_examples=20, deadline=None)
@given(cells(losses=["squared"]))
def test_relative_error_sees_a_wrong_factor(cell):
    _, gradient = dense_loss_and_gradient(cell.arch, cell.weights, cell.example, cell.Y, cell.loss)
    norm = gradient.squared_norm().max()
    if norm > 0:
        wrong = gradient.map(lambda tensor: 2 * tensor)
        assert relative_error(wrong, gradient) == pytest.approx(1)
