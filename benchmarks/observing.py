"""What looking at a run for the theorems costs: its share of the time of blocks of the preset.

`python -m benchmarks observing` trains blocks of config/config.yaml as they are, with and without
`observe`, in turns, and writes results/benchmark/observing.parquet.
"""

import contextlib
import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import yaml

from benchmarks.cora import ROOT, cora
from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.artifacts.table import Table
from gnn_dynamics.config.grid import Block, blocks, entry
from gnn_dynamics.linalg.memory import keep_freed_memory
from gnn_dynamics.runs.batch import SMALLEST_GAP
from gnn_dynamics.runs.block import train_block
from gnn_dynamics.spectra.optimum import block_optimum

BLOCKS = (
    "flow/cora/gcn-linear-noskip-H2",
    "flow/cora/gcn-linear-skip-H4",
    "flow-pca/cora/gcn-linear-skip-H4",
    "zero-head/cora/gcn-linear-skip-H4",
    "terms/cora/gcn-linear-skip-H2",
)
TURNS = 2


def main() -> None:
    """Measure, print and write."""
    torch.set_num_threads(1)
    keep_freed_memory()
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    known = {block.id: block for block in blocks(config)}
    table = pd.DataFrame([row(config, known[name]) for name in BLOCKS if name in known])
    print(table.to_string(index=False, float_format="{:.3g}".format))
    path = Path("results") / "benchmark" / "observing.parquet"
    write_table(table, path, Table(), {"torch": torch.__version__})


def row(config: Mapping[str, Any], block: Block) -> dict[str, Any]:
    """CPU seconds of a block with and without `observe`, the best of some turns each."""
    settings = entry(config, block.experiment)
    optimum = block_optimum(cora(), settings, block)
    settings = {**settings, "thresholds": [SMALLEST_GAP]}  # the same end with and without
    blind = {**settings, "observe": []}
    best = {"seconds": float("inf"), "seconds_unobserved": float("inf")}
    for _ in range(TURNS):
        for name, how in (("seconds", settings), ("seconds_unobserved", blind)):
            best[name] = min(best[name], _seconds(how, block, optimum))
    share = 1 - best["seconds_unobserved"] / best["seconds"]
    return {"block": block.id, "records": settings["record"], **best, "share": share}


def _seconds(settings: Mapping[str, Any], block: Block, optimum: pd.DataFrame) -> float:
    start = time.process_time()
    with contextlib.redirect_stderr(io.StringIO()):  # the progress of two dozen short runs
        train_block(cora(), settings, block, optimum)
    return time.process_time() - start
