"""Sharpness: the largest eigenvalue of the Hessian d^2 L / d w^2, per model.

Products with it are exact, as derivatives of the hand-written gradient. At the start the Hessian of
a linear GNN is a saddle whose spectrum is nearly symmetric about 0, so power iteration does not
converge; Lanczos finds the largest eigenvalue, whatever the smallest is. It is written out here,
rather than taken from ARPACK, as K models share every product; its values agree with scipy's eigsh
and with dense eigenvalues (tests/test_dynamics_sharpness.py).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from gnn_dynamics.models.model import Weights
from gnn_dynamics.models.objective import Objective

Product = Callable[[Weights], Weights]  # v -> M v, for a symmetric M of each model

# Of the residual ||M q - theta q|| / |theta|. On Cora theta is then 0.05 to 1.6 % low, where the
# largest eigenvalues crowd; a step size needs no more.
TOLERANCE = 1e-2
MOST_STEPS = 100
LOOK_EVERY = {"cpu": 1, "cuda": 20}  # steps of Lanczos between two looks: a GPU makes them wait
ROUNDING = 1e-12  # residuals below this part of the largest Ritz value are zero


def lambda_max(objective: Objective, weights: Weights, tolerance: float = TOLERANCE) -> Tensor:
    """Largest eigenvalue (K,) of the Hessian at the weights of each model.

    A model whose weights or derivatives are not finite gets infinity and leaves the others alone.
    """
    finite = weights.flatten().isfinite().all(dim=1)
    value = largest_eigenvalue(hessian_product(objective, weights), weights, tolerance)
    return value.where(finite, torch.inf)


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
        return weights.like(columns)

    return product


# Lanczos -----------------------------------------------------------------------------------------


def largest_eigenvalue(product: Product, like: Weights, tolerance: float = TOLERANCE) -> Tensor:
    """Largest eigenvalue (K,) of symmetric matrices that act on the space of the weights `like`.

    Lanczos (Golub and Van Loan, Matrix Computations, 10.1) from a fixed start, by its three-term
    recurrence: as rounding spoils the orthogonality of the vectors it only repeats Ritz values
    that have converged (Paige 1980, doi:10.1016/0024-3795(80)90167-6), so nothing is gained for
    the largest one by keeping and reorthogonalising them. The value of a model is kept from the
    step at which its residual has fallen to `tolerance`, so it does not depend on its neighbours;
    after MOST_STEPS steps it is the Ritz value plus its residual. Infinity where a product is not
    finite.
    """
    q = start_vectors(like)
    before, value = torch.zeros_like(q), q.new_zeros(len(q))
    done = torch.zeros_like(value, dtype=torch.bool)
    alphas: list[Tensor] = []
    betas = [value]
    look_every = LOOK_EVERY[q.device.type]
    for step in range(1, MOST_STEPS + 1):
        w = product(like.unflatten(q)).flatten()  # (K, size)
        alphas.append((q * w).sum(dim=1))
        w = w - alphas[-1].unsqueeze(1) * q - betas[-1].unsqueeze(1) * before
        betas.append(torch.linalg.vector_norm(w, dim=1))
        if step % look_every == 0:
            thetas, residuals, small = top_ritz_pairs(alphas, betas[1:], tolerance, look_every)
            for theta, converged in zip(thetas, small, strict=True):
                value = torch.where(done, value, theta)
                done = converged | done
            if done.all():
                break
        before, q = q, torch.nn.functional.normalize(w, dim=1)
    return torch.where(done, value, thetas[-1] + residuals[-1]).nan_to_num(nan=torch.inf)


def start_vectors(like: Weights) -> Tensor:
    """(K, size) unit vectors, the same Gaussian draw for every model."""
    size = sum(tensor[0].numel() for tensor in like.tensors())
    draw = torch.randn(size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    start: Tensor = draw / torch.linalg.vector_norm(draw)
    return start.to(like.W[0]).expand(like.models, -1)


def top_ritz_pairs(
    alphas: list[Tensor], betas: list[Tensor], tolerance: float, last: int = 1
) -> tuple[Tensor, Tensor, Tensor]:
    """Largest Ritz value, its residual, and whether that is small enough, (last, K) each.

    alphas, betas: (K,) for each step, the diagonals of the tridiagonal matrices T;  last: of so
    many steps, in one batch. NaN, and done, where T is not finite.
    """
    diagonal, beside = torch.stack(alphas, dim=1), torch.stack(betas, dim=1)  # (K, n)
    n = diagonal.shape[1]
    T = torch.diag_embed(diagonal)
    if n > 1:
        T = T + torch.diag_embed(beside[:, :-1], 1) + torch.diag_embed(beside[:, :-1], -1)
    sizes = torch.arange(n - last + 1, n + 1, device=T.device)
    T = leading(T, sizes)  # (last, K, n, n)
    ends = beside[:, n - last :].mT  # (last, K)
    finite = T.isfinite().flatten(2).all(dim=2) & ends.isfinite()
    values, vectors = torch.linalg.eigh(T.where(finite[..., None, None], 0))
    theta = values[..., -1].where(finite, torch.nan)
    index = (sizes - 1)[:, None, None].expand(-1, len(diagonal), 1)
    residual = (ends * vectors[..., -1].gather(2, index).squeeze(2).abs()).where(finite, torch.nan)
    small = torch.maximum(tolerance * theta.abs(), ROUNDING * values.abs().amax(dim=-1))
    return theta, residual, (residual <= small) | ~finite


def leading(T: Tensor, sizes: Tensor) -> Tensor:
    """Leading parts of T (K, n, n); their other rows have one smaller eigenvalue.

    (sizes, K, n, n), for sizes that end with n
    """
    if len(sizes) == 1:
        return T.unsqueeze(0)
    inside = torch.arange(T.shape[1], device=T.device) < sizes[:, None]  # (sizes, n)
    parts = T.where((inside[:, :, None] & inside[:, None, :])[:, None], 0)
    largest = parts.abs().amax(dim=(2, 3))  # of a part's entries, (sizes, K)
    below = T[:, 0, 0] - 2 * largest.where(largest > 0, 0.5)
    return parts + torch.diag_embed(below[..., None].where(~inside[:, None], 0))
