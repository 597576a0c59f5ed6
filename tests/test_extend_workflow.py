"""Own functions in the workflow: which jobs follow their files, and what a wrong one says."""

import re
import shutil

import pytest
import yaml
from workflow_runs import ROOT, Project

from gnn_dynamics.artifacts.parquet import read_table, table_provenance
from gnn_dynamics.config.schema import read_yaml

pytestmark = pytest.mark.workflow
PARTS = "results/extend/parts/training"
RESIDUAL = ("aggregations", "examples+residual.py+residual-linear-skip-H2")
GCN = ("aggregations", "gcn-linear-skip-H2")
HUBER = ("losses", "gcn-linear-skip-H2")


def table(job):
    experiment, name = job
    return f"{PARTS}/{experiment}/wine/{name}.parquet"


TARGETS = tuple(map(table, (RESIDUAL, GCN, HUBER)))


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
    """Those of the three jobs that a dry run would run."""
    output = project.run("extend", *TARGETS, "--dry-run")
    return set(re.findall(r"^Job \d+: Train (\S+) on wine: (\S+)$", output, flags=re.M))


def test_a_job_follows_the_files_of_the_functions_that_it_uses(trained):
    name = "examples/residual.py:residual"
    rows = read_table(trained.folder / table(RESIDUAL))
    assert set(rows["aggregation"]) == {name} and rows["loss"].notna().all()
    used = table_provenance(trained.folder / table(RESIDUAL))["config"]["functions"]
    assert [set(functions) for functions in used.values()] == [{name}]
    assert table_provenance(trained.folder / table(GCN))["config"]["functions"] == {}
    assert reruns(trained) == set()
    trained.edit("examples/residual.py", "ALPHA = 0.5", "ALPHA = 0.5  # half")
    assert reruns(trained) == set()
    trained.edit("examples/residual.py", "ALPHA = 0.5", "ALPHA = 0.6")
    assert reruns(trained) == {RESIDUAL}
    trained.edit("examples/huber.py", "DELTA = 0.5", "DELTA = 0.4")
    assert reruns(trained) == {RESIDUAL, HUBER}


def test_a_function_that_does_not_fit_stops_a_dry_run_in_one_line(trained):
    config = read_yaml(ROOT / "examples" / "extend.yaml")
    config["experiments"][1]["loss_fn"] = ["examples/huber.py:hubert"]
    write(trained, config)
    done = trained.snakemake("--dry-run", "--configfile", "config/extend.yaml")
    assert done.returncode
    expected = "loss_fn: examples/huber.py:hubert: huber.py defines no function hubert; expected ("
    assert expected in done.stdout
