"""What runs again: edits of a finished run against the exact jobs that a dry run then counts.

The same table stands in docs/workflow.md for readers.
"""

import pytest
from tiny_run import with_experiment, write_preset

# Tests of one group share the finished run, hence a process.
pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("workflow")]

PART = "results/tiny/parts/training/flow/wine/gcn-linear-multi-H2.parquet"


def preset(config):
    """Another preset."""
    return lambda project: write_preset(project, config)


def text(name, old, new):
    """Another text in one file."""
    return lambda project: project.edit(name, old, new)


def remark(name):
    """A comment at the end of a file."""

    def edit(project):
        with (project.folder / name).open("a") as file:
            file.write("# a remark\n")

    return edit


def delete(*names):
    """Files that are gone."""
    return lambda project: [(project.folder / name).unlink() for name in names]


def touch(*patterns):
    """Files with a new time stamp."""
    return lambda project: [
        path.touch() for pattern in patterns for path in project.folder.glob(pattern)
    ]


def damage(name):
    """Other bytes in a file."""

    def edit(project):
        with (project.folder / name).open("ab") as file:
            file.write(b"more")

    return edit


EDITS = {
    "nothing": (lambda project: None, {}),
    "touched inputs and scripts": (
        touch(
            "scripts/*.py",
            "gnn_dynamics/**/*.py",
            "data/prepared/*.npz",
            "config/*.yaml",
            "rules/*.smk",
        ),
        {},
    ),
    "remark in module": (remark("gnn_dynamics/errors.py"), {}),
    "docstring": (text("scripts/train_block.py", '"""', '"""Differently said. '), {}),
    "remark tiny": (remark("config/tiny.yaml"), {}),
    "remark claims": (remark("config/claims.yaml"), {}),
    "licence": (text("config/datasets.yaml", "title: Wine", "title: Wines"), {}),
    "remark rules": (remark("rules/train.smk"), {}),
    "memory rules": (text("rules/train.smk", "mem_mb=2500", "mem_mb=3500"), {}),
    "seed": (preset(with_experiment("curves", seed=[0, 1, 2])), {}),
    "seed flow": (preset(with_experiment("flow", seed=[0, 1, 2])), {}),
    "less seed": (preset(with_experiment("terms", seed=[0])), {}),
    "depth": (preset(with_experiment("flow", depth=[1, 2, 3])), {}),
    "label kind": (preset(with_experiment("curves", labels=["true", "uniform"])), {}),
    "lr": (preset(with_experiment("terms", lr=[0.002])), {}),
    "dataset": (
        preset(
            {
                **with_experiment("terms", datasets=["wine", "digits"]),
                "datasets": ["wine", "digits"],
            }
        ),
        {},
    ),
    "threshold": (text("config/claims.yaml", "smallest_ratio: 1.05", "smallest_ratio: 1.06"), {}),
    "finding": (
        text(
            "config/claims.yaml",
            "title: Linear convergence of linear GNNs",
            "title: Linear convergence",
        ),
        {},
    ),
    "style": (text("gnn_dynamics/figures/style.py", "BAND_ALPHA = 0.18", "BAND_ALPHA = 0.2"), {}),
    "fig4": (
        text("gnn_dynamics/figures/training_speed.py", "ITERATIONS = (1000,", "ITERATIONS = (900,"),
        {},
    ),
    "plot": (
        text(
            "scripts/plot_claims.py",
            "provenance = start(snakemake)",
            "provenance = start(snakemake)\nprint()",
        ),
        {},
    ),
    "report": (text("gnn_dynamics/report/build.py", "\nimport ", "\nNEW = 1\nimport "), {}),
    "bounds": (
        text("gnn_dynamics/theory/bounds.py", "RATIO_TOLERANCE = 1e-9", "RATIO_TOLERANCE = 2e-9"),
        {},
    ),
    "engine": (text("gnn_dynamics/engine/steppers.py", "\nfrom ", "\nNEW = 1\nfrom "), {}),
    "checksum": (text("config/datasets.yaml", "10e8a802908b", "10e8a802908c"), {}),
    "content": (damage("data/prepared/wine.npz"), {}),
    "part": (delete(PART), {}),
    "table": (delete("results/tiny/tables/comparisons.parquet"), {}),
    "figure": (delete("results/tiny/figures/fig4_training_speed.png"), {}),
    "pdf": (delete("results/tiny/figures/fig4_training_speed.pdf"), {}),
    "prepared": (delete("data/prepared/wine.npz"), {}),
}
