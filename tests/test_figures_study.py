"""The figures about step sizes and predictors draw what the tables say, and claim no more."""

import numpy as np
import pandas as pd
import pytest
import study_tables
from pictures import check_texts, check_titles, texts, words

from gnn_dynamics.figures import registry, step_size, style
from gnn_dynamics.summaries import depth_rates, effects, select

pytestmark = pytest.mark.slow

STEP_SIZE, PREDICTS = registry.entry("step_size"), registry.entry("what_predicts")


@pytest.fixture(scope="module")
def depth():
    return study_tables.depth_cells(), study_tables.descent()


@pytest.fixture(scope="module")
def predicted():
    return study_tables.predicted(5)


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


def test_what_is_drawn_is_the_table(predicted):
    figure = PREDICTS.draw({"predictions": predicted})
    assert [ax.get_title() or ax.get_title(loc="left") for ax in figure.axes] == ["Steps of Adam"]
    ax = figure.axes[0]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["linear twin, same optimizer", "always skips", "fewer layers", "fewer FLOPs"]
    diamonds = [line for line in ax.lines if line.get_marker() == "D"]
    pooled = predicted[predicted["graph"] == "pooled"].set_index("predictor")["rho"]
    found = {round(float(line.get_ydata()[0])): line.get_xdata()[0] for line in diamonds}
    named = ["linear_twin", "skips", "shallow", "flops"]
    assert found == {y: pooled[name] for y, name in enumerate(named)}
    assert "100%   1×" in words(figure)


def test_the_predictor_that_was_named_has_a_band(predicted):
    def bands(table):
        return len(PREDICTS.draw({"predictions": table}).axes[0].patches)

    assert bands(predicted) == 1 and bands(predicted.assign(primary=False)) == 0


def test_few_graphs_are_dots_without_a_diamond():
    figure = PREDICTS.draw({"predictions": study_tables.predicted(2)})
    marks = {line.get_marker() for line in figure.axes[0].lines}
    assert "o" in marks and "D" not in marks


def test_the_words_give_the_named_predictor_and_the_base_rate(predicted):
    (said,) = PREDICTS.measured({"predictions": predicted})
    start = "Steps of Adam, GCN: linear twin, same optimizer orders 100% of the pairs right (rank"
    assert said.startswith(f"{start} correlation 1.00, 5 graphs); its pick takes 1 times as long")
    assert "picked at random takes 2.5 times as long as the fastest." in said


def test_large_regrets_are_written_out(predicted):
    slow = predicted.assign(regret=174.0, regret_at_random=2100.0)
    assert "100%   174×" in words(PREDICTS.draw({"predictions": slow}))
    (said,) = PREDICTS.measured({"predictions": slow})
    assert "its pick takes 174 times" in said and "random takes 2100 times" in said


def test_one_initialisation_is_drawn(predicted):
    both = pd.concat([predicted, predicted.assign(init="xavier", rho=-1.0)])
    assert PREDICTS.measured({"predictions": both}) == PREDICTS.measured({"predictions": predicted})


def test_without_predictions_the_figure_says_what_to_train():
    assert "at least two depths" in words(PREDICTS.draw({"predictions": None}))


# --- both


@pytest.mark.parametrize("stem", ["step_size", "what_predicts"])
def test_full_figures_fit(depth, predicted, stem):
    tables = {"training": depth[1], "comparisons": depth[0], "predictions": predicted}
    entry = registry.entry(stem)
    figure = entry.draw(tables)
    check_texts(figure, texts(figure))
    check_titles(figure)
