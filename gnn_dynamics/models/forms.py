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
from functools import cached_property, partial

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor

from gnn_dynamics.errors import UserError
from gnn_dynamics.linalg.device import torch_device
from gnn_dynamics.models.activations import ACTIVATIONS
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
from gnn_dynamics.models.reductions import Frame, at_input, left, row_space, svd, unreduced
from gnn_dynamics.models.relu import ReluModel, column_major
from gnn_dynamics.problem.labelled_columns import (
    Columns,
    StreamedColumns,
    fits,
    streamed_features,
)
from gnn_dynamics.problem.problem import Problem
from gnn_dynamics.problem.propagation import propagated

PRECISIONS = {"float64": torch.float64, "float32": torch.float32}
REDUCE_COLUMNS = ("left", "row_space+left", "svd")
NODE_FORMS = ("horner", "relu-prefix")  # whose signals have a row for each node


MakeOperator = Callable[[torch.dtype], Operator]


class ColumnMajor:
    """ReLU models train in full space, B_1 with the layout in which its gradient comes."""

    def reduce(self, weights: Weights) -> Weights:
        return at_input(weights, column_major, lambda W: W)

    def expand(self, weights: Weights, start: Weights) -> Weights:
        return weights.map(torch.Tensor.contiguous)


@dataclass(frozen=True)
class Form:
    """A model bound to its graph, in the coordinates of one exact form.

    All is computed in float64 and cast once to the precision in which the model trains: the data,
    the targets and the weights at step 0.

    name, reason: the choice and why, for the artifact's metadata;  loss: a key of `losses.LOSSES`
    model: loss and gradient in these coordinates
    frame: coordinates of the weights;  columns: those of the labelled columns
    make_operator: () -> G_l as a linear operator in float64, (m, nbar) as in these coordinates; for
        a ReLU model those of the linear model on its graph
    features: () -> G_l for each head in these coordinates
    dtype: of the weights that are trained
    """

    name: str
    reason: str
    loss: str
    model: Model
    frame: Frame | ColumnMajor
    columns: Columns | StreamedColumns
    make_operator: Callable[[], Operator]
    features: Callable[[], list[Tensor]]
    dtype: torch.dtype

    def reduce(self, weights: Weights) -> Weights:
        """Full weights, of the form's device -> those that are trained."""
        return self.frame.reduce(weights).map(lambda tensor: tensor.to(self.dtype))

    def expand(self, weights: Weights, start: Weights) -> Weights:
        """Trained weights -> full ones; `start`: the full weights the same models began with."""
        return self.frame.expand(weights.map(torch.Tensor.double), start)

    def objective(self, Y: Tensor) -> Objective:
        """Loss and gradient in these coordinates, for full targets Y (K or 1, m_y, nbar)."""
        reduced, offset = self.columns.targets(Y)
        # The layout of the outputs: losses are elementwise.
        return Objective(self.model, reduced.to(self.dtype).contiguous(), self.loss, offset)

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

        For a ReLU model, that of the linear model on its graph: equal where B = I and X >= 0.
        """
        return largest_singular_value(self.operator)


def choose_form(
    problem: Problem,
    arch: Architecture,
    loss_fn: str,
    optimizer: str,
    device: str = "cpu",
    form: str = "auto",
    precision: str = "float64",
) -> Form:
    """The cheapest exact form, or the one called `form`; `precision`: a key of PRECISIONS.

    Raises:
        UserError: for an unknown form, or one that is not exact for this model, loss or optimizer;
            and for a device that is not there.
    """
    case = _Case(problem, arch, loss_fn, torch_device(device), PRECISIONS[precision])
    if arch.activation != "linear":
        return case.relu(form)
    name, reason = cheapest(problem, arch, loss_fn, optimizer, case.device, form)
    return case.horner(reason) if name == "horner" else case.dense(name, reason)


@dataclass(frozen=True)
class _Case:
    """A model on its graph, and the making of its forms."""

    problem: Problem
    arch: Architecture
    loss_fn: str
    device: torch.device
    dtype: torch.dtype

    def relu(self, form: str) -> Form:
        if form not in ("auto", "relu-prefix"):
            raise UserError(
                f"form: '{form}' is for linear models; a ReLU model has relu-prefix only."
            )
        graph = self.problem.S, self.problem.X, self.problem.R
        field = receptive_field(*graph, self.arch.levels, self.dtype, self.device)
        model = ReluModel(field, ACTIVATIONS[self.arch.activation])

        def absent() -> list[Tensor]:
            raise UserError("a ReLU model has no features G_l that are fixed while it trains.")

        reason, frame = "the one form of ReLU models", ColumnMajor()
        args = ("relu-prefix", reason, self.loss_fn, model, frame, Columns())
        return Form(*args, self.horner_operator, absent, self.dtype)

    def horner(self, reason: str) -> Form:
        def features() -> list[Tensor]:
            return unreduced(self.features()).G

        make = self.horner_operator
        return self.linear("horner", reason, make, Frame(), Columns(), features)

    def dense(self, name: str, reason: str) -> Form:
        streamed: StreamedColumns | None = None
        if name in REDUCE_COLUMNS and not fits(self.problem, len(self.arch.levels)):
            G, streamed = streamed_features(self.problem, self.arch.levels, self.device)
        else:
            G = self.features()
        make: MakeOperator
        if name == "svd":
            data, s = svd(G[0])
            make = partial(DiagonalOperator, s)
        else:
            data = row_space(G, self.arch.levels) if "row_space" in name else unreduced(G)
            data = left(data) if "left" in name else data
            make = partial(StackedOperator, data.G, data.sizes, data.triangular, self.device)
        columns = replace(streamed, then=data.columns) if streamed else data.columns
        return self.linear(name, reason, make, data.frame, columns, lambda: data.G)

    def linear(
        self,
        name: str,
        reason: str,
        make: MakeOperator,
        frame: Frame,
        columns: Columns | StreamedColumns,
        features: Callable[[], list[Tensor]],
    ) -> Form:
        operator = make(self.dtype)
        exact = partial(make, torch.float64) if self.dtype != torch.float64 else lambda: operator
        args = (name, reason, self.loss_fn, LinearModel(operator), frame, columns)
        return Form(*args, exact, features, self.dtype)

    def horner_operator(self, dtype: torch.dtype = torch.float64) -> HornerOperator:
        graph = self.problem.S, self.problem.X, self.problem.R
        return HornerOperator(*graph, self.arch.levels, self.device, dtype)

    def features(self) -> list[Tensor]:
        """G_l (m_x, nbar) for the levels, by R1."""
        G = propagated(self.problem, self.arch.depth)
        return [torch.from_numpy(G[l]).to(self.device) for l in self.arch.levels]


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
