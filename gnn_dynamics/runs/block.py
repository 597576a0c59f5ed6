"""Train one block: all runs of an experiment on one graph, model and depth, as rows of four tables.

`problem` gives features and targets, `models` loss and gradient, `dynamics` the training and
`theory` the quantities that are recorded; they meet here.
"""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from gnn_dynamics.config import grid
from gnn_dynamics.config.grid import Block
from gnn_dynamics.data.graph import Graph
from gnn_dynamics.dynamics.sharpness import lambda_max
from gnn_dynamics.dynamics.steppers import STEPPERS
from gnn_dynamics.dynamics.train import train
from gnn_dynamics.errors import UserError
from gnn_dynamics.models.forms import Form
from gnn_dynamics.models.losses import output_curvature
from gnn_dynamics.models.model import Weights
from gnn_dynamics.problem.problem import Problem, targets
from gnn_dynamics.runs import learning_rates
from gnn_dynamics.runs.accuracy import accuracy_metric
from gnn_dynamics.runs.batch import Batch, Settings, make_batch, with_flow
from gnn_dynamics.runs.learning_rates import Score
from gnn_dynamics.runs.recording import Recorder, Run, record_steps
from gnn_dynamics.runs.speed import last_loss, references, speed_rows
from gnn_dynamics.runs.tables import BLOCK_TABLES
from gnn_dynamics.theory.metrics import Expand, Metric, linear_metrics, relu_metrics, sharpness
from gnn_dynamics.theory.relu import relu_gradient
from gnn_dynamics.theory.time_condition import with_infima

Tables = dict[str, list[Run]]  # rows of each of BLOCK_TABLES
log = logging.getLogger(__name__)


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
        UserError: for a width, initialisation, device or precision that the experiment cannot have.
    """
    for reason in grid.precision_problems(experiment):
        raise UserError(f"precision: {reason}.")
    for reason in grid.theorem_problems({**experiment, "activation": [block.activation]}):
        raise UserError(f"observe: {reason}.")
    settings = Settings.of(experiment)
    parts: list[Tables] = []
    for _, runs in grid.grouped(grid.runs(experiment, block), grid.BATCH_KEYS):
        batch = make_batch(graph, block, runs[0], settings, optimum, device)
        if batch.optimizer == "flow":
            for _, alike in grid.grouped(runs, ("labels",)):
                parts += _train_groups(with_flow(batch, alike[0]), alike)
        else:
            parts += (_search_rates if settings.lr == "auto" else _train_groups)(batch, runs)
    tables = {
        name: pd.DataFrame([row for part in parts for row in part[name]]) for name in BLOCK_TABLES
    }
    tables["time_condition"] = with_infima(tables["time_condition"])
    return tables


# Step sizes --------------------------------------------------------------------------------------


def _search_rates(batch: Batch, runs: list[Run]) -> list[Tables]:
    """Train each run with as many rates as its search takes, see learning_rates.py."""
    start = learning_rates.start_index(_curvature(batch.form, batch.problem))
    scores: dict[tuple[int, int], Score] = {}
    tables: list[Tables] = []
    todo = learning_rates.first_rates(range(len(runs)), start)
    while todo:
        rated = [{**runs[i], "lr": learning_rates.rate(k)} for i, k in todo]
        trained = _train_groups(batch, rated)
        tables += trained
        speed = [row for group in trained for row in group["speed"]]
        scores |= dict(zip(todo, learning_rates.scores(speed), strict=True))
        todo = learning_rates.missing_rates(scores, start)
    return tables


def _curvature(form: Form, problem: Problem) -> float:
    """Largest curvature in a head over the propagated features Gs, whose norm is sigma_max."""
    Y = torch.from_numpy(targets(problem, "true", 0)[None])
    return output_curvature(form.loss, Y) * form.sigma_max**2


# Training ----------------------------------------------------------------------------------------


def _train_groups(batch: Batch, runs: list[Run]) -> list[Tables]:
    """Train `size` runs at a time; where a GPU's memory runs out, half as many from then on."""
    tables: list[Tables] = []
    size = min(batch.size, len(runs))
    while runs:
        try:
            tables.append(_train_runs(batch, runs[:size]))
            runs = runs[size:]
        except torch.OutOfMemoryError as error:
            size = _half(batch, size, error)
        else:
            continue
        torch.cuda.empty_cache()  # the error, whose traceback held the tensors, is gone
    return tables


def _half(batch: Batch, size: int, error: torch.OutOfMemoryError) -> int:
    """Half of `size` models.

    Raises:
        UserError: where one model is too large.
    """
    if size == 1:
        raise UserError(
            f"{batch.label}: the GPU has too little memory for one model; set device: cpu, or"
            " reduce the width or the depth."
        ) from error
    log.warning("%s: %d models do not fit into the GPU's memory, trying half", batch.label, size)
    return size // 2


def _train_runs(batch: Batch, runs: list[Run]) -> Tables:
    settings, form = batch.settings, batch.form
    Y = np.stack([targets(batch.problem, run["labels"], run["seed"]) for run in runs])
    full, weights = batch.initial(runs)
    loss_optimum, label_norm_sq = references(batch.optimum, runs, Y)
    recorder = Recorder(_metrics(batch, full, weights), runs)
    objective = form.objective(torch.from_numpy(Y).to(batch.device))
    continuous = batch.flow is not None
    stepper = batch.flow.stepper(settings.tolerance) if batch.flow else STEPPERS[batch.optimizer]
    curvature = lambda_max(objective, weights).numpy(force=True) if continuous else None
    trajectory = train(
        objective,
        weights,
        stepper,
        None if continuous else [run["lr"] for run in runs],
        settings.steps,
        record_steps(settings.steps, settings.record, settings.spacing),
        recorder.record,
        stop_below=_end(batch, loss_optimum, label_norm_sq),
        label=batch.label,
    )
    integrator = batch.flow.name if batch.flow else None
    how = {"form": form.name, "integrator": integrator, "precision": settings.precision}
    rows = recorder.rows(trajectory, loss_optimum, how)
    rows["speed"] = speed_rows(
        trajectory.loss.cpu().numpy(),
        trajectory.time.cpu().numpy(),
        loss_optimum,
        label_norm_sq,
        settings.thresholds,
        runs,
        trajectory.status,
        curvature,
    )
    return rows


def _end(batch: Batch, loss_optimum: np.ndarray, label_norm_sq: np.ndarray) -> Tensor | None:
    """The loss (K,) at which runs have arrived.

    A flow ends at its last threshold and its target of pairs, or at a gap of SMALLEST_GAP where the
    theorems are observed; other runs end early only if `stop_early` says so.
    """
    settings = batch.settings
    if not (batch.flow or settings.stop_early):
        return None
    thresholds = settings.flow_thresholds if batch.flow else settings.thresholds
    return torch.from_numpy(last_loss(loss_optimum, label_norm_sq, thresholds))


def _metrics(batch: Batch, full: Weights, weights: Weights) -> list[Metric]:
    """The metrics to record; full, weights: at step 0, as `Batch.initial` gives them."""

    def expand(trained: Weights, models: torch.Tensor) -> Weights:
        return batch.form.expand(trained, full.take(models))

    observed = set(batch.settings.observe)
    metrics = [accuracy_metric(batch.accuracy, expand)] if batch.accuracy else []
    if batch.settings.precision == "float32":  # of which no theorem speaks
        return metrics + ([partial(sharpness, lambda_max)] if "sharpness" in observed else [])
    return metrics + _theory_metrics(batch, weights, observed - {"accuracy"}, expand)


def _theory_metrics(
    batch: Batch, weights: Weights, names: set[str], expand: Expand
) -> list[Metric]:
    problem, arch, form = batch.problem, batch.arch, batch.form
    if arch.activation != "linear":
        second_gradient = relu_gradient(problem, arch.levels, form.loss, arch.activation)
        return relu_metrics(arch, names, second_gradient, expand, lambda_max)
    return linear_metrics(
        arch,
        names,
        weights,
        form.operator.adjoint,
        expand,
        lambda_max,
        features=form.G if {"time_condition", "rates"} & names else None,
        full=(problem.m_x, problem.nbar),
    )
