"""Time and peak memory of every stage of the graph condition and of training, against size.

`python -m benchmarks scaling [CASE ...]` measures the cases named (default: all of CASES), each
stage in a process of its own, and writes results/benchmark/scaling.parquet with a picture. Cases
that are not named keep the rows that they have there.
"""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import torch

from benchmarks.measure import FOLDER
from benchmarks.scaling_plot import picture
from benchmarks.stages import STAGES, Case, make, measured
from gnn_dynamics.artifacts.parquet import read_table, write_table
from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.artifacts.table import Table


def by_nodes(nodes: int) -> Case:
    return Case(nodes, 15 * nodes, nodes * 2 // 25, series="nodes")


def by_entries(entries: int) -> Case:
    return Case(300_000, entries, 24_000, series="entries")


CASES = {
    **{f"{n:g}-nodes": by_nodes(n) for n in (10_000, 30_000, 100_000, 300_000, 10**6, 3 * 10**6)},
    **{f"{m:g}-entries": by_entries(m) for m in (15 * 10**5, 15 * 10**6, 45 * 10**6)},
    "products": Case(2_449_029, 126_000_000, 196_615, memory_gb=20),
    "arxiv-relu": Case(169_343, 2_315_598, 90_941, features=128, classes=40, model="relu"),
}


def main(*names: str) -> None:
    """Measure, print, and write the table with its picture."""
    rows = []
    for name in names or CASES:
        with tempfile.TemporaryDirectory() as folder:
            for row in stages(CASES[name], Path(folder)):
                rows.append({"case": name, **asdict(CASES[name]), **row})
                print(name, row, flush=True)
    path, provenance = FOLDER / "scaling.parquet", {"torch": torch.__version__}
    table = pd.DataFrame(rows)
    if path.exists():
        before = read_table(path)
        table = pd.concat([before[~before["case"].isin(table["case"])], table], ignore_index=True)
    write_table(table, path, Table(), provenance)
    save_figure(picture(table), FOLDER / "scaling.png", FOLDER / "scaling.pdf", provenance)


def stages(case: Case, folder: Path) -> Iterator[dict[str, object]]:
    """Rows of the stages, in the order in which they need each other."""
    apart(make, case, folder)
    for stage in STAGES[case.model]:
        yield {"stage": stage.__name__} | apart(measured, stage, case, folder)


def apart(function: Callable, *arguments: object):
    """What a function returns in a process of its own, which starts without any data."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()
