"""Products of weight matrices that several statements share."""

from itertools import accumulate

import torch
from torch import Tensor

from gnn_dynamics.engine.matrices import fold
from gnn_dynamics.engine.model import Weights


def input_size(weights: Weights) -> int:
    """m_x, or the size of the reduced coordinates that the weights live in."""
    return (*weights.B, *weights.W)[0].shape[-1]


def prefix_products(weights: Weights) -> list[Tensor]:
    """[Bbar_0, ..., Bbar_H] with Bbar_l = B_l ... B_1, (K, m_l, m_x); Bbar_0 is the identity."""
    size, like = input_size(weights), weights.W[0]
    identity = torch.eye(size, dtype=like.dtype, device=like.device)
    products = accumulate(weights.B, lambda product, B: B @ product)
    return [identity.expand(weights.models, size, size), *products]


def levels_of(weights: Weights) -> tuple[int, ...]:
    """The l that carry a head: (H,) for Definition 1, (0, ..., H) for Definition 2.

    Raises:
        ValueError: if the number of heads fits neither definition.
    """
    depth, heads = len(weights.B), len(weights.W)
    if heads not in (1, depth + 1):
        raise ValueError(f"{heads} heads on {depth} hidden layers: expected 1 or {depth + 1}.")
    return tuple(range(depth + 1 - heads, depth + 1))


def outputs(weights: Weights, G: list[Tensor]) -> Tensor:
    """Yhat = sum_l W_l Bbar_l G_l, (K, m_y, nbar); `G` holds one (m_x, nbar) for each head."""
    Bbar = prefix_products(weights)
    levels = levels_of(weights)
    parts = [W @ fold(Bbar[l], G_l) for W, l, G_l in zip(weights.W, levels, G, strict=True)]
    return torch.stack(parts).sum(dim=0)


def label_signals(V: Tensor, G: list[Tensor]) -> Tensor:
    """D_l = V G_l^T for each head, (K, L, m_y, m_x), from V = d loss / d Yhat, (K, m_y, nbar)."""
    return torch.stack([fold(V, G_l.mT) for G_l in G], dim=1)
