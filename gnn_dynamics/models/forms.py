"""Which exact form of a model trains fastest, and all that a run needs of it.

    name             reductions    exact for
    stacked          R1 R2         everything linear
    horner           R6 R2         everything linear
    left             R1 R2 R4      squared loss
    row_space        R1 R2 R3      gradient descent, momentum, flow
    row_space+left   R1 R2 R3 R4   both of these
    svd              R2 R5         both of these, without skip connections
    relu-prefix      relu.py       ReLU models

R4 and R5 read G_l from a file if they do not fit into memory (problem/labelled_columns.py).
Costs are in costs.py; the derivations are in operators.py, linear.py and reductions.py.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor

from gnn_dynamics.errors import UserError
from gnn_dynamics.linalg.device import torch_device
from gnn_dynamics.models.costs import cheapest
from gnn_dynamics.models.linear import LinearModel
from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.models.objective import Model, Objective
from gnn_dynamics.models.operators import (
    DiagonalOperator,
    HornerOperator,
    Operator,
    StackedOperator,
)
from gnn_dynamics.models.receptive_field import receptive_field
from gnn_dynamics.models.reductions import Frame, Reduced, left, row_space, svd, unreduced
from gnn_dynamics.models.relu import ReluModel, column_major
from gnn_dynamics.problem.labelled_columns import (
    Columns,
    StreamedColumns,
    fits,
    streamed_features,
)
from gnn_dynamics.problem.problem import Problem
from gnn_dynamics.problem.propagation import propagated

REDUCE_COLUMNS = ("left", "row_space+left", "svd")


class Coordinates(Protocol):
    """Coordinates of the weights in which a form trains them."""

    def reduce(self, weights: Weights) -> Weights:
        """Full weights, of the form's device -> those that are trained."""

    def expand(self, weights: Weights, start: Weights) -> Weights:
        """Trained weights -> full ones; `start`: the full weights the same models began with."""


@dataclass(frozen=True)
class Form:
    """A model bound to its graph, in the coordinates of one exact form.

    name, reason: the choice and why, for the artifact's metadata;  loss: a key of `losses.LOSSES`
    model: loss and gradient in these coordinates
    frame: coordinates of the weights;  columns: those of the labelled columns
    make_operator: () -> G_l as a linear operator, (m, nbar) as in these coordinates; for a ReLU
        model those of the linear model on its graph
    features: () -> G_l for each head in these coordinates
    """

    name: str
    reason: str
    loss: str
    model: Model
    frame: Coordinates
    columns: Columns | StreamedColumns
    make_operator: Callable[[], Operator]
    features: Callable[[], list[Tensor]]

    def reduce(self, weights: Weights) -> Weights:
        """Full weights, of the form's device -> those that are trained."""
        return self.frame.reduce(weights)

    def expand(self, weights: Weights, start: Weights) -> Weights:
        """Trained weights -> full ones; `start`: the full weights the same models began with."""
        return self.frame.expand(weights, start)

    def objective(self, Y: Tensor) -> Objective:
        """Loss and gradient in these coordinates, for full targets Y (K or 1, m_y, nbar)."""
        reduced, offset = self.columns.targets(Y)
        return Objective(self.model, reduced, self.loss, offset)

    @cached_property
    def operator(self) -> Operator:
        """The features as a linear operator, see `make_operator`."""
        return self.make_operator()

    @cached_property
    def G(self) -> list[Tensor]:
        """G_l (m, nbar) for each head, in the coordinates of the trained weights and columns.

        With R3 the head W_0 has a basis of its own, so G_0 and the other G_l do not share theirs;
        singular values and row spaces of their stack are those of the full Gs.
        """
        return self.features()

    @cached_property
    def sigma_max(self) -> float:
        """Largest singular value of Gs, to 1e-6.

        Of a ReLU model, that of the linear model on its graph: its own where B = I and X >= 0.
        """
        return largest_singular_value(self.operator)


def choose_form(
    problem: Problem,
    arch: Architecture,
    loss_fn: str,
    optimizer: str,
    device: str = "cpu",
    form: str = "auto",
) -> Form:
    """The cheapest exact form, or the one called `form`.

    Raises:
        UserError: for an unknown form, or one that is not exact for this model, loss or optimizer;
            and for a device that is not there.
    """
    where = torch_device(device)
    if arch.activation == "relu":
        return _relu_form(problem, arch, loss_fn, where, form)
    name, reason = cheapest(problem, arch, loss_fn, optimizer, where, form)
    if name == "horner":
        return _horner_form(problem, arch, loss_fn, where, reason)
    return _dense_form(problem, arch, loss_fn, where, reason, name)


def _relu_form(
    problem: Problem, arch: Architecture, loss_fn: str, device: torch.device, form: str
) -> Form:
    if form not in ("auto", "relu-prefix"):
        raise UserError(f"form: '{form}' is for linear models; a ReLU model has relu-prefix only.")
    field = receptive_field(problem.S, problem.X, problem.R, arch.levels, device=device)

    def absent() -> list[Tensor]:
        raise UserError("a ReLU model has no features G_l that are fixed while it trains.")

    return Form(
        "relu-prefix",
        "the one form of ReLU models",
        loss_fn,
        ReluModel(field),
        ColumnMajor(),
        Columns(),
        lambda: _horner(problem, arch, device),
        absent,
    )


class ColumnMajor:
    """ReLU models train in full space, with the layout in which their gradient comes."""

    def reduce(self, weights: Weights) -> Weights:
        return weights.map(column_major)

    def expand(self, weights: Weights, start: Weights) -> Weights:
        return weights.map(torch.Tensor.contiguous)


def _horner_form(
    problem: Problem, arch: Architecture, loss_fn: str, device: torch.device, reason: str
) -> Form:
    operator = _horner(problem, arch, device)

    def dense() -> list[Tensor]:
        return unreduced(_features(problem, arch, device)).G

    return _linear_form("horner", reason, loss_fn, operator, Frame(), Columns(), dense)


def _horner(problem: Problem, arch: Architecture, device: torch.device) -> HornerOperator:
    return HornerOperator(problem.S, problem.X, problem.R, arch.levels, device=device)


def _dense_form(
    problem: Problem,
    arch: Architecture,
    loss_fn: str,
    device: torch.device,
    reason: str,
    name: str,
) -> Form:
    streamed: StreamedColumns | None = None
    if name in REDUCE_COLUMNS and not fits(problem, len(arch.levels)):
        G, streamed = streamed_features(problem, arch.levels, device)
    else:
        G = _features(problem, arch, device)
    operator: Operator
    if name == "svd":
        data, s = svd(G[0])
        operator = DiagonalOperator(s)
    else:
        data = _reduced(G, arch.levels, name)
        operator = StackedOperator(data.G, data.sizes, data.triangular, device=device)
    columns = replace(streamed, then=data.columns) if streamed else data.columns
    return _linear_form(name, reason, loss_fn, operator, data.frame, columns, lambda: data.G)


def _linear_form(
    name: str,
    reason: str,
    loss_fn: str,
    operator: Operator,
    frame: Frame,
    columns: Columns | StreamedColumns,
    features: Callable[[], list[Tensor]],
) -> Form:
    model = LinearModel(operator)
    return Form(name, reason, loss_fn, model, frame, columns, lambda: operator, features)


def _reduced(G: list[Tensor], levels: tuple[int, ...], name: str) -> Reduced:
    data = row_space(G, levels) if "row_space" in name else unreduced(G)
    return left(data) if "left" in name else data


def _features(problem: Problem, arch: Architecture, device: torch.device) -> list[Tensor]:
    """G_l (m_x, nbar) for the levels, by R1."""
    G = propagated(problem, arch.depth)
    return [torch.from_numpy(G[l]).to(device) for l in arch.levels]


def largest_singular_value(operator: Operator) -> float:
    """sigma_max of Gs (L m, nbar), by Lanczos on Gs^T Gs from a fixed start."""
    if operator.nbar == 1:
        return float(operator.adjoint(_row(np.ones(1), operator)).norm())

    def normal(v: np.ndarray) -> np.ndarray:
        row = operator.apply(operator.adjoint(_row(v, operator)))  # (1, 1, nbar)
        return row.flatten().numpy(force=True)

    shape = (operator.nbar, operator.nbar)
    squares = LinearOperator(shape, matvec=normal, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(operator.nbar)
    largest = eigsh(squares, k=1, v0=start, tol=1e-8, return_eigenvectors=False)[0]
    return math.sqrt(max(largest, 0.0))


def _row(v: np.ndarray, operator: Operator) -> Tensor:
    return torch.from_numpy(v.reshape(1, 1, -1)).to(operator.device)
