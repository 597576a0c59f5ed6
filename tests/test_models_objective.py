"""The objective is the one door of a model: signal, loss and gradient in every form."""

import torch
from hypothesis import given, settings
from reference import Cell, cells, dense_outputs

from gnn_dynamics.models.forms import Form, choose_form
from gnn_dynamics.models.losses import LOSSES


def full_form(cell: Cell) -> Form:
    """A form in full space: Horner's, or that of ReLU models."""
    form = "auto" if cell.arch.activation == "relu" else "horner"
    return choose_form(cell.example, cell.arch, cell.loss, "adam", form=form)


@settings(deadline=None, max_examples=40)
@given(cells(max_depth=4))
def test_signals_are_those_of_the_definition(cell):
    form = full_form(cell)
    objective, weights = form.objective(cell.Y), form.reduce(cell.weights)
    Yhat = dense_outputs(cell.arch, cell.weights, cell.example)
    _, V = LOSSES[cell.loss](Yhat, cell.Y)
    torch.testing.assert_close(objective.signal(weights), V, rtol=1e-10, atol=1e-12)


@settings(deadline=None, max_examples=20)
@given(cells(max_depth=3))
def test_a_part_of_the_models_has_their_signals(cell):
    form = full_form(cell)
    objective, weights = form.objective(cell.Y), form.reduce(cell.weights)
    last = torch.tensor([cell.weights.models - 1])
    part, alone = objective.take(last), weights.take(last)
    close = {"rtol": 1e-12, "atol": 1e-12}
    torch.testing.assert_close(part.signal(alone), objective.signal(weights)[last], **close)
