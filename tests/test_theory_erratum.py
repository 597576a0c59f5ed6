"""The printed inequality of appendix A.1.3 fails wherever L > L* > 0; Pythagoras replaces it."""

import pytest
from theory_problems import bounds_of, flow

from gnn_dynamics.theory.counterexamples import erratum_table

RUNS = [("gcn", 0, False), ("gin", 1, False), ("gcn", 2, True), ("gin", 3, True)]


def table_of(run):
    return erratum_table(run.weights, run.problem.G, run.problem.Y)


@pytest.mark.slow
@pytest.mark.parametrize(("aggregation", "depth", "multiscale"), RUNS)
def test_corrected_identity_holds_and_printed_inequality_fails(aggregation, depth, multiscale):
    table = table_of(flow(aggregation, depth, multiscale))
    assert table.optimum.iloc[0] > 0.1
    assert table.identity_error.max() < 1e-12
    assert (table.loss > table.optimum).all()
    assert not table.printed_holds.any()


@pytest.mark.slow
def test_twins_with_unlike_labels():
    """L* > 0 on features of deficient rank."""
    run = flow("gcn", 2, True, m_x=9, width=9, nbar=8, twins=True)
    table = table_of(run)
    assert table.optimum.iloc[0] == pytest.approx(run.problem.optimum, rel=1e-10)
    assert table.identity_error.max() < 1e-12
    assert not table.printed_holds.any()


def test_no_difference_where_the_labels_can_be_fitted():
    """L* = 0 makes the printed line an equality: such data cannot show the error."""
    table = table_of(flow("gcn", 2, True, nbar=8))
    assert table.optimum.iloc[0] < 1e-20
    assert table.printed_left.to_numpy() == pytest.approx(table.right.to_numpy(), rel=1e-9)


def test_tables_of_real_runs_tell_the_same():
    """The columns of bounds.parquet, which come from recorded losses, agree with the weights."""
    run = flow("gcn", 2, True)
    bounds = bounds_of(run)
    assert not bounds.printed_inequality_holds.any()
    assert bounds.identity_error.max() < 1e-12
