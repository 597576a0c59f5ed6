"""`python -m benchmarks gpu`: its rows, its failures, its imports, and what it says of `paper`."""

import ast
import importlib.metadata
import json
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from benchmarks.gpu import blocks, command
from benchmarks.gpu.case import SHAPES, Item, Setting, check
from benchmarks.gpu.processes import forked

ROOT = Path(__file__).resolve().parents[1]
ALLOWED = Path(__file__).parent / "allowed_packages"
CPU = Setting("cpu", small=True)


def rows_of(monkeypatch, tmp_path, *sections):
    """Exit code, and the rows of both files, of a run of these sections."""
    names = {section.__name__: (section, 0.05) for section in sections}
    monkeypatch.setattr(command, "SECTIONS", names)
    with pytest.raises(SystemExit) as end:
        command.main("--out", str(tmp_path), "--device", "cpu", "--small")
    rows = json.loads((tmp_path / "gpu.json").read_text())["rows"]
    lines = (tmp_path / "gpu.md").read_text().splitlines()
    assert len(lines) == len(rows) + 4  # facts, an empty line, heads and the rule under them
    return int(end.value.code), rows


# Sections that fail ------------------------------------------------------------------------------


def works(setting):
    yield Item("measured", lambda: {"value": 2.0, "unit": "s"})
    yield Item("of a GPU", lambda: {}, gpu_only=True)


def breaks(setting):
    yield Item("breaks", lambda: 1 / 0)
    yield Item("exceeds", lambda: check(2.0, 1.0, "of 1"))
    yield Item("is not a number", lambda: check(float("nan"), 1.0, "of 1"))
    yield Item("goes on", lambda: {"value": 1.0})


def stops(setting):
    yield Item("before", lambda: {})
    raise OSError("no graph")


def hangs(setting):
    yield Item("before", lambda: {})
    yield Item("hangs", lambda: time.sleep(60))


def dies(setting):
    yield Item("dies", lambda: os._exit(3))


@pytest.mark.slow
def test_every_failure_is_a_row_and_the_rest_goes_on(monkeypatch, tmp_path):
    code, rows = rows_of(monkeypatch, tmp_path, breaks, stops, dies, hangs, works)
    states = [(row["section"], row["case"], row["state"]) for row in rows]
    assert states == [
        ("breaks", "breaks", "failed"),
        ("breaks", "exceeds", "failed"),
        ("breaks", "is not a number", "failed"),
        ("breaks", "goes on", "ok"),
        ("stops", "before", "ok"),
        ("stops", "the section", "failed"),
        ("dies", "the section", "failed"),
        ("hangs", "before", "ok"),
        ("hangs", "the section", "failed"),
        ("works", "measured", "ok"),
        ("works", "of a GPU", "needs cuda"),
    ]
    notes = {row["case"]: row["note"] for row in rows if row["section"] == "breaks"}
    assert "ZeroDivisionError" in notes["breaks"]
    reasons = [row["note"] for row in rows if row["case"] == "the section"]
    for reason, words in zip(reasons, ("no graph", "code 3", "more than its"), strict=True):
        assert words in reason
    assert code == 1


def test_exit_code_0_where_all_is_well(monkeypatch, tmp_path):
    assert rows_of(monkeypatch, tmp_path, works)[0] == 0


def test_a_process_that_is_left_early_is_ended():
    for _ in forked(lambda: iter([1, time.sleep(0) or 2]), 60.0):
        break
    assert not multiprocessing.active_children()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_cuda_without_a_gpu_is_one_clear_error(tmp_path):
    with pytest.raises(SystemExit, match="this torch finds no GPU"):
        command.main("--out", str(tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_mirror_without_the_files_is_one_clear_error(tmp_path):
    with pytest.raises(SystemExit, match=r"--mirror: .*planetoid"):
        command.main("--out", str(tmp_path / "out"), "--device", "cpu", "--mirror", str(tmp_path))


# What it measures --------------------------------------------------------------------------------


def test_sections_take_less_than_six_minutes_together():
    seconds = command.START_SECONDS + sum(seconds for _, seconds in command.SECTIONS.values())
    assert seconds < 350  # the rest for starting Python


def test_its_blocks_are_those_of_the_configuration():
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    entries = {entry["name"]: entry for entry in config["experiments"]}
    for block in blocks.BLOCKS:
        entry = entries[block.experiment]
        experiment = blocks.EXPERIMENTS[block.experiment]
        assert experiment.items() <= entry.items()
        rest = {"name", "job_per", "datasets", "aggregation", "activation", "multiscale", "depth"}
        assert entry.keys() - experiment.keys() == rest
        assert block.dataset in entry["datasets"] and block.depth == max(entry["depth"])


@pytest.mark.parametrize("name", ["cora", "citeseer"])
def test_random_graphs_have_the_sizes_of_the_official_ones_and_say_what_they_are(name):
    graph = Setting("cpu").graph(name)
    n, edges, m_x, entries, labelled, classes = SHAPES[name]
    assert graph.features.shape == (n, m_x) and len(graph.train) == labelled
    assert abs(graph.features.nnz - entries) <= 1 and graph.classes == classes
    assert 0.98 * edges <= graph.adjacency.nnz <= edges
    assert graph.name == f"random graph of {name}'s shape"


def test_the_graph_of_a_mirror_is_the_official_one(mirror):
    graph = Setting("cpu", mirror=mirror).graph("citeseer")
    assert (graph.name, graph.n, graph.adjacency.nnz) == ("citeseer", 3327, 9104)


# The whole command -------------------------------------------------------------------------------


def restricted(*arguments: str) -> subprocess.CompletedProcess:
    """Python where only the allowed packages can be imported."""
    environment = os.environ | {"PYTHONPATH": f"{ALLOWED}{os.pathsep}{ROOT}"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_the_table_is_complete_with_the_allowed_packages_alone(tmp_path):
    result = restricted("-m", "benchmarks", "gpu", "--out", tmp_path, "--device", "cpu", "--small")
    assert result.returncode == 0, result.stdout + result.stderr
    rows = json.loads((tmp_path / "gpu.json").read_text())["rows"]
    assert {row["section"] for row in rows} == set(command.SECTIONS)
    assert {row["state"] for row in rows} == {"ok", "needs cuda"}
    measured = [row for row in rows if row["unit"] == "us per model-step" and row["state"] == "ok"]
    assert all(row["value"] > 0 and row["ratio_to_pyg"] > 0 for row in measured)
    ours = [row for row in measured if "K=" in row["case"]]
    assert len(ours) == 2 * 6 * 2  # K of six cells in two precisions
    assert all(row["share_of_roof"] > 0 for row in ours)


def test_other_packages_are_absent_there():
    packages = ("yaml", "jsonschema", "sklearn", "snakemake", "ogb", "statsmodels", "matplotlib")
    lines = ["import importlib.util as u", f"print([u.find_spec(name) for name in {packages}])"]
    assert restricted("-c", "; ".join(lines)).stdout.split() == str([None] * 7).split()


@pytest.mark.slow
def test_the_added_packages_are_pure_python():
    names = importlib.metadata.packages_distributions()
    text = (ALLOWED / "sitecustomize.py").read_text()
    for package in ast.literal_eval(text.split("PURE = ")[1].splitlines()[0]):
        for distribution in names[package]:
            files = importlib.metadata.files(distribution) or []
            assert not [file for file in files if file.suffix in (".so", ".pyd")]
