"""The quantities of the theorems along a run: one function for each name of the key `observe`.

    metrics = linear_metrics(arch, names, weights, adjoint, expand, lambda_max, features=form.G)
    train(..., observe=lambda snapshot: collect(measure(metrics, snapshot)))

Rows have `model` (its index in the batch) and `step` in place of the keys of the run. Weights are
those that are trained, reduced or not. The quantities are the same in coordinates of an orthonormal
basis of the features' row space, with three exceptions: `lambda_min`, for which `expand` gives the
full weights, and `layer_norm_rms` and the conservation drift, which then miss the part of B_1 that
never moves.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gnn_dynamics.dynamics.train import Snapshot
from gnn_dynamics.linalg.products import shared_matmul
from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.models.objective import Objective
from gnn_dynamics.theory.conservation import balancedness, drift, guarantee
from gnn_dynamics.theory.products import label_signals, layer_products
from gnn_dynamics.theory.rates import (
    MOST_DIRECTIONS,
    Geometry,
    geometry,
    rate_kernel,
    rate_sharp,
)
from gnn_dynamics.theory.terms import (
    head_matrices,
    inner,
    layer_matrices,
    relative_error,
    side_condition,
)
from gnn_dynamics.theory.time_condition import (
    lambda_min_restricted,
    layer_norm_rms,
    smallest_eigenvalue,
)

Rows = list[dict[str, Any]]
Columns = dict[str, Tensor]  # (k,) each
Key = tuple[str | int, ...]  # parts called as in KEY_NAMES
Tables = dict[str, dict[Key, Columns]]
Metric = Callable[[Snapshot], Tables]
Curvature = Callable[[Objective, Weights], Tensor]  # lambda_max (k,)
Expand = Callable[[Weights, Tensor], Weights]
SecondGradient = Callable[[Weights, Tensor], Weights]

KEY_NAMES = {"training": (), "time_condition": ("layer",), "gradient_terms": ("term", "index")}


def linear_metrics(
    arch: Architecture,
    names: Collection[str],
    weights: Weights,
    adjoint: Callable[[Tensor], Tensor],
    expand: Expand,
    curvature: Curvature,
    *,
    features: Sequence[Tensor] | None = None,
    full: tuple[int, int] | None = None,
) -> list[Metric]:
    """The metrics of linear models called `names`, after `conservation`, which needs no name.

    arch: shapes in full space. weights: at step 0, all K, in the coordinates of `features`.
    adjoint: V (k, m_y, nbar) -> V G_l^T (k, L, m_y, m), of the operator that trains.
    features: G_l (m, nbar) for each head, which time_condition and rates need; gradient_terms use
        them in place of `adjoint`, which they then check, too.
    expand: (weights, their indices in the batch) -> weights in full space.
    curvature: (objective, weights) -> lambda_max (k,), for sharpness.
    full: as for `geometry`.

    Raises:
        ValueError: for a name that needs `features`, or an unknown one.
    """
    signals = adjoint if features is None else partial(label_signals, G=features)
    metrics: dict[str, Metric] = {
        "gradient_terms": partial(linear_terms, arch, signals),
        "sharpness": partial(sharpness, curvature),
    }
    if features is not None:
        spaces = geometry(features, full)
        metrics["time_condition"] = partial(time_condition, arch, spaces, expand)
        metrics["rates"] = partial(rates, spaces)
    always = partial(conservation, balancedness(weights), guarantee(weights, arch, features))
    return [always, *_chosen(metrics, names, "a linear model and its propagated features G")]


def relu_metrics(
    arch: Architecture,
    names: Collection[str],
    second_gradient: SecondGradient,
    expand: Expand,
    curvature: Curvature,
) -> list[Metric]:
    """The metrics of ReLU models called `names`; other metrics are defined for linear models only.

    second_gradient: (full weights, Y) -> gradient, against which terms are checked (relu.py).

    Raises:
        ValueError: for any other name.
    """
    metrics: dict[str, Metric] = {
        "gradient_terms": partial(gradient_split, arch, second_gradient, expand),
        "sharpness": partial(sharpness, curvature),
    }
    return _chosen(metrics, names, "a linear model")


def _chosen(metrics: Mapping[str, Metric], names: Iterable[str], need: str) -> list[Metric]:
    absent = sorted(set(names) - set(metrics))
    if absent:
        raise ValueError(f"{absent} need {need}.")
    return [metrics[name] for name in metrics if name in names]


def measure(metrics: Iterable[Metric], snapshot: Snapshot) -> dict[str, Rows]:
    """Rows of this step for the tables training, time_condition and gradient_terms."""
    tables: Tables = {"training": {(): {}}, "time_condition": {}, "gradient_terms": {}}
    for metric in metrics:
        for table, columns in metric(snapshot).items():
            for key, values in columns.items():
                tables[table][key] = tables[table].get(key, {}) | values
    return {table: _rows(snapshot, tables[table], KEY_NAMES[table]) for table in tables}


def _rows(snapshot: Snapshot, columns: Mapping[Key, Columns], names: tuple[str, ...]) -> Rows:
    """A row for each model and each key of `columns`, whose parts are called `names`."""
    rows: Rows = []
    for key, values in columns.items():
        lists = {name: tensor.tolist() for name, tensor in values.items()}
        for k, model in enumerate(snapshot.models.tolist()):
            fixed = {"model": model, "step": snapshot.step, **dict(zip(names, key, strict=True))}
            rows.append(fixed | {name: numbers[k] for name, numbers in lists.items()})
    return rows


# Metrics of any model ----------------------------------------------------------------------------


def sharpness(curvature: Curvature, snapshot: Snapshot) -> Tables:
    """Step size times sharpness of each model: below 1 the steps follow the flow."""
    value = snapshot.rate * curvature(snapshot.objective, snapshot.weights)
    return {"training": {(): {"lr_lambda_max": value}}}


def _with_identity(columns: dict[Key, Columns], gradient: Weights) -> dict[Key, Columns]:
    """Add ||grad||^2, and by how much the values miss it, to every row."""
    squared = gradient.squared_norm()
    total = torch.stack([column["value"] for column in columns.values()])
    identity = {"grad_norm_sq": squared, "relative_error": relative_error(total, squared)}
    return {key: column | identity for key, column in columns.items()}


# Metrics of linear models ------------------------------------------------------------------------


def conservation(start: Sequence[Tensor], guaranteed: Tensor, snapshot: Snapshot) -> Tables:
    """Drift of the conservation laws, and the bound on lambda_T that the start guarantees."""
    models = snapshot.models
    facts = {
        "conservation_drift": drift(snapshot.weights, [C[models] for C in start]),
        "lambda_guaranteed": guaranteed[models],
    }
    return {"training": {(): facts}}


def rates(spaces: Geometry, snapshot: Snapshot) -> Tables:
    """The sharp rate and that of the kernel; L - L* of the squared loss by projection."""
    objective, weights = snapshot.objective, snapshot.weights
    facts = {"rate_sharp": rate_sharp(weights, spaces)}
    if weights.W[0].shape[1] * spaces.rows.shape[1] <= MOST_DIRECTIONS:
        facts["rate_kernel"], facts["rate_kernel_error"] = rate_kernel(weights, spaces)
    if objective.loss == "squared":
        # ||(Yhat - Y) P||_F^2, P the projector on row(Gs): L - L* by Pythagoras (`erratum_table`).
        projected = shared_matmul(objective.signal(weights), spaces.rows)  # 2 (Yhat - Y) N
        facts["projected_loss"] = projected.square().sum(dim=(1, 2)) / 4
    return {"training": {(): facts}}


def time_condition(
    arch: Architecture, spaces: Geometry, expand: Expand, snapshot: Snapshot
) -> Tables:
    """Columns for each layer that has a head."""
    weights = snapshot.weights
    reduced = layer_products(weights)
    wide = arch.width >= arch.m_x  # else lambda_min is 0, and no full product is needed
    full = layer_products(expand(weights, snapshot.models)) if wide else []
    one = weights.W[0].new_ones(weights.models)
    columns: dict[Key, Columns] = {}
    for l, U in zip(arch.levels, spaces.bases, strict=True):
        everywhere = restricted = one  # of Bbar_0 = I
        if l:
            everywhere = smallest_eigenvalue(full[l - 1]) if wide else 0 * one
            restricted = lambda_min_restricted(reduced[l - 1], U)
        columns[(l,)] = {
            "lambda_min": everywhere,
            "lambda_min_restricted": restricted,
            "layer_norm_rms": layer_norm_rms(weights, l),
        }
    return {"time_condition": columns}


def linear_terms(
    arch: Architecture, signals: Callable[[Tensor], Tensor], snapshot: Snapshot
) -> Tables:
    """Terms by the F and J forms, and the left side of equation 14's condition.

    signals: V (k, m_y, nbar) -> D_l = V G_l^T, (k, L, m_y, m).
    """
    weights = snapshot.weights
    D = signals(snapshot.objective.signal(weights))
    a, b = layer_matrices(weights, D)
    columns: dict[Key, Columns] = {
        ("head", l): {"value": inner(W, W), "signal": inner(D[:, j], D[:, j])}
        for j, (l, W) in enumerate(zip(arch.levels, head_matrices(weights, D), strict=True))
    }
    for i, (a_i, b_i) in enumerate(zip(a, b, strict=True), start=1):
        columns["layer", i] = {
            "value": inner(a_i + b_i, a_i + b_i),
            "norm_a_sq": inner(a_i, a_i),
            "norm_b_sq": inner(b_i, b_i),
            "inner_ab": inner(a_i, b_i),
        }
    tables: Tables = {"gradient_terms": _with_identity(columns, snapshot.gradient)}
    if arch.multiscale and arch.depth > 0:
        tables["training"] = {(): {"side_condition": side_condition(a, b)}}
    return tables


# Metrics of ReLU models --------------------------------------------------------------------------


def gradient_split(
    arch: Architecture, second_gradient: SecondGradient, expand: Expand, snapshot: Snapshot
) -> Tables:
    """||dL/dW_l||^2 and ||dL/dB_i||^2 of any net, against the norm of a second gradient."""
    gradient = snapshot.gradient
    columns: dict[Key, Columns] = {
        ("head", l): {"value": inner(W, W)} for l, W in zip(arch.levels, gradient.W, strict=True)
    }
    columns |= {("layer", i): {"value": inner(B, B)} for i, B in enumerate(gradient.B, start=1)}
    second = second_gradient(expand(snapshot.weights, snapshot.models), snapshot.objective.Y)
    return {"gradient_terms": _with_identity(columns, second)}
