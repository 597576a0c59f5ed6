"""Train one block: all runs of an experiment on one graph, model and depth, as rows of four tables.

This is where data, engine and theory meet; each of them knows nothing of the others.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
import torch

from gnn_dynamics.config.grid import Block, batches, runs
from gnn_dynamics.data.graph import Graph
from gnn_dynamics.dynamics.sharpness import lambda_max
from gnn_dynamics.dynamics.steppers import STEPPERS, Stepper, flow
from gnn_dynamics.dynamics.train import Trajectory, train
from gnn_dynamics.linalg.device import torch_device
from gnn_dynamics.models.costs import models_per_batch
from gnn_dynamics.models.forms import choose_form
from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.model import Architecture, Weights, stack_weights
from gnn_dynamics.problem.problem import build_problem
from gnn_dynamics.problem.targets import targets
from gnn_dynamics.runs import learning_rates
from gnn_dynamics.runs.learning_rates import Score
from gnn_dynamics.runs.recording import Recorder, record_steps
from gnn_dynamics.runs.speed import has_optimum, speed_rows
from gnn_dynamics.runs.tables import BLOCK_TABLES
from gnn_dynamics.theory.metrics import Setting, prepare
from gnn_dynamics.theory.relu import relu_gradient
from gnn_dynamics.theory.time_condition import with_infima

Run = dict[str, Any]
THRESHOLDS = (0.5, 0.1, 0.01)


def train_block(
    graph: Graph,
    experiment: Mapping[str, Any],
    block: Block,
    optimum: pd.DataFrame | None = None,
    device: str = "cpu",
) -> dict[str, pd.DataFrame]:
    """Tables training, time_condition, gradient_terms and speed of a block.

    optimum: rows of optimum.parquet for this graph; None where no run has a squared loss.

    Raises:
        UserError: for a width, initialisation or device that the experiment cannot have.
    """
    problem = cache(partial(build_problem, graph, block.aggregation))
    trained = [
        rows
        for members in batches(runs(experiment, block))
        for rows in _train_batch(_Batch(problem, experiment, block, optimum, device, members))
    ]
    tables = {table: _frame(rows[table] for rows in trained) for table in BLOCK_TABLES}
    tables["time_condition"] = with_infima(tables["time_condition"])
    return tables


def _frame(parts: Iterable[list[Run]]) -> pd.DataFrame:
    return pd.DataFrame([row for rows in parts for row in rows])


class _Batch:
    """What the runs of a batch share: problem, shapes, settings."""

    def __init__(self, problem, experiment, block, optimum, device, members: list[Run]):
        first = members[0]
        self.settings, self.optimum, self.device = experiment, optimum, device
        self.problem = problem(first["features"], first["nodes"])
        self.loss_fn, self.optimizer = first["loss_fn"], first["optimizer"]
        self.members = members
        self.arch = Architecture(
            self.problem.m_x,
            first["width"],
            self.problem.m_y,
            block.depth,
            block.multiscale,
            block.activation,
        )
        self.form = choose_form(
            self.problem, self.arch, self.loss_fn, self.optimizer, device=device
        )
        self.label = f"{block.id} {self.optimizer}"

    @cached_property
    def models_side_by_side(self) -> int:
        """How many share the cache, or a GPU's memory; what they learn does not depend on it."""
        m = max(t.shape[-1] for t in _initial(self, self.members[:1])[1].tensors())
        place = torch_device(self.device)
        return models_per_batch(self.arch, m, self.problem.nbar, self.optimizer, place)


def _train_batch(batch: _Batch) -> list[dict[str, list[Run]]]:
    """Train the members, or with `lr: auto` as many rates of each as it takes."""
    if batch.optimizer == "flow" or batch.settings.get("lr") != "auto":
        return _train_groups(batch, batch.members)
    start = learning_rates.start_index(_curvature(batch))
    scores: dict[tuple[int, int], Score] = {}
    tables = []
    todo = learning_rates.first_rates(range(len(batch.members)), start)
    while todo:
        members = [{**batch.members[i], "lr": learning_rates.rate(k)} for i, k in todo]
        trained = _train_groups(batch, members)
        tables += trained
        speed = [row for group in trained for row in group["speed"]]
        scores |= dict(zip(todo, _scores(speed), strict=True))
        todo = learning_rates.missing_rates(scores, start)
    return tables


def _curvature(batch: _Batch) -> float:
    """Largest curvature in a head over the raw propagated features: 2 sigma_max^2(G_H)."""
    sigma = batch.form.sigma_max
    return 2 * sigma**2 if batch.loss_fn == "squared" else sigma**2 / (2 * batch.problem.nbar)


def _scores(speed: list[Run]) -> list[Score]:
    """Steps to the smallest threshold relative to ||Y||^2, and the loss at the end."""
    smallest = min(row["threshold"] for row in speed)
    rows = [
        row
        for row in speed
        if row["threshold"] == smallest and row["threshold_kind"] == "label_norm"
    ]
    return [
        Score(
            math.inf if row["censored"] else row["steps_to_threshold"],
            math.inf if row["status"] == "diverged" else row["end_loss"],
        )
        for row in rows
    ]


def _train_groups(batch: _Batch, members: list[Run]) -> list[dict[str, list[Run]]]:
    size = batch.models_side_by_side
    groups = (members[i : i + size] for i in range(0, len(members), size))
    return [_train_members(batch, group) for group in groups]


def _train_members(batch: _Batch, members: list[Run]) -> dict[str, list[Run]]:
    Y = np.stack([targets(batch.problem, run["labels"], run["seed"]) for run in members])
    full, weights = _initial(batch, members)
    level = _levels(batch, members, Y)
    settings = batch.settings
    thresholds = settings.get("thresholds", THRESHOLDS)
    sharpness = lambda_max if "sharpness" in settings.get("observe", ()) else None
    recorder = Recorder(_setting(batch, full, weights), members, sharpness)
    trajectory = train(
        batch.form.objective(torch.from_numpy(Y).to(batch.device)),
        weights,
        _stepper(batch),
        None if batch.optimizer == "flow" else [run["lr"] for run in members],
        settings["steps"],
        record_steps(settings["steps"], settings["record"], settings.get("spacing", "linear")),
        recorder.observe,
        stop_below=_last_thresholds(level, thresholds) if settings.get("stop_early") else None,
        label=batch.label,
    )
    rows = recorder.rows(trajectory, batch.form.name)
    rows["speed"] = _speed(trajectory, members, level, thresholds)
    return rows


def _setting(batch: _Batch, full: Weights, weights: Weights) -> Setting:
    """What the theorems need to know before the first step."""
    observed = batch.settings.get("observe", ())
    linear = batch.arch.activation == "linear"
    needs_features = linear and {"time_condition", "rates"} & set(observed)
    return prepare(
        batch.arch,
        observed,
        weights,
        flow=batch.optimizer == "flow",
        G=batch.form.G if needs_features else None,
        full=(batch.problem.m_x, batch.problem.nbar),
        expand=lambda w, models: batch.form.expand(w, full.take(models)),
        second_gradient=None
        if linear
        else relu_gradient(batch.problem, batch.arch.levels, batch.loss_fn),
    )


def _initial(batch: _Batch, members: list[Run]) -> tuple[Weights, Weights]:
    """K models in the order of `members`, in full and as they are trained."""
    drawn = [initial_weights(batch.arch, run["init"], [run["seed"]]) for run in members]
    full = stack_weights(drawn).map(lambda tensor: tensor.to(batch.device))
    return full, batch.form.reduce(full)


def _stepper(batch: _Batch) -> Stepper:
    if batch.optimizer == "flow":
        return flow(lambda_max, batch.settings.get("lr_factor", 2.0))
    return STEPPERS[batch.optimizer]


@dataclass(frozen=True)
class _Levels:
    """Where the excess of each run is counted from and measured against, (K,) each."""

    loss_optimum: np.ndarray
    label_norm_sq: np.ndarray


def _levels(batch: _Batch, members: list[Run], Y: np.ndarray) -> _Levels:
    norms = np.square(Y).sum(axis=(1, 2))
    if batch.loss_fn == "cross_entropy":
        norms = np.full(len(members), math.log(batch.problem.m_y))
    optima = [_optimum(batch.optimum, run) if has_optimum(run) else 0.0 for run in members]
    return _Levels(np.array(optima), norms)


def _optimum(table: pd.DataFrame, run: Run) -> float:
    """L* of a run's cell in optimum.parquet."""
    keys = ("aggregation", "features", "nodes", "multiscale", "depth", "labels", "seed")
    cell = np.logical_and.reduce([table[key] == run[key] for key in keys])
    (value,) = table.loc[cell, "loss_optimum"]
    return float(value)


def _last_thresholds(level: _Levels, thresholds: Iterable[float]) -> torch.Tensor:
    """Loss below which every threshold relative to ||Y||^2 is reached."""
    return torch.from_numpy(level.loss_optimum + min(thresholds) * level.label_norm_sq)


def _speed(
    trajectory: Trajectory, members: list[Run], level: _Levels, thresholds: Iterable[float]
) -> list[Run]:
    return speed_rows(
        trajectory.loss.cpu().numpy(),
        trajectory.time.cpu().numpy(),
        level.loss_optimum,
        level.label_norm_sq,
        list(thresholds),
        members,
        trajectory.status,
    )
