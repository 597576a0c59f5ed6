"""What runs again: edits of a finished run against the exact jobs that a dry run then counts.

The same table, for readers, is in docs/workflow.md.
"""

import pytest
from tiny_run import with_experiment, write_preset
from workflow_runs import Project, differences

from gnn_dynamics.figures import registry

# Tests of one group share the finished run, hence a process.
pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("workflow")]

# Rules and figures by what they follow from; each group stands for one job of each.
REPORT = ("make_report", "all")
SETTINGS = ("write_config", "draw_rulegraph", *REPORT)
CLAIMS = ("judge_claims", "claims", *REPORT)
SPEED = (
    *("forest_skips", "forest_depth", "forest_labels", "forest_accuracy"),
    *("settings_skips", "settings_depth", "settings_labels", "settings_accuracy"),
)
COMPARISONS = ("compare_runs", "mechanism", "step_size", "what_predicts", *SPEED, *CLAIMS)
NEGATIVE = ("check_negative_results", "negative_results")
BOUNDS = ("check_bounds", "check_guarantees", *NEGATIVE, "bound_tightness")
CURVES = (
    "appendix_wine",
    "fig1_linear_vs_relu",
    "fig2_assumptions_linear",
    "fig3_assumptions_multiscale",
    "fig4_training_speed",
)
TRAINING = (*CURVES, "fig5_gradient_terms", *COMPARISONS)
OPTIMUM = ("solve_optimum", "measure_alignment")
GRAPH = ("prepare_graph", "tabulate_graphs", "check_graph_condition")
ONCE = ("graph_condition_depth", *OPTIMUM, *BOUNDS, *TRAINING)
FIGURES = (*(figure.stem for figure in registry.FIGURES), "appendix_wine")
CATALOGUE = "gnn_dynamics/figures/catalogue.yaml"

PART = "results/tiny/parts/training/flow/wine/gcn-linear-skip-H2.parquet"
WIDER = with_experiment("terms", datasets=["wine", "digits"]) | {"datasets": ["wine", "digits"]}


def jobs(*rules, **counts):
    """One job of each rule, other numbers as given."""
    return dict.fromkeys(rules, 1) | counts


def preset(config):
    """Another preset."""
    return lambda project: write_preset(project, config)


def experiment(name, **changes):
    """Other settings of one experiment."""
    return preset(with_experiment(name, **changes))


def text(name, old, new):
    """Another text in one file."""
    return lambda project: project.edit(name, old, new)


def more(name, addition="# a remark\n"):
    """More at the end of a file."""

    def edit(project):
        with (project.folder / name).open("a") as file:
            file.write(addition)

    return edit


def delete(name):
    """A file that is gone."""
    return lambda project: (project.folder / name).unlink()


def touch(*patterns):
    """Files with a new time stamp."""

    def edit(project):
        for pattern in patterns:
            for path in project.folder.glob(pattern):
                path.touch()

    return edit


EDITS = {
    "nothing": (touch(), {}),
    "touched inputs": (touch("data/prepared/*.npz", "results/tiny/parts/**/*.parquet"), {}),
    "touched code": (touch("scripts/*", "gnn_dynamics/**/*.py", "rules/*", "config/*"), {}),
    "a comment in a module": (more("gnn_dynamics/errors.py"), {}),
    "a docstring": (text("scripts/train_block.py", '"""', '"""Differently said. '), {}),
    "a comment in a preset": (more("config/tiny.yaml"), {}),
    "a comment in the schema of the claims": (more("config/claims.schema.yaml"), {}),
    "a column of the verdicts": (
        text("gnn_dynamics/claims/verdicts.py", 'texts("title"', 'texts("note", "title"'),
        jobs(*CLAIMS),
    ),
    "a new table": (
        more("gnn_dynamics/claims/guarantees.py", 'NEW = Table(("a",), integers("a"))\n'),
        jobs("check_guarantees", *REPORT),
    ),
    "a comment in claims.yaml": (more("config/claims.yaml"), {}),
    "a title in datasets.yaml": (text("config/datasets.yaml", "title: Wine", "title: Wines"), {}),
    "memory in a rule": (
        text("rules/train.smk", "mem_mb=2500", "mem_mb=3500"),
        jobs("draw_rulegraph", *REPORT),
    ),
    "another seed": (
        experiment("curves", seed=[0, 1, 2]),
        jobs(*SETTINGS, *TRAINING, train_block=2, collect_table=4),
    ),
    "another seed of flows": (
        experiment("flow", seed=[0, 1, 2]),
        jobs(*SETTINGS, *OPTIMUM, *BOUNDS, *TRAINING, train_block=4, collect_table=6),
    ),
    "a seed less": (
        experiment("terms", seed=[0]),
        jobs(*SETTINGS, *TRAINING, train_block=1, collect_table=4),
    ),
    "another depth": (
        experiment("curves", depth=[2, 3]),
        jobs(*SETTINGS, *TRAINING, train_block=2, collect_table=4),
    ),
    "another aggregation": (
        experiment("curves", aggregation=["gcn", "gin"]),
        jobs(*SETTINGS, *TRAINING, train_block=2, collect_table=4),
    ),
    "a model less": (
        experiment("curves", multiscale=[True]),
        jobs(*SETTINGS, *TRAINING, train_block=2, collect_table=4),
    ),
    "other jobs": (
        experiment("curves", job_per="dataset"),
        jobs(*SETTINGS, *TRAINING, train_block=1, collect_table=4),
    ),
    "another depth of flows": (
        experiment("flow", depth=[1, 2, 3]),
        jobs(*SETTINGS, *OPTIMUM, *BOUNDS, *TRAINING, train_block=2, collect_table=6),
    ),
    "another kind of labels": (
        experiment("curves", labels=["true", "uniform"]),
        jobs(*SETTINGS, *TRAINING, train_block=2, collect_table=4),
    ),
    "another learning rate": (
        experiment("terms", lr=[0.002]),
        jobs(*SETTINGS, *TRAINING, train_block=1, collect_table=4),
    ),
    "another dataset": (
        preset(WIDER),
        jobs(*SETTINGS, *GRAPH, *ONCE, train_block=1, collect_table=7),
    ),
    "a threshold of comparisons": (
        text("config/claims.yaml", "smallest_ratio: 1.05", "smallest_ratio: 1.06"),
        jobs(*COMPARISONS),
    ),
    "a number of the endpoint": (
        text("config/claims.yaml", "confidence: 0.95", "confidence: 0.9"),
        jobs(*COMPARISONS),
    ),
    "a claim's title": (
        text("config/claims.yaml", "title: Linear convergence of", "title: Convergence of"),
        jobs(*CLAIMS),
    ),
    "the style of figures": (
        text("gnn_dynamics/figures/style.py", "BAND_ALPHA = 0.18", "BAND_ALPHA = 0.2"),
        jobs(*FIGURES, "draw_rulegraph", *REPORT),
    ),
    "a figure": (
        text("gnn_dynamics/figures/mechanism.py", "WIDE = 0.12", "WIDE = 0.13"),
        jobs("mechanism", *REPORT),
    ),
    "the code that two figures share": (
        text("gnn_dynamics/figures/curves.py", "handlelength=2.2", "handlelength=2.3"),
        jobs("fig4_training_speed", "appendix_wine", *REPORT),
    ),
    "a summary": (
        text("gnn_dynamics/summaries/paper_curves.py", "ITERATIONS = (1000,", "ITERATIONS = (900,"),
        jobs("fig4_training_speed", "appendix_wine", *REPORT),
    ),
    "the script of figures": (
        more("scripts/plot_figure.py", "print()\n"),
        jobs(*FIGURES, *REPORT),
    ),
    "the caption of a figure": (
        text(CATALOGUE, "The same as Figure 2 for", "As Figure 2, for"),
        jobs("fig3_assumptions_multiscale", *REPORT),
    ),
    "an option of a figure": (
        text(CATALOGUE, "options: {multiscale: true}", "options: {multiscale: false}"),
        jobs("fig3_assumptions_multiscale", *REPORT),
    ),
    "a comment in the catalogue": (more(CATALOGUE), jobs(*REPORT)),
    "the paper's curves": (
        more("gnn_dynamics/summaries/paper_figure4.csv"),
        jobs("fig4_training_speed", "appendix_wine", *REPORT),
    ),
    "the curves of statements that fail": (
        text("gnn_dynamics/theory/negative_results.py", "1e-3, 1e-4)", "1e-3, 1e-5)"),
        jobs(*NEGATIVE, *REPORT),
    ),
    "the report": (more("gnn_dynamics/report/template.html"), jobs(*REPORT)),
    "the bounds": (
        text("gnn_dynamics/claims/bounds.py", "CONSTANT = 4.0", "CONSTANT = 4.1"),
        jobs(*BOUNDS, *COMPARISONS),
    ),
    "a line of the training step": (
        text("gnn_dynamics/dynamics/steppers.py", "MOMENTUM = 0.9", "MOMENTUM = 0.8"),
        jobs(*BOUNDS, *TRAINING, train_block=7, collect_table=4),
    ),
    "a checksum": (
        text("config/datasets.yaml", "10e8a802908b", "10e8a802908c"),
        jobs(*GRAPH, *ONCE, train_block=7, collect_table=7),
    ),
    "the content of an input": (
        more("data/prepared/wine.npz"),
        jobs(*GRAPH[1:], *ONCE, train_block=7, collect_table=7),
    ),
    # Lists the tables too: that the part comes out the same is seen only when it is made.
    "a part is deleted": (
        delete(PART),
        jobs(*BOUNDS, *TRAINING, train_block=1, collect_table=4),
    ),
    "a table is deleted": (delete("results/tiny/tables/comparisons.parquet"), jobs(*COMPARISONS)),
    "a figure is deleted": (
        delete("results/tiny/figures/fig4_training_speed.png"),
        jobs("fig4_training_speed", *REPORT),
    ),
    "a figure's PDF is deleted": (
        delete("results/tiny/figures/fig4_training_speed.pdf"),
        jobs("fig4_training_speed", *REPORT),
    ),
    "a prepared graph is deleted": (delete("data/prepared/wine.npz"), {}),
}


@pytest.mark.parametrize(("edit", "expected"), EDITS.values(), ids=EDITS)
def test_an_edit_repeats_exactly_these_jobs(edit, expected, copy):
    edit(copy)
    assert copy.jobs_and_figures("tiny") == expected


def test_a_deleted_figure_comes_back_byte_for_byte(copy):
    before = copy.digests("tiny")
    delete("results/tiny/figures/fig4_training_speed.png")(copy)
    copy.run("tiny")
    assert differences(before, copy.digests("tiny")) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--config", "mirror=elsewhere"),
        ("--set-threads", "train_block=2", "--set-resources", "train_block:mem_mb=9000"),
    ],
    ids=["another mirror", "threads and memory"],
)
def test_a_setting_of_the_machine_repeats_nothing(arguments, finished):
    assert finished.jobs("tiny", *arguments) == {}


def test_another_mirror_fetches_nothing_again(tmp_path, mirror):
    project = Project(tmp_path / "project")
    target = "data/prepared/cora.npz"
    environment = {"GNN_DYNAMICS_MIRROR": str(mirror)}
    project.run("paper", target, **environment)
    assert project.jobs("paper", target, GNN_DYNAMICS_MIRROR="https://example.org/mirror") == {}
    assert project.jobs("paper", target, "--config", "mirror=elsewhere") == {}
