"""What a job records: the same in every exact form, for every part of a batch."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from theory_problems import EVERYTHING, metrics_of, objective_of, random_weights, toy

from gnn_dynamics.dynamics.sharpness import lambda_max
from gnn_dynamics.dynamics.train import Snapshot
from gnn_dynamics.models.forms import choose_form
from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.model import Architecture
from gnn_dynamics.problem.problem import Problem
from gnn_dynamics.theory.metrics import linear_metrics, measure, relu_metrics

TABLES = ("training", "time_condition", "gradient_terms")


def problem_of(seed=0, n=16, m_x=9, nbar=6):
    random = np.random.default_rng(seed)
    A = np.triu(random.random((n, n)) < 0.3, 1)
    S = sp.csr_array((A + A.T + np.eye(n)) / 4)
    R = sp.csr_array(np.eye(n)[:, :nbar])
    labels = np.arange(nbar) % 3
    X = sp.csr_array(random.standard_normal((n, m_x)))
    return Problem(S, X, R, labels, 3, "classification", np.arange(nbar))


def rows_in(form_name, multiscale, loss="squared", init="near-identity", width=10):
    """Rows of three models at their start, as frames, in the coordinates of one form."""
    problem = problem_of()
    arch = Architecture(problem.m_x, width, problem.m_y, 2, multiscale)
    form = choose_form(problem, arch, loss, "flow", form=form_name)
    full = initial_weights(arch, init, [0, 1, 2])
    weights = form.reduce(full)
    Y = torch.eye(3, dtype=torch.float64)[problem.labels].mT.expand(3, -1, -1)
    objective, models = form.objective(Y), torch.arange(3)
    value, gradient = objective(weights)
    metrics = linear_metrics(
        arch,
        EVERYTHING,
        weights,
        form.operator.adjoint,
        lambda w, models: form.expand(w, full.take(models)),
        lambda_max,
        features=form.G,
    )
    one = torch.ones(3, dtype=torch.float64)
    snapshot = Snapshot(7, models, objective, weights, gradient, value, one, 0.01 * one)
    return {name: pd.DataFrame(rows) for name, rows in measure(metrics, snapshot).items()}


@pytest.mark.parametrize("init", ["near-identity", "zero-head"])
@pytest.mark.parametrize("multiscale", [False, True])
def test_rows_do_not_depend_on_the_form(multiscale, init):
    expected = rows_in("stacked", multiscale, init=init)
    forms = ["horner", "left", "row_space", "row_space+left"] + ["svd"] * (not multiscale)
    for form in forms:
        found = rows_in(form, multiscale, init=init)
        for name in TABLES:
            left, right = (
                t[name].drop(columns="relative_error", errors="ignore") for t in (found, expected)
            )
            left, right = (
                t.drop(columns=["layer_norm_rms", "lambda_guaranteed"], errors="ignore")
                for t in (left, right)
            )
            pd.testing.assert_frame_equal(left, right, rtol=1e-8, atol=1e-12, check_dtype=False)


@pytest.mark.parametrize("multiscale", [False, True])
def test_guarantee_of_zero_heads_survives_every_form(multiscale):
    """Padding and row-space coordinates hide it from a naive look at the trained weights."""
    for form in ("stacked", "row_space"):
        facts = rows_in(form, multiscale, init="zero-head")["training"]
        assert facts.lambda_guaranteed.to_numpy() == pytest.approx(np.ones(3), abs=1e-10)


def test_narrow_layers_have_lambda_zero_in_full_space_only():
    rows = rows_in("row_space", False, width=7)["time_condition"]
    assert (rows.lambda_min == 0).all()
    assert (rows.lambda_min_restricted > 0).all()  # width 7 >= rank 6
    assert (rows_in("row_space", False, width=5)["time_condition"].lambda_min_restricted == 0).all()


def test_a_part_of_the_batch_keeps_its_places():
    """Models that have left do not shift the rows of the others, nor their starts."""
    problem = toy("gcn", 2, True)
    start, now = (random_weights(problem.arch, seed, models=3) for seed in (0, 1))
    metrics = metrics_of(problem, start)
    objective, one = objective_of(problem), torch.ones(3, dtype=torch.float64)

    def rows(index):
        part = now.take(index)
        value, gradient = objective(part)
        some = one[index]
        return measure(metrics, Snapshot(4, index, objective, part, gradient, value, some, some))

    everyone, some = rows(torch.arange(3)), rows(torch.tensor([0, 2]))
    for name in TABLES:
        frame = pd.DataFrame(everyone[name])
        kept = (
            frame[frame.model != 1]
            .reset_index(drop=True)
            .drop(columns="relative_error", errors="ignore")
        )
        found = pd.DataFrame(some[name]).drop(columns="relative_error", errors="ignore")
        pd.testing.assert_frame_equal(found, kept, rtol=1e-9, atol=1e-14)


def test_cross_entropy_has_terms_and_no_projected_loss():
    rows = rows_in("stacked", True, loss="cross_entropy")
    assert rows["gradient_terms"].relative_error.max() < 1e-12
    assert "projected_loss" not in rows["training"]
    assert rows["training"].side_condition.notna().all()


def test_only_what_is_asked_for():
    problem = toy("gcn", 1, False)
    weights, one = random_weights(problem.arch), torch.ones(1, dtype=torch.float64)
    objective = objective_of(problem)
    value, gradient = objective(weights)
    metrics = metrics_of(problem, weights, ["sharpness"], features=None)
    snapshot = Snapshot(0, torch.tensor([0]), objective, weights, gradient, value, one, one)
    rows = measure(metrics, snapshot)
    assert rows["time_condition"] == rows["gradient_terms"] == []
    (row,) = rows["training"]
    assert row.keys() == {
        *("model", "step", "lr_lambda_max", "conservation_drift", "lambda_guaranteed")
    }
    assert row["conservation_drift"] == 0.0
    assert row["lr_lambda_max"] == pytest.approx(lambda_max(objective, weights).item())


def test_needs_are_named():
    problem = toy()
    weights = random_weights(problem.arch)
    with pytest.raises(ValueError, match=r"rates.*propagated features G"):
        metrics_of(problem, weights, ["rates"], features=None)
    relu = Architecture(4, 5, 2, 1, False, "relu")
    for name in ("time_condition", "rates"):
        with pytest.raises(ValueError, match=f"{name}.*linear model"):
            relu_metrics(relu, ["gradient_terms", name], None, None, lambda_max)
    with pytest.raises(ValueError, match="conservation"):
        metrics_of(problem, weights, ["conservation"])
