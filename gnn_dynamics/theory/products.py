"""Products of weight matrices that several statements share."""

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor

from gnn_dynamics.linalg.products import shared_matmul
from gnn_dynamics.models.model import Weights


def layer_products(weights: Weights) -> list[Tensor]:
    """[Bbar_1, ..., Bbar_H] with Bbar_l = B_l ... B_1, (K, m_l, m_x).

    Without Bbar_0: an identity of m_x columns would cost more than all of them.
    """
    return list(accumulate(weights.B, lambda product, B: B @ product))  # (K, m_l, m_x)


def hidden(products: Sequence[Tensor], l: int, G_l: Tensor, models: int) -> Tensor:
    """Bbar_l G_l, (K, m_l, c), from `layer_products` and a shared G_l (m_x, c)."""
    return shared_matmul(products[l - 1], G_l) if l else G_l.expand(models, *G_l.shape)


def through(D: Tensor, products: Sequence[Tensor], l: int) -> Tensor:
    """D Bbar_l^T, (K, a, m_l), from `layer_products` and D (K, a, m_x)."""
    return D @ products[l - 1].mT if l else D


def levels_of(weights: Weights) -> tuple[int, ...]:
    """The l that carry a head: (H,) for Definition 1, (0, ..., H) for Definition 2.

    Raises:
        ValueError: if the number of heads fits neither definition.
    """
    depth, heads = len(weights.B), len(weights.W)
    if heads not in (1, depth + 1):
        raise ValueError(f"{heads} heads on {depth} hidden layers: expected 1 or {depth + 1}.")
    return tuple(range(depth + 1 - heads, depth + 1))


def outputs(weights: Weights, G: Sequence[Tensor]) -> Tensor:
    """Yhat = sum_l W_l Bbar_l G_l, (K, m_y, nbar); `G` holds one (m_x, nbar) for each head."""
    products, levels = layer_products(weights), levels_of(weights)
    parts = [
        W @ hidden(products, l, G_l, weights.models)  # (K, m_y, nbar)
        for W, l, G_l in zip(weights.W, levels, G, strict=True)
    ]
    return torch.stack(parts).sum(dim=0)


def label_signals(V: Tensor, G: Sequence[Tensor]) -> Tensor:
    """D_l = V G_l^T for each head, (K, L, m_y, m_x), from V = d loss / d Yhat, (K, m_y, nbar)."""
    return torch.stack([shared_matmul(V, G_l.mT) for G_l in G], dim=1)  # (K, L, m_y, m_x)
