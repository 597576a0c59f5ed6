"""What a training job records at a step for the theorems: rows for three tables.

    setting = prepare(arch, observed, weights, G=G, expand=expand)
    train(..., observe=lambda snapshot: collect(observe(setting, snapshot)))

Rows carry `model` (its place in the batch) and `step` in place of the keys of the run. Weights are
the engine's, reduced or not: every quantity here is the same in coordinates of an orthonormal basis
of the features' row space, apart from `lambda_min`, for which `expand` leads back.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gnn_dynamics.dynamics.train import Snapshot
from gnn_dynamics.linalg.products import shared_matmul
from gnn_dynamics.models.linear import forward
from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.theory.conservation import balancedness, drift, guaranteed_lambda
from gnn_dynamics.theory.integrator import local_error
from gnn_dynamics.theory.products import label_signals, layer_products
from gnn_dynamics.theory.rates import Geometry, geometry, rate_sharp
from gnn_dynamics.theory.terms import (
    head_matrices,
    inner,
    layer_matrices,
    relative_error,
    side_condition,
)
from gnn_dynamics.theory.time_condition import (
    lambda_min_full,
    lambda_min_restricted,
    layer_norm_rms,
)

Rows = list[dict[str, float | int | str | None]]
Columns = dict[str, Tensor | None]
Expand = Callable[[Weights, Tensor], Weights]
SecondGradient = Callable[[Weights, Tensor], Weights]


@dataclass(frozen=True)
class Setting:
    """What stays fixed along the K runs of a batch; made by `prepare`."""

    arch: Architecture
    observed: frozenset[str]
    flow: bool
    G: Sequence[Tensor] | None
    geometry: Geometry | None
    expand: Expand | None
    second_gradient: SecondGradient | None
    start: list[Tensor]
    guaranteed: Tensor


def prepare(
    arch: Architecture,
    observed: Collection[str],
    weights: Weights,
    *,
    flow: bool = False,
    G: Sequence[Tensor] | None = None,
    full: tuple[int, int] | None = None,
    expand: Expand | None = None,
    second_gradient: SecondGradient | None = None,
) -> Setting:
    """Look at a batch of runs before their first step.

    arch: shapes in full space. observed: of time_condition, gradient_terms, rates; other names are
    not for the theorems and ignored. weights: at step 0, all K, in the coordinates of `G`.
    flow: the steps are those of RK4, so that their local error is measured (with `rates`).
    G: one (m, nbar) for each head; time_condition and rates need it. full: as for `geometry`.
    expand: (weights, their places in the batch) -> weights in full space; None: they are there.
    second_gradient: for ReLU models, whose terms are those of the gradient itself (relu.py).

    Raises:
        ValueError: if `G` or `second_gradient` is absent but needed, or a theorem about linear
            models is to be observed on others.
    """
    spaces = {"time_condition", "rates"} & set(observed)
    if spaces and (G is None or arch.activation != "linear"):
        raise ValueError(f"{sorted(spaces)} need a linear model and its propagated features G.")
    if "gradient_terms" in observed and arch.activation != "linear" and second_gradient is None:
        raise ValueError("gradient_terms of a nonlinear model need a second gradient.")
    bounds = guaranteed_lambda(_within(weights, arch, G))
    return Setting(
        arch,
        frozenset(observed),
        flow,
        G,
        geometry(G, full) if spaces else None,
        expand,
        second_gradient,
        balancedness(weights),
        torch.stack([bounds[l] for l in arch.levels]).amin(dim=0),
    )


def _within(weights: Weights, arch: Architecture, G: Sequence[Tensor] | None) -> Weights:
    """The weights without padding, B_1 on the coordinates that some G_l, l >= 1, uses.

    Other columns of B_1 never act nor change; with them a layer narrower than m_x would seem to
    guarantee nothing, although its restricted lambda is bounded.
    """
    if not weights.B:
        return weights
    heads = [
        W if l == 0 else W[..., : arch.width] for l, W in zip(arch.levels, weights.W, strict=True)
    ]
    B = [M[:, : arch.width, : arch.width] for M in weights.B[1:]]
    first = weights.B[0][:, : arch.width]
    if G is not None:
        deep = [G_l for l, G_l in zip(arch.levels, G, strict=True) if l > 0]
        first = first[..., torch.cat(deep, dim=1).abs().amax(dim=1) > 0]
    return Weights((first, *B), tuple(heads))


def observe(setting: Setting, snapshot: Snapshot) -> dict[str, Rows]:
    """Rows of this step for the tables training, time_condition and gradient_terms.

    Those for training hold what the trainer does not know: rate_sharp, conservation_drift,
    lambda_guaranteed, side_condition, projected_loss, local_error (null where not observed).
    """
    facts, terms = _training_facts(setting, snapshot), {}
    if "gradient_terms" in setting.observed:
        linear = setting.arch.activation == "linear"
        terms, more = (_linear_terms if linear else _gradient_split)(setting, snapshot)
        facts |= more
    conditions = _conditions(setting, snapshot) if "time_condition" in setting.observed else {}
    return {
        "training": _rows(snapshot, {(): facts}),
        "time_condition": _rows(snapshot, conditions, "layer"),
        "gradient_terms": _rows(snapshot, terms, "term", "index"),
    }


def _rows(snapshot: Snapshot, columns: dict[tuple, Columns], *names: str) -> Rows:
    """A row for each model and each key of `columns`, whose parts are called `names`."""
    models, rows = snapshot.models.tolist(), []
    for key, values in columns.items():
        lists = {k: [None] * len(models) if v is None else v.tolist() for k, v in values.items()}
        fixed = {"step": snapshot.step, **dict(zip(names, key, strict=True))}
        for k, model in enumerate(models):
            rows.append({"model": model, **fixed, **{name: v[k] for name, v in lists.items()}})
    return rows


def _training_facts(setting: Setting, snapshot: Snapshot) -> Columns:
    weights, models = snapshot.weights, snapshot.models
    facts: Columns = dict.fromkeys(
        ("side_condition", "projected_loss", "rate_sharp", "local_error")
    )
    linear = setting.arch.activation == "linear"
    facts["conservation_drift"] = (
        drift(weights, [C[models] for C in setting.start]) if linear else None
    )
    facts["lambda_guaranteed"] = setting.guaranteed[models] if linear else None
    if "rates" in setting.observed:
        facts["rate_sharp"] = rate_sharp(weights, setting.geometry)
        if snapshot.objective.loss == "squared":
            facts["projected_loss"] = _projected_loss(setting, snapshot)
        if setting.flow:
            arguments = (snapshot.objective, weights, snapshot.gradient, snapshot.rate)
            facts["local_error"] = local_error(*arguments)
    return facts


def _projected_loss(setting: Setting, snapshot: Snapshot) -> Tensor:
    """||(Yhat - Y) P||_F^2, P the projector on row(Gs): L - L* by Pythagoras (erratum.py)."""
    V = _signal(snapshot)
    return shared_matmul(V, setting.geometry.rows).square().sum(dim=(1, 2)) / 4


def _signal(snapshot: Snapshot) -> Tensor:
    """V = d loss / d Yhat of a linear model, (K, m_y, nbar)."""
    objective = snapshot.objective
    return forward(snapshot.weights, objective.data, objective.Y, objective.loss)[2]


def _label_signals(setting: Setting, snapshot: Snapshot) -> Tensor:
    """D_l = V G_l^T, from G where it is at hand: then the operator's adjoint is checked, too."""
    V = _signal(snapshot)
    return snapshot.objective.data.adjoint(V) if setting.G is None else label_signals(V, setting.G)


def _conditions(setting: Setting, snapshot: Snapshot) -> dict[tuple, Columns]:
    """Columns for each level that has a head."""
    weights = snapshot.weights
    reduced, full = layer_products(weights), _full_products(setting, snapshot)
    one = weights.W[0].new_ones(weights.models)
    columns: dict[tuple, Columns] = {}
    for level, U in zip(setting.arch.levels, setting.geometry.bases, strict=True):
        everywhere = restricted = one  # of Bbar_0 = I
        if level:
            everywhere = lambda_min_full(full[level - 1]) if full else 0 * one
            restricted = lambda_min_restricted(reduced[level - 1], U)
        columns[(level,)] = {
            "lambda_min": everywhere,
            "lambda_min_restricted": restricted,
            "layer_norm_rms": layer_norm_rms(weights, level),
        }
    return columns


def _full_products(setting: Setting, snapshot: Snapshot) -> list[Tensor] | None:
    """Bbar_1 .. Bbar_H in full space; None where the width is below m_x, hence lambda_min 0."""
    if setting.arch.width < setting.arch.m_x:
        return None
    return layer_products(_expanded(setting, snapshot))


def _expanded(setting: Setting, snapshot: Snapshot) -> Weights:
    expand, weights = setting.expand, snapshot.weights
    return expand(weights, snapshot.models) if expand else weights


def _linear_terms(setting: Setting, snapshot: Snapshot) -> tuple[dict[tuple, Columns], Columns]:
    """Terms by the F and J forms, and the left side of equation 14's condition."""
    weights, levels = snapshot.weights, setting.arch.levels
    D = _label_signals(setting, snapshot)
    a, b = layer_matrices(weights, D)
    columns = {
        ("head", l): {"value": inner(W, W), "signal": inner(D[:, j], D[:, j])}
        for j, (l, W) in enumerate(zip(levels, head_matrices(weights, D), strict=True))
    }
    for i, (a_i, b_i) in enumerate(zip(a, b, strict=True), start=1):
        columns["layer", i] = {
            "value": inner(a_i + b_i, a_i + b_i),
            "norm_a_sq": inner(a_i, a_i),
            "norm_b_sq": inner(b_i, b_i),
            "inner_ab": inner(a_i, b_i),
        }
    compared = setting.arch.multiscale and setting.arch.depth > 0
    condition = side_condition(a, b) if compared else None
    return _with_identity(columns, snapshot.gradient), {"side_condition": condition}


def _gradient_split(setting: Setting, snapshot: Snapshot) -> tuple[dict[tuple, Columns], Columns]:
    """For any net: ||dL/dW_l||^2 and ||dL/dB_i||^2, against the norm of a second gradient."""
    gradient = snapshot.gradient
    columns = {
        ("head", l): {"value": inner(W, W)}
        for l, W in zip(setting.arch.levels, gradient.W, strict=True)
    }
    columns |= {("layer", i): {"value": inner(B, B)} for i, B in enumerate(gradient.B, start=1)}
    second = setting.second_gradient(_expanded(setting, snapshot), snapshot.objective.Y)
    return _with_identity(columns, second), {}


def _with_identity(columns: dict[tuple, Columns], gradient: Weights) -> dict[tuple, Columns]:
    """Add ||grad||^2, and by how much the values miss it, to every row."""
    squared = gradient.squared_norm()
    total = torch.stack([column["value"] for column in columns.values()])
    identity = {"grad_norm_sq": squared, "relative_error": relative_error(total, squared)}
    return {key: column | identity for key, column in columns.items()}
