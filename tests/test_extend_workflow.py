"""Own functions in the workflow: which jobs follow their files, and what a wrong one says."""

import shutil

import pytest
import yaml
from workflow_runs import ROOT, Project

from gnn_dynamics.artifacts.parquet import read_table, table_provenance
from gnn_dynamics.config.schema import read_yaml

pytestmark = pytest.mark.workflow
PARTS = "results/extend/parts/training"
RESIDUAL = f"{PARTS}/aggregations/wine/examples+residual.py+residual-linear-skip-H2.parquet"
GCN = f"{PARTS}/aggregations/wine/gcn-linear-skip-H2.parquet"
HUBER = f"{PARTS}/losses/wine/gcn-linear-skip-H2.parquet"
TARGETS = (RESIDUAL, GCN, HUBER)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Three jobs of examples/extend.yaml, one without own functions."""
    project = Project(tmp_path_factory.mktemp("extend") / "project")
    shutil.copytree(ROOT / "examples", project.folder / "examples")
    write(project, read_yaml(ROOT / "examples" / "extend.yaml"))
    project.run("extend", *TARGETS)
    return project


def write(project, config):
    (project.folder / "config" / "extend.yaml").write_text(yaml.safe_dump(config))


def reruns(project):
    """Of each of the three jobs, whether a dry run would run it."""
    return [bool(project.jobs("extend", target).get("train_block")) for target in TARGETS]


def test_a_job_follows_the_files_of_the_functions_that_it_uses(trained):
    name = "examples/residual.py:residual"
    rows = read_table(trained.folder / RESIDUAL)
    assert set(rows["aggregation"]) == {name} and rows["loss"].notna().all()
    used = table_provenance(trained.folder / RESIDUAL)["config"]["functions"]
    assert [set(functions) for functions in used.values()] == [{name}]
    assert table_provenance(trained.folder / GCN)["config"]["functions"] == {}
    assert reruns(trained) == [False, False, False]
    trained.edit("examples/residual.py", "ALPHA = 0.5", "ALPHA = 0.5  # half")
    assert reruns(trained) == [False, False, False]
    trained.edit("examples/residual.py", "ALPHA = 0.5", "ALPHA = 0.6")
    assert reruns(trained) == [True, False, False]
    trained.edit("examples/huber.py", "DELTA = 0.5", "DELTA = 0.4")
    assert reruns(trained) == [True, False, True]


def test_a_function_that_does_not_fit_stops_a_dry_run_in_one_line(trained):
    config = read_yaml(ROOT / "examples" / "extend.yaml")
    config["experiments"][1]["loss_fn"] = ["examples/huber.py:hubert"]
    write(trained, config)
    done = trained.snakemake("--dry-run", "--configfile", "config/extend.yaml")
    assert done.returncode
    expected = "loss_fn: examples/huber.py:hubert: huber.py defines no function hubert; expected ("
    assert expected in done.stdout
