"""What gradient flow conserves, and the lower bound on lambda_T that follows from the start.

For every loss, along gradient flow (derivation in docs/theory.md), for l = 1..H,

    C_l = B_{l+1}^T B_{l+1} + W_l^T W_l - B_l B_l^T

is constant, where B_{H+1} is absent, and so is W_l if layer l has no head.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.theory.products import levels_of


def balancedness(weights: Weights) -> list[Tensor]:
    """[C_1, ..., C_H], each (K, m_l, m_l): constant along gradient flow."""
    heads = dict(zip(levels_of(weights), weights.W, strict=True))
    matrices = []
    for l, B in enumerate(weights.B, start=1):
        above = [M for M in (*weights.B[l : l + 1], heads.get(l)) if M is not None]
        matrices.append(sum(M.mT @ M for M in above) - B @ B.mT)  # (K, m_l, m_l)
    return matrices


def drift(weights: Weights, start: Sequence[Tensor]) -> Tensor:
    """max_l ||C_l(t) - C_l(0)||_F relative to max(1, max_l ||C_l(0)||_F), (K,).

    The 1 keeps it meaningful for balanced starts (C = 0). Not a number of the flow but of whatever
    integrates it: 0 for exact flow.
    """
    zero = weights.W[0].new_zeros(weights.models)
    now = balancedness(weights)
    moved = [torch.linalg.matrix_norm(C - C_0) for C, C_0 in zip(now, start, strict=True)]
    scale = [zero + 1, *(torch.linalg.matrix_norm(C_0) for C_0 in start)]
    return torch.stack([zero, *moved]).amax(dim=0) / torch.stack(scale).amax(dim=0)


def guarantee(weights: Weights, arch: Architecture, G: Sequence[Tensor] | None) -> Tensor:
    """Smallest of the `guaranteed_lambda` over the heads, (K,), for weights with padding.

    G: (m, nbar) for each head. Columns of B_1 outside the coordinates that some G_l, l >= 1, uses
    never act nor change; with them a layer narrower than m_x would seem to guarantee nothing,
    although its restricted lambda is bounded.
    """
    width, B = arch.width, [B_l[:, : arch.width] for B_l in weights.B]
    heads = [W[..., :width] if l else W for l, W in zip(arch.levels, weights.W, strict=True)]
    if B and G is not None:
        deep = torch.cat([G_l for l, G_l in zip(arch.levels, G, strict=True) if l > 0], dim=1)
        B[0] = B[0][..., deep.abs().amax(dim=1) > 0]
    inner = Weights((*B[:1], *(B_l[..., :width] for B_l in B[1:])), tuple(heads))
    bounds = guaranteed_lambda(inner)
    return torch.stack([bounds[l] for l in arch.levels]).amin(dim=0)


def guaranteed_lambda(weights: Weights) -> list[Tensor]:
    """Lower bounds on lambda_T^(l) for every T, l = 0..H, from the weights at the start; (K,) each.

    d_{H+1} = 0,  d_l = max(0, d_{l+1} + k-th largest eigenvalue of -C_l) with k = m_{l-1};
    lambda_T^(l) >= d_1 ... d_l (docs/theory.md, proposition on the start). It replaces the
    singular margin of Propositions 1-2. All heads zero and all B_l with orthonormal columns
    give d_l = 1, hence lambda_T >= 1 unconditionally.
    """
    lower = weights.W[0].new_zeros(weights.models)
    factors: list[Tensor] = []
    pairs = list(zip(weights.B, balancedness(weights), strict=True))
    for B, C in reversed(pairs):
        rows, cols = B.shape[-2:]
        ascending = torch.linalg.eigvalsh(-C)
        # With rows < cols the layer has a kernel, and no bound but 0.
        kth_largest = ascending[:, rows - cols] if rows >= cols else -lower
        lower = (lower + kth_largest).clamp(min=0)
        factors.insert(0, lower)
    bounds = [torch.ones_like(lower)]
    for factor in factors:
        bounds.append(bounds[-1] * factor)
    return bounds
