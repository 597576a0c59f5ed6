"""What runs with weights of one shape share: problem, form, integrator and settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import pandas as pd
import torch

from gnn_dynamics.config.grid import Block
from gnn_dynamics.data.graph import Graph
from gnn_dynamics.dynamics.flow import Choice, choose_flow
from gnn_dynamics.linalg.device import torch_device
from gnn_dynamics.models.costs import models_per_batch
from gnn_dynamics.models.forms import NODE_FORMS, Form, choose_form
from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.model import Architecture, Weights, stack_weights
from gnn_dynamics.problem.problem import Problem, kept_problem, targets
from gnn_dynamics.runs.accuracy import Accuracy, accuracy
from gnn_dynamics.runs.recording import Run

SMALLEST_GAP = 1e-6  # of ||Y||^2, to which the bounds are followed


@dataclass(frozen=True)
class Settings:
    """The keys of an experiment about training and recording, with their defaults."""

    steps: int
    record: int
    spacing: str = "linear"
    observe: tuple[str, ...] = ()
    thresholds: tuple[float, ...] = (0.5, 0.1, 0.01)
    stop_early: bool = False
    lr: Any = None
    tolerance: float = 3e-3
    integrator: str = "auto"
    precision: str = "float64"

    @classmethod
    def of(cls, experiment: Mapping[str, Any]) -> "Settings":
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in experiment.items() if name in names})

    @property
    def flow_thresholds(self) -> tuple[float, ...]:
        """Those of a flow, in the label norm."""
        bounds = {"rates", "time_condition"} & set(self.observe)
        return (SMALLEST_GAP,) if bounds else self.thresholds


@dataclass(frozen=True)
class Batch:
    """Data shared by runs whose weights have one shape.

    size: how many train side by side;  flow: how gradient flow is integrated
    accuracy: of full weights, where it is observed
    """

    problem: Problem
    arch: Architecture
    form: Form
    optimizer: str
    settings: Settings
    optimum: pd.DataFrame | None
    device: str
    size: int
    label: str
    accuracy: Accuracy | None
    flow: Choice | None = None

    def initial(self, runs: Sequence[Run]) -> tuple[Weights, Weights]:
        """K models in the order of `runs`: full weights, and the reduced ones that are trained."""
        return _initial(self.arch, self.form, runs, self.device)


def make_batch(
    graph: Graph,
    block: Block,
    run: Run,
    settings: Settings,
    optimum: pd.DataFrame | None,
    device: str,
) -> Batch:
    """The batch of runs like `run`; `with_flow` adds the integrator of a flow."""
    problem = kept_problem(graph, block.aggregation, run["features"], run["nodes"])
    sizes = problem.m_x, run["width"], problem.m_y, block.depth
    arch = Architecture(*sizes, block.multiscale, block.activation)
    optimizer, precision = run["optimizer"], settings.precision
    form = choose_form(problem, arch, run["loss_fn"], optimizer, device, precision=precision)
    _, weights = _initial(arch, form, [run], device)
    m = max(tensor.shape[-1] for tensor in weights.tensors())
    nodes = problem.n if form.name in NODE_FORMS else 0
    shared = optimizer, torch_device(device), form.dtype.itemsize, nodes
    size = models_per_batch(arch, m, problem.nbar, *shared)
    observed = "accuracy" in settings.observe
    shares = accuracy(graph, run, arch, device, precision) if observed else None
    label = f"{block.id} {optimizer}"
    return Batch(problem, arch, form, optimizer, settings, optimum, device, size, label, shares)


def with_flow(batch: Batch, run: Run) -> Batch:
    """The batch with its integrator, by the labels and the start of `run`, and fewer models."""
    problem, form, settings = batch.problem, batch.form, batch.settings
    labels = targets(problem, run["labels"], run["seed"])
    Y, _ = form.columns.targets(torch.from_numpy(labels[None]))
    _, weights = batch.initial([run])
    share, method = min(settings.flow_thresholds), settings.integrator
    choice = choose_flow(batch.arch, form.operator, weights, Y[0], share, method, form.loss)
    most = choice.most_models(Y[0].numel(), torch_device(batch.device))
    return replace(batch, flow=choice, size=min(batch.size, most))


def _initial(
    arch: Architecture, form: Form, runs: Sequence[Run], device: str
) -> tuple[Weights, Weights]:
    drawn = [initial_weights(arch, run["init"], [run["seed"]]) for run in runs]
    full = stack_weights(drawn).map(lambda tensor: tensor.to(device))
    return full, form.reduce(full)
