"""After a fault, the same command makes the same bytes; what must be typed besides, is said.

The faults that take long or need root are in tests/faults (`make test-faults`).
"""

import os
import time

import pandas as pd
import pytest
import yaml
from fault_runs import Running, partials
from raw_files import digests, planetoid_files, write_files
from tiny_run import with_experiment, write_preset
from workflow_runs import Project, differences

from gnn_dynamics.artifacts.files import complete_or_absent, remove_partials

# Tests of one group share the finished run, hence a process.
pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("workflow")]

TABLE = "results/tiny/tables/gradient_terms.parquet"
PART = "results/tiny/parts/gradient_terms/terms/wine/gcn-linear-skip-H2.parquet"
COMMAND = (TABLE, "--cores", "1", "--configfile", "config/tiny.yaml")


SEEDS = ("grid", *COMMAND[1:])


@pytest.fixture
def adding_a_seed(copy):
    """A run that trains another seed at this moment, and nothing else."""
    write_preset(copy, with_experiment("terms", seed=[0, 1, 2]))
    running = Running(copy, *SEEDS)
    running.wait_for(lambda: running.jobs("train_block"))
    yield running
    if running.process.poll() is None:
        running.kill_all()


def test_a_seed_whose_training_was_killed_is_not_forgotten(adding_a_seed, copy):
    adding_a_seed.wait_for(lambda: adding_a_seed.jobs("train_block"))[0].kill()
    assert adding_a_seed.finish() == 1
    assert copy.jobs("tiny", "grid") == {"train_block": 1, "collect_table": 4, "grid": 1}


def test_after_kill_9_of_everything_the_message_says_what_to_type(adding_a_seed, copy):
    adding_a_seed.pause()
    second = copy.snakemake(*SEEDS)
    assert second.returncode == 1 and "Directory cannot be locked" in second.stdout
    adding_a_seed.kill_all()
    refused = copy.snakemake(*SEEDS)
    assert refused.returncode == 1 and "--unlock" in refused.stdout
    assert copy.snakemake("--unlock").returncode == 0
    copy.run("tiny", "grid")
    assert set(pd.read_parquet(copy.folder / TABLE)["seed"]) == {0, 1, 2}
    assert partials(copy) == []


def test_a_truncated_part_is_named_and_made_again_once_deleted(copy):
    before = copy.digests("tiny")
    os.truncate(copy.folder / PART, 1000)
    done = copy.snakemake(*COMMAND)
    said = (copy.folder / "results/tiny/logs/collect_table/gradient_terms.log").read_text()
    assert done.returncode == 1
    assert said.startswith(f"Error: {PART} is damaged or cut short")
    assert said.endswith("delete it and type the same command again\n")
    (copy.folder / PART).unlink()
    copy.run("tiny", TABLE)
    assert differences(before, copy.digests("tiny")) == []


def test_a_clock_that_was_set_back_changes_nothing(copy):
    before = copy.digests("tiny")
    for path in (PART, TABLE):
        (copy.folder / path).unlink()
    tomorrow = time.time() + 86400
    for path in [*copy.folder.rglob("results/**/*"), *copy.folder.rglob("data/**/*")]:
        os.utime(path, (tomorrow, tomorrow))
    copy.run("tiny", TABLE)
    assert copy.jobs("tiny", TABLE) == {}
    assert differences(before, copy.digests("tiny")) == []


RAW = "data/raw/cora"
GRAPH = "data/prepared/cora.npz"


@pytest.fixture
def fetched(tmp_path):
    """A project that has fetched and prepared a graph, from a mirror in a folder."""
    project = Project(tmp_path / "project")
    files, *_ = planetoid_files("ind.toy")
    write_files(tmp_path / "mirror" / "toy", files)
    (tmp_path / "mirror" / "urlmap.tsv").write_text("folder\turl\ntoy\thttps://toy.example\n")
    path = project.folder / "config" / "datasets.yaml"
    entries = yaml.safe_load(path.read_text())
    own = {"source_url": "https://toy.example", "options": {"stem": "ind.toy"}}
    entries["cora"] |= own | {"files": digests(files)}
    path.write_text(yaml.safe_dump(entries))
    project.run("paper", GRAPH, GNN_DYNAMICS_MIRROR=str(tmp_path / "mirror"))
    return project


def test_a_cached_download_that_was_corrupted_is_named_and_fetched_again(fetched, tmp_path):
    raw, graph = fetched.folder / RAW, fetched.folder / GRAPH
    before = graph.read_bytes()
    with (raw / "ind.toy.allx").open("ab") as file:
        file.write(b"more")
    assert fetched.jobs("paper", GRAPH) == {}, "the graph was prepared before"
    graph.unlink()
    command = (GRAPH, "--cores", "1", "--configfile", "config/paper.yaml")
    mirror = {"GNN_DYNAMICS_MIRROR": str(tmp_path / "mirror")}
    done = fetched.snakemake(*command, **mirror)
    said = (fetched.folder / "data/logs/prepare_graph/cora.log").read_text()
    assert done.returncode == 1
    assert said.startswith(f"Error: {RAW}/ind.toy.allx is damaged")
    assert said.endswith(f"; delete {RAW}/manifest.json and type the same command again\n")
    (raw / "manifest.json").unlink()
    fetched.run("paper", GRAPH, **mirror)
    log = (fetched.folder / "data/logs/fetch_dataset/cora.log").read_text()
    assert log.count("is damaged; fetching it again") == 1
    assert graph.read_bytes() == before


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path):
    path = tmp_path / "gcn-linear-skip-H2.parquet"
    others = ["gcn-linear-skip-H2.parquet", ".gcn-linear-skip-H2.kept", ".gcn.7.parquet"]
    stale = [".gcn-linear-skip-H2.123.parquet", ".gcn-linear-skip-H2.45.parquet"]
    for name in [*others, *stale]:
        (tmp_path / name).touch()
    remove_partials(path)
    assert sorted(found.name for found in tmp_path.iterdir()) == sorted(others)
    with complete_or_absent(path) as partial:
        partial.touch()
        remove_partials(path)
        assert not partial.exists()
        partial.touch()
    remove_partials(tmp_path / "absent" / "folder.parquet")
