"""Loss and gradient of the linear models, reassociated through m_y (reduction R2).

No product has more rows than the m_y outputs of the heads: no (width x nbar) activation is formed.
With R_k the rows W_l B_l ... B_{k+1} of all heads l >= k, one block of m_y rows for each head,

    forward   R_H = W_H,   R_{k-1} = [W_{k-1}; R_k B_k],   A = R_0 = [A_0; ...; A_H]
    backward  E_0 = D,     dL/dW_k = first block of E_k,   E_k' = the other blocks
              dL/dB_{k+1} = R_{k+1}^T E_k',                E_{k+1} = E_k' B_{k+1}^T

where D_l = V G_l^T comes from the operator. Without skip connections there is the one block W_H.
The blocks are the terms of Theorem 3 (arXiv 2105.04550): the split of the gradient comes for free.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from gnn_dynamics.models.losses import LOSSES
from gnn_dynamics.models.model import Weights
from gnn_dynamics.models.operators import Operator


def suffix_rows(weights: Weights) -> list[Tensor]:
    """[R_0, ..., R_H], R_k (K, heads l >= k times m_y, m_k); R_0 holds the A_l, block by block."""
    multiscale = len(weights.W) > 1
    rows = [weights.W[-1]]
    for k in range(len(weights.B), 0, -1):
        product = rows[0] @ weights.B[k - 1]  # (K, heads m_y, m_{k-1})
        rows.insert(0, torch.cat([weights.W[k - 1], product], dim=1) if multiscale else product)
    return rows


def gradient_from(weights: Weights, rows: list[Tensor], D: Tensor) -> Weights:
    """Gradient of all weights from R_0..R_H and D (K, L, m_y, m)."""
    multiscale, m_y = len(weights.W) > 1, D.shape[2]
    E, dB, dW = D.flatten(1, 2), [], []
    for k, B in enumerate(weights.B):
        if multiscale:
            dW.append(E[:, :m_y])
            E = E[:, m_y:]
        dB.append(rows[k + 1].mT @ E)  # (K, m_{k+1}, m_k)
        E = E @ B.mT  # (K, heads m_y, m_{k+1})
    return Weights(tuple(dB), (*dW, E))


@dataclass(frozen=True)
class LinearModel:
    """The linear models, which see their graph through `operator` alone.

    Y: (K or 1, m_y, nbar);  loss: a key of `losses.LOSSES`
    """

    operator: Operator

    def outputs(self, weights: Weights) -> Tensor:
        """Yhat (K, m_y, nbar)."""
        return self.apply(suffix_rows(weights)[0], len(weights.W))

    def apply(self, rows: Tensor, heads: int) -> Tensor:
        """Yhat (K, m_y, nbar) from the A_l of `suffix_rows`, (K, heads m_y, m)."""
        return self.operator.apply(rows.reshape(len(rows), heads, -1, rows.shape[-1]))

    def signal(self, weights: Weights, Y: Tensor, loss: str) -> Tensor:
        """V = d loss / d Yhat (K, m_y, nbar)."""
        return self._forward(weights, Y, loss)[2]

    def loss_and_gradient(self, weights: Weights, Y: Tensor, loss: str) -> tuple[Tensor, Weights]:
        """Loss (K,) and its gradient."""
        rows, value, V = self._forward(weights, Y, loss)
        if not in_contrasts(loss, Y):
            return value, gradient_from(weights, rows, self.operator.adjoint(V))
        gradient = gradient_from(weights, rows, self.operator.adjoint(V[:, :-1]))
        dW = (torch.cat([W, -W.sum(dim=1, keepdim=True)], dim=1) for W in gradient.W)
        return value, Weights(gradient.B, tuple(dW))

    def _forward(
        self, weights: Weights, Y: Tensor, loss: str
    ) -> tuple[list[Tensor], Tensor, Tensor]:
        """[R_0, ..., R_H] of the heads in use, the loss (K,) and V (K, m_y, nbar)."""
        contrasts = in_contrasts(loss, Y)
        rows = suffix_rows(contrast_heads(weights) if contrasts else weights)
        Yhat = self.apply(rows[0], len(weights.W))  # (K, m_y, nbar)
        return rows, *LOSSES[loss](pad(Yhat, (0, 0, 0, 1)) if contrasts else Yhat, Y)


# A constant added to all outputs of a node leaves softmax's loss as it is, so only the m_y - 1
# contrasts with the last output matter: heads W' = W[:-1] - W[-1] give outputs [Yhat'; 0], and as
# the columns of V sum to 0, dL/dW = [dL/dW'; -sum of its rows]. Exact, and every product has a row
# less for each head.


def in_contrasts(loss: str, Y: Tensor) -> bool:
    """Whether the outputs are computed up to a constant for each node."""
    return loss == "cross_entropy" and Y.shape[1] > 1


def contrast_heads(weights: Weights) -> Weights:
    """The weights with heads W[:-1] - W[-1], (K, m_y - 1, m_l)."""
    return Weights(weights.B, tuple(W[:, :-1] - W[:, -1:] for W in weights.W))
