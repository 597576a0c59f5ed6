"""From OGB's files to the graph condition on graphs of ogbn-papers100M's shape, features in a file.

`python -m benchmarks papers [NODES ...]` writes the official files of random graphs with so many
nodes (default: SIZES), measures every stage in a process of its own, and writes
results/benchmark/papers.parquet. It prints exponents, and what the full size takes by them. Files
go to the temporary folder (TMPDIR): 1.6 kB for each node.
"""

import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.measure import FOLDER
from benchmarks.scaling import apart
from benchmarks.scaling_plot import exponent
from benchmarks.stages import STAGES, Case, Work, measured
from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.artifacts.table import Table
from gnn_dynamics.data.graph import save_graph
from gnn_dynamics.data.readers import read_dataset

SIZES = (10**6, 3_160_000, 10**7)
FULL = 111_059_956  # nodes; 1.6 billion edges, 1.5 million labelled nodes
EDGES, LABELLED = 15, 0.0137  # per node
FEATURES, CLASSES = 128, 172
MEMORY_GB = 6
ROWS = 2**16  # of features drawn at a time
# What is measured, and what of it is the program's own.
MEASURES = {
    "cpu_seconds": None,
    "anonymous_bytes": "program_anonymous_bytes",
    "peak_bytes": "program_bytes",
}
ENTRY = {
    "reader": "ogb",
    "source_url": "",
    "directed": True,
    "options": {"name": "ogbn-papers100M", "features": "numbers"},
    "files": dict.fromkeys(
        ["raw/data.npz", "raw/node-label.npz"]
        + [f"split/time/{part}.csv.gz" for part in ("train", "valid", "test")]
    ),
}


def main(*sizes: str) -> None:
    """Measure, print, and write the table."""
    rows = []
    for nodes in map(int, sizes or SIZES):
        with tempfile.TemporaryDirectory() as folder:
            for row in stages(case_of(nodes), Path(folder)):
                rows.append(asdict(case_of(nodes)) | row)
                print(nodes, row, flush=True)
    table = pd.DataFrame(rows)
    write_table(table, FOLDER / "papers.parquet", Table(), {"torch": torch.__version__})
    print(extrapolated(table).to_string())


def case_of(nodes: int) -> Case:
    labelled = round(LABELLED * nodes)
    entries = 2 * EDGES * nodes
    return Case(nodes, entries, labelled, MEMORY_GB, FEATURES, CLASSES, series="papers")


def stages(case: Case, folder: Path) -> Iterator[dict[str, object]]:
    """Rows of the stages, in the order in which they need each other."""
    apart(make, case, folder)
    for stage in (prepare, *STAGES["linear"]):
        yield {"stage": stage.__name__} | apart(measured, stage, case, folder)


def prepare(case: Case, folder: Path) -> Work:
    """Checksums, edges, features, checks: the job that prepares a graph."""
    return lambda: save_graph(read_dataset("papers", ENTRY, folder), folder / "graph.npz")


def extrapolated(table: pd.DataFrame) -> pd.DataFrame:
    """By stage: the exponent of each of MEASURES in the nodes, and its value at FULL nodes."""
    results = {}
    for stage, part in table.groupby("stage", sort=False):
        for measure, before in MEASURES.items():
            beyond = part[measure] - (part[before] if before else 0)
            slope, largest = exponent(part["nodes"], beyond), part["nodes"].idxmax()
            full = beyond[largest] * (FULL / part["nodes"][largest]) ** slope
            results[stage, measure] = {"exponent": slope, "at full size": full}
    return pd.DataFrame(results).T


# The files ---------------------------------------------------------------------------------------


def make(case: Case, folder: Path) -> None:
    """The official files: random edges, normal features; the labelled nodes are split in three."""
    rng, n = np.random.default_rng(0), case.nodes
    for name in ENTRY["files"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    edges = case.entries // 2
    with zipfile.ZipFile(folder / "raw" / "data.npz", "w") as archive:
        ends = (rng.integers(0, n, min(ROWS, edges - top)) for _ in "st" for top in tops(edges))
        write_member(archive, "edge_index", (2, edges), np.int64, ends)
        rows = (
            rng.standard_normal((min(ROWS, n - top), case.features), dtype=np.float32)
            for top in tops(n)
        )
        write_member(archive, "node_feat", (n, case.features), np.float32, rows)
        for name, count in (("num_nodes_list", n), ("num_edges_list", edges)):
            write_member(archive, name, (1,), np.int64, [np.array([count])])
    labels = np.full((n, 1), np.nan, dtype=np.float32)
    known = np.sort(rng.choice(n, case.labelled, replace=False))
    labels[known, 0] = rng.integers(0, case.classes, case.labelled)
    np.savez(folder / "raw" / "node-label.npz", node_label=labels)
    parts = np.split(known, [case.labelled * 8 // 10, case.labelled * 9 // 10])
    for name, part in zip(("train", "valid", "test"), parts, strict=True):
        pd.DataFrame(part).to_csv(
            folder / "split" / "time" / f"{name}.csv.gz", header=False, index=False
        )


def tops(count: int) -> range:
    return range(0, count, ROWS)


def write_member(
    archive: zipfile.ZipFile,
    name: str,
    shape: tuple[int, ...],
    dtype: type,
    blocks: Iterable[np.ndarray],
) -> None:
    """An array of an .npz file, from its blocks in order."""
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array_header_1_0(member, header)
        for block in blocks:
            member.write(np.ascontiguousarray(block).data)
