"""Sharpness: the largest eigenvalue of the Hessian or of the Gauss-Newton matrix, per model.

    hessian        d^2 L / d w^2, exactly, as the derivative of the hand-written gradient
    gauss_newton   J^T (d^2 L / d Yhat^2) J with J = d Yhat / d w (2 J^T J for the squared loss);
                   positive semidefinite, and the Hessian once the residual has vanished

At the start the Hessian of a linear GNN is a saddle whose spectrum is nearly symmetric about 0, so
power iteration does not converge; Lanczos finds the largest eigenvalue, whatever the smallest is.
It is written out here, rather than taken from ARPACK, as K models share every product; its values
agree with scipy's eigsh and with dense eigenvalues (tests/test_engine_sharpness.py).
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd import forward_ad

from gnn_dynamics.engine.linear import suffix_rows
from gnn_dynamics.engine.losses import LOSSES
from gnn_dynamics.engine.model import Weights
from gnn_dynamics.engine.objective import Objective
from gnn_dynamics.engine.prefix import ReluData
from gnn_dynamics.engine.relu import relu_forward

Product = Callable[[Weights], Weights]  # v -> M v, for a symmetric M of each model

TOLERANCE = 1e-2  # of the residual ||M q - theta q|| / |theta|; theta itself is far closer
MOST_STEPS = 100
BASIS_BYTES = 2**30  # that the Lanczos vectors of models treated together may take


def lambda_max(
    objective: Objective,
    weights: Weights,
    matrix: str = "hessian",
    tolerance: float = TOLERANCE,
) -> Tensor:
    """Largest eigenvalue (K,) of `matrix`, a key of `PRODUCTS`, at the weights of each model.

    Models are taken in groups whose Lanczos vectors fit into BASIS_BYTES. One whose weights or
    derivatives are not finite gets infinity and leaves the others alone.
    """
    size = sum(tensor[0].numel() for tensor in weights.tensors())
    together = max(1, BASIS_BYTES // (8 * size * MOST_STEPS))
    indices = torch.arange(weights.models, device=weights.W[0].device).split(together)
    values = []
    for index in indices:
        part = weights.take(index)
        product = PRODUCTS[matrix](objective.take(index), part)
        finite = flatten(part).isfinite().all(dim=1)
        values.append(largest_eigenvalue(product, part, tolerance).where(finite, torch.inf))
    return torch.cat(values)


# Matrices by their products ----------------------------------------------------------------------


def hessian_product(objective: Objective, weights: Weights) -> Product:
    """v -> H v by reverse-mode differentiation of the hand-written gradient: exact.

    The gradient is traced once and each product is one pass back, H being symmetric.
    """
    points = weights.map(lambda tensor: tensor.detach().requires_grad_())
    with torch.enable_grad():
        gradient = objective(points)[1].tensors()

    def product(v: Weights) -> Weights:
        columns = torch.autograd.grad(
            gradient, points.tensors(), v.tensors(), retain_graph=True, materialize_grads=True
        )
        return Weights(columns[: len(weights.B)], columns[len(weights.B) :])

    return product


def gauss_newton_product(objective: Objective, weights: Weights) -> Product:
    """v -> J^T L'' J v: forward mode through outputs and loss, reverse mode back."""
    points = weights.map(lambda tensor: tensor.detach().requires_grad_())
    Yhat = outputs(objective, points)

    def product(v: Weights) -> Weights:
        with forward_ad.dual_level(), torch.no_grad():
            moving = outputs(objective, weights.zip(forward_ad.make_dual, v))
            V = tangent(LOSSES[objective.loss](moving, objective.Y)[1])
        signals = torch.autograd.grad(Yhat, points.tensors(), V, retain_graph=True)
        return Weights(signals[: len(weights.B)], signals[len(weights.B) :])

    return product


PRODUCTS = {"hessian": hessian_product, "gauss_newton": gauss_newton_product}


def outputs(objective: Objective, weights: Weights) -> Tensor:
    """Yhat (K, m_y, nbar) of a linear or a ReLU model."""
    if isinstance(objective.data, ReluData):
        return relu_forward(weights, objective.data)[0]
    return objective.data.apply(suffix_rows(weights)[0].unflatten(1, (len(weights.W), -1)))


def tangent(dual: Tensor) -> Tensor:
    """The derivative that a dual tensor carries; without one it is constant."""
    derivative = forward_ad.unpack_dual(dual).tangent
    return torch.zeros_like(dual) if derivative is None else derivative


# Lanczos -----------------------------------------------------------------------------------------


def largest_eigenvalue(product: Product, like: Weights, tolerance: float = TOLERANCE) -> Tensor:
    """Largest eigenvalue (K,) of symmetric matrices that act on the space of the weights `like`.

    Lanczos with full reorthogonalisation (Golub and Van Loan, Matrix Computations, 10.1) from a
    fixed start. The value of a model is kept from the step at which its residual has fallen to
    `tolerance`, so it does not depend on its neighbours; after MOST_STEPS steps it is the Ritz
    value plus its residual. Infinity where a product is not finite.
    """
    basis, T = [start_vectors(like)], like.W[0].new_zeros(like.models, 0, 0)
    value = done = None
    for _ in range(MOST_STEPS):
        w = flatten(product(unflatten(basis[-1], like)))
        w, T = extend(w, basis, T)
        theta, residual = top_ritz_pair(T, w.norm(dim=1))
        value = theta if done is None else torch.where(done, value, theta)
        converged = ~(residual > tolerance * theta.abs())  # NaN counts as converged
        done = converged if done is None else done | converged
        if done.all():
            break
        basis.append(torch.nn.functional.normalize(w, dim=1))
    return torch.where(done, value, theta + residual).nan_to_num(nan=torch.inf)


def start_vectors(like: Weights) -> Tensor:
    """(K, size) unit vectors, the same Gaussian draw for every model."""
    size = sum(tensor[0].numel() for tensor in like.tensors())
    draw = torch.randn(size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return (draw / draw.norm()).to(like.W[0]).expand(like.models, -1)


def extend(w: Tensor, basis: list[Tensor], T: Tensor) -> tuple[Tensor, Tensor]:
    """w = M q_j made orthogonal to the basis, and T (K, j, j) = Q^T M Q."""
    coupling = [(q * w).sum(dim=1) for q in basis]
    for _ in range(2):  # once is not enough in floating point
        for q in basis:
            w = w - (q * w).sum(dim=1, keepdim=True) * q
    T = torch.nn.functional.pad(T, (0, 1, 0, 1))
    T[:, -1, :] = T[:, :, -1] = torch.stack(coupling, dim=1)
    return w, T


def top_ritz_pair(T: Tensor, beta: Tensor) -> tuple[Tensor, Tensor]:
    """Largest eigenvalue of T (K, j, j) and the residual of its Ritz vector; NaN where T is."""
    broken = ~T.isfinite().flatten(1).all(dim=1)
    values, vectors = torch.linalg.eigh(torch.where(broken[:, None, None], 0, T))
    theta = torch.where(broken, torch.nan, values[:, -1])
    return theta, beta * vectors[:, -1, -1].abs()


def flatten(weights: Weights) -> Tensor:
    """(K, size), one row per model."""
    return torch.cat([tensor.flatten(1) for tensor in weights.tensors()], dim=1)


def unflatten(rows: Tensor, like: Weights) -> Weights:
    """The inverse of `flatten`."""
    parts = rows.split([tensor[0].numel() for tensor in like.tensors()], dim=1)
    tensors = [part.view(t.shape) for part, t in zip(parts, like.tensors(), strict=True)]
    return Weights(tuple(tensors[: len(like.B)]), tuple(tensors[len(like.B) :]))
