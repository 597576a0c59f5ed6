"""Errors put in on purpose: the theorem checks must notice every one of them."""

import inspect
import re
import types
from dataclasses import replace

import pytest
import torch
from theory_problems import (
    Flow,
    bounds_of,
    flow,
    objective_of,
    random_weights,
    tables,
    toy,
)

from gnn_dynamics.models import linear
from gnn_dynamics.models.operators import StackedOperator
from gnn_dynamics.theory.conservation import balancedness, drift
from gnn_dynamics.theory.reference import flow_reference

SQUARE = {"m_x": 3, "width": 3, "m_y": 3, "nbar": 3}  # so that no transpose shows in a shape
SOURCE = inspect.getsource(linear)
TRANSPOSES = [match.start() for match in re.finditer(re.escape(".mT"), SOURCE)]


def mutant(position):
    """linear.LinearModel with the transpose at `position` of its source left out."""
    module = types.ModuleType("mutant")
    source = SOURCE[:position] + SOURCE[position + len(".mT") :]
    exec(compile(source, "mutant", "exec"), module.__dict__)
    return module.LinearModel


def still(model):
    """A run of one unmoved record, measured with another `model` than the package's."""
    problem = toy("gcn", 2, False, **SQUARE)
    return tables(Flow(problem, [0.0], [random_weights(problem.arch)]), model)


def test_the_true_gradient_passes():
    assert len(TRANSPOSES) >= 2
    assert still(linear.LinearModel)[2].relative_error.max() < 1e-12


@pytest.mark.parametrize("position", TRANSPOSES)
def test_a_missing_transpose_breaks_theorem_3(position):
    assert still(mutant(position))[2].relative_error.max() > 1e-6


@pytest.mark.parametrize("position", TRANSPOSES)
def test_a_missing_transpose_breaks_conservation(position):
    problem = toy("gcn", 2, False, **SQUARE)
    objective, start = objective_of(problem, mutant(position)), random_weights(problem.arch)
    run = flow_reference(lambda w: objective(w)[1], start, [0.0, 0.05])
    assert float(drift(run[-1], balancedness(start))) > 1e-6


class Untransposed(StackedOperator):
    """V G_l in place of V G_l^T."""

    def adjoint(self, V):
        return torch.stack([V @ G_l for G_l in self.G], dim=1)


def test_a_wrong_adjoint_breaks_theorem_3():
    """The terms take D from G and not from the operator under test."""
    problem = toy("gcn", 2, False, **SQUARE)

    def wrong(operator):
        return linear.LinearModel(Untransposed(operator.G))

    run = Flow(problem, [0.0], [random_weights(problem.arch)])
    assert tables(run, wrong)[2].relative_error.max() > 1e-3


@pytest.mark.slow
def test_a_mean_in_place_of_the_sum_breaks_the_chain():
    """||Yhat - Y||^2 / 2 has half the gradient: the constant is 2, and 4 must fail at H = 0."""
    run = flow("gcn", 0, False, end=60.0)

    class Halved(linear.LinearModel):
        def loss_and_gradient(self, weights, Y, loss):
            value, gradient = super().loss_and_gradient(weights, Y, loss)
            return value, gradient.map(lambda g: g / 2)

    assert bounds_of(run).chain_holds.all()
    assert not bounds_of(run, model=Halved).chain_holds.all()
    assert bounds_of(run, 2.0, Halved).rate_paper.max() > 0


@pytest.mark.slow
def test_constant_eight_fails_at_depth_zero_and_four_does_not():
    run = flow("gcn", 0, False, end=60.0)
    assert bounds_of(run).holds.all()
    eight = bounds_of(run, constant=8.0)
    assert not eight.holds.all() and not eight.chain_holds.all()


def test_objective_offset_is_part_of_the_loss():
    """A forgotten constant of a reduced loss shows in the corrected identity."""
    problem = toy("gcn", 1, False)
    objective = replace(objective_of(problem), offset=-0.1)
    weights = random_weights(problem.arch)
    assert float(objective(weights)[0]) < float(objective_of(problem)(weights)[0])
