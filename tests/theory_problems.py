"""Small problems for the theorem tests: random graphs, random nets, and their flows as tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import pandas as pd
import problems
import torch
from torch import Tensor

from gnn_dynamics.claims.bounds import bounds_table
from gnn_dynamics.config.grid import KEYS
from gnn_dynamics.dynamics.sharpness import lambda_max
from gnn_dynamics.dynamics.steppers import Stepper
from gnn_dynamics.dynamics.train import Snapshot, train
from gnn_dynamics.models.linear import LinearModel
from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.models.objective import Objective
from gnn_dynamics.models.operators import StackedOperator
from gnn_dynamics.theory.metrics import Metric, linear_metrics, measure
from gnn_dynamics.theory.products import layer_products, outputs
from gnn_dynamics.theory.reference import flow_reference
from gnn_dynamics.theory.time_condition import with_infima

EVERYTHING = ("time_condition", "gradient_terms", "rates")


def prefix_products(weights: Weights) -> list[Tensor]:
    """[Bbar_0, ..., Bbar_H], (K, m_l, m_x); Bbar_0 is the identity."""
    size = (*weights.B, *weights.W)[0].shape[-1]
    identity = torch.eye(size, dtype=torch.float64).expand(weights.models, size, size)
    return [identity, *layer_products(weights)]


@dataclass(frozen=True)
class Toy:
    """A random graph with its labelled nodes; G_l for l = 0..depth, targets Y."""

    arch: Architecture
    features: list[Tensor]
    Y: Tensor

    @property
    def G(self) -> list[Tensor]:
        return [self.features[l] for l in self.arch.levels]

    @cached_property
    def sigma(self) -> np.ndarray:
        return np.linalg.svd(torch.cat(self.G).numpy(), compute_uv=False)

    @cached_property
    def optimum(self) -> float:
        """L* by least squares: not the projection that the package uses."""
        stack = torch.cat(self.G).numpy()
        fit = np.linalg.lstsq(stack.T, self.Y.numpy().T, rcond=None)[0]
        return float(np.square(self.Y.numpy() - fit.T @ stack).sum())


def toy(
    aggregation: str = "gcn",
    depth: int = 2,
    multiscale: bool = True,
    seed: int = 0,
    m_x: int = 4,
    width: int = 5,
    nbar: int = 20,
    m_y: int = 2,
    twins: bool = False,
) -> Toy:
    """Aggregation divided by its norm, so that deep GIN flows are not stiff. L* > 0 by default.

    twins: the last labelled column repeats the one before at every level, with another label.
    """
    random = np.random.default_rng([seed, depth])
    n = nbar + 6
    A = np.triu(random.random((n, n)) < 0.3, 1).astype(float)
    loops = A + A.T + np.eye(n)
    degree = loops.sum(axis=0)
    S = loops / np.sqrt(np.outer(degree, degree)) if aggregation == "gcn" else loops
    S = S / np.linalg.norm(S, 2)
    X, features = 0.5 * random.standard_normal((m_x, n)), []
    for _ in range(depth + 1):
        columns = X[:, :nbar].copy()
        if twins:
            columns[:, -1] = columns[:, -2]
        features.append(torch.tensor(columns))
        X = X @ S
    Y = torch.tensor(random.standard_normal((m_y, nbar)))
    arch = Architecture(m_x, width, m_y, depth, multiscale)
    return Toy(arch, features, Y)


def random_weights(
    arch: Architecture, seed: int = 0, models: int = 1, scale: float = 0.5
) -> Weights:
    """Entries of the same variance in every layer."""
    return problems.random_weights(arch, models, seed, scale, fan_in=False)


def zero_head(arch: Architecture, seed: int = 0) -> Weights:
    """All heads zero, all B with orthonormal columns (widths must not fall)."""
    weights = random_weights(arch, seed)
    B = tuple(torch.linalg.qr(B)[0] for B in weights.B)
    return Weights(B, tuple(map(torch.zeros_like, weights.W)))


def near_identity(arch: Architecture, seed: int = 0) -> Weights:
    """B = I + small noise: lambda near 1 while the heads are small."""
    weights = random_weights(arch, seed, scale=0.1)
    B = tuple(torch.eye(*B.shape[1:], dtype=B.dtype) + B for B in weights.B)
    return Weights(B, weights.W)


STARTS = {"random": random_weights, "zero-head": zero_head, "near-identity": near_identity}


def signal(problem: Toy, weights: Weights) -> Tensor:
    """V = d loss / d Yhat of the squared loss."""
    return 2 * (outputs(weights, problem.G) - problem.Y)


@dataclass(frozen=True)
class Flow:
    problem: Toy
    times: np.ndarray
    weights: list[Weights]


@cache
def flow(
    aggregation: str,
    depth: int,
    multiscale: bool,
    start: str = "near-identity",
    seed: int = 0,
    end: float = 2.0,
    points: int = 33,
    **sizes: int,
) -> Flow:
    """DOP853 flow of a toy; cached, since several theorems look at the same ones."""
    problem = toy(aggregation, depth, multiscale, seed, **sizes)
    times = np.linspace(0.0, end, points)
    weights = STARTS[start](problem.arch, seed)
    objective = objective_of(problem)
    run = flow_reference(lambda w: objective(w)[1], weights, times)
    return Flow(problem, times, run)


def keys_of(problem: Toy, **changes) -> dict:
    arch = problem.arch
    values = {
        "experiment": "toy",
        "dataset": "toy",
        "aggregation": "gcn",
        "features": "raw",
        "nodes": "train",
        "multiscale": arch.multiscale,
        "activation": arch.activation,
        "depth": arch.depth,
        "width": arch.width,
        "init": "default",
        "loss_fn": "squared",
        "optimizer": "flow",
        "lr": None,
        "labels": "true",
        "seed": 0,
    }
    return {key: (values | changes)[key] for key in KEYS}


def objective_of(problem: Toy, model: type[LinearModel] = LinearModel) -> Objective:
    """The squared loss, of the package's model or another."""
    return Objective(model(StackedOperator(problem.G)), problem.Y[None], "squared")


def metrics_of(problem: Toy, weights: Weights, names=EVERYTHING, **more) -> list[Metric]:
    """The metrics of a toy, whose weights are trained in full space."""
    adjoint, more = StackedOperator(problem.G).adjoint, {"features": problem.G} | more
    return linear_metrics(
        problem.arch, names, weights, adjoint, lambda full, _: full, lambda_max, **more
    )


def snapshots(run: Flow, objective: Objective) -> Iterator[Snapshot]:
    one = torch.ones(1, dtype=torch.float64)
    for step, (time, weights) in enumerate(zip(run.times, run.weights, strict=True)):
        loss, gradient = objective(weights)
        models = torch.tensor([0])
        yield Snapshot(step, models, objective, weights, gradient, loss, time * one, one)


def tables(run: Flow, model=LinearModel, **changes) -> tuple[pd.DataFrame, ...]:
    """(training, time_condition, gradient_terms, optimum) of one run, as a job would write them."""
    problem, keys = run.problem, keys_of(run.problem, **changes)
    metrics = metrics_of(problem, run.weights[0])
    observed = [
        rows_of(metrics, snapshot, [keys])
        for snapshot in snapshots(run, objective_of(problem, model))
    ]
    return as_tables(observed, problem, keys)


def rows_of(metrics: list[Metric], snapshot: Snapshot, keys: list[dict]) -> dict[str, list[dict]]:
    """Measured rows with the keys of their runs; training with the facts of the trainer."""
    observed = measure(metrics, snapshot)
    squared = snapshot.gradient.squared_norm()
    for k, row in enumerate(observed["training"]):
        row |= {"time": float(snapshot.time[k]), "loss": float(snapshot.loss[k]), "status": "ok"}
        row["grad_norm_sq"] = float(squared[k])
    return {name: [keys[r["model"]] | r for r in rows] for name, rows in observed.items()}


def as_tables(observed: list[dict], problem: Toy, keys: dict) -> tuple[pd.DataFrame, ...]:
    names = ("training", "time_condition", "gradient_terms")
    frames = [pd.DataFrame([row for rows in observed for row in rows[name]]) for name in names]
    training, condition, terms = frames
    return training, with_infima(condition), terms, optimum_table(problem, keys)


def trained(
    problem: Toy, start: Weights, stepper: Stepper, lr: list[float] | None, steps: int, every: int
) -> tuple[pd.DataFrame, ...]:
    """The same tables from the package's own training; one model for each learning rate."""
    keys = [keys_of(problem, optimizer=stepper.name, lr=rate) for rate in lr or [None]]
    start = start.map(lambda tensor: tensor.expand(len(keys), -1, -1).contiguous())
    metrics = metrics_of(problem, start)
    observed: list[dict] = []
    trajectory = train(
        objective_of(problem),
        start,
        stepper,
        lr,
        steps,
        range(0, steps + 1, every),
        lambda snapshot: observed.append(rows_of(metrics, snapshot, keys)),
    )
    training, *others = as_tables(observed, problem, keys[0])
    status = np.array(trajectory.status)[training.model]
    total = np.cumsum(
        trajectory.error.numpy() / (trajectory.loss.numpy() - problem.optimum), axis=0
    )
    return training.assign(
        status=status, integrator_error=total[training.step, training.model]
    ), *others


def optimum_table(problem: Toy, keys: dict) -> pd.DataFrame:
    stack, rank = torch.cat(problem.G), np.linalg.matrix_rank(torch.cat(problem.G).numpy())
    facts = {
        "loss_optimum": problem.optimum,
        "label_norm_sq": float(problem.Y.square().sum()),
        "sigma_max": problem.sigma[0],
        "sigma_min": problem.sigma[-1] if rank == min(stack.shape) else 0.0,
        "sigma_min_positive": problem.sigma[rank - 1],
    }
    cell = ("dataset", "aggregation", "features", "nodes", "multiscale", "depth", "labels", "seed")
    return pd.DataFrame([{key: keys[key] for key in cell} | facts])


def bounds_of(run: Flow, constant: float = 4.0, model=LinearModel) -> pd.DataFrame:
    training, condition, _, optimum = tables(run, model)
    return bounds_table(training, condition, optimum, constant)
