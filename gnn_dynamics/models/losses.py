"""Losses of the outputs and their derivative V = d loss / d Yhat, for K models at once.

Both take Yhat (K, m_y, nbar) and Y (K or 1, m_y, nbar) and return the loss (K,) and V like Yhat.
"""

import math

import torch
from torch import Tensor


def squared(Yhat: Tensor, Y: Tensor) -> tuple[Tensor, Tensor]:
    """||Yhat - Y||_F^2, no 1/2 and no mean (Theorems 1 and 2); V = 2 (Yhat - Y)."""
    residual = Yhat - Y
    return residual.square().flatten(1).sum(dim=1), 2 * residual


def cross_entropy(Yhat: Tensor, Y: Tensor) -> tuple[Tensor, Tensor]:
    """Mean over the nbar columns of -<y, log softmax(yhat)>, columns of Y being distributions.

    V = (softmax(Yhat) - Y) / nbar, to full relative precision where the columns of Y are unit
    vectors: softmax - 1 of a node that is nearly fitted would have few digits, while the weights of
    its wrong classes have all, and so

        w_c - Y_c sum(w) = w_c (1 - Y_c) - Y_c (sum_k w_k (1 - Y_k) + sum_k w_k Y_k - w_c).
    """
    shifted = Yhat - Yhat.amax(dim=1, keepdim=True)
    weight = shifted.exp()  # serves the loss and its derivative
    right = weight * Y
    wrong = weight - right
    wrong_total, right_total = wrong.sum(dim=1, keepdim=True), right.sum(dim=1, keepdim=True)
    total, nbar = wrong_total + right_total, Yhat.shape[-1]
    loss = (total.log().flatten(1).sum(dim=1) - (Y * shifted).flatten(1).sum(dim=1)) / nbar
    return loss, (wrong - Y * (wrong_total + (right_total - weight))) / (nbar * total)


LOSSES = {"squared": squared, "cross_entropy": cross_entropy}


def curvature_root(loss: str, Yhat: Tensor) -> Tensor:
    """R (K or 1, nbar or 1, m_y, m_y) with R R^T the Hessian of the loss in each column of Yhat.

    sqrt(2) I for the squared loss; for the cross-entropy with p = softmax(yhat) the Hessian is
    (diag(p) - p p^T) / nbar, and R = diag(q) (I - q q^T) / sqrt(nbar) with q = sqrt(p).
    """
    identity = torch.eye(Yhat.shape[1], dtype=Yhat.dtype, device=Yhat.device)
    if loss == "squared":
        return (math.sqrt(2) * identity)[None, None]
    q = Yhat.softmax(dim=1).sqrt().mT.unsqueeze(-1)  # (K, nbar, m_y, 1)
    return q * (identity - q * q.mT) / math.sqrt(Yhat.shape[-1])
