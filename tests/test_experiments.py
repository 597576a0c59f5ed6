"""An experiment is the product of its lists, and a block is what one job trains."""

import pytest

from gnn_dynamics.config.grid import BATCH_KEYS, KEYS, blocks, entry, grouped, runs, squared_cells
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
