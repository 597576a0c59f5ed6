"""Which rows of an earlier part are kept, and which seeds are trained anew."""

from pathlib import Path

import pandas as pd
import pytest
from claims_tables import RUN
from declared import TABLES

from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.artifacts.provenance import digest
from gnn_dynamics.workflow.kept_seeds import keep, second_name, train_missing

NAMES = ("training", "speed")
STEP = {"step": 0, "time": 0.0, "grad_norm_sq": 1.0, "lr_lambda_max": None, "loss_increases": 0}
THRESHOLD = {"threshold": 0.5, "threshold_kind": "initial", "time_to_threshold": None}
THRESHOLD |= {"steps_to_threshold": None, "censored": True, "end_time": 1.0}


def made(seeds: list[int], **more) -> dict:
    config = {"settings": {"seed": seeds, "steps": 5}, "device": "cpu"}
    return {
        "rule": "train_block",
        "code": "abc",
        "config": config,
        "config_hash": digest(config),
    } | more


def tables(seeds: list[int], loss: float) -> dict[str, pd.DataFrame]:
    """Rows of each seed; the loss tells who trained them, some integers are null."""
    training = [RUN | STEP | {"seed": s, "loss": loss, "status": "ok"} for s in seeds]
    speed = [RUN | THRESHOLD | {"seed": s} for s in seeds]
    speed += [row | {"threshold": 0.1, "steps_to_threshold": 3, "censored": False} for row in speed]
    return {"training": pd.DataFrame(training), "speed": pd.DataFrame(speed)}


@pytest.fixture
def paths(tmp_path):
    return {name: str(tmp_path / "parts" / name / "block.parquet") for name in NAMES}


def write(paths, provenance: dict, found: dict[str, pd.DataFrame]) -> None:
    for name, frame in found.items():
        write_table(frame, paths[name], TABLES[name], provenance)
    keep(paths[name] for name in found)


def trained(paths, provenance: dict) -> tuple[list[int], dict[str, pd.DataFrame]]:
    """The seeds that are trained, and the tables."""
    asked = []

    def train(settings):
        asked.extend(settings["seed"])
        assert settings["steps"] == 5
        return tables(settings["seed"], loss=2.0)

    return asked, train_missing(paths, provenance, train)


def test_nothing_is_there_and_all_is_trained(paths):
    asked, found = trained(paths, made([0, 1]))
    assert asked == [0, 1]
    assert set(found["training"]["loss"]) == {2.0}


@pytest.mark.parametrize(
    ("seeds", "missing"), [([0, 1, 2], [2]), ([2, 1], [2]), ([1], []), ([1, 0], []), ([5], [5])]
)
def test_only_missing_seeds_are_trained(paths, seeds, missing):
    write(paths, made([0, 1]), tables([0, 1], loss=1.0))
    asked, found = trained(paths, made(seeds))
    assert asked == missing
    losses = found["training"].set_index("seed")["loss"].to_dict()
    assert losses == {seed: 2.0 if seed in missing else 1.0 for seed in seeds}
    assert set(found["speed"]["seed"]) == set(seeds)


def test_the_bytes_are_those_of_training_all_at_once(paths, tmp_path):
    write(paths, made([0, 1]), tables([0, 1], loss=2.0))
    asked, found = trained(paths, made([0, 1, 2]))
    assert asked == [2]
    write(paths, made([0, 1, 2]), found)
    clean = {name: str(tmp_path / "clean" / name / "block.parquet") for name in NAMES}
    write(clean, made([0, 1, 2]), tables([0, 1, 2], loss=2.0))
    for name in NAMES:
        assert Path(paths[name]).read_bytes() == Path(clean[name]).read_bytes(), name


@pytest.mark.parametrize(
    "other",
    [
        {"code": "abd"},
        {"config": {"settings": {"seed": [0, 1], "steps": 6}, "device": "cpu"}},
        {"config": {"settings": {"seed": [0, 1], "steps": 5}, "device": "cuda"}},
        {"rule": "another"},
    ],
)
def test_anything_else_that_has_changed_trains_every_seed(paths, other):
    write(paths, made([0, 1], **other), tables([0, 1], loss=1.0))
    asked, _ = trained(paths, made([0, 1, 2]))
    assert asked == [0, 1, 2]


def test_tables_of_two_runs_keep_what_they_share(paths):
    """A job that was killed between two of its tables."""
    write(paths, made([0, 1]), tables([0, 1], loss=1.0))
    write(paths, made([0, 1, 2]), {"speed": tables([0, 1, 2], loss=1.0)["speed"]})
    asked, found = trained(paths, made([0, 1, 2]))
    assert asked == [2]
    assert found["speed"].groupby("seed").size().to_dict() == {0: 2, 1: 2, 2: 2}


@pytest.mark.parametrize("content", [b"", b"PAR1 cut short"])
def test_a_damaged_or_missing_table_trains_every_seed(paths, content):
    write(paths, made([0, 1]), tables([0, 1], loss=1.0))
    second_name(paths["speed"]).write_bytes(content)
    asked, _ = trained(paths, made([0, 1]))
    assert asked == [0, 1]
