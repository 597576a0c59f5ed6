"""The blocks of the preset `paper` that cost a CPU most, end to end: graph to tables."""

import contextlib
import io
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pandas as pd

from benchmarks.gpu.case import Item, Setting, synchronize
from gnn_dynamics.config.grid import Block
from gnn_dynamics.runs.block import train_block
from gnn_dynamics.spectra.optimum import block_optimum

# The experiments of config/config.yaml, without YAML; a test compares them.
# Those on principal components are left out: they need scikit-learn.
THEOREMS: dict[str, Any] = {
    "features": ["row"],
    "nodes": ["train"],
    "width": [160],
    "loss_fn": ["squared"],
    "labels": ["true"],
    "seed": [0],
    "spacing": "log",
}
EXPERIMENTS: dict[str, dict[str, Any]] = {
    "flow": THEOREMS
    | {
        "init": ["default", "orthogonal"],
        "optimizer": ["flow"],
        "steps": 1000,
        "record": 41,
        "observe": ["time_condition", "rates"],
    },
    "conditions": THEOREMS
    | {
        "init": ["default", "xavier", "orthogonal"],
        "optimizer": ["adam"],
        "lr": [1e-4],
        "steps": 300,
        "record": 31,
        "observe": ["time_condition"],
    },
}
BLOCKS = [Block(name, "citeseer", "gin", "linear", True, 6) for name in EXPERIMENTS]
SMALL = {"steps": 20, "record": 3}


def blocks(setting: Setting) -> Iterator[Item]:
    """The deepest blocks with skip connections on CiteSeer with GIN."""
    for block in BLOCKS:
        experiment = EXPERIMENTS[block.experiment] | (SMALL if setting.small else {})
        graph = setting.graph("citeseer").name
        yield Item(f"{block.id} end to end", partial(seconds, setting, experiment, block), graph)


def seconds(setting: Setting, experiment: Mapping[str, Any], block: Block) -> dict[str, Any]:
    """Wall time of a block, L* included. It fails where a run diverges."""
    start = time.perf_counter()
    tables = tables_of(setting, experiment, block)
    synchronize(setting)
    elapsed = time.perf_counter() - start
    training = tables["training"]
    runs = len(tables["speed"].drop_duplicates(["init", "seed"]))
    diverged = int((training["status"] == "diverged").sum())
    steps = training.groupby(["init", "seed"])["step"].max().to_list()
    return {
        "value": elapsed,
        "unit": f"s for {runs} runs",
        "state": "failed" if diverged else "ok",
        "note": f"steps {steps}, integrator {training['integrator'].iloc[0]}",
    }


def tables_of(
    setting: Setting, experiment: Mapping[str, Any], block: Block
) -> dict[str, pd.DataFrame]:
    graph = setting.graph(block.dataset)
    optimum = block_optimum(graph, experiment, block)
    with contextlib.redirect_stderr(io.StringIO()):  # the progress line
        return train_block(graph, experiment, block, optimum, setting.device)
