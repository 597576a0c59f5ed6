"""Loss and gradient of the linear models, reassociated through m_y (reduction R2).

No product has more rows than the m_y outputs of the heads: no (width x nbar) activation is formed.
With R_k the rows W_l B_l ... B_{k+1} of all heads l >= k, one block of m_y rows for each head,

    forward   R_H = W_H,   R_{k-1} = [W_{k-1}; R_k B_k],   A = R_0 = [A_0; ...; A_H]
    backward  E_0 = D,     dL/dW_k = first block of E_k,   E_k' = the other blocks
              dL/dB_{k+1} = R_{k+1}^T E_k',                E_{k+1} = E_k' B_{k+1}^T

where D_l = V G_l^T comes from the operator. Without skip connections there is the one block W_H.
The blocks are the terms of Theorem 3 (arXiv 2105.04550): the split of the gradient comes for free.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from gnn_dynamics.models.losses import LOSSES
from gnn_dynamics.models.model import Weights


def suffix_rows(weights: Weights) -> list[Tensor]:
    """[R_0, ..., R_H], R_k (K, heads l >= k times m_y, m_k); R_0 holds the A_l, block by block."""
    multiscale = len(weights.W) > 1
    rows = [weights.W[-1]]
    for k in range(len(weights.B), 0, -1):
        product = rows[0] @ weights.B[k - 1]
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
        dB.append(rows[k + 1].mT @ E)
        E = E @ B.mT
    return Weights(tuple(dB), (*dW, E))


def forward(
    weights: Weights, operator, Y: Tensor, loss: str
) -> tuple[list[Tensor], Tensor, Tensor]:
    """[R_0, ..., R_H] of the heads in use, the loss (K,) and V = d loss / d Yhat (K, m_y, nbar)."""
    contrasts = in_contrasts(loss, Y)
    rows = suffix_rows(contrast_heads(weights) if contrasts else weights)
    Yhat = operator.apply(rows[0].unflatten(1, (len(weights.W), -1)))
    return rows, *LOSSES[loss](pad(Yhat, (0, 0, 0, 1)) if contrasts else Yhat, Y)


def loss_and_gradient(
    weights: Weights, operator, Y: Tensor, loss: str, offset: Tensor | float = 0.0
) -> tuple[Tensor, Weights]:
    """Loss (K,) and its gradient for targets Y (K or 1, m_y, nbar).

    `offset` (K,) is the constant part of the loss that a reduction took out of Y.
    """
    rows, value, V = forward(weights, operator, Y, loss)
    if not in_contrasts(loss, Y):
        return value + offset, gradient_from(weights, rows, operator.adjoint(V))
    gradient = gradient_from(weights, rows, operator.adjoint(V[:, :-1]))
    dW = (torch.cat([W, -W.sum(dim=1, keepdim=True)], dim=1) for W in gradient.W)
    return value + offset, Weights(gradient.B, tuple(dW))


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
