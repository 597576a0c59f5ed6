"""Made-up runs of several architectures, with times and predictors that a formula gives."""

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import numpy as np
from claims_tables import speed_row
from table_rows import row

from gnn_dynamics.claims.pair_target import PAIR

GRAPHS = ("cora", "citeseer", "pubmed", "actor", "texas", "wisconsin", "cornell")
DEPTHS = (2, 4, 8)
ADAM = {"optimizer": "adam", "loss_fn": "cross_entropy", "lr": 0.01, "lambda_start": np.nan}
Time = Callable[[bool, int], float | None]  # of (skips, depth); None: not reached


def slow(skip: bool, depth: int) -> float:
    """Skips are faster and deeper networks slower, all times different."""
    return float(10 * depth - 5 * skip)


def reverse(skip: bool, depth: int) -> float:
    return 1000 / slow(skip, depth)


def times(
    graphs: Iterable[str], relu: Time, linear: Time | None = slow, seeds=range(5), **changes: Any
) -> list[dict[str, Any]]:
    """Rows of speed.parquet for ReLU networks and linear twins under Adam."""
    kinds = {"relu": relu} | ({"linear": linear} if linear else {})
    return [
        speed_row(
            time(skip, depth), dataset=graph, activation=activation, multiscale=skip, depth=depth,
            seed=seed, threshold_kind=PAIR, **ADAM | changes,
        )
        for graph, depth, skip, seed in product(graphs, DEPTHS, (True, False), seeds)
        for activation, time in kinds.items()
    ]  # fmt: skip


def worlds(orders: dict[str, Time], **changes: Any) -> dict[str, list[dict[str, Any]]]:
    """speed and graphs: on each graph the ReLU networks are sorted by its formula."""
    speed = [one for graph, relu in orders.items() for one in times([graph], relu, **changes)]
    return {"speed": speed, "graphs": facts(orders)}


def facts(graphs: Iterable[str]) -> list[dict[str, Any]]:
    return [row("graphs", dataset=graph, features_count=100, classes=7) for graph in graphs]


def flows(graphs: Iterable[str], seeds=range(5)) -> dict[str, list[dict[str, Any]]]:
    """speed, training, optimum and graphs of flows that the curvature at the start predicts."""
    runs = [
        {"dataset": graph, "multiscale": skip, "depth": depth, "seed": seed}
        for graph, depth, skip, seed in product(graphs, DEPTHS, (True, False), seeds)
    ]
    speed, training, optimum = [], [], []
    for run in runs:
        time = slow(run["multiscale"], run["depth"])
        speed.append(speed_row(time, **run, threshold_kind=PAIR, lambda_start=1 / time))
        # The initial speed is grad_norm_sq / (3 - 1): the wrong way round.
        training.append(row("training", **run, step=0, loss=3.0, grad_norm_sq=2 * time))
        optimum.append(row("optimum", **run, loss_optimum=1.0))
    return {"speed": speed, "training": training, "optimum": optimum, "graphs": facts(graphs)}
