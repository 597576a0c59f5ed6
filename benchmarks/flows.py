"""What gradient flow to 1 % of the label norm costs by each integrator, and how exact it is.

`python -m benchmarks flows` integrates the CELLS (default initialisation, seed 0, row features,
training split) and compares the times at 50, 10 and 1 % of ||Y||^2 with scipy at relative tolerance
1e-9: DOP853, or LSODA where the flow is stiff. It writes results/benchmark/flows.parquet. Names of
data sets leave out the other cells.
"""

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.integrate import solve_ivp

from benchmarks.cora import graph
from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.artifacts.table import Table
from gnn_dynamics.dynamics.flow import Choice, choose_flow
from gnn_dynamics.dynamics.train import train
from gnn_dynamics.models.forms import choose_form
from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.models.objective import Objective
from gnn_dynamics.problem.problem import build_problem, targets
from gnn_dynamics.runs.speed import crossing_time, first_below
from gnn_dynamics.spectra.optimum import residual, row_basis

THRESHOLDS = (0.5, 0.1, 0.01)
TOLERANCE = 3e-3
BOTH = (True, False)
# data set, aggregation, skip connections, H, width, and the method of scipy. LSODA needs the whole
# Jacobian matrix, so these networks are narrow.
CELLS = [
    *(("cora", "gcn", skip, H, 64, "DOP853") for H in (2, 4) for skip in BOTH),
    *(("citeseer", "gcn", skip, 2, 64, "DOP853") for skip in BOTH),
    *(("wine", agg, skip, 2, 8, "LSODA") for agg in ("gcn", "gin") for skip in BOTH),
    *(("breast-cancer", "gin", skip, 2, 8, "LSODA") for skip in BOTH),
    *(("digits", agg, True, 2, 8, "LSODA") for agg in ("gcn", "gin")),
    *(("texas", agg, skip, 2, 8, "LSODA") for agg in ("gcn", "gin") for skip in BOTH),
]
METHODS = ("runge-kutta", "chebyshev", "function-space", "auto")
MOST_STEPS = 3000


@dataclass
class Counted:
    """An objective that counts its gradients; Hessian products are not counted."""

    objective: Objective
    gradients: int = 0

    def __getattr__(self, name: str):
        return getattr(self.objective, name)

    def __call__(self, weights: Weights):
        self.gradients += 1
        return self.objective(weights)


@dataclass(frozen=True)
class Cell:
    """One model on its graph: what to integrate, and what counts as arrived."""

    objective: Objective
    weights: Weights
    auto: Choice
    optimum: float
    scale: float  # ||Y||^2

    @property
    def goals(self) -> list[float]:
        return [threshold * self.scale for threshold in THRESHOLDS]


def cell(dataset: str, aggregation: str, skip: bool, depth: int, width: int) -> Cell:
    """The cell of a data set."""
    problem = build_problem(graph(dataset), aggregation, "row", "train")
    arch = Architecture(problem.m_x, width, problem.m_y, depth, skip)
    form = choose_form(problem, arch, "squared", "flow")
    Y = torch.from_numpy(targets(problem, "true", 0)[None])
    objective = form.objective(Y)
    basis = row_basis([G_l.numpy() for G_l in form.G])
    optimum = residual(objective.Y[0].numpy(), basis) + float(torch.as_tensor(objective.offset))
    weights = form.reduce(initial_weights(arch, "default", [0]))
    auto = choose_flow(arch, form.operator, weights, objective.Y[0], THRESHOLDS[-1])
    return Cell(objective, weights, auto, optimum, float(Y.square().sum()))


def main(*datasets: str) -> None:
    """Measure, print and write."""
    torch.set_num_threads(1)
    rows = []
    for name, aggregation, skip, depth, width, scipy_method in CELLS:
        if datasets and name not in datasets:
            continue
        one = cell(name, aggregation, skip, depth, width)
        exact = reference(one, scipy_method)
        about = {"dataset": name, "aggregation": aggregation, "skip": skip, "H": depth}
        about |= {"width": width}
        for method in METHODS:
            rows.append(about | measured(one, method, exact))
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    print(table.to_string(index=False, float_format="{:.3g}".format))
    path = Path("results") / "benchmark" / "flows.parquet"
    write_table(table, path, Table(), {"torch": torch.__version__, "tolerance": TOLERANCE})


def measured(one: Cell, method: str, exact: np.ndarray) -> dict[str, object]:
    """Steps, gradients, seconds and times of one method; the largest relative error."""
    choice = one.auto if method == "auto" else Choice(method, "")
    counted = Counted(one.objective)
    end = torch.tensor([one.optimum + one.goals[-1]])
    start = time.process_time()
    run = train(counted, one.weights, choice.stepper(TOLERANCE), None, MOST_STEPS, stop_below=end)  # type: ignore[arg-type]
    seconds = time.process_time() - start
    usable = np.isfinite(run.loss[:, 0].numpy())
    times = hitting_times(run.loss[usable, 0].numpy(), run.time[usable, 0].numpy(), one)
    error = np.abs(np.array(times) / exact - 1)
    return {
        "method": f"auto: {choice.name}" if method == "auto" else method,
        "steps": int(run.last_step[0]),
        # Four stages in function space, which the objective does not see.
        "gradients": counted.gradients
        + 4 * int(run.last_step[0]) * (choice.name == "function-space"),
        "seconds": seconds,
        **dict(zip(map("{:g}".format, THRESHOLDS), times, strict=True)),
        "largest_error": float(np.nanmax(error)) if np.isfinite(error).any() else math.nan,
        "median_error": float(np.nanmedian(error)) if np.isfinite(error).any() else math.nan,
    }


def hitting_times(loss: np.ndarray, time: np.ndarray, one: Cell) -> list[float]:
    """Times at which L - L* passes the goals; nan where it does not."""
    excess, times = loss - one.optimum, []
    for goal in one.goals:
        step = first_below(excess, goal)
        times.append(crossing_time(time, excess, step, goal) if step else math.nan)
    return times


def reference(one: Cell, method: str) -> np.ndarray:
    """The times by scipy's `method`, found by its events; nan where it does not arrive."""
    shape = one.weights

    def slope(_: float, theta: np.ndarray) -> np.ndarray:
        weights = shape.unflatten(torch.from_numpy(theta)[None])
        return -one.objective(weights)[1].flatten()[0].numpy()

    def excess(_: float, theta: np.ndarray) -> float:
        weights = shape.unflatten(torch.from_numpy(theta)[None])
        return float(one.objective(weights)[0]) - one.optimum

    def passes(goal: float):
        def event(t: float, theta: np.ndarray) -> float:
            return math.log(excess(t, theta) / goal)

        return event

    events = [passes(goal) for goal in one.goals]
    events[-1].terminal = True
    start = shape.flatten()[0].numpy()
    solution = solve_ivp(slope, (0, 1e9), start, method, events=events, rtol=1e-9, atol=1e-12)
    return np.array([found[0] if found.size else math.nan for found in solution.t_events])
