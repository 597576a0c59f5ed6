"""The table and the figure of statements that fail."""

import pandas as pd
import pytest
from theory_problems import bounds_of, flow

from gnn_dynamics.figures.negative_results import draw, measured
from gnn_dynamics.theory.negative_results import (
    layer_subset_cases,
    negative_results,
)


@pytest.fixture(scope="module")
def table():
    return negative_results(bounds_of(flow("gcn", 2, True)))


def test_what_fails_and_what_holds(table):
    """Every statement of the printed paper that we doubt fails, every repair holds."""
    assert list(table.columns) == list(NEGATIVE_RESULTS.columns)
    verdicts = table.groupby("source").verdict.agg(set).to_dict()
    assert verdicts == {
        "proof of Theorem 1, appendix A.1.3, last inequality": {"fails"},
        "repair of that step": {"holds"},
        "Theorem 1, equation 8": {"holds"},
        "Theorem 1 with a larger constant": {"fails"},
        "Theorem 2(ii), in the form that we remember": {"fails"},
        "Theorem 2(i)": {"holds"},
        "Definition 4 (singular margin), Propositions 1 and 2": {"fails"},
    }
    assert table.wording.notna().all()


def test_recorded_runs_are_counted(table):
    counted = table[table.quantity.str.contains("33 recorded steps")]
    assert len(counted) == 2
    assert counted.value.iloc[0] == 1.0
    without = negative_results()
    assert len(table) == len(without) + 2
    fitted = negative_results(bounds_of(flow("gcn", 2, True, nbar=8)))  # L* = 0: nothing to count
    pd.testing.assert_frame_equal(fitted, without)


def test_cases_of_a_single_layer_are_broken():
    cases = layer_subset_cases()
    assert list(cases.columns) == ["case", "ratio"]
    assert (cases.ratio > 1e4).all()


def test_figure_takes_its_verdicts_from_the_table(table):
    titles = [ax.get_title(loc="left") for ax in draw(table).axes]
    assert len(titles) == 4 and all(title.endswith("fails") for title in titles)
    mended = draw(table.assign(verdict="holds"))
    assert all(ax.get_title(loc="left").endswith("holds") for ax in mended.axes)
    assert len(measured(table)) == (table.verdict == "fails").sum()
