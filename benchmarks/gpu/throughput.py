"""Seconds of a model's step in grids of K models, against PyG on the same device and the roofs.

The roofs are the rates of a large matrix product and of a large copy, measured in each process.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks import linear as linear_cells
from benchmarks import relu as relu_cells
from benchmarks.gpu.case import Item, Setting, synchronize
from benchmarks.measure import Kernel, Roofs, Step
from benchmarks.pyg import PygModel, training_step
from gnn_dynamics.dynamics.cuda_graph import CudaGraphStep
from gnn_dynamics.dynamics.steppers import STEPPERS
from gnn_dynamics.models.forms import PRECISIONS, Form, choose_form
from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.models.relu import ReluModel
from gnn_dynamics.problem.problem import Problem, build_problem, targets

Cell = linear_cells.Cell | relu_cells.Cell

MODELS = (1, 16, 256, 4096)
DRAWN = 16  # different models; a larger grid repeats them
LR = 1e-5
TURN_SECONDS, TURNS = 0.15, 3
AGREEMENT = {"float64": 1e-10, "float32": 1e-4}  # of the first loss with PyG's


def seconds_per_call(step: Step, setting: Setting) -> float:
    """Wall time of a call, its kernels included: the fastest of several turns."""
    step()
    synchronize(setting)
    turns, least = (1, 0.0) if setting.small else (TURNS, TURN_SECONDS)
    best, count = float("inf"), 1
    for _ in range(turns):
        while (elapsed := timed(step, count, setting)) < least:
            count *= 4
        best = min(best, elapsed / count)
        if elapsed > 4 * least:
            break
    return best


def timed(step: Step, count: int, setting: Setting) -> float:
    start = time.perf_counter()
    for _ in range(count):
        step()
    synchronize(setting)
    return time.perf_counter() - start


# Roofs -------------------------------------------------------------------------------------------


def roof_rows(setting: Setting) -> Iterator[Item]:
    """The matrix product in both precisions, and the copy."""

    def product(precision: str) -> dict[str, Any]:
        return {"value": roofs(setting, precision).flops / 1e12, "unit": "TFLOP/s"}

    for precision in PRECISIONS:
        yield Item(f"matrix product {precision}", partial(product, precision))
    yield Item(
        "copy", lambda: {"value": roofs(setting, "float64").bytes / 1e9, "unit": "GB/s, both ways"}
    )


@cache
def roofs(setting: Setting, precision: str) -> Roofs:
    """Of the device: a product of 8192^3 and a copy of 1 GiB; on a CPU 1000^3 and 128 KiB."""
    dtype = PRECISIONS[precision]
    size, copied = (8192, 2**30) if setting.on_gpu else (1000, 2**17)
    square = torch.randn(size, size, dtype=dtype, device=setting.device)
    source = torch.randn(copied // dtype.itemsize, dtype=dtype, device=setting.device)
    product, target = torch.empty_like(square), torch.empty_like(source)
    seconds = seconds_per_call(lambda: torch.mm(square, square, out=product), setting)
    return Roofs(
        2 * size**3 / seconds,
        2 * source.nbytes / seconds_per_call(lambda: target.copy_(source), setting),
    )


# Grids -------------------------------------------------------------------------------------------


def linear(setting: Setting) -> Iterator[Item]:
    """Grids of linear models in the form that the cost model selects for the device."""
    for cell in linear_cells.CELLS:
        yield from grids(cell, setting)


def relu(setting: Setting) -> Iterator[Item]:
    """Grids of ReLU models."""
    for cell in relu_cells.CELLS:
        yield from grids(cell, setting)


def grids(cell: Cell, setting: Setting) -> Iterator[Item]:
    """Rows of a cell in both precisions: PyG, then K models without and with CUDA graphs."""
    graph = setting.graph("cora")
    problem = build_problem(graph, cell.aggregation, "row", cell.nodes)
    for precision in PRECISIONS:
        grid = Grid(cell, setting, problem, precision)
        name = f"{cell.name} {precision}"
        for graphs in (False, True):
            case = f"{name} PyG{', CUDA graph' * graphs}"
            yield Item(case, partial(grid.pyg, graphs), graph.name, gpu_only=graphs)
        for models in (1, 4) if setting.small else MODELS:
            yield Item(f"{name} K={models}", partial(grid.ours, models, False), graph.name)
            case = f"{name} K={models}, CUDA graph"
            yield Item(case, partial(grid.ours, models, True), graph.name, gpu_only=True)


@dataclass(eq=False)
class Grid:
    """One cell in one precision; what its rows share is made when the first of them needs it."""

    cell: Cell
    setting: Setting
    problem: Problem
    precision: str

    @property
    def arch(self) -> Architecture:
        return self.cell.arch(self.problem)

    @cache  # noqa: B019
    def form(self) -> Form:
        args = (self.cell.loss, self.cell.optimizer, self.setting.device)
        return choose_form(self.problem, self.arch, *args, precision=self.precision)

    @cache  # noqa: B019
    def drawn(self) -> Weights:
        weights = initial_weights(self.arch, "default", range(DRAWN))
        return weights.map(lambda tensor: tensor.to(self.setting.device))

    @cache  # noqa: B019
    def labels(self) -> Tensor:
        Y = targets(self.problem, "true", 0)  # (m_y, nbar)
        return torch.from_numpy(Y).to(self.setting.device)

    @cache  # noqa: B019
    def pyg_reference(self) -> tuple[float, float]:
        """(first loss, seconds of a step) of one model by PyG without a CUDA graph."""
        step = self.pyg_step()
        return float(step()), seconds_per_call(step, self.setting)  # type: ignore[arg-type]

    def pyg(self, graphs: bool) -> dict[str, Any]:
        seconds = self.pyg_reference()[1]
        if graphs:
            step = captured(self.pyg_step(cached=True, capturable=True))
            seconds = seconds_per_call(step, self.setting)
        return self.result(seconds, 1)

    def pyg_step(self, cached: bool = False, capturable: bool = False) -> Step:
        """A training step; `cached` keeps the normalised edges, else found anew at every step."""
        device, dtype = self.setting.device, PRECISIONS[self.precision]
        weights = self.drawn().take([0]).map(lambda tensor: tensor.to(dtype))
        model = PygModel(self.arch, self.cell.aggregation, weights).to(device)
        for conv in model.convs:
            conv.cached = cached
        edges = self.problem.S.tocoo()
        apart = edges.row != edges.col  # without the loops of S
        edge_index = np.stack([edges.row[apart], edges.col[apart]])
        X = torch.from_numpy(self.problem.X.toarray()).to(device, dtype)
        nodes = torch.from_numpy(self.problem.node_ids).to(device)
        data = X, torch.from_numpy(edge_index).long().to(device), nodes, self.labels().mT.to(dtype)
        options = {"capturable": True} if capturable and self.cell.optimizer == "adam" else {}
        return training_step(model, *data, self.cell.loss, self.cell.optimizer, LR, **options)

    def ours(self, models: int, graphs: bool) -> dict[str, Any]:
        """K models, the way `train` moves them."""
        form, stepper = self.form(), STEPPERS[self.cell.optimizer]
        try:
            full = self.drawn().take(torch.arange(models, device=self.setting.device) % DRAWN)
            weights, objective = form.reduce(full), form.objective(self.labels()[None])
            self.compare(float(objective(weights.take([0]))[0]))
            rates = torch.full((models,), LR, dtype=torch.float64, device=self.setting.device)
            state = stepper.start(weights, rates)
            make = CudaGraphStep if graphs else EagerStep
            step = make(objective, stepper, state, weights)
            seconds = seconds_per_call(step, self.setting)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            return {"note": f"{form.name}: {models} models do not fit into the memory"}
        size = PRECISIONS[self.precision].itemsize
        if isinstance(form.model, ReluModel):
            kernels = relu_cells.products(form.model.field, self.arch, size)
        else:
            kernels = scaled(linear_cells.products(form, self.arch, weights), size / 8)
        floor = roofs(self.setting, self.precision).floor(kernels)
        share = floor * models / seconds
        return self.result(seconds, models) | {"share_of_roof": share, "note": form.name}

    def compare(self, loss: float) -> None:
        """Raise AssertionError unless the first loss is PyG's: else the times mean nothing."""
        expected = self.pyg_reference()[0]
        if abs(loss - expected) > AGREEMENT[self.precision] * abs(expected):
            raise AssertionError(f"the first loss is {loss}, that of PyG {expected}")

    def result(self, seconds: float, models: int) -> dict[str, Any]:
        ratio = self.pyg_reference()[1] * models / seconds
        microseconds = 1e6 * seconds / models
        return {"value": microseconds, "unit": "us per model-step", "ratio_to_pyg": ratio}


class EagerStep:
    """The step of CudaGraphStep, kernel by kernel."""

    def __init__(self, objective, stepper, state, weights):
        self.objective, self.stepper = objective, stepper
        self.state, self.weights = state, weights

    def __call__(self) -> None:
        _, gradient = self.objective(self.weights)
        args = (self.state, self.objective, self.weights, gradient)
        self.state, self.weights = self.stepper.step(*args)


def scaled(kernels: Iterable[Kernel], factor: float) -> Iterator[Kernel]:
    """Kernels whose numbers take `factor` times as many bytes."""
    return (Kernel(k.flops, k.bytes * factor) for k in kernels)


def captured(step: Step) -> Step:
    """The step as a CUDA graph, after it has run a few times."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay
