"""A wrong configuration is refused with one message that names the key and what is allowed."""

import copy
import re
from pathlib import Path

import pytest
import yaml

from gnn_dynamics.config.schema import read_yaml
from gnn_dynamics.errors import UserError
from gnn_dynamics.workflow.check_config import check_config, without_left_out

CONFIG = Path(__file__).resolve().parents[1] / "config"
SCHEMA = read_yaml(CONFIG / "schema.yaml")
DATASETS = set(read_yaml(CONFIG / "datasets.yaml"))


def preset(name):
    """A preset as Snakemake sees it: config.yaml, whose keys the preset replaces."""
    config = read_yaml(CONFIG / "config.yaml")
    return config if name == "full" else config | read_yaml(CONFIG / f"{name}.yaml")


def refused(config):
    with pytest.raises(UserError) as caught:
        check_config(config, SCHEMA, DATASETS)
    return str(caught.value)


@pytest.fixture
def config():
    return copy.deepcopy(preset("quickstart"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["full", "paper", "quickstart", "graphs"])
def test_every_preset_is_accepted(name):
    check_config(preset(name), SCHEMA, DATASETS)


@pytest.mark.parametrize("name", ["full", "paper", "quickstart"])
def test_every_preset_has_the_experiments_that_the_figures_name(name):
    names = {entry["name"] for entry in without_left_out(preset(name))["experiments"]}
    assert {"curves", "labels", "terms", "flow", "descent", "zero-head", "depth-limit"} <= names


def test_the_paper_preset_runs_on_the_papers_graphs_only():
    config = without_left_out(preset("paper"))
    used = {name for entry in config["experiments"] for name in entry["datasets"]}
    assert used == {"cora", "citeseer"} == set(config["datasets"])


@pytest.mark.parametrize(
    ("edit", "parts"),
    [
        ({"devise": "cpu"}, ["devise: there is no such key", "did you mean device?"]),
        ({"device": "gpu"}, ["device: 'gpu' is not allowed", "cpu, cuda"]),
        ({"run": "../paper"}, ["run: '../paper' does not have the form"]),
        ({"run": 3}, ["run: must be text, not 3"]),
        ({"datasets": []}, ["datasets: must not be empty"]),
        ({"datasets": ["wine", "wine"]}, ["datasets: has a value twice"]),
        ({"datasets": ["wines"]}, ["datasets: there is no dataset 'wines'", "mean wine?", "cora"]),
        ({"leave_out": ["kora"]}, ["leave_out: there is no dataset 'kora'; did you mean cora?"]),
        ({"experiments": []}, ["experiments: must not be empty"]),
    ],
)
def test_top_level_mistakes(config, edit, parts):
    message = refused(config | edit)
    assert all(part in message for part in parts), message


@pytest.mark.parametrize(
    ("key", "value", "parts"),
    [
        ("init", ["ortogonal"], ["experiments[flow].init[0]: 'ortogonal'", "mean orthogonal?"]),
        ("depth", [-1], ["experiments[flow].depth[0]: must be at least 0, not -1"]),
        ("depth", [2.5], ["experiments[flow].depth[0]: must be a whole number, not 2.5"]),
        ("depth", 2, ["experiments[flow].depth: must be a list, not 2"]),
        ("width", [0], ["experiments[flow].width[0]: must be at least 1"]),
        ("width", ["input"], ["experiments[flow].width[0]: must be a whole number, not 'input'"]),
        ("steps", "many", ["experiments[flow].steps: must be a whole number, not 'many'"]),
        ("features", ["pca"], ["experiments[flow].features[0]: 'pca' is not allowed", "pca-<r>"]),
        (
            "labels",
            [True],
            ["[flow].labels[0]: True is not allowed", '"true" in quotes'],
        ),
        ("thresholds", [1.5], ["experiments[flow].thresholds[0]: must be below 1, not 1.5"]),
        ("observe", ["lambda"], ["experiments[flow].observe[0]: 'lambda'", "time_condition"]),
        (
            "observe",
            ["conservation"],
            ["observe[0]: 'conservation' is not allowed", "rates, sharpness, accuracy)"],
        ),
        ("sede", [0], ["experiments[flow].sede: there is no such key; did you mean seed?"]),
        ("datasets", ["cora"], ["'cora' is not in `datasets`; add it there, or to `leave_out`"]),
        ("lr", [0.1], ["experiments[flow].lr: gradient flow has no step size"]),
    ],
)
def test_mistakes_in_an_experiment(config, key, value, parts):
    entry = next(e for e in config["experiments"] if e["name"] == "flow")
    entry[key] = value
    message = refused(config)
    assert all(part in message for part in parts), message


def test_float32_is_for_gradient_descent_and_adam_without_theorems(config):
    entry = next(e for e in config["experiments"] if e["name"] == "curves")
    entry["precision"] = "float32"
    check_config(config, SCHEMA, DATASETS)
    entry["observe"] = ["sharpness"]
    check_config(config, SCHEMA, DATASETS)
    entry["precision"] = "half"
    assert "experiments[curves].precision: 'half' is not allowed" in refused(config)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("optimizer", ["adam", "flow"], "optimizer: flow"),
        ("observe", ["gradient_terms"], "observe: gradient_terms"),
        ("observe", ["sharpness", "time_condition"], "observe: time_condition"),
        ("observe", ["rates"], "observe: rates"),
    ],
)
def test_float32_is_refused_where_a_theorem_speaks(config, key, value, reason):
    entry = next(e for e in config["experiments"] if e["name"] == "curves")
    entry |= {"activation": ["linear"], "precision": "float32", key: value}
    message = refused(config)
    assert "experiments[curves].precision: float32 is for" in message
    assert f"use float64 with {reason}" in message
    entry["precision"] = "float64"
    check_config(config, SCHEMA, DATASETS)


def test_a_missing_key_is_named(config):
    del config["experiments"][0]["seed"]
    assert "experiments[curves]: missing seed" in refused(config)


def test_gradient_descent_needs_a_step_size(config):
    entry = next(e for e in config["experiments"] if e["name"] == "descent")
    del entry["lr"]
    assert "experiments[descent]: missing lr, for gd" in refused(config)


def test_two_experiments_of_one_name_are_refused(config):
    config["experiments"].append(config["experiments"][0])
    assert "2 entries are named 'curves'" in refused(config)


def test_a_number_that_yaml_reads_as_text_gets_a_hint(config):
    config["experiments"][0]["lr"] = yaml.safe_load("[1e-4]")
    message = refused(config)
    assert "experiments[curves].lr[0]: must be a number, not '1e-4'" in message
    assert "1.0e-4" in message


def test_all_mistakes_are_told_at_once(config):
    message = refused(config | {"devise": "cpu", "run": 3})
    assert "devise" in message and "run: must be text" in message


def test_left_out_graphs_vanish_from_the_experiments():
    config = without_left_out(preset("full") | {"leave_out": ["cora"]})
    assert all("cora" not in entry["datasets"] for entry in config["experiments"])
    assert config["leave_out"] == []


def test_an_experiment_without_a_graph_is_left_out_altogether():
    config = without_left_out(preset("full") | {"leave_out": ["cora", "citeseer"]})
    assert [entry["name"] for entry in config["experiments"]] == ["flow-large"]


def test_every_key_is_documented():
    text = (CONFIG / "README.md").read_text()
    documented = set(re.findall(r"`([a-z_]+)`", text))
    keys = set(SCHEMA["properties"]) | set(SCHEMA["$defs"]["experiment"]["properties"])
    keys |= set(SCHEMA["properties"]["graph_condition"]["properties"])
    assert keys <= documented
