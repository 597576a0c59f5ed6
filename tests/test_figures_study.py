"""The figures about step sizes and predictors draw what the tables say, and claim no more."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import study_tables
from pictures import check_texts, check_titles, texts, words
from scipy.stats import spearmanr

from gnn_dynamics.figures import registry, step_size, style, what_predicts
from gnn_dynamics.summaries import depth_rates, effects, select
from gnn_dynamics.summaries import predictors as candidates

STEP_SIZE, PREDICTS = registry.entry("step_size"), registry.entry("what_predicts")


@pytest.fixture(scope="module")
def depth():
    return study_tables.depth_cells(), study_tables.descent()


@pytest.fixture(scope="module")
def fifteen():
    return study_tables.predictors()


def few(count: int) -> dict[str, pd.DataFrame]:
    return study_tables.predictors(study_tables.GRAPHS[:count])


def step_size_tables(comparisons: pd.DataFrame, training: pd.DataFrame | None) -> dict:
    return {"comparisons": comparisons, "training": training}


# --- which cells count


def test_cells_whose_seeds_disagree_count_and_undecidable_ones_do_not():
    rows = [study_tables.cell(effect, claim="10", measure="flow_time") for effect in (1.0, 0.0)]
    lost = rows[0] | {"state": "undecided", "reason": "too many undecided pairs"}
    table = pd.DataFrame([*rows, lost, rows[0] | {"activation": "relu"}])
    assert effects.judged(table, ["10"], ["flow_time"]).index.tolist() == [0, 1]


def test_bounded_is_the_share_of_decided_pairs():
    row = study_tables.cell(1.0, claim="10") | {"pairs": 5, "undecided": 1, "bounded": 3}
    summary = effects.medians(pd.DataFrame([row, row]), ["claim"]).iloc[0]
    assert (summary["effect"], summary["cells"], summary["bounded"]) == (1.0, 2, 0.75)


@pytest.mark.parametrize(
    ("widths", "held"), [([32, 64, 64], 64), ([64, 32, 32], 32), ([64, 32], 32)]
)
def test_the_width_of_most_cells_is_shown(widths, held):
    rows = [study_tables.cell(1.0, claim="10") | {"width": width} for width in widths]
    kept, values = effects.fix(pd.DataFrame(rows), ())
    assert values["width"] == held and set(kept["width"]) == {held}


# --- step size


def test_the_graph_with_all_measures_is_shown_and_the_others_beside_it(depth):
    rows, held = depth_rates.shown(depth[0])
    assert held["dataset"] == "cora" and set(rows["measure"]) == set(depth_rates.MEASURES)
    others = depth_rates.other_graphs(depth[0], held)
    assert set(others["dataset"]) == {"wine"} and (others["effect"] == -1).all()


def test_measures_are_compared_on_the_thresholds_that_they_share(depth):
    missed = (depth[0]["measure"] == "best_lr_steps") & (depth[0]["threshold"] == 0.1)
    rows, _ = depth_rates.shown(depth[0][~missed])
    assert set(rows["threshold"]) == {0.5}


def test_widths_may_differ_between_measures_and_are_then_said(depth):
    other = depth[0].assign(width=depth[0]["width"].where(depth[0]["optimizer"] == "flow", 32.0))
    rows, held = depth_rates.shown(other)
    assert set(rows["measure"]) == set(depth_rates.MEASURES) and "width" not in held
    assert "widths 32 and 64" in depth_rates.describe(rows, held)


def test_the_curve_by_rate_is_the_formula_and_begins_with_the_flow(depth):
    curve = depth_rates.by_rate(depth_rates.shown(depth[0])[0])
    assert sorted(set(curve["lr"])) == [0, *study_tables.RATES]
    wanted = [study_tables.effect_at(row.depth, row.lr) for row in curve.itertuples()]
    assert np.allclose(curve["effect"], wanted)


def test_best_rates_are_those_of_both_sides(depth):
    best = depth_rates.best_rates(depth_rates.shown(depth[0])[0])
    assert len(best) == 6
    assert (best["lr"] == best["depth"].map(study_tables.best_rate)).all()


def test_sharpness_is_the_largest_of_runs_that_did_not_diverge(depth):
    sharp = depth_rates.sharpness(depth[1], {"dataset": "cora", "width": 64.0})
    assert np.allclose(sharp["median"], 50 * sharp["depth"] * sharp["lr"])
    lost = sharp[sharp["diverged"] > 0]
    assert set(zip(lost["depth"], lost["lr"], lost["diverged"], lost["runs"], strict=True)) == {
        (6, 1e-2, 2, 5)
    }


def test_panels_show_the_tables(depth):
    figure = STEP_SIZE.draw(step_size_tables(*depth))
    colour = style.depth_colours([2, 4, 6])[6]
    rates, sharp = figure.axes[1], figure.axes[2]
    curve = next(
        line for line in rates.lines if line.get_color() == colour and len(line.get_xdata()) == 4
    )
    wanted = [study_tables.effect_at(6, lr) for lr in (0, *study_tables.RATES)]
    assert np.allclose(curve.get_ydata(), wanted)
    lines = {line.get_color(): line for line in sharp.lines if len(line.get_xdata()) == 3}
    assert np.allclose(lines[colour].get_ydata(), 300 * np.array(study_tables.RATES))
    assert any(list(line.get_ydata()) == [step_size.EDGE] * 2 for line in sharp.lines)


def test_a_panel_without_runs_has_no_ticks(depth):
    flows = select.keep(depth[0], measure="flow_time")
    figure = STEP_SIZE.draw(step_size_tables(flows, depth[1].iloc[:0]))
    empty = [ax for ax in figure.axes if not ax.has_data()]
    assert empty and not any(len(ax.get_yticks()) for ax in empty)


def test_ticks_of_effects_do_not_depend_on_the_panels_height(depth):
    """Else the layout leaves room for other labels than are drawn, and cuts the axis label off."""
    for ax in STEP_SIZE.draw(step_size_tables(*depth)).axes[:2]:
        before = list(ax.get_yticks())
        ax.set_position([0.2, 0.2, 0.2, 0.02])
        assert list(ax.get_yticks()) == before


def test_marks_are_hollow_where_most_pairs_only_bound_the_effect(depth):
    bounded = depth[0].assign(bounded=5 * (depth[0]["lr"] == 1e-4))
    figure = STEP_SIZE.draw(step_size_tables(bounded, depth[1]))
    marks = [line for line in figure.axes[1].lines if line.get_marker() == "o"]
    assert sum(mark.get_markerfacecolor() == "white" for mark in marks) == len(study_tables.PAIRS)


def test_sharpness_that_was_not_observed_is_said_and_the_rest_is_drawn(depth):
    blind = depth[1].assign(lr_lambda_max=np.nan)
    for training in (blind, depth[1][:0], None):
        said = words(STEP_SIZE.draw(step_size_tables(depth[0], training)))
        assert "No sharpness was observed" in said and "observe: [sharpness]" in said
        assert "flow" in said
    assert not any("λmax" in line for line in STEP_SIZE.measured(step_size_tables(depth[0], blind)))


def test_the_words_give_the_three_measures_and_why_they_disagree(depth):
    said = STEP_SIZE.measured(step_size_tables(*depth))
    assert any(
        line.startswith("Skip, H = 4 vs. 2: flow time +1.50 (1.40 to 1.60), equal rate")
        and line.endswith("own best rate −0.50 (−0.60 to −0.40).")
        for line in said
    )
    assert "No skip, best rate: 0.01 for H = 2, 0.001 for H = 4, 0.001 for H = 6" in " ".join(said)
    assert any("H = 6" in line and "2 of 5 runs diverge at 0.01" in line for line in said)


# --- predictors


def test_a_planted_relation_is_found_and_nothing_else(fifteen):
    found = candidates.correlations(candidates.graph_table(**fifteen))
    assert len(found) == 18 and (found["n"] == 15).all()
    passing = found[[what_predicts.passes(test) for test in found.itertuples()]]
    assert passing[candidates.TEST].to_numpy().tolist() == [["11", "alignment", "gcn"]]
    assert passing["rho"].item() == pytest.approx(1)
    said = what_predicts.conclusion(found)
    assert "adjustment: label alignment with the acceleration by true labels on GCN" in said


def test_rho_is_scipys(fifteen):
    table = candidates.graph_table(**fifteen)
    for test in candidates.correlations(table).itertuples():
        part = select.keep(table, claim=test.claim, aggregation=test.aggregation)
        assert test.rho == pytest.approx(spearmanr(part[test.predictor], part["effect"]).statistic)


def test_p_counts_every_permutation_of_few_graphs():
    table = candidates.graph_table(**few(6))
    part = select.keep(table, claim="09", aggregation="gin")
    found = select.keep(candidates.correlations(table), claim="09", aggregation="gin")
    x, y = part["alignment"].to_numpy(), part["effect"].to_numpy()
    every = [spearmanr(x[list(order)], y).statistic for order in permutations(range(6))]
    rho = spearmanr(x, y).statistic
    tail = min(np.mean(np.array(every) >= rho - 1e-9), np.mean(np.array(every) <= rho + 1e-9))
    assert select.keep(found, predictor="alignment")["p"].item() == pytest.approx(2 * tail)


def test_predictors_are_those_of_all_layers_and_of_true_labels(fifteen):
    table = candidates.graph_table(**fifteen)
    assert table["sigma_min_positive_sq"].max() == 1  # not that of the last layer alone
    first = select.keep(table, dataset="graph-a", aggregation="gcn", claim="09").iloc[0]
    assert first["alignment"] == pytest.approx(0.05) and first["edge_homophily"] == 0


def test_marks_are_the_graphs_of_the_table(fifteen):
    table = select.keep(candidates.graph_table(**fifteen), claim="11", aggregation="gcn")
    figure = PREDICTS.draw(fifteen)
    marks = next(line for line in figure.axes[8].lines if line.get_marker() == "o")
    assert np.allclose(marks.get_xdata(), table["alignment"])
    assert np.allclose(marks.get_ydata(), table["effect"])
    assert "ρ = +1.00, n = 15" in figure.axes[8].get_title(loc="left")


def test_fewer_than_five_graphs_get_no_correlation():
    said = PREDICTS.measured(few(4))
    assert said[-1].startswith("4 graphs cannot show whether")
    assert "too few graphs (n = 4)" in words(PREDICTS.draw(few(4)))


def test_five_graphs_cannot_pass_and_the_sentence_says_so():
    said = PREDICTS.measured(few(5))[-1]
    assert "none has |ρ| ≥ 0.5" in said and "with 5 graphs none could pass" in said


def test_a_graph_without_comparisons_or_without_a_predictor_is_left_out(fifteen):
    some = fifteen["comparisons"][fifteen["comparisons"]["dataset"] != "graph-a"]
    homophily = fifteen["graphs"].assign(edge_homophily=np.nan)
    found = candidates.correlations(
        candidates.graph_table(**fifteen | {"comparisons": some, "graphs": homophily})
    )
    counts = found.groupby("predictor")["n"].unique().str[0]
    assert counts.to_dict() == {"alignment": 14, "edge_homophily": 0, "sigma_min_positive_sq": 14}


def test_a_missing_table_empties_its_column_only(fifteen):
    figure = PREDICTS.draw(fifteen | {"alignment": None})
    assert words(figure).count("No graph has both") == 3
    assert "ρ = " in figure.axes[0].get_title(loc="left")


def test_an_effect_that_does_not_vary_has_no_correlation(fifteen):
    same = fifteen["comparisons"].assign(effect=1.0)
    found = candidates.correlations(candidates.graph_table(**fifteen | {"comparisons": same}))
    assert found["rho"].isna().all() and found["p_holm"].isna().all()


# --- both


@pytest.mark.parametrize("stem", ["step_size", "what_predicts"])
def test_full_figures_fit(depth, fifteen, stem):
    tables = {"training": depth[1], **fifteen}
    if stem == "step_size":
        tables["comparisons"] = depth[0]
    entry = registry.entry(stem)
    figure = entry.draw(tables)
    check_texts(figure, texts(figure))
    check_titles(figure)
