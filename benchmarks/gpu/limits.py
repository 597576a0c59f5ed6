"""The tests that need a GPU, and whether training keeps to its memory."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import torch

from benchmarks.gpu.blocks import EXPERIMENTS, SMALL, tables_of
from benchmarks.gpu.case import Item, Setting, check
from gnn_dynamics.config.grid import Block
from gnn_dynamics.models.costs import bytes_per_model
from gnn_dynamics.runs import batch as batch_module
from gnn_dynamics.runs import block as block_module
from gnn_dynamics.runs.batch import Batch

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests" / "test_cuda.py"
SEEDS = 6  # runs of the block that does not fit at once
RUNS = 64  # runs of the blocks whose memory is measured
GIB = 2**30


def cuda_tests(setting: Setting) -> Iterator[Item]:
    """tests/test_cuda.py; on a GPU none of them may be skipped."""
    yield Item(f"tests/{TESTS.name}", partial(run_tests, setting))


def run_tests(setting: Setting) -> dict[str, Any]:
    command = [sys.executable, "-m", "pytest", "-q", "--noconftest", "-p", "no:cacheprovider"]
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    result = subprocess.run([*command, TESTS], cwd=ROOT, env=alone, capture_output=True, text=True)
    *_, last = (result.stdout + result.stderr).strip().splitlines() or ["no output"]
    complete = result.returncode == 0 and not (setting.on_gpu and "skipped" in last)
    return {"state": "ok" if complete else "failed", "note": last.strip("= ")}


def memory(setting: Setting) -> Iterator[Item]:
    """The memory of a block is what its size is computed from; one that does not fit is halved."""
    graph = setting.graph("citeseer").name
    for name in ("conditions", "flow"):
        case = f"block {name}, {RUNS} runs: memory over its estimate"
        yield Item(case, partial(peak, setting, name), graph, gpu_only=True)
    yield Item("a block that does not fit is halved", partial(halved, setting), graph)


def peak(setting: Setting, name: str) -> dict[str, Any]:
    """Most memory over the estimate, by which a block takes half of what is free: 2 is safe."""
    estimates = []

    def estimated(arch, m, nbar, optimizer, device, itemsize, nodes) -> int:
        estimates.append(RUNS * bytes_per_model(arch, m, nbar, optimizer, itemsize, nodes))
        return RUNS

    block = Block(name, "citeseer", "gcn", "linear", True, 2)
    experiment = EXPERIMENTS[name] | SMALL | {"observe": [], "init": ["default"], "width": [512]}
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    with mock.patch.object(batch_module, "models_per_batch", estimated):
        tables_of(setting, experiment | {"seed": list(range(RUNS))}, block)
    most = torch.cuda.max_memory_allocated() - before
    return check(most / estimates[0], 2.0, "of the estimate") | {"note": f"{most / GIB:.2g} GiB"}


def halved(setting: Setting) -> dict[str, Any]:
    """A block with little memory has the tables of one with enough.

    On a GPU the process may then use only what one run needs and a little more; on a CPU a stand-in
    raises the same error for more than one run.
    """
    block = Block("conditions", "citeseer", "gcn", "linear", True, 2)
    experiment = EXPERIMENTS["conditions"] | SMALL | {"observe": [], "init": ["default"]}
    experiment |= {"width": [2048 if setting.on_gpu else 16]}
    alone = experiment | {"seed": [0]}
    full = experiment | {"seed": list(range(SEEDS))}
    expected = tables_of(setting, full, block)
    sizes: list[int] = []
    train_runs = block_module._train_runs

    def counted(batch: Batch, runs: list[dict[str, Any]]) -> block_module.Tables:
        sizes.append(len(runs))
        if not setting.on_gpu and len(runs) > 1:
            raise torch.OutOfMemoryError("a stand-in for a GPU")
        return train_runs(batch, runs)

    with mock.patch.object(block_module, "_train_runs", counted):
        if setting.on_gpu:
            limit_memory(lambda: tables_of(setting, alone, block))
        sizes.clear()
        tables = tables_of(setting, full, block)
    keys, rtol = ["seed", "step"], 1e-9 if setting.on_gpu else 0.0
    got, want = (t["training"].sort_values(keys, ignore_index=True) for t in (tables, expected))
    pd.testing.assert_series_equal(got["loss"], want["loss"], rtol=rtol, atol=0)
    state = "ok" if min(sizes) < max(sizes) else "failed"
    return {"state": state, "note": f"runs side by side, tried in turn: {sizes}"}


def limit_memory(need: Callable[[], object]) -> None:
    """Let this process use no more than 1.3 times what `need()` takes."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_reserved()
    need()
    used = torch.cuda.max_memory_reserved() - before
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(min(1.0, (before + 1.3 * used) / total))
