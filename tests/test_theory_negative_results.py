"""The tables and the figure of statements that fail."""

import numpy as np
import pandas as pd
import pytest
from theory_problems import bounds_of, flow

from gnn_dynamics.artifacts.parquet import read_table, write_table
from gnn_dynamics.figures import registry
from gnn_dynamics.figures.negative_results import CURVES, measured
from gnn_dynamics.summaries import select
from gnn_dynamics.theory.counterexamples import layer_subset, printed_inequality
from gnn_dynamics.theory.negative_results import (
    NEGATIVE_CURVES,
    NEGATIVE_RESULTS,
    SUBSET_EPS,
    negative_curves,
    negative_results,
)

FIGURE = registry.entry("negative_results")


@pytest.fixture(scope="module")
def table():
    return negative_results(bounds_of(flow("gcn", 2, True)))


@pytest.mark.slow
def test_what_fails_and_what_holds(table):
    """Every statement of the printed paper that we doubt fails, every repair holds."""
    assert list(table.columns) == list(NEGATIVE_RESULTS.columns)
    verdicts = table.groupby("source").verdict.agg(set).to_dict()
    assert verdicts == {
        "proof of Theorem 1, appendix A.1.3, last inequality": {"fails"},
        "repair of that step": {"holds"},
        "Theorem 1, equation 8": {"holds"},
        "Theorem 1 with a larger constant": {"fails"},
        "Theorem 2(ii), in the form of docs/theory.md": {"fails"},
        "Theorem 2(i)": {"holds"},
        "Definition 4 (singular margin), Propositions 1 and 2": {"fails"},
    }
    assert table.wording.notna().all()
    assert not table[["source", "wording"]].stack().str.contains("memory|remember").any()


@pytest.mark.slow
def test_recorded_runs_are_counted(table):
    counted = table[table.quantity.str.contains("33 recorded steps")]
    assert len(counted) == 2
    assert counted.value.iloc[0] == 1.0
    without = negative_results()
    assert len(table) == len(without) + 2
    fitted = negative_results(bounds_of(flow("gcn", 2, True, nbar=8)))  # L* = 0: nothing to count
    pd.testing.assert_frame_equal(fitted, without)


def test_the_bound_of_a_single_layer_is_broken_and_more_so_for_small_eps(table):
    """It was claim 03: a counterexample decides it, whatever was run."""
    subset = table[table.source.str.startswith("Theorem 2(ii)")]
    assert (subset.verdict == "fails").all() and (subset.value > 1e4).any()
    ratios = [layer_subset(eps)[0].worst_ratio for eps in SUBSET_EPS]
    assert ratios == sorted(ratios) and ratios[0] > 1e4


@pytest.fixture(scope="module")
def curves(tmp_path_factory):
    """The table of curves as a figure reads it: from a file, which refuses rows of equal keys."""
    path = tmp_path_factory.mktemp("run") / "tables" / "negative_curves.parquet"
    write_table(negative_curves(), path, NEGATIVE_CURVES, {})
    return read_table(path)


def test_curves_are_those_of_the_problems(curves):
    def points(**keys):
        return select.keep(curves, **keys)[["x", "y"]].to_numpy().T

    for eps in (0.1, 0.01, 0.001):
        times, excess = points(panel="single_layer", curve="excess", eps=eps)
        single, _ = layer_subset(eps)
        assert np.array_equal(times, single.times) and np.array_equal(excess, single.excess)
    _, left = points(panel="printed_inequality", curve="printed_left")
    assert np.array_equal(left, printed_inequality().printed_left)
    times, bound = points(panel="constant", curve="bound", constant=8.0)
    assert np.allclose(bound, np.exp(-8 * 0.49 * times))
    inverse, margin = points(panel="singular_margin", curve="sigma_min")
    assert np.allclose(margin * inverse, margin[0])
    assert np.allclose(points(panel="singular_margin", curve="loss")[1], 1)


def figure_tables(results, curves):
    return {"negative_results": results, "negative_curves": curves}


def test_every_curve_of_the_figure_is_in_the_table(table, curves):
    lines = [line for ax in FIGURE.draw(figure_tables(table, curves)).axes for line in ax.lines]
    assert len(lines) == len(CURVES)
    assert all(len(line.get_xdata()) > 4 for line in lines)


def test_figure_takes_its_verdicts_from_the_table(table, curves):
    titles = [ax.get_title(loc="left") for ax in FIGURE.draw(figure_tables(table, curves)).axes]
    assert len(titles) == 4 and all(title.endswith("fails") for title in titles)
    mended = FIGURE.draw(figure_tables(table.assign(verdict="holds"), curves))
    assert all(ax.get_title(loc="left").endswith("holds") for ax in mended.axes)
    assert len(measured(table, curves)) == (table.verdict == "fails").sum()
