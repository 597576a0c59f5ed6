"""Theorems 1 and 2(i) along accurate flows, the chain of rates, and checks that must fail."""

import numpy as np
import pytest
import torch
from theory_problems import Flow, bounds_of, flow, near_identity, tables, toy

from gnn_dynamics.claims.bounds import bounds_table
from gnn_dynamics.errors import UserError
from gnn_dynamics.models.model import Weights

MODELS = [
    (aggregation, depth, multiscale)
    for aggregation in ("gcn", "gin")
    for depth in (0, 1, 2, 3)
    for multiscale in (False, True)
]


# Random starts are dearer to integrate: one aggregation each.
STARTED = [(*model, "near-identity") for model in MODELS] + [
    ("gcn", 1, False, "random"),
    ("gin", 2, True, "random"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("aggregation", "depth", "multiscale", "start"), STARTED)
def test_bounds_hold_along_flow(aggregation, depth, multiscale, start):
    """Theorem 1 and 2(i), with the restricted and the integrated form, and the chain of rates."""
    table = bounds_of(flow(aggregation, depth, multiscale, start))
    assert len(table) == 33
    assert table.loss_optimum.iloc[0] > 0.1
    assert (table.max_ratio <= 1 + 1e-9).all()
    assert table.holds.all()
    assert table.chain_holds.all()
    names = ("paper", "restricted", "sharp", "kernel", "measured")
    chain = table[[f"rate_{name}" for name in names]].to_numpy()
    early = (table.excess > 1e-4 * table.excess_0).to_numpy()
    assert (chain[early, :-1] <= chain[early, 1:] * (1 + 1e-9)).all()
    assert (chain[:, 0] > 0).all()  # nothing here is vacuous


@pytest.mark.slow
def test_constant_four_is_sharp_without_hidden_layers():
    """H = 0 late in the flow: the residual lies on the last singular direction."""
    table = bounds_of(flow("gcn", 0, False, end=60.0))
    late = table.iloc[-1]
    assert late.rate_measured / late.rate_paper == pytest.approx(1.0, abs=0.05)


@pytest.mark.slow
def test_constant_eight_breaks_the_checks():
    """Mutation: 4 -> 8 at H = 0."""
    table = bounds_of(flow("gcn", 0, False, end=60.0), constant=8.0)
    assert table.max_ratio.max() > 10
    assert not table.holds.all()
    assert not table.chain_holds.all()


@pytest.mark.slow
@pytest.mark.parametrize("multiscale", [False, True])
def test_deficient_rank_leaves_the_paper_vacuous_and_the_restricted_form_not(multiscale):
    """Twins with unlike labels: sigma_min = 0 exactly, L* > 0, the restricted bound holds."""
    run = flow("gcn", 2, multiscale, m_x=9, width=9, nbar=8, twins=True)
    table = bounds_of(run)
    assert run.problem.optimum > 1e-3
    assert (table.rate_paper == 0).all() and table.vacuous.all()
    assert (table.rate_restricted > 0).all() and not table.vacuous_restricted.any()
    assert table.holds.all() and table.chain_holds.all()


@pytest.mark.slow
def test_width_between_rank_and_inputs_is_vacuous_for_the_paper_only():
    run = flow("gcn", 2, False, "random", m_x=9, width=6, nbar=5)
    table = bounds_of(run)
    assert table.vacuous.all() and not table.vacuous_restricted.any()
    assert table.holds.all() and table.chain_holds.all()


@pytest.mark.slow
def test_bounds_hold_where_the_labels_can_be_fitted():
    run = flow("gcn", 2, True, nbar=8)
    assert run.problem.optimum < 1e-20
    table = bounds_of(run)
    assert table.holds.all() and table.chain_holds.all()
    assert table.printed_inequality_holds.isna().all()


@pytest.mark.slow
@pytest.mark.parametrize("depth", [1, 2])
def test_integral_is_rigorous_between_few_records(depth):
    """From every fifth record, the lower bound stays below the integral over all records."""
    run = flow("gcn", depth, True, points=101)
    training, condition, _, optimum = tables(run)
    every = bounds_table(training, condition, optimum)
    few = condition[condition.step % 5 == 0]
    sparse = bounds_table(training, few, optimum)
    both = sparse.merge(every, on="step", suffixes=("_few", "_all"))
    assert len(both) > 5
    assert (both.bound_integrated_few >= both.bound_integrated_all * (1 - 1e-12)).all()
    trapezoid = _trapezoid(every)
    assert (np.log(every.excess_0 / every.bound_integrated) <= trapezoid * (1 + 1e-6)).all()
    assert every.bound_integrated.iloc[-1] < every.excess_0.iloc[-1]  # it says something


def _trapezoid(table):
    rate = table.rate_restricted.to_numpy()
    steps = (rate[1:] + rate[:-1]) / 2 * np.diff(table.time)
    return np.concatenate([[0.0], np.cumsum(steps)])


@pytest.mark.parametrize("smallest", [1e-9, 1e-13, 3e-15, 1e-16])
def test_chain_allows_for_rounding_where_lambda_is_barely_resolved(smallest):
    """A nearly singular layer: rates far below rounding must not break the chain, nor hide it."""
    problem = toy("gcn", 2, False, m_x=4, width=4)
    weights = near_identity(problem.arch)
    B_1 = torch.diag(torch.tensor([1.0, 1.0, 1.0, smallest], dtype=torch.float64))
    rotation = torch.linalg.qr(weights.B[1])[0]
    run = Flow(problem, [0.0], [Weights((rotation.mT @ B_1 @ rotation, weights.B[1]), weights.W)])
    table = bounds_of(run)
    assert table.chain_holds.all()
    assert (table.rate_paper.iloc[0] > 0) == (smallest > 1e-14)
    assert bounds_of(run, constant=4e12).chain_holds.all() == (smallest < 1e-14)


def test_the_error_of_the_integrator_is_the_allowance_of_the_bounds():
    """A loss above every bound counts as held exactly as far as the measured error goes."""
    training, condition, _, optimum = tables(flow("gcn", 1, True))
    lifted = training.loss.where(training.step == 0, 1.5 * training.loss.max())
    for error, holds in ((1e-6, False), (1e6, True)):
        broken = training.assign(integrator_error=error, loss=lifted)
        table = bounds_table(broken, condition, optimum)
        assert table[table.step > 0].holds.all() == holds


@pytest.mark.slow
def test_a_kernel_rate_out_of_order_breaks_the_chain():
    training, condition, _, optimum = tables(flow("gcn", 2, True))
    for factor in (0.0, 1e6):
        broken = training.assign(rate_kernel=factor * training.rate_kernel)
        assert not bounds_table(broken, condition, optimum).chain_holds.any()


def test_diverged_run_breaks_its_bounds():
    training, condition, _, optimum = tables(flow("gcn", 1, False), optimizer="gd", lr=0.1)
    training.loc[training.step > 30, ["loss", "grad_norm_sq"]] = np.nan
    training.loc[training.step > 30, "status"] = "diverged"
    table = bounds_table(training, condition, optimum)
    assert not table[table.step > 30].holds.any()
    assert table.diverged.all()


def test_missing_optimum_is_named():
    training, condition, _, optimum = tables(flow("gcn", 1, False))
    with pytest.raises(UserError, match="optimum"):
        bounds_table(training, condition, optimum.assign(seed=99))
