"""Theorem 3: -dL/dt split into terms of the heads W_l and terms of the layers B_i.

Xu et al. (2021), Theorem 3, for any differentiable loss and V = d loss / d Yhat:

    -dL/dt = sum_l || vec[V G_l^T] ||^2_{F_(l)}  +  sum_i || sum_{l >= i} J_(i,l) vec[V G_l^T] ||^2
    F_(l)   = Bbar_l^T Bbar_l  kron  I
    J_(i,l) = B_{i-1} ... B_1  kron  (W_l B_l ... B_{i+1})^T

With (C^T kron A) vec[M] = vec[A M C] no Kronecker product is formed. The terms do not use the
gradient with which models are trained, so their sum checks it. The signals D_l = V G_l^T come from
the features where a run records them (`time_condition`, `rates`), else from the adjoint of the
model's operator, which is then not checked.
"""

import functools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from gnn_dynamics.models.model import Weights
from gnn_dynamics.theory.products import layer_products, levels_of, through


def head_matrices(weights: Weights, D: Tensor) -> list[Tensor]:
    """V (Bbar_l G_l)^T = D_l Bbar_l^T for each head, (K, m_y, m_l); squares sum to the F terms."""
    products = layer_products(weights)
    levels = enumerate(levels_of(weights))
    return [through(D[:, j], products, l) for j, l in levels]  # (K, m_y, m_l)


def layer_matrices(weights: Weights, D: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """a_i and b_i of equation 14 as matrices (K, m_i, m_{i-1}), i = 1..H.

    b_i = J_(i,H) vec[V G_H^T] is the part of the top head, a_i the sum of the parts of the others,
    l = i..H-1 (zero without skip connections). The layer term is ||a_i + b_i||^2.
    """
    products, depth = layer_products(weights), len(weights.B)
    a = [torch.zeros_like(B) for B in weights.B]
    b = [torch.zeros_like(B) for B in weights.B]
    for j, l in enumerate(levels_of(weights)):
        target, left = (b if l == depth else a), weights.W[j]
        for i in range(l, 0, -1):  # left = W_l B_l ... B_{i+1}, (K, m_y, m_i)
            target[i - 1] = target[i - 1] + left.mT @ through(D[:, j], products, i - 1)
            left = left @ weights.B[i - 1]
    return a, b


def theory_gradient(weights: Weights, D: Tensor) -> Weights:
    """The gradient that Theorem 3 implies, by the products above."""
    a, b = layer_matrices(weights, D)
    layers = tuple(a_i + b_i for a_i, b_i in zip(a, b, strict=True))
    return Weights(layers, tuple(head_matrices(weights, D)))


def inner(left: Tensor, right: Tensor) -> Tensor:
    """<left, right> for each model, (K,)."""
    return (left * right).sum(dim=(1, 2))


def side_condition(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """sum_i (||a_i||^2 + 2 <a_i, b_i>), (K,): >= 0 is the condition of equation 14."""
    pairs = zip(a, b, strict=True)
    return functools.reduce(torch.add, (inner(a_i, a_i + 2 * b_i) for a_i, b_i in pairs))


def relative_error(terms: Tensor, grad_norm_sq: Tensor) -> Tensor:
    """|sum of terms - ||grad||^2| / ||grad||^2 for terms (T, K); 0 where both vanish."""
    gap = (functools.reduce(torch.add, terms) - grad_norm_sq).abs()
    return torch.where(gap > 0, gap / grad_norm_sq, 0.0)


def autograd_gradient(loss: Callable[[Weights], Tensor], weights: Weights) -> Weights:
    """Gradient by reverse-mode differentiation of `loss` (weights -> (K,)), a second opinion."""
    leaves = weights.map(lambda tensor: tensor.detach().clone().requires_grad_(True))
    return weights.like(torch.autograd.grad(loss(leaves).sum(), leaves.tensors()))
