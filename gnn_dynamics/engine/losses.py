"""Losses of the outputs and their derivative V = d loss / d Yhat, for K models at once.

Both take Yhat (K, m_y, nbar) and Y (K or 1, m_y, nbar) and return the loss (K,) and V like Yhat.
"""

import torch
from torch import Tensor


def squared(Yhat: Tensor, Y: Tensor) -> tuple[Tensor, Tensor]:
    """||Yhat - Y||_F^2, no 1/2 and no mean (Theorems 1 and 2); V = 2 (Yhat - Y)."""
    residual = Yhat - Y
    return residual.square().flatten(1).sum(dim=1), 2 * residual


def cross_entropy(Yhat: Tensor, Y: Tensor) -> tuple[Tensor, Tensor]:
    """Mean over the nbar columns of -<y, log softmax(yhat)>, columns of Y being distributions.

    V = (softmax(Yhat) - Y) / nbar.
    """
    log_probability = torch.log_softmax(Yhat, dim=1)
    loss = -(Y * log_probability).flatten(1).sum(dim=1) / Yhat.shape[-1]
    return loss, (log_probability.exp() - Y) / Yhat.shape[-1]


LOSSES = {"squared": squared, "cross_entropy": cross_entropy}
