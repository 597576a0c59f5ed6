"""Rates of decay of L - L* at one moment: 4 lambda sigma^2, its sharper forms, the measured one.

For V = 2 (Yhat - Y) and r = rank(Gs) (derivation in docs/theory.md)

    4 lambda sigma_min^2(Gs)  <=  4 lambda_restricted sigma_r^2(Gs)  <=  4 sigma_r^2(Z)
                              <=  4 lambda_min(K)  <=  ||grad||^2 / (L - L*),

Z = [Bbar_l G_l] over the heads l, K the neural tangent kernel on the row space of Gs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gnn_dynamics.linalg.singular_values import orthonormal_basis
from gnn_dynamics.models.model import Weights
from gnn_dynamics.models.tangent import tangent_kernel
from gnn_dynamics.theory.products import hidden, layer_products, levels_of
from gnn_dynamics.theory.time_condition import smallest_eigenvalue

MOST_DIRECTIONS = 1500  # m_y r: an eigenvalue problem of this size takes half a second


@dataclass(frozen=True)
class Geometry:
    """Subspaces of the propagated features, fixed along a run.

    bases: U_l (m, rank G_l), orthonormal basis of col(G_l), for each head.
    rows: N (nbar, r), orthonormal basis of row(Gs), r = rank(Gs).
    compressed: G_l N (m, r) for each head; Z N has the nonzero singular values of Z.
    """

    bases: tuple[Tensor, ...]
    rows: Tensor
    compressed: tuple[Tensor, ...]


def geometry(G: Sequence[Tensor], full: tuple[int, int] | None = None) -> Geometry:
    """Bases for the propagated features `G`, one (m, nbar) for each head.

    full: (m_x, nbar) of the features before reductions: their rounding errors set the tolerance of
        a zero singular value. None without reductions.
    """
    m_x, nbar = full or G[0].shape
    rows = _basis(torch.cat(tuple(G)).mT, (nbar, m_x * len(G)))
    bases = tuple(_basis(G_l, (m_x, nbar)) for G_l in G)
    return Geometry(bases, rows, tuple(G_l @ rows for G_l in G))


def _basis(M: Tensor, shape: tuple[int, int]) -> Tensor:
    return torch.as_tensor(orthonormal_basis(M.cpu().numpy(), shape=shape)).to(M)


def rate_sharp(weights: Weights, geometry: Geometry) -> Tensor:
    """4 sigma_r^2(Z), (K,): exactly 0 when Z has fewer than r rows."""
    products, K = layer_products(weights), weights.models
    pairs = zip(levels_of(weights), geometry.compressed, strict=True)
    Z = torch.cat([hidden(products, l, G_l, K) for l, G_l in pairs], dim=1)  # (K, sum m_l, r)
    return 4 * smallest_eigenvalue(Z)


def rate_kernel(weights: Weights, geometry: Geometry) -> tuple[Tensor, Tensor]:
    """4 lambda_min(K) on the row space of Gs, (K,), and its rounding error."""
    eigenvalues = torch.linalg.eigvalsh(tangent_kernel(weights, geometry.compressed))
    smallest, largest = eigenvalues[:, 0].clamp(min=0.0), eigenvalues[:, -1]
    eps = torch.finfo(largest.dtype).eps
    return 4 * smallest, 4 * eigenvalues.shape[1] * eps * largest
