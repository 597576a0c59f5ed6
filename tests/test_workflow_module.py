"""Another workflow imports this one: `module gnn_dynamics` and `use rule * from gnn_dynamics`."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tiny_run import TINY
from workflow_runs import ROOT, job_counts

from gnn_dynamics.artifacts.pictures import read_provenance

pytestmark = pytest.mark.workflow

SNAKEFILE = """
configfile: "settings.yaml"


rule everything:
    input:
        "count.txt",


module gnn_dynamics:
    snakefile:
        "{root}/Snakefile"
    config:
        config["dynamics"]


use rule * from gnn_dynamics as gd_*


rule count_nodes:
    input:
        "results/{run}/tables/graphs.parquet",
    output:
        "count.txt",
    shell:
        "wc -c < {{input}} > {{output}}"
"""
# What differs from the defaults is enough, as in a preset: `device` and `memory_gb` are not here.
GIVEN = {key: TINY[key] for key in ("datasets", "leave_out", "graph_condition", "experiments")}
GRAPHS = "results/imported/tables/graphs.parquet"
CONDITION = "results/imported/tables/graph_condition.parquet"


@pytest.fixture
def importer(tmp_path) -> Path:
    """A workflow of somebody else, in a folder without any file of this project."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(root=ROOT, run="imported"))
    settings = {"dynamics": GIVEN | {"run": "imported"}, "run": "the importer's own"}
    (tmp_path / "settings.yaml").write_text(yaml.safe_dump(settings))
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, cwd=folder, text=True, **streams)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_dry_run_has_this_workflows_rules_under_the_importers_prefix(importer):
    output = run(importer, "gd_all", "--dry-run")
    jobs = job_counts(output)
    assert jobs["gd_train_block"] == 7 and jobs["gd_make_report"] == 1
    assert all(rule.startswith("gd_") for rule in jobs)
    assert "localrules directive" not in output


def test_the_importer_keeps_its_default_target_and_its_folder(importer):
    assert set(job_counts(run(importer, "--dry-run"))) == {
        *("everything", "count_nodes", "gd_tabulate_graphs", "gd_prepare_graph"),
    }
    assert job_counts(run(importer, "gd_data", "--dry-run"))["gd_data"] == 1


def test_part_of_the_workflow_runs_in_the_importers_folder(importer):
    run(importer, "everything", CONDITION)
    assert list(pd.read_parquet(importer / GRAPHS)["dataset"]) == ["wine"]
    assert set(pd.read_parquet(importer / CONDITION)["depth"]) == {0, 1, 2}
    assert int((importer / "count.txt").read_text()) == (importer / GRAPHS).stat().st_size
    assert "Nothing to be done" in run(importer, "everything", CONDITION)


def test_a_wrong_key_of_the_importer_is_named(importer):
    settings = {"dynamics": GIVEN | {"run": "imported", "devise": "cpu"}}
    (importer / "settings.yaml").write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "snakemake", "--dry-run", "gd_all"]
    done = subprocess.run(command, cwd=importer, text=True, capture_output=True)
    assert done.returncode == 1
    assert "devise: there is no such key; did you mean device?" in done.stdout + done.stderr


def test_the_picture_of_the_rules_is_drawn_from_anywhere(importer):
    picture = "results/imported/figures/rulegraph.png"
    run(importer, picture)
    assert read_provenance(importer / picture)["rule"] == "gd_draw_rulegraph"
