"""The derivative J = d Yhat / d w of a linear model, and its neural tangent kernel K = J J^T.

With Z_kl = B_k ... B_1 G_l and A_kl = W_l B_l ... B_{k+1} for the heads l

    J v    = sum_l (dW_l Z_ll + sum_{k <= l} A_kl dB_k Z_{k-1,l})
    K      = I (x) sum_l Z_ll^T Z_ll + sum_k sum_{l,m >= k} A_kl A_km^T (x) Z_{k-1,l}^T Z_{k-1,m}

K (N, N), N = m_y p, acts on outputs (m_y, p) in the order of `flatten`. It is the kernel of Jacot,
Gabriel, Hongler (2018), arXiv 1806.07572, at the present weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gnn_dynamics.models.linear import LinearModel, gradient_from, suffix_rows
from gnn_dynamics.models.model import Weights, single
from gnn_dynamics.models.operators import HornerOperator

MOST_NUMBERS = 2**24  # of the factors that one product sums over: 128 MB


@dataclass(frozen=True)
class Tangent:
    """Outputs and derivative of K linear models at their weights."""

    model: LinearModel
    weights: Weights
    rows: list[Tensor]  # linear.suffix_rows

    @classmethod
    def at(cls, model: LinearModel, weights: Weights) -> "Tangent":
        return cls(model, weights, suffix_rows(weights))

    def outputs(self) -> Tensor:
        """Yhat (K, m_y, p)."""
        return self.model.apply(self.rows[0], len(self.weights.W))

    def times(self, v: Weights) -> Tensor:
        """J v (K, m_y, p), by the derivative of `suffix_rows`."""
        multiscale = len(v.W) > 1
        change = v.W[-1]
        for k in range(len(v.B), 0, -1):
            change = change @ self.weights.B[k - 1] + self.rows[k] @ v.B[k - 1]
            change = torch.cat([v.W[k - 1], change], dim=1) if multiscale else change
        return self.model.apply(change, len(v.W))

    def transpose(self, V: Tensor) -> Weights:
        """J^T V for V (K, m_y, p)."""
        return gradient_from(self.weights, self.rows, self.model.operator.adjoint(V))

    def kernel(self) -> Tensor:
        """K (K, N, N), for operators whose features are at hand."""
        operator = self.model.operator
        if isinstance(operator, HornerOperator):
            raise TypeError("the kernel needs features G_l, which Horner's scheme does not form.")
        return tangent_kernel(self.weights, operator.features())


def tangent_kernel(weights: Weights, G: Sequence[Tensor]) -> Tensor:
    """K (K, N, N) for G_l (m, p), one for each head.

    On a CPU model by model: the digits of one do not depend on the others.
    """
    if weights.W[0].device.type != "cpu":
        return batched_kernel(weights, G)
    kernels = torch.stack([_kernel(single(weights, k), G) for k in range(weights.models)])
    return kernels.flatten(3, 4).flatten(1, 2)


def batched_kernel(weights: Weights, G: Sequence[Tensor]) -> Tensor:
    """All models in each product, as a GPU prefers."""

    def kernel(*tensors: Tensor) -> Tensor:
        return _kernel(weights.like(tensors), G)

    kernels: Tensor = torch.vmap(kernel)(*weights.tensors())
    return kernels.flatten(3, 4).flatten(1, 2)


def _kernel(weights: Weights, G: Sequence[Tensor]) -> Tensor:
    """K (m_y, p, m_y, p) of one model, its tensors being 2-D."""
    multiscale, (m_y, _), p = len(weights.W) > 1, weights.W[0].shape, G[0].shape[1]
    rows = suffix_rows(weights.map(lambda tensor: tensor.unsqueeze(0)))
    Z = list(G)  # Z_{k,l} for the heads l >= k
    heads = weights.W[0].new_zeros(p, p)
    # The factors of the sum over k, l, m, and none if there are no layers.
    outers, grams = [heads.new_zeros(m_y * m_y, 0)], [heads.new_zeros(0, p * p)]
    layers: list[Tensor] = []  # at most one: the sum over k so far
    for k in range(len(weights.B) + 1):
        if multiscale or k == len(weights.B):
            heads += Z[0].mT @ Z[0]
            Z = Z[1:] if multiscale else Z
        if k < len(weights.B):
            A = rows[k + 1][0].reshape(len(Z), m_y, -1)  # A_{k+1,l}, one for each l > k
            gram = (torch.cat(Z, dim=1).mT @ torch.cat(Z, dim=1)).reshape(len(Z), p, len(Z), p)
            outer = (A.flatten(0, 1) @ A.flatten(0, 1).mT).reshape(len(Z), m_y, len(Z), m_y)
            grams.append(gram.permute(0, 2, 1, 3).reshape(-1, p * p))
            outers.append(outer.permute(1, 3, 0, 2).reshape(m_y * m_y, -1))
            Z = [weights.B[k] @ Z_l for Z_l in Z]
        # With skips the pairs of heads of all layers are H^3 / 3 matrices.
        if k == len(weights.B) or sum(map(torch.numel, grams)) > MOST_NUMBERS:
            layers = [sum(layers, torch.cat(outers, dim=1) @ torch.cat(grams))]
            outers, grams = outers[:1], grams[:1]
    K = layers[0].reshape(m_y, m_y, p, p)
    K.diagonal(dim1=0, dim2=1).add_(heads.unsqueeze(-1))
    return K.transpose(1, 2)
