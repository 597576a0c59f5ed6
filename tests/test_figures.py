"""Figures show what the tables say, look the same everywhere, and admit what is missing."""

import io
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import synthetic_tables
from declared import TABLES
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from pictures import check_texts, check_titles, texts, words

from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.claims.names import in_words, verdict_counts
from gnn_dynamics.config.grid import KEYS
from gnn_dynamics.figures import curves, forest, log_axis, registry, style
from gnn_dynamics.figures.assumptions import FULL, RESTRICTED, linear_runs
from gnn_dynamics.figures.bound_tightness import tightness
from gnn_dynamics.figures.shown_rows import read
from gnn_dynamics.summaries import paper_curves, select
from gnn_dynamics.summaries.gradient_terms import head_shares, ratio_summary

pytestmark = pytest.mark.slow

CONDITIONS = "fig2_assumptions_linear"
STEMS = [figure.stem for figure in registry.FIGURES] + ["appendix_cora"]


@pytest.fixture(scope="module")
def tables():
    return synthetic_tables.tables()


@pytest.fixture(scope="module")
def drawn(tables):
    """Every figure, drawn and laid out once, with its texts."""
    entries = {stem: registry.entry(stem) for stem in STEMS}
    figures = {stem: entry.draw(tables) for stem, entry in entries.items()}
    return {stem: (figure, texts(figure)) for stem, figure in figures.items()}


def test_synthetic_tables_have_the_declared_columns(tables):
    for name, table in tables.items():
        assert set(TABLES[name].columns) <= set(table.columns), name


@pytest.mark.parametrize("stem", STEMS)
def test_an_entry_of_the_catalogue_is_complete(stem):
    entry = registry.entry(stem)
    assert set(entry.tables) <= set(TABLES)
    assert entry.title and entry.see.endswith(".") and "{" not in entry.title + entry.see
    assert entry.category and entry.label and entry.shows and "{" not in entry.shows


def test_a_figure_that_is_not_in_the_catalogue_is_refused():
    with pytest.raises(KeyError):
        registry.entry("fig6")


def test_the_code_of_figures_does_not_include_the_catalogue():
    """Else a changed caption would redraw every figure."""
    modules = sorted({f"gnn_dynamics.figures.{registry.entry(stem).module}" for stem in STEMS})
    program = f"import sys, {', '.join(modules)}; sys.exit('{registry.__name__}' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


@pytest.mark.parametrize("stem", STEMS)
def test_nothing_is_cut_off_or_too_small_to_print(drawn, stem):
    check_texts(*drawn[stem])


@pytest.mark.parametrize("stem", STEMS)
def test_panel_titles_do_not_touch(drawn, stem):
    check_titles(drawn[stem][0])


@pytest.mark.parametrize("stem", STEMS)
def test_missing_tables_are_said_in_the_picture(tables, stem):
    entry = registry.entry(stem)
    for absent in ({}, {name: table[:0] for name, table in tables.items()}):
        assert "No " in words(entry.draw(absent))
        assert entry.measured(absent) == []


@pytest.mark.parametrize("stem", [CONDITIONS, "claims"])
def test_bytes_do_not_depend_on_the_users_settings(tables, tmp_path, stem):
    entry, files = registry.entry(stem), []
    for index, user in enumerate(({}, {"font.size": 20, "pdf.fonttype": 3, "axes.grid": True})):
        with mpl.rc_context(user):
            figure = entry.draw(tables)
            paths = tmp_path / f"{index}.png", tmp_path / f"{index}.pdf"
            save_figure(figure, *paths)
        files.append([path.read_bytes() for path in paths])
    assert files[0] == files[1]


def test_drawing_leaves_the_global_settings_alone(tables):
    before = dict(mpl.rcParams)
    registry.entry("claims").draw(tables)
    assert dict(mpl.rcParams) == before


def test_every_caption_has_numbers(tables):
    for stem in STEMS:
        entry = registry.entry(stem)
        said = " ".join(entry.measured(tables))
        assert any(letter.isdigit() for letter in said), stem
        assert "nan" not in said, stem


# --- choosing rows


def test_a_fixed_setting_prefers_the_papers_and_never_loses_all_rows(tables):
    rows, fixed = select.fix(tables["training"], ("depth",))
    assert fixed["dataset"] == "cora" and fixed["aggregation"] == "gcn" and fixed["lr"] == 5e-5
    assert set(rows["depth"]) == {2, 4, 6}
    assert rows.groupby([*KEYS, "step"], dropna=False).size().max() == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1))
def test_fixing_keys_one_by_one_keeps_a_row(pairs):
    table = pd.DataFrame(pairs, columns=["dataset", "aggregation"])
    rows, fixed = select.fix(table, ())
    assert len(rows) and (rows[["dataset", "aggregation"]] == pd.Series(fixed)).all(axis=None)


def test_the_band_is_median_and_range_of_finite_seeds():
    table = pd.DataFrame({"depth": 2, "step": [0] * 4, "loss": [1.0, 3.0, 2.0, np.inf]})
    row = select.over_seeds(table, ["depth"]).iloc[0]
    assert (row["low"], row["median"], row["high"], row["seeds"]) == (1.0, 2.0, 3.0, 3)


@settings(deadline=None)
@given(st.floats(0, 6000), st.floats(1e-5, 1e-3))
def test_between_records_the_loss_is_log_linear(step, rate):
    steps = np.array([0, 1000, 6000])
    summary = pd.DataFrame({"step": steps, "median": np.exp(-rate * steps)})
    assert select.at_step(summary, step) == pytest.approx(np.exp(-rate * step))
    assert np.isnan(select.at_step(summary, 6001))


# --- the paper's own curves


def test_digitised_curves_are_those_of_the_paper():
    paper = paper_curves.paper_figure4()
    assert len(paper) == 7 * 10
    unsure = select.keep(paper, quality="bracketed")[["curve", "iteration", "loss"]]
    assert unsure.to_numpy().tolist() == [["4 layer", 2500, 0.49]]
    at_1000 = select.keep(paper, panel="a", iteration=1000).set_index("curve")["loss"]
    assert at_1000["non-multiscale"] < at_1000["multiscale"]  # in the paper's own panel (a)
    falls = paper.groupby(["panel", "curve"])["loss"].agg(lambda c: c.is_monotonic_decreasing)
    assert falls.all()


def as_paper(training: pd.DataFrame, factor: float) -> pd.DataFrame:
    """Runs whose losses are the paper's Figure 4 (b) times a factor."""
    cell = {"experiment": "curves", "dataset": "cora", "aggregation": "gcn", "seed": 0}
    base = select.keep(training, **cell, multiscale=True, activation="linear")
    frames = []
    for depth in (2, 4, 6):
        paper = select.keep(paper_curves.paper_figure4(), panel="b", curve=f"{depth} layer")
        run = select.keep(base, depth=depth).iloc[: len(paper)]
        step, loss = paper["iteration"].to_numpy(), factor * paper["loss"].to_numpy()
        frames.append(run.assign(step=step, loss=loss))
    return pd.concat(frames)


def test_deviation_from_the_paper_is_the_factor_that_was_put_in(tables):
    table = paper_curves.deviation(as_paper(tables["training"], 1.07))
    panel_b = table[table["panel"] == "b"]
    assert len(panel_b) == 3 * len(paper_curves.ITERATIONS)
    assert np.allclose(panel_b["relative"], 0.07)


def test_no_deviation_is_claimed_for_another_graph_or_rate(tables):
    training = tables["training"]
    assert paper_curves.deviation(training[training["dataset"] != "cora"]).empty
    assert paper_curves.deviation(training.assign(lr=0.1)).empty
    assert paper_curves.deviation(None).empty


def test_grey_curves_only_where_the_setting_is_the_papers(tables):
    training, speed = tables["training"], registry.entry("fig4_training_speed")
    assert curves.PAPER_LABEL in words(speed.draw(tables))
    other = training[training["dataset"] != "cora"]
    assert curves.PAPER_LABEL not in words(speed.draw({"training": other}))
    assert curves.PAPER_LABEL not in words(registry.entry("appendix_citeseer").draw(tables))


# --- what is drawn


def test_exact_zeros_are_crosses_on_their_own_strip(tables):
    figure = registry.entry(CONDITIONS).draw(tables)
    top = next(ax for ax in figure.axes if "sigma" in ax.get_ylabel())
    crosses = [line for line in top.lines if line.get_marker() == "x"]
    # Both aggregations and 10 depths, for CiteSeer's training nodes and all nodes of two graphs.
    assert sum(len(line.get_xdata()) for line in crosses) == 2 * 10 * 3
    positive = [line for line in top.lines if line.get_marker() == "o"]
    lowest = min(min(line.get_ydata()) for line in positive if len(line.get_ydata()))
    assert max(max(line.get_ydata()) for line in crosses if len(line.get_ydata())) < lowest
    assert "rank deficient" in words(figure)


@pytest.mark.parametrize(
    ("low", "high", "names"),
    [
        (1.05, 1.75, ["1.2", "1.4", "1.6"]),  # no whole number inside
        (0.75, 1.8, ["0.8", "1", "1.2", "1.4", "1.6", "1.8"]),  # 0.8, 0.9, 1 are all at the bottom
        (0.1, 2.1, ["0.1", "0.2", "0.5", "1", "2"]),
        (1.1e-5, 1.5e-5, [rf"${d}\!\cdot\!10^{{-5}}$" for d in ("1.2", "1.4")]),
    ],
)
def test_a_short_log_axis_has_ticks_with_names(low, high, names):
    ax = Figure().subplots()
    ax.set(yscale="log", ylim=(low, high))
    log_axis.plain_ticks(ax.yaxis)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == names


def test_no_strip_without_a_zero(tables):
    table = tables["graph_condition"]
    figure = registry.entry(CONDITIONS).draw({"graph_condition": table[table["dataset"] == "wine"]})
    assert "rank deficient" not in words(figure)


@pytest.mark.parametrize("multiscale", [True, False])
def test_lambda_T_is_a_running_minimum_over_the_layers_it_speaks_of(tables, multiscale):
    table = linear_runs(tables["time_condition"], multiscale)
    for column in (FULL, RESTRICTED):
        steps = table.groupby(list(KEYS), dropna=False)[column]
        assert (steps.diff().dropna() <= 0).all()
    run = table[(table["depth"] == 3) & (table["width"] == 1433) & (table["dataset"] == "wine")]
    raw = tables["time_condition"].merge(run[list(KEYS)].drop_duplicates(), on=list(KEYS))
    wanted = raw if multiscale else raw[raw["layer"] == 3]
    assert run[FULL].min() == min(1.0, wanted["lambda_min"].min())


def test_captions_name_the_nodes_that_break_the_graph_condition(tables):
    entry = registry.entry(CONDITIONS)
    said = entry.measured(tables)
    assert any("rank 119 of 120" in line and "nodes 35, 89" in line for line in said)


def test_ratio_of_terms_is_the_one_that_was_put_in(tables):
    table = ratio_summary(tables["gradient_terms"]).set_index("depth")["median"]
    assert np.allclose(table[2], 3.0) and np.allclose(table[6], 0.35 / 0.65)


def test_shares_of_the_heads_follow_from_the_ratio(tables):
    shares = head_shares(tables["gradient_terms"]).set_index("depth")["share"]
    assert np.allclose(shares[2], 0.75) and np.allclose(shares[6], 0.35)
    assert head_shares(None).empty


def test_tightness_is_measured_over_guaranteed_and_counts_the_vacuous(tables):
    table = tightness(tables["bounds"]).set_index(["dataset", "guarantee"])
    assert np.allclose(table.loc[("wine", "rate_paper"), "median"], 1e3)
    assert (table.loc[("cora", "rate_paper"), "vacuous"] == 1).all()
    assert np.allclose(table.loc[("cora", "rate_sharp"), ["low", "median", "high"]], 1 / 0.3)


def test_appendix_counts_the_rows_in_the_claimed_order(tables):
    entry = registry.entry("appendix_cora")
    assert "4 of 4 rows" in entry.measured(tables)[0]
    swapped = tables["training"].assign(multiscale=~tables["training"]["multiscale"])
    assert "0 of 4 rows" in entry.measured({"training": swapped})[0]


def marks(ax, marker: str) -> list[float]:
    """Places of the marks of one kind, from the top."""
    lines = [
        line for line in ax.lines if line.get_marker() == marker and len(line.get_xdata()) == 1
    ]
    return [float(line.get_xdata()[0]) for line in sorted(lines, key=lambda l: l.get_ydata()[0])]


def test_accuracy_has_a_forest_plot_in_points_with_every_depth_below(tables):
    entry = registry.entry("forest_accuracy")
    gcn = entry.draw(tables).axes[0]
    labels = [label.get_text() for label in gcn.get_yticklabels()]
    assert labels[-4:] == ["all graphs", "same depth", "same depth, H = 16", "same depth, H = 32"]
    assert gcn.get_xlabel() == "points of test accuracy" and gcn.get_xlim()[1] > 16
    assert "+10" in [label.get_text() for label in gcn.get_xticklabels()]
    assert entry.measured(tables)[0].startswith("ReLU GCN, deep against shallow: equ")


def test_what_is_no_time_is_not_among_the_times_of_the_slide(tables):
    text = " ".join(words(registry.entry("claims").draw(tables)).split())
    assert "times sooner" in text and "points" not in text


def test_a_forest_plot_has_a_line_for_each_graph_and_a_diamond_for_all(tables):
    entry = registry.entry("forest_skips")
    figure = entry.draw(tables)
    gcn, gin = figure.axes[:2]
    assert gcn.get_title(loc="left") == "GCN, flow time"
    expected = [0.5 + 0.1 * rank for rank in reversed(range(6))]
    assert np.allclose(marks(gcn, "o"), expected)  # the largest effect above
    assert np.allclose(marks(gin, "o"), 0, atol=1e-12)
    assert len(gcn.patches) == 1  # the pooled diamond
    labels = [text.get_text() for text in gcn.get_yticklabels()]
    assert labels[0].startswith("Texas") and labels[-1] == "all graphs"
    assert any(label.endswith("0.81") for label in labels)  # Cora's homophily
    gin_depth = registry.entry("forest_depth")
    titles = [ax.get_title(loc="left") for ax in gin_depth.draw(tables).axes]
    assert titles[:2] == ["GCN, flow time", "GIN, scaled flow time"]


def test_effects_beyond_the_axis_are_arrows_at_its_edge(tables):
    evidence = tables["evidence"].copy()
    far = (evidence["graph"] == "actor") & (evidence["claim"] == "09")
    evidence.loc[far, ["effect", "ci_low", "ci_high"]] = [40.0, 39.0, 41.0]
    entry = registry.entry("forest_skips")
    gcn = entry.draw(tables | {"evidence": evidence}).axes[0]
    most = forest.MOST["log2"]
    assert marks(gcn, ">") == [most] and gcn.get_xlim() == (-most, most)


def test_an_axis_reaches_as_far_as_most_of_its_own_effects(tables):
    evidence = tables["evidence"].copy()
    gin = (evidence["aggregation"] == "gin") & (evidence["claim"] == "09")
    evidence.loc[gin, ["effect", "ci_low", "ci_high"]] = [-9.0, -9.5, -8.5]
    near, far = registry.entry("forest_skips").draw(tables | {"evidence": evidence}).axes[:2]
    assert far.get_xlim()[0] < -9.5 and len(far.get_xticks()) <= 5
    assert marks(far, "<") == [] and len(marks(far, "o")) == 6
    assert near.get_xlim()[0] >= -forest.MOST["log2"]


def test_a_specification_curve_shows_every_setting_and_what_it_was(tables):
    entry = registry.entry("settings_depth")
    figure = entry.draw(tables)
    above, below = figure.axes[:2]
    cells = tables["comparisons"].query("claim == '10'")
    drawn = np.concatenate([line.get_ydata() for line in above.lines if line.get_marker() == "."])
    assert np.allclose(np.sort(drawn), np.sort(cells["effect"]))
    rows = [text.get_text() for text in below.get_yticklabels()]
    assert rows[:2] == ["flow time", "steps, best rate"] and "H = 6" in rows
    (image,) = below.images
    assert image.get_array().shape == (len(rows), len(cells))
    # Each cell has one value of each choice.
    measures = image.get_array()[:2]
    assert np.allclose(measures.sum(axis=0), 1)


def test_the_numbers_of_a_choice_ascend(tables):
    cells = tables["comparisons"].replace({"depth": {4: 1}})
    below = registry.entry("settings_depth").draw(tables | {"comparisons": cells}).axes[1]
    rows = [text.get_text() for text in below.get_yticklabels()]
    assert [row for row in rows if row.startswith("H =")] == ["H = 1", "H = 2", "H = 6"]


def test_accuracies_have_a_specification_curve_in_points(tables):
    cells = tables["comparisons"].query("claim == '10'").head(6).assign(claim="15")
    measures = ["accuracy"] * 3 + ["deep_accuracy"] * 2 + ["deep_steps"]
    cells = cells.assign(measure=measures, effect=[-2.0, 0.5, 60.0, 1.0, 2.0, 9.0])
    entry = registry.entry("settings_accuracy")
    figure = entry.draw(tables | {"comparisons": cells})
    above = figure.axes[0]
    drawn = np.concatenate([line.get_ydata() for line in above.lines if line.get_marker() == "."])
    assert sorted(drawn) == [-2.0, 0.5, 1.0, 2.0, 40.0]  # no steps, and 60 at the edge
    assert above.get_ylabel() == "points of accuracy"
    said = entry.measured(tables | {"comparisons": cells})
    assert "claim calls better was ahead in 80% of 5 settings" in said[0]
    assert said[0].endswith("the median difference is 1.0 points.")


def test_the_slide_has_every_claim_and_the_effects_of_those_about_speed(tables):
    entry = registry.entry("claims")
    figure = entry.draw(tables)
    said = words(figure)
    for title in tables["claims"]["title"]:
        assert title in said
    assert "holds for" in said and "GCN" in said and "1.7×" in said
    _, gcn, gin = figure.axes
    assert len(marks(gcn, "D")) == len(marks(gin, "D")) == 5  # skips once, with and without twice
    alone = tables["evidence"].query("aggregation == 'gcn'")
    assert "not run" in words(entry.draw(tables | {"evidence": alone})) and "not run" not in said
    only = tables["claims"][~tables["claims"]["claim"].isin(["09", "10", "11"])]
    assert len(entry.draw({"claims": only}).axes) == 1


def test_verdicts_are_counted_in_words():
    counted = verdict_counts(["holds", "depends on", "holds", "not tested", "holds for"])
    assert counted == "2 hold, 1 holds in part, 1 depends on the setting, 1 is not tested"
    assert in_words("holds for", "GCN") == "holds for GCN" and in_words("fails", "") == "fails"
    assert verdict_counts([]) == "no claim was judged"


def test_files_are_read_for_the_shown_experiments_only(tables, tmp_path):
    from gnn_dynamics.artifacts.parquet import write_table

    path = tmp_path / "tables" / "training.parquet"
    table = tables["training"]
    other = table[table["experiment"] == "labels"].assign(experiment="descent")
    write_table(pd.concat([table, other]), path, TABLES["training"], {})
    assert set(read(path)["experiment"]) == {"curves", "labels"}


def test_png_is_a_picture_of_the_stated_size(drawn):
    buffer = io.BytesIO()
    drawn["fig4_training_speed"][0].savefig(buffer, format="png")
    from PIL import Image

    assert Image.open(buffer).width == round(style.WIDTH * 200)


def test_skip_and_no_skip_differ_without_lines(tables):
    """Where there is only one depth, the mark alone tells them apart."""
    entry = registry.entry("mechanism")
    condition = entry.draw(tables).axes[0]
    hollow = {
        line.get_markerfacecolor() == "white": line.get_linestyle() for line in condition.lines
    }
    assert hollow == {False: "-", True: "--"}


def test_log_axes_of_the_terms_have_no_minor_ticks(drawn):
    axes = drawn["fig5_gradient_terms"][0].axes
    assert not any(len(ax.get_yticks(minor=True)) for ax in axes)
