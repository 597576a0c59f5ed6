"""Linear models against plain PyG, after their losses have been compared."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from benchmarks.cora import cora
from benchmarks.measure import Kernel, Step, row, seconds_per_call
from benchmarks.pyg import PygModel, training_step
from gnn_dynamics.dynamics.steppers import STEPPERS
from gnn_dynamics.linalg.products import DenseMatrix, Matrix
from gnn_dynamics.models.forms import Form, choose_form
from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.models.operators import DiagonalOperator, HornerOperator, StackedOperator
from gnn_dynamics.problem.problem import Problem, build_problem, targets

LR = 1e-5
INDEX_BYTES = 4
DTYPE = torch.float64  # linear models are always trained in double precision


@dataclass(frozen=True)
class Cell:
    """One setting of the grid on Cora; default initialisation, row-normalised features."""

    depth: int
    width: int
    multiscale: bool
    nodes: str
    loss: str
    optimizer: str
    models: tuple[int, ...]
    aggregation: str = "gcn"

    @property
    def name(self) -> str:
        scale = "skip" if self.multiscale else "no skip"
        return (
            f"linear {self.aggregation} H={self.depth} h={self.width} {scale}"
            f" {self.nodes} {self.loss} {self.optimizer}"
        )

    @property
    def problem(self) -> Problem:
        return build_problem(cora(), self.aggregation, "row", self.nodes)

    def arch(self, problem: Problem) -> Architecture:
        return Architecture(problem.m_x, self.width, problem.m_y, self.depth, self.multiscale)


CELLS = (
    Cell(2, 64, False, "train", "squared", "gd", (1, 16, 32)),
    Cell(2, 64, True, "train", "squared", "gd", (1, 16, 32)),
    Cell(6, 32, True, "all", "cross_entropy", "adam", (1, 5, 10)),
)


def rows() -> list[dict[str, object]]:
    return [entry for cell in CELLS for entry in cell_rows(cell)] + arxiv_rows()


@dataclass(frozen=True)
class Design:
    """A way to train `models` models side by side, and the products that a step needs."""

    step: Step
    models: int = 1
    kernels: tuple[Kernel, ...] | None = None


def cell_rows(cell: Cell) -> list[dict[str, object]]:
    """Plain PyG, R1 under autograd, R1 and R2, and the form that the engine chooses."""
    problem = cell.problem
    arch = cell.arch(problem)
    weights = initial_weights(arch, "default", range(max(cell.models)))
    Y = torch.from_numpy(targets(problem, "true", 0)).unsqueeze(0)
    choose = partial(choose_form, problem, arch, cell.loss, cell.optimizer)
    stacked, chosen = choose(form="stacked"), choose()
    designs = {
        "plain PyG": Design(pyg_step(cell, problem, weights)),
        "R1, autograd": Design(autograd_step(stacked, weights.take([0]), Y, cell.optimizer)),
        "R1 R2": design(stacked, arch, weights.take([0]), Y, cell.optimizer),
    }
    for models in cell.models:
        some = weights.take(slice(models))
        designs[f"{chosen.name}, K={models}"] = design(chosen, arch, some, Y, cell.optimizer)
    return measured(cell.name, designs, "plain PyG")


def design(form: Form, arch: Architecture, weights: Weights, Y: Tensor, optimizer: str) -> Design:
    """What the engine does with this form."""
    reduced = form.reduce(weights)
    kernels = tuple(products(form, arch, reduced))
    return Design(our_step(form, reduced, Y, optimizer), weights.models, kernels)


def measured(cell: str, designs: dict[str, Design], baseline: str) -> list[dict[str, object]]:
    """Rows of engine.parquet; nothing is timed unless the first losses agree."""
    losses = {name: float(d.step().flatten()[0]) for name, d in designs.items()}
    for name, loss in losses.items():
        if abs(loss - losses[baseline]) > 1e-10 * abs(losses[baseline]):
            raise AssertionError(f"{name} computes {loss}, {baseline} {losses[baseline]}")
    times = seconds_per_call({name: d.step for name, d in designs.items()})
    return [
        row(cell, name, DTYPE, d.models, times[name] / d.models, times[baseline], d.kernels)
        for name, d in designs.items()
    ]


# Steps -------------------------------------------------------------------------------------------


def our_step(form: Form, weights: Weights, Y: Tensor, optimizer: str) -> Step:
    """One training step of K models, the way `train` does it."""
    objective, stepper = form.objective(Y), STEPPERS[optimizer]
    state = stepper.start(weights, torch.full((weights.models,), LR, dtype=DTYPE))

    def step() -> Tensor:
        nonlocal weights, state
        value, gradient = objective(weights)
        state, weights = stepper.step(state, objective, weights, gradient)
        return value

    return step


def autograd_step(form: Form, weights: Weights, Y: Tensor, optimizer: str) -> Step:
    """R1 alone: precomputed features, the gradient left to autograd."""
    features, objective = form.G, form.objective(Y)
    weights = form.reduce(weights)
    stepper = STEPPERS[optimizer]
    state = stepper.start(weights, torch.full((1,), LR, dtype=DTYPE))
    levels = range(len(weights.B) + 1 - len(weights.W), len(weights.B) + 1)

    def gradient_of(weights: Weights) -> tuple[Tensor, Weights]:
        leaves = weights.map(lambda tensor: tensor.detach().requires_grad_())
        Yhat = 0
        for l, W, G_l in zip(levels, leaves.W, features, strict=True):
            for B in leaves.B[:l]:
                G_l = B @ G_l
            Yhat = Yhat + W @ G_l
        value = autograd_loss(Yhat, Y, objective.loss)
        found = iter(torch.autograd.grad(value, leaves.tensors()))
        return value.detach(), weights.map(lambda _: next(found))

    def step() -> Tensor:
        nonlocal weights, state
        value, gradient = gradient_of(weights)
        state, weights = stepper.step(state, None, weights, gradient)
        return value

    return step


def autograd_loss(Yhat: Tensor, Y: Tensor, loss: str) -> Tensor:
    if loss == "squared":
        return (Yhat - Y).square().sum()
    return torch.nn.functional.cross_entropy(Yhat[0].T, Y[0].T)


def pyg_step(cell: Cell, problem: Problem, weights: Weights) -> Step:
    graph = cora()
    model = PygModel(cell.arch(problem), cell.aggregation, weights)
    x = torch.from_numpy(problem.X.toarray())
    edge_index = torch.from_numpy(np.stack(graph.adjacency.nonzero())).long()
    nodes = torch.from_numpy(problem.node_ids)
    Y = torch.from_numpy(targets(problem, "true", 0).T)
    return training_step(model, x, edge_index, nodes, Y, cell.loss, cell.optimizer, LR)


# ogbn-arxiv's sizes ------------------------------------------------------------------------------

ARXIV_COLUMNS, ARXIV_FEATURES, ARXIV_CLASSES = 90_941, 128, 40  # of its training split


def arxiv_rows() -> list[dict[str, object]]:
    """R4 against R1 R2 on random features and a random graph; ratios are to R1 R2, not to PyG."""
    problem = arxiv_shaped_problem()
    arch = Architecture(ARXIV_FEATURES, 128, ARXIV_CLASSES, 2, multiscale=True)
    weights = initial_weights(arch, "default", range(16))
    Y = torch.from_numpy(targets(problem, "true", 0)).unsqueeze(0)
    choose = partial(choose_form, problem, arch, "squared", "gd")
    stacked, chosen = choose(form="stacked"), choose()
    designs = {"R1 R2": design(stacked, arch, weights.take([0]), Y, "gd")}
    for models in (1, 4, 16):
        some = weights.take(slice(models))
        designs[f"{chosen.name}, K={models}"] = design(chosen, arch, some, Y, "gd")
    name = "linear ogbn-arxiv's shape H=2 h=128 skip train squared gd"
    return [
        {**entry, "ratio_to_r1r2": entry["ratio_to_pyg"], "ratio_to_pyg": None}
        for entry in measured(name, designs, "R1 R2")
    ]


def arxiv_shaped_problem() -> Problem:
    """As many labelled nodes, features and classes as ogbn-arxiv trains on; seven edges a node."""
    rng, n = np.random.default_rng(0), ARXIV_COLUMNS
    source, target = rng.integers(0, n, (2, 7 * n))
    S = sp.csr_array((np.full(7 * n, 1 / 7), (source, target)), (n, n)) + sp.eye_array(n)
    X = rng.standard_normal((n, ARXIV_FEATURES))
    labels, R = rng.integers(0, ARXIV_CLASSES, n), sp.eye_array(n, format="csr")
    return Problem(sp.csr_array(S), X, R, labels, ARXIV_CLASSES, "classification", np.arange(n))


# What a step must do -----------------------------------------------------------------------------


def products(form: Form, arch: Architecture, weights: Weights) -> Iterator[Kernel]:
    """Every product of one step of one model, and its update; shared data divided by K."""
    contrast = form.loss == "cross_entropy"  # one output less (linear.py)
    operator, m_y, K = form.operator, arch.m_y - contrast, weights.models
    yield from 2 * list(data_products(operator, m_y, K))
    rows = 0
    for level in range(arch.depth, 0, -1):  # R_l B_l, R_l^T E and E B_l^T
        rows += m_y if arch.multiscale or level == arch.depth else 0
        _, out, fan_in = weights.B[level - 1].shape
        yield from 3 * [dense_product(rows, out, fan_in)]
    entries = sum(tensor[0].numel() for tensor in weights.tensors())
    yield Kernel(2 * entries, 3 * 8 * entries)


def data_products(operator, m_y: int, models: int) -> Iterator[Kernel]:
    """One application of the operator (the adjoint costs the same)."""
    if isinstance(operator, DiagonalOperator):
        yield Kernel(m_y * operator.m, 2 * 8 * m_y * operator.m)
    elif isinstance(operator, StackedOperator):
        for stair in operator.stairs:
            rows, columns = len(operator.Gs) - stair.top, stair.right - stair.left
            moved = m_y * (rows + columns) + rows * columns / models
            yield Kernel(2 * m_y * rows * columns, 8 * moved)
    elif isinstance(operator, HornerOperator):
        levels, hops = len(operator.levels), operator.levels[-1]
        yield matrix_product(operator.X, levels * m_y, models)
        yield from hops * [matrix_product(operator.S, m_y, models)]


def matrix_product(matrix: Matrix, columns: int, models: int) -> Kernel:
    """A CSR product gathers one row of `columns` numbers for every entry."""
    if isinstance(matrix, DenseMatrix):
        (rows, inner), shared = matrix.M.shape, matrix.M.numel() / models
        return Kernel(2 * rows * inner * columns, 8 * (shared + (rows + inner) * columns))
    entries = matrix.M.values().numel()
    moved = entries * (8 * columns + 8 + INDEX_BYTES) + 8 * matrix.M.shape[0] * columns
    return Kernel(2 * entries * columns, moved)


def dense_product(a: int, b: int, c: int) -> Kernel:
    """(a, b) times (b, c)."""
    return Kernel(2 * a * b * c, 8 * (a * b + b * c + a * c))
