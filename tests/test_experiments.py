"""An experiment is the product of its lists, in blocks; each job trains some of the blocks."""

import math
from pathlib import Path

import pytest

from gnn_dynamics.config.grid import (
    BATCH_KEYS,
    JOB_PER,
    KEYS,
    Block,
    blocks,
    entry,
    grouped,
    jobs,
    runs,
    squared_cells,
)
from gnn_dynamics.config.schema import read_yaml
from gnn_dynamics.errors import UserError

ENTRY = {
    "name": "demo",
    "datasets": ["wine", "digits"],
    "aggregation": ["gcn", "gin"],
    "features": ["row"],
    "nodes": ["train"],
    "multiscale": [True, False],
    "activation": ["linear"],
    "depth": [1, 2],
    "width": [8, 16],
    "init": ["default"],
    "loss_fn": ["squared"],
    "optimizer": ["gd", "flow"],
    "lr": [0.1, 0.01],
    "labels": ["true", "permuted"],
    "seed": [0, 1, 2],
}
CONFIG = {"experiments": [ENTRY]}


def test_blocks_are_the_product_of_what_a_job_does_not_batch():
    found = blocks(CONFIG)
    assert len(found) == len(set(found)) == 2 * 2 * 2 * 2
    assert len({block.id for block in found}) == len(found)
    assert found[0].id == "demo/digits/gcn-linear-noskip-H1"


def test_a_block_is_read_from_its_id():
    assert [Block.of(block.id) for block in blocks(CONFIG)] == blocks(CONFIG)


@pytest.mark.parametrize("per", JOB_PER)
def test_jobs_divide_the_blocks_and_keep_their_order(per):
    config = {"experiments": [{**ENTRY, "job_per": per}, {**ENTRY, "name": "apart"}]}
    found = jobs(config)
    assert [block for group in found.values() for block in group] == blocks(config)
    keys = ("experiment", *JOB_PER[: JOB_PER.index(per) + 1])
    shared = [{tuple(getattr(b, key) for key in keys) for b in group} for group in found.values()]
    assert all(len(values) == 1 for values in shared)
    lists = [ENTRY[key] for key in ("datasets", "aggregation", "activation", "multiscale", "depth")]
    assert len(found) == math.prod(map(len, lists[: len(keys) - 1])) + math.prod(map(len, lists))


def test_a_job_is_named_by_what_its_blocks_share():
    block = Block("demo", "wine", "gcn", "linear", True, 2)
    assert block.job("dataset") == "demo/wine/all"
    assert block.job("activation") == "demo/wine/gcn-linear"
    assert block.job("depth") == block.id == "demo/wine/gcn-linear-skip-H2"


def test_the_schema_allows_every_division_into_jobs_and_no_other():
    schema = read_yaml(Path(__file__).resolve().parents[1] / "config" / "schema.yaml")
    allowed = schema["$defs"]["experiment"]["properties"]["job_per"]["enum"]
    assert tuple(allowed) == JOB_PER


def test_runs_have_a_rate_unless_they_follow_the_flow():
    rows = runs(ENTRY, blocks(CONFIG)[0])
    assert all(tuple(row) == KEYS for row in rows)
    assert all((row["lr"] is None) == (row["optimizer"] == "flow") for row in rows)
    assert len(rows) == 2 * (2 + 1) * 2 * 3  # widths x (rates + flow) x labels x seeds


def test_batches_have_tensors_of_one_shape_and_lose_no_run():
    rows = runs(ENTRY, blocks(CONFIG)[0])
    groups = [runs for _, runs in grouped(rows, BATCH_KEYS)]
    assert len(groups) == 2 * 2
    assert sum(map(len, groups)) == len(rows)
    assert all(len({(run["width"], run["optimizer"]) for run in group}) == 1 for group in groups)


def test_automatic_rates_are_left_open():
    rows = runs({**ENTRY, "lr": "auto", "optimizer": ["gd"]}, blocks(CONFIG)[0])
    assert {row["lr"] for row in rows} == {None}


def test_optimum_is_needed_once_per_cell_and_only_for_the_squared_loss():
    config = {"experiments": [ENTRY, {**ENTRY, "name": "again"}]}
    assert len(squared_cells(config, "wine")) == 2 * 2 * 2 * 2 * 3
    assert squared_cells({"experiments": [{**ENTRY, "loss_fn": ["cross_entropy"]}]}, "wine") == []


def test_unknown_and_repeated_names_are_refused():
    with pytest.raises(UserError, match=r"'other'.*demo"):
        entry(CONFIG, "other")
    with pytest.raises(UserError, match="2 entries are named 'demo'"):
        blocks({"experiments": [ENTRY, ENTRY]})
