"""Does a race of one minute pick the network that a long run picks?

`python -m benchmarks race [MINUTES [SEEDS [STEPS [DATASET ...]]]]` races on each graph for MINUTES
(1), and trains all candidates to 1 % of the label norm from SEEDS (10) seeds with at most STEPS
(2000) steps. It writes results/benchmark/race.parquet and prints it: by threshold, the rank
correlation of the steps of both over the candidates that the race had time for, and the cost of its
pick, the steps of that in the long run over those of the best. Every finished candidate of the long
run is kept in results/benchmark/race/, so that the command resumes.
"""

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from benchmarks.measure import FOLDER
from gnn_dynamics.api.graphs import load_dataset
from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.artifacts.table import INTEGER, TEXT, Table, reals
from gnn_dynamics.cli.graph_input import Input
from gnn_dynamics.cli.race import ranked_runs, timed_race
from gnn_dynamics.data.graph import Graph
from gnn_dynamics.diagnosis.race import CANDIDATE, FINE, Heat, best_runs, heats
from gnn_dynamics.runs.block import train_block
from gnn_dynamics.spectra.optimum import block_optimum

DATASETS = ("cora", "citeseer", "texas", "amazon-photo", "tolokers")
TARGETS = ("steps_10", "steps_1")
AGREEMENT = Table(
    keys=("dataset", "threshold"),
    columns={"dataset": TEXT, "threshold": TEXT, "candidates": INTEGER, "raced": INTEGER}
    | reals("spearman", "cost"),
)


def main(minutes: str = "1", seeds: str = "10", steps: str = "2000", *datasets: str) -> None:
    """Compare on these data sets, or on DATASETS; print and write."""
    torch.set_num_threads(1)
    rows = []
    for name in datasets or DATASETS:
        graph = load_dataset(name)
        given = Input(graph, "raw", "train", math.inf)
        short = ranked_runs(given, timed_race(given, 5, 60 * float(minutes)))
        rows += agreement(short, long_run(graph, int(seeds), int(steps)))
        print(pd.DataFrame(rows).to_string(index=False), flush=True)
    write_table(rows, FOLDER / "race.parquet", AGREEMENT, {})


def long_run(graph: Graph, seeds: int, steps: int) -> pd.DataFrame:
    """The median steps of every candidate to each of TARGETS at its best rate for that."""
    plan = [heat for heat in heats(graph.name, "raw", "train", 1) if heat[1]["thresholds"] == FINE]
    frames = []
    for block, experiment in tqdm(plan, desc=f"long run on {graph.name}", file=sys.stderr):
        more = {"seed": [*range(seeds)], "steps": steps}
        frames.append(_candidate(graph, (block, experiment | more)))
    return pd.concat(frames)


def _candidate(graph: Graph, heat: Heat) -> pd.DataFrame:
    block, experiment = heat
    names = (block.model, *experiment["init"], *experiment["optimizer"])
    sizes = f"{len(experiment['seed'])}-{experiment['steps']}"
    kept = Path(FOLDER, "race", graph.name, f"{'-'.join(names)}-{sizes}.parquet")
    if not kept.is_file():
        optimum = block_optimum(graph, experiment, block) if block.activation == "linear" else None
        speed = train_block(graph, experiment, block, optimum)["speed"]
        best = {name: best_runs(speed, name) for name in TARGETS}
        medians = {name: runs.groupby([*CANDIDATE])[name].median() for name, runs in best.items()}
        kept.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(medians).reset_index().to_parquet(kept)
    return pd.read_parquet(kept)


def agreement(short: pd.DataFrame, long: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rank correlation and cost of the pick for each of TARGETS; rows of AGREEMENT.

    short: as of `ranking`, the pick first. long: as of `long_run`. Candidates that do not arrive
    have rank last, and a pick that does not arrive costs infinitely many steps.
    """
    both = short.merge(long, on=[*CANDIDATE], suffixes=("_short", ""))
    for target in TARGETS:
        ranks = both[["steps_10_short", target]].rank()
        yield {
            "dataset": short["dataset"].iloc[0],
            "threshold": target,
            "candidates": len(long),
            "raced": len(both),
            "spearman": float(ranks.corr().iloc[0, 1]),
            "cost": float(max(both[target].iloc[0], 1.0) / max(long[target].min(), 1.0)),
        }
