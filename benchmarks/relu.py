"""ReLU models on Cora against plain PyG, after their losses have been compared."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.cora import cora
from benchmarks.measure import Kernel, Step, row, seconds_per_call
from benchmarks.pyg import PygModel, training_step
from gnn_dynamics.dynamics.steppers import STEPPERS
from gnn_dynamics.linalg.products import Matrix, SparseMatrix
from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.models.objective import Objective
from gnn_dynamics.models.receptive_field import ReceptiveField, receptive_field
from gnn_dynamics.models.relu import ReluModel, column_major
from gnn_dynamics.problem.problem import Problem, build_problem, targets

LR = 1e-5
INDEX_BYTES = 4


@dataclass(frozen=True)
class Cell:
    """One setting of the grid; multiscale, default initialisation, row-normalised features."""

    aggregation: str
    depth: int
    width: int
    nodes: str
    loss: str
    optimizer: str

    @property
    def name(self) -> str:
        return (
            f"relu {self.aggregation} H={self.depth} h={self.width} skip"
            f" {self.nodes} {self.loss} {self.optimizer}"
        )

    @property
    def problem(self) -> Problem:
        return build_problem(cora(), self.aggregation, "row", self.nodes)

    def arch(self, problem: Problem) -> Architecture:
        return Architecture(problem.m_x, self.width, problem.m_y, self.depth, True, "relu")


CELLS = (
    Cell("gcn", 2, 64, "train", "squared", "gd"),
    Cell("gin", 3, 64, "train", "squared", "gd"),
    Cell("gcn", 6, 32, "all", "cross_entropy", "adam"),
)
MODELS_PER_BATCH = (1, 4)


def rows() -> list[dict[str, object]]:
    """All cells in both precisions."""
    return [
        entry
        for cell in CELLS
        for dtype in (torch.float64, torch.float32)
        for entry in cell_rows(cell, dtype)
    ]


def cell_rows(cell: Cell, dtype: torch.dtype) -> list[dict[str, object]]:
    """Plain PyG, and ours for one and for several models."""
    problem = cell.problem
    arch = cell.arch(problem)
    seeds = range(max(MODELS_PER_BATCH))
    weights = initial_weights(arch, "default", seeds).map(lambda w: w.to(dtype))
    data = receptive_field(problem.S, problem.X, problem.R, arch.levels, dtype=dtype)
    designs = {"plain PyG": (pyg_step(cell, problem, weights), 1, None)}
    kernels = list(products(data, arch, dtype.itemsize))
    for models in MODELS_PER_BATCH:
        step = our_step(cell, problem, data, weights.take(slice(models)))
        designs[f"prefix, K={models}"] = (step, models, kernels)
    compare(designs)
    times = seconds_per_call({name: design[0] for name, design in designs.items()})
    pyg = times["plain PyG"]
    return [
        row(cell.name, name, dtype, models, times[name] / models, pyg, counted)
        for name, (_, models, counted) in designs.items()
    ]


def compare(designs: dict[str, tuple[Step, int, object]]) -> None:
    """The first loss of every design is that of PyG, or nothing is timed."""
    losses = {name: float(design[0]().flatten()[0]) for name, design in designs.items()}
    expected = losses["plain PyG"]
    for name, loss in losses.items():
        if abs(loss - expected) > 1e-5 * abs(expected):
            raise AssertionError(f"{name} computes {loss}, plain PyG {expected}")


def our_step(cell: Cell, problem: Problem, data: ReceptiveField, weights: Weights) -> Step:
    """One training step of K models, the way `train` does it."""
    dtype, stepper = weights.W[0].dtype, STEPPERS[cell.optimizer]
    Y = torch.from_numpy(targets(problem, "true", 0)).to(dtype).unsqueeze(0)
    objective = Objective(ReluModel(data), Y, cell.loss)
    weights = weights.map(column_major)
    state = stepper.start(weights, torch.full((weights.models,), LR, dtype=dtype))

    def step() -> torch.Tensor:
        nonlocal weights, state
        value, gradient = objective(weights)
        state, weights = stepper.step(state, objective, weights, gradient)
        return value

    return step


def pyg_step(cell: Cell, problem: Problem, weights: Weights) -> Step:
    dtype, graph = weights.W[0].dtype, cora()
    model = PygModel(cell.arch(problem), cell.aggregation, weights)
    x = torch.from_numpy(problem.X.toarray()).to(dtype)
    edge_index = torch.from_numpy(np.stack(graph.adjacency.nonzero())).long()
    nodes = torch.from_numpy(problem.node_ids)
    Y = torch.from_numpy(targets(problem, "true", 0).T).to(dtype)
    return training_step(model, x, edge_index, nodes, Y, cell.loss, cell.optimizer, LR)


# What a step must do -----------------------------------------------------------------------------


def products(data: ReceptiveField, arch: Architecture, size: int) -> Iterator[Kernel]:
    """Every product of one step of one model, forward and backward; `size` bytes a number."""
    h, n_0 = arch.width, data.counts[0]
    for matrix in (*data.first, *data.aggregations):
        yield from constant_product(matrix, h, size)
    for l in range(2, arch.depth + 1):
        rows = data.counts[arch.depth - l]
        yield from 3 * [dense_product(rows, h, h, size)]
    for level in data.levels:
        if level == 0:
            yield from constant_product(*data.raw, arch.m_y, size)
        else:
            yield from 3 * [dense_product(n_0, h, arch.m_y, size)]


def constant_product(matrix: Matrix, columns: int, size: int) -> list[Kernel]:
    """M T and M^T T; a CSR product gathers one row of T for every entry."""
    if not isinstance(matrix, SparseMatrix):
        return 2 * [dense_product(*matrix.M.shape, columns, size)]
    entries = matrix.M.values().numel()
    moved = entries * (columns * size + size + INDEX_BYTES)
    return [Kernel(2 * entries * columns, moved + rows * columns * size) for rows in matrix.M.shape]


def dense_product(a: int, b: int, c: int, size: int) -> Kernel:
    """(a, b) times (b, c)."""
    return Kernel(2 * a * b * c, size * (a * b + b * c + a * c))
