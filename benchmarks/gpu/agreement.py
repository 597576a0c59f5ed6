"""Agreement of the device with the CPU, and of two runs with each other, bit for bit."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks.gpu.case import Item, Setting, check
from benchmarks.gpu.stand_in import loop_of_a_gpu
from gnn_dynamics.dynamics.flow import Choice
from gnn_dynamics.dynamics.sharpness import lambda_max
from gnn_dynamics.dynamics.steppers import STEPPERS
from gnn_dynamics.dynamics.train import Trajectory, train
from gnn_dynamics.models.forms import Form, choose_form
from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.models.objective import Objective
from gnn_dynamics.problem.problem import Problem, build_problem, targets

STEPS, MODELS, WIDTH = 200, 3, 32
AGREEMENT = 1e-10  # largest relative difference of a loss
STABLE = 0.05  # step size of descent times the curvature at the start, which may grow
ADAM_RATE = 1e-4


@dataclass(frozen=True)
class Run:
    """One way to train: `optimizer` is a key of STEPPERS or an integrator of gradient flow."""

    form: str
    optimizer: str
    loss: str = "squared"
    depth: int = 3
    skip: bool = True
    activation: str = "linear"
    nodes: str = "train"

    @property
    def name(self) -> str:
        skip = "skip" if self.skip else "no skip"
        return f"{self.form} {self.optimizer} {self.loss} H={self.depth} {skip} {self.nodes}"

    def problem(self, setting: Setting) -> Problem:
        return build_problem(setting.graph("cora"), "gcn", "row", self.nodes)

    def start(self, setting: Setting, device: str, models: int) -> tuple[Form, Objective, Weights]:
        """The form on a device, with its objective and the weights at step 0."""
        problem = self.problem(setting)
        arch = Architecture(problem.m_x, WIDTH, problem.m_y, self.depth, self.skip, self.activation)
        optimizer = self.optimizer if self.optimizer in STEPPERS else "flow"
        form = choose_form(problem, arch, self.loss, optimizer, device, self.form)
        Y = torch.from_numpy(targets(problem, "true", 0)[None]).to(device)
        full = initial_weights(arch, "default", range(models))
        return form, form.objective(Y), form.reduce(full.map(lambda tensor: tensor.to(device)))

    def train(self, setting: Setting, device: str, steps: int, models: int = MODELS) -> Trajectory:
        _, objective, weights = self.start(setting, device, models)
        if self.optimizer not in STEPPERS:
            return train(objective, weights, Choice(self.optimizer, "").stepper(3e-3), None, steps)
        rates = [ADAM_RATE] * models
        if self.optimizer != "adam":
            _, *cpu = self.start(setting, "cpu", models)  # the same rate on both devices
            rates = (STABLE / lambda_max(*cpu)).tolist()
        return train(objective, weights, STEPPERS[self.optimizer], rates, steps)


RUNS = (
    *(Run(form, "gd") for form in ("stacked", "horner", "left", "row_space", "row_space+left")),
    Run("svd", "gd", skip=False),
    Run("row_space", "gd", "cross_entropy"),
    Run("row_space", "momentum"),
    Run("stacked", "adam"),
    Run("horner", "adam", "cross_entropy", nodes="all"),
    *(Run("row_space+left", name) for name in ("runge-kutta", "chebyshev", "function-space")),
    Run("horner", "chebyshev"),
    *(Run("relu-prefix", name, activation="relu") for name in ("gd", "adam", "chebyshev")),
    Run("relu-prefix", "adam", "cross_entropy", activation="relu", nodes="all"),
)


def agreement(setting: Setting) -> Iterator[Item]:
    """Losses of the device against those of the CPU: each form, optimiser and integrator."""
    graph = setting.graph("cora").name
    for run in RUNS:
        yield Item(run.name, partial(difference, run, setting), graph)


def difference(run: Run, setting: Setting) -> dict[str, Any]:
    """Largest relative difference of a loss over all steps and models."""
    steps = 20 if setting.small else STEPS
    cpu, device = (losses(run, setting, name, steps) for name in ("cpu", setting.device))
    apart = ((device - cpu).abs() / cpu.abs()).max()
    return check(float(apart), AGREEMENT, f"largest relative difference in {steps} steps")


def losses(run: Run, setting: Setting, device: str, steps: int) -> Tensor:
    """(steps + 1, K), of the loop of a GPU on either device."""
    with loop_of_a_gpu() if device == "cpu" else nullcontext():
        return run.train(setting, device, steps).loss


def determinism(setting: Setting) -> Iterator[Item]:
    """Losses and weights of two runs, bit for bit."""
    graph = setting.graph("cora").name
    for run in RUNS:
        yield Item(run.name, partial(differing_numbers, run, setting), graph)


def differing_numbers(run: Run, setting: Setting) -> dict[str, Any]:
    """How many losses and weights of two runs are not the same, bit for bit."""
    steps, models = (10, MODELS) if setting.small else (100, 16)
    first, second = (run.train(setting, setting.device, steps, models) for _ in range(2))
    pairs = [(first.loss, second.loss)]
    pairs += zip(first.weights.tensors(), second.weights.tensors(), strict=True)
    differing = sum(int((a != b).sum()) for a, b in pairs)
    return check(differing, 0, f"numbers that differ between two runs of {steps} steps")
