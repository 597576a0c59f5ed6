"""What float32 changes in training curves, against the spread over seeds.

`python -m benchmarks precision [STEPS [SEEDS [DATASET ...]]]` trains the curves of Figure 4 on
Cora and CiteSeer in both precisions and writes results/benchmark/precision.parquet.
"""

import contextlib
import io
import time
from collections.abc import Iterator
from itertools import product

import pandas as pd
import torch

from benchmarks.cora import graph
from benchmarks.measure import FOLDER
from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.artifacts.table import Table
from gnn_dynamics.config.grid import Block
from gnn_dynamics.linalg.memory import keep_freed_memory
from gnn_dynamics.runs.block import train_block

SETTINGS = {
    "features": ["row"],
    "nodes": ["all"],
    "width": [32],
    "init": ["default"],
    "loss_fn": ["cross_entropy"],
    "optimizer": ["adam"],
    "lr": [5e-5],
    "labels": ["true"],
    "record": 21,
    "thresholds": [0.95, 0.9, 0.8, 0.5],
}
PRECISIONS = ("float64", "float32")
POINT = ["seed", "step"]
CROSSING = ["seed", "threshold"]


def main(steps: str = "1000", seeds: str = "3", *datasets: str) -> None:
    """Measure, print and write."""
    torch.set_num_threads(1)
    keep_freed_memory()
    settings = {**SETTINGS, "steps": int(steps), "seed": list(range(int(seeds)))}
    found = []
    for row in rows(settings, datasets or ("cora", "citeseer")):
        print(" ".join(f"{name} {value}" for name, value in row.items()), flush=True)
        found.append(row)
    provenance = {"torch": torch.__version__, "steps": steps, "seeds": seeds}
    write_table(pd.DataFrame(found), FOLDER / "precision.parquet", Table(), provenance)


def rows(settings: dict, datasets: tuple[str, ...]) -> Iterator[dict]:
    """One row for each graph, activation, depth, with and without skips."""
    for cell in product(datasets, ("linear", "relu"), (True, False), (2, 4, 6)):
        dataset, activation, multiscale, depth = cell
        block = Block("precision", dataset, "gcn", activation, multiscale, depth)
        names = ("dataset", "activation", "multiscale", "depth")
        yield dict(zip(names, cell, strict=True)) | compared(settings, block)


def compared(settings: dict, block: Block) -> dict:
    """Differences between the precisions, and the spread over seeds, of one block.

    loss_difference: largest |L32 - L64| / L64 over seeds and recorded steps;  loss_spread:
    standard deviation over seeds of the last loss over its mean.  steps_difference: largest
    difference in steps to a threshold;  steps_spread: largest range of these steps over seeds.
    """
    models = settings["steps"] * len(settings["seed"])
    curves, crossings, milliseconds = [], [], []
    for precision in PRECISIONS:
        start = time.process_time()
        with contextlib.redirect_stderr(io.StringIO()):
            tables = train_block(graph(block.dataset), {**settings, "precision": precision}, block)
        milliseconds.append(1e3 * (time.process_time() - start) / models)
        curves.append(tables["training"].set_index(POINT)["loss"])
        speed = tables["speed"].query("threshold_kind == 'initial'").set_index(CROSSING)
        crossings.append(speed["steps_to_threshold"].astype(float))
    last = curves[0].loc[:, settings["steps"]]
    spread = crossings[0].groupby("threshold")
    return {
        "loss_difference": float(((curves[1] - curves[0]).abs() / curves[0]).max()),
        "loss_spread": float(last.std() / last.mean()),
        "steps_difference": float((crossings[1] - crossings[0]).abs().max()),
        "steps_spread": float((spread.max() - spread.min()).max()),
        "ms_float64": milliseconds[0],
        "ms_float32": milliseconds[1],
    }
