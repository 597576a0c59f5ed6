"""Which network trains fastest on a graph: the usual candidates, trained side by side.

A candidate is an aggregation, with or without skip connections, a depth, an activation, an
initialisation and an optimizer. Each is trained on the squared loss at learning rates that
`runs/learning_rates.py` chooses, until its excess L - L* is at most 10 % of the label norm ||Y||^2,
and the leaders then until it is at most 1 %. L* is the lowest loss of the model; it is unknown for
ReLU, and 0 takes its place there.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.artifacts.table import INTEGER, Table, reals
from gnn_dynamics.claims.statistics import median_intervals
from gnn_dynamics.config.grid import RUN, Block
from gnn_dynamics.data.graph import PARTS, Graph
from gnn_dynamics.diagnosis.accuracy import accuracies
from gnn_dynamics.runs.block import train_block
from gnn_dynamics.spectra.optimum import block_optimum

CANDIDATE = ("activation", "aggregation", "multiscale", "depth", "init", "optimizer")
DEPTHS = (1, 2, 4, 8)
SHARES = {"steps_50": 0.5, "steps_10": 0.1, "steps_1": 0.01}  # of the label norm
COARSE, FINE = [0.5, 0.1], [*SHARES.values()]
STEPS = (100, 1000)  # at most, coarse and refined
LEADERS = 8  # candidates that are trained to 1 %
CONFIDENCE, RESAMPLES = 0.9, 9999
RACE = Table(
    keys=("dataset", *CANDIDATE),
    columns={key: RUN[key] for key in ("dataset", *CANDIDATE, "features", "nodes", "width")}
    | {"seeds": INTEGER}
    | reals(*SHARES, "steps_low", "steps_high", "slower", "slower_low", "slower_high")
    | reals("best_lr", "largest_stable_lr", "lowest_loss", "end_loss")
    | reals(*(f"{part}_accuracy" for part in PARTS)),
)
Runs = dict[tuple[Any, ...], dict[str, Any]]  # by CANDIDATE and seed
Heat = tuple[Block, dict[str, Any]]


def race(graph: Graph, features: str, nodes: str, seeds: int) -> Iterator[Runs]:
    """The runs so far after each heat: one row for each candidate and seed.

    The race may be left at any time. A seed that reached 10 % in an earlier heat is not trained
    with more steps; then the leaders are trained to 1 %, which adds `steps_1` to their rows.
    """
    results: Runs = {}
    for block, experiment in heats(graph.name, features, nodes, seeds):
        model = (block.activation, block.aggregation, block.multiscale, block.depth)
        candidate = (*model, *experiment["init"], *experiment["optimizer"])
        known = {seed: results.get((*candidate, seed)) for seed in experiment["seed"]}
        fine = experiment["thresholds"] == FINE
        chosen = not fine or candidate in _leaders(results)
        left = [seed for seed, run in known.items() if chosen and _is_due(run, fine)]
        if left:
            for run in run_heat(graph, (block, {**experiment, "seed": left})):
                before = known[run["seed"]] or {}
                row = {**before, "steps_1": run["steps_1"]} if fine else run
                results[*candidate, run["seed"]] = row
        yield results


def _is_due(run: dict[str, Any] | None, fine: bool) -> bool:
    """Whether a seed is trained further: to 10 % until it arrives, then once to 1 %."""
    if run is None or run["steps_10"] == math.inf:
        return not fine
    return fine and math.isnan(run["steps_1"])


def _leaders(results: Runs) -> list[tuple[Any, ...]]:
    """The candidates with the fewest steps to 10 %, by their medians over seeds."""
    steps: dict[tuple[Any, ...], list[float]] = {}
    for (*candidate, _), run in results.items():
        steps.setdefault(tuple(candidate), []).append(run["steps_10"])
    return sorted(steps, key=lambda candidate: float(np.median(steps[candidate])))[:LEADERS]


def heats(name: str, features: str, nodes: str, seeds: int) -> list[Heat]:
    """Blocks and their experiments in the order of the race: coarse first, then refined.

    One seed of all models with Adam and few steps comes first, linear before ReLU; then further
    seeds, more steps, 1 % instead of 10 %, gradient descent, and the other initialisation.
    """
    shared = {
        "features": [features],
        "nodes": [nodes],
        "width": [64],
        "loss_fn": ["squared"],
        "lr": "auto",
        "labels": ["true"],
        "record": 2,
        "stop_early": True,
    }
    parts = [[0], [*range(1, seeds)]] if seeds > 1 else [[0]]
    stages = [*((steps, COARSE) for steps in STEPS), (STEPS[-1], FINE)]
    rounds = product(("default", "xavier"), ("adam", "gd"), stages, parts, ("linear", "relu"))
    return [
        (
            Block("race", name, aggregation, activation, skip, depth),
            {**shared, "init": [init], "optimizer": [optimizer], "seed": part}
            | {"steps": steps, "thresholds": thresholds},
        )
        for init, optimizer, (steps, thresholds), part, activation in rounds
        for depth, aggregation, skip in product(DEPTHS, ("gcn", "gin"), (False, True))
    ]


def run_heat(graph: Graph, heat: Heat) -> list[dict[str, Any]]:
    """One row for each seed of a block: steps at its best rate, losses and accuracies.

    The best rate is that to the lowest threshold; heats to 1 % give no accuracies.
    """
    block, experiment = heat
    optimum = block_optimum(graph, experiment, block) if block.activation == "linear" else None
    runs = best_runs(train_block(graph, experiment, block, optimum)["speed"])
    lowest = math.nan if optimum is None else float(optimum["loss_optimum"].iloc[0])
    rows: list[dict[str, Any]] = runs.to_dict("records")
    none: dict[str, float | None] = dict.fromkeys(PARTS)
    shares = [none] * len(rows) if experiment["thresholds"] == FINE else accuracies(graph, rows)
    return [
        row | {"lowest_loss": lowest} | {f"{part}_accuracy": share[part] for part in PARTS}
        for row, share in zip(rows, shares, strict=True)
    ]


def best_runs(speed: pd.DataFrame, target: str | None = None) -> pd.DataFrame:
    """The run at the best rate of each candidate and seed, from rows of the table `speed`.

    steps_50, steps_10, steps_1: steps to that share of the label norm, inf where it was not
    reached, NaN where it was not tried; largest_stable_lr: the largest of the tried rates that did
    not diverge. target: the name of the steps that the best rate has fewest of; default: of those
    to the smallest share.
    """
    rows = speed[speed["threshold_kind"] == "label_norm"].copy()
    rows["steps"] = rows["steps_to_threshold"].astype(float).fillna(math.inf)
    key = ["dataset", "features", "nodes", "width", "loss_fn", *CANDIDATE, "seed", "lr"]
    runs = rows[rows["threshold"] == rows["threshold"].min()].set_index(key)
    for name, threshold in SHARES.items():
        runs[name] = rows[rows["threshold"] == threshold].set_index(key)["steps"]
    runs = runs[["end_step", "end_loss", "status", *SHARES]].reset_index()
    stable = runs[runs["status"] == "ok"]
    largest = stable.groupby([*CANDIDATE, "seed"])["lr"].max()
    order = [*([target] if target else []), *reversed(SHARES), "end_loss", "lr"]
    best = stable.sort_values(order).groupby([*CANDIDATE, "seed"], as_index=False).first()
    return best.join(largest.rename("largest_stable_lr"), on=[*CANDIDATE, "seed"])


def ranking(runs: Sequence[dict[str, Any]], label_norm_sq: float) -> pd.DataFrame:
    """Candidates by their median steps to 10 %, fastest first; columns of RACE.

    Ties, and candidates that do not reach 10 %, are in the order of their losses at the end.
    slower: median factor of steps against the first, over the seeds of both, with its interval;
    the losses are shares of the label norm.
    """
    frame = pd.DataFrame([*runs])
    losses = ["lowest_loss", "end_loss"]
    frame[losses] /= label_norm_sq
    groups = frame.groupby([*CANDIDATE], sort=False)
    medians = groups[["end_loss", *SHARES]].median().sort_values(["steps_10", "end_loss"])
    fixed = ("dataset", "features", "nodes", "width")
    first = groups.get_group(medians.index[0]).set_index("seed")["steps_10"]
    rows = []
    for candidate, median in medians.iterrows():
        group = groups.get_group(candidate).set_index("seed")
        steps = group["steps_10"]
        shares = [f"{part}_accuracy" for part in PARTS]
        means = group[["lowest_loss", *shares]].astype(float).mean()
        rows.append(
            dict(zip(CANDIDATE, candidate, strict=True))
            | {name: group[name].iloc[0] for name in fixed}
            | {"seeds": len(group), **median, **means}
            | dict(zip(("steps_low", "steps_high"), _interval(steps), strict=True))
            | _slower(steps, first)
            | {"best_lr": group["lr"].median()}
            | {"largest_stable_lr": group["largest_stable_lr"].min()}
        )
    return pd.DataFrame(rows)[[*RACE.columns]]


def _slower(steps: pd.Series, first: pd.Series) -> dict[str, float]:
    """The median factor of steps against the first over common seeds, and its interval."""
    factor = (steps.clip(lower=1) / first.clip(lower=1)).dropna()  # a start below counts one step
    low, high = _interval(factor)
    return {"slower": factor.median(), "slower_low": low, "slower_high": high}


def _interval(values: pd.Series) -> Iterator[float]:
    """The bootstrap interval of the median; NaN for one value, the range where some are inf."""
    if len(values) < 2:
        return iter((math.nan, math.nan))
    if not np.isfinite(values).all():
        return iter((values.min(), values.max()))
    ends = median_intervals(values.to_numpy()[None], CONFIDENCE, RESAMPLES, 0)
    return iter(ends[:, 0].tolist())


def paired_factor(ranked: pd.DataFrame, column: str, one: Any, other: Any) -> tuple[float, int]:
    """Median ratio of steps to 10 %, `one` over `other`, and the pairs that both arrived."""
    rest = [key for key in CANDIDATE if key != column]
    steps = ranked.pivot(index=rest, columns=column, values="steps_10").clip(lower=1)
    if not {one, other} <= {*steps.columns}:
        return math.nan, 0
    ratio = (steps[one] / steps[other]).where(np.isfinite(steps).all(axis=1)).dropna()
    return float(ratio.median()), len(ratio)
