"""A finished run of a preset, end to end, against the same grid by a plain PyG script.

`python -m benchmarks preset [results/paper]` reads how long the jobs took (Snakemake's benchmark
files) and how many steps every run made (training.parquet), and measures a step of plain PyG for
each kind of cell on this machine. A PyG script is charged for its gradients only, four for a step
of the gradient flow: not for finding the step size, nor for anything that is observed.

A job, which computes with one thread, is charged for its wall time: Snakemake looks at the CPU time
and memory of a job every 30 seconds once it has run that long, and misses the rest, a fifth of all.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import torch
from tqdm import tqdm

from benchmarks.measure import seconds_per_call
from benchmarks.pyg import PygModel, training_step
from gnn_dynamics.artifacts.parquet import read_table, write_table
from gnn_dynamics.artifacts.table import Table
from gnn_dynamics.config.grid import BATCH_KEYS, KEYS, Block
from gnn_dynamics.data.graph import load_graph
from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.model import Architecture
from gnn_dynamics.problem.problem import Problem, build_problem

LR = 1e-9  # what is timed should not diverge
GRADIENTS = {"flow": 4}  # in a step of RK4; one in a step of the others
OPTIMIZER = {"flow": "gd"}  # whose update stands for that of a stage
# What tells one timing from another.
CELL = [key for key in (*Block.__dataclass_fields__, *BATCH_KEYS) if key != "experiment"]


def main(run: str = "results/paper") -> None:
    """Measure, print, and write results/benchmark/preset.parquet."""
    torch.set_num_threads(1)
    folder = Path(run)
    table = compare(folder)
    print(table.to_string(index=False, float_format="{:.4g}".format))
    jobs = job_times(folder)
    print(f"All {len(jobs)} jobs: {jobs.s.sum():.0f} s of one core.")
    largest = jobs.loc[jobs.max_rss.idxmax()]
    print(f"Largest job: {largest.max_rss:.0f} MB ({largest.rule}).")
    path = Path("results") / "benchmark" / "preset.parquet"
    write_table(table, path, Table(), {"torch": torch.__version__, "run": folder.name})


def compare(folder: Path) -> pd.DataFrame:
    """A row for each experiment, and their total: seconds of one core, ours and extrapolated."""
    cells = gradients(folder)
    cells["seconds_pyg"] = cells.gradients * pyg_seconds(cells)
    ours = job_times(folder, "train_block").groupby("experiment")["s"].sum()
    table = cells.groupby("experiment")[["runs", "gradients", "seconds_pyg"]].sum()
    table.insert(2, "seconds", ours)
    table.loc["all"] = table.sum()
    table["ratio_to_pyg"] = table.seconds_pyg / table.seconds
    return table.reset_index()


def job_times(folder: Path, rule: str | None = None) -> pd.DataFrame:
    """A row for each job: rule, experiment, s (wall time), max_rss (MB); by Snakemake."""
    root = folder / "benchmarks"
    rows = []
    for path in sorted(root.rglob("*.tsv")):
        parts = path.relative_to(root).with_suffix("").parts
        if rule in (None, parts[0]):
            times = pd.read_csv(path, sep="\t", na_values="-").iloc[0].to_dict()
            rows.append({"rule": parts[0], "experiment": parts[1] if parts[1:] else "", **times})
    if not rows:
        raise SystemExit(f"{folder} holds no finished run; run snakemake first (README.md)")
    return pd.DataFrame(rows)


def gradients(folder: Path) -> pd.DataFrame:
    """Runs and gradients for each experiment and kind of cell, by the last step of every run."""
    columns = [*KEYS, "step"]
    training = read_table(folder / "tables" / "training.parquet", columns=columns)
    last = training.groupby(list(KEYS), dropna=False, observed=True)["step"].max().reset_index()
    last["gradients"] = last.step * last.optimizer.map(GRADIENTS).fillna(1)
    grouped = last.groupby(["experiment", *CELL], observed=True)["gradients"]
    return grouped.agg(runs="size", gradients="sum").reset_index()


def pyg_seconds(cells: pd.DataFrame) -> pd.Series:
    """Seconds of one gradient with its update by PyG for each row; equal cells are timed once."""
    kinds = cells[CELL].drop_duplicates()
    found, problems = {}, {}
    for cell in tqdm(kinds.to_dict("records"), desc="steps of PyG", unit="cell"):
        key = tuple(cell[name] for name in ("dataset", "aggregation", "features", "nodes"))
        if key not in problems:
            problems = {key: build(*key)}  # one at a time: features are dense here
        found[tuple(cell.values())] = seconds_of_step(*problems[key], cell)
    return cells[CELL].apply(lambda row: found[tuple(row)], axis=1)


def build(dataset: str, aggregation: str, features: str, nodes: str) -> tuple[Problem, dict]:
    """The problem and the tensors that a PyG script would hold."""
    graph = load_graph(Path("data") / "prepared" / f"{dataset}.npz")
    problem = build_problem(graph, aggregation, features, nodes)
    if graph.graph_index is not None:
        raise SystemExit(f"{dataset} has a graph-level readout, which this comparison lacks")
    dense = problem.X.toarray() if hasattr(problem.X, "toarray") else problem.X
    labels = torch.as_tensor(problem.labels).long()
    coo = graph.adjacency.tocoo()
    edges = torch.stack([torch.as_tensor(coo.row), torch.as_tensor(coo.col)]).long()
    return problem, {
        "x": torch.as_tensor(dense),
        "edge_index": edges,
        "nodes": torch.as_tensor(problem.node_ids).long(),
        "Y": torch.nn.functional.one_hot(labels, problem.m_y).double(),
    }


def seconds_of_step(problem: Problem, data: Mapping, cell: Mapping) -> float:
    arch = Architecture(
        problem.m_x,
        cell["width"],
        problem.m_y,
        cell["depth"],
        cell["multiscale"],
        cell["activation"],
    )
    model = PygModel(arch, cell["aggregation"], initial_weights(arch, "default", [0]))
    optimizer = OPTIMIZER.get(cell["optimizer"], cell["optimizer"])
    step = training_step(model, **data, loss=cell["loss_fn"], optimizer=optimizer, lr=LR)
    return seconds_per_call({"pyg": step}, rounds=1)["pyg"]
