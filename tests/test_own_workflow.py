"""A user's own graph in the workflow: an entry of the catalogue whose files are inputs."""

import shutil

import pytest
import yaml
from own_files import toy, write_csv
from workflow_runs import ROOT, Project

from gnn_dynamics.data.fetch.catalogue import load_catalogue
from gnn_dynamics.data.fetch.download import fetch_dataset
from gnn_dynamics.data.graph import load_graph
from gnn_dynamics.errors import UserError

TARGET = "data/prepared/mine.npz"


def add_entry(config, files, **options):
    """The catalogue in a folder, with the entry `mine`."""
    path = config / "datasets.yaml"
    entries = yaml.safe_load(path.read_text())
    entries["mine"] = {"reader": "own", "files": files, "options": options}
    path.write_text(yaml.safe_dump(entries))
    return path


@pytest.fixture
def config(tmp_path):
    """A copy of the catalogue and its schema."""
    for name in ("datasets.yaml", "datasets.schema.yaml"):
        shutil.copy(ROOT / "config" / name, tmp_path)
    return tmp_path


@pytest.fixture
def project(tmp_path):
    """A project whose catalogue has the entry `mine`, with paths below the project."""
    project = Project(tmp_path / "project")
    (project.folder / "own").mkdir()
    paths = write_csv(project.folder / "own", toy())
    files = {role: f"own/{path.name}" for role, path in paths.items()}
    add_entry(project.folder / "config", files)
    return project


@pytest.mark.workflow
def test_own_files_are_inputs_and_their_place_does_not_count(project, tmp_path):
    project.run("quickstart", TARGET)
    before = (project.folder / TARGET).read_bytes()
    moved = (project.folder / "own").rename(tmp_path / "moved")
    add_entry(project.folder / "config", {path.stem: str(path) for path in moved.iterdir()})
    project.run("quickstart", TARGET)
    assert (project.folder / TARGET).read_bytes() == before
    assert load_graph(project.folder / TARGET).n == 6
    (moved / "labels.csv").write_text((moved / "labels.csv").read_text().replace("1", "2"))
    assert project.jobs("quickstart", TARGET) == {"prepare_graph": 1}


@pytest.mark.workflow
def test_a_broken_file_is_told_in_the_log_without_a_traceback(project):
    project.edit("own/features.csv", ",", ",x,")
    done = project.snakemake(TARGET, "--cores", "1")
    log = (project.folder / "data" / "logs" / "prepare_graph" / "mine.log").read_text()
    assert done.returncode == 1
    assert log.strip() == "Error: own/features.csv, line 2: it has 4 fields, line 1 has 5"


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({"graph": "../edges.csv"}, {}, "'../edges.csv' does not have the form"),
        ({"graph": "own/../../edges.csv"}, {}, "edges.csv' does not have the form"),
        ({"graph": "~/edges.csv"}, {}, "edges.csv' does not have the form"),
        ({"graph": "a.csv", "edges": "b.csv"}, {}, "mine.files.edges: there is no such key"),
        ({"features": "x.csv"}, {}, "mine.files: missing graph"),
        ({"graph": "a.csv"}, {"split": "some"}, "mine.options.split: 'some' is not allowed"),
        ({"graph": "a.csv"}, {"split": {"train": 3}}, "mine.options.split: missing val, seed"),
        ({"graph": "a.csv"}, {"weights": "use"}, "mine.options.weights: 'use' is not allowed"),
    ],
)
def test_a_wrong_entry_is_named(files, options, message, config):
    with pytest.raises(UserError) as caught:
        load_catalogue(add_entry(config, files, **options))
    assert message in str(caught.value)


@pytest.mark.parametrize("path", ["/data/edges.csv", "own/edges.csv", "a..b/edges.csv"])
def test_paths_that_are_allowed(path, config):
    split = {"train": 20, "val": 0, "seed": 1}
    entry = load_catalogue(add_entry(config, {"graph": path}, split=split))["mine"]
    assert entry["files"] == {"graph": path} and entry["options"]["split"] == split


def test_own_files_are_never_fetched(config):
    entry = load_catalogue(add_entry(config, {"graph": "a.csv"}))["mine"]
    with pytest.raises(UserError, match="are not fetched"):
        fetch_dataset(entry, config)
