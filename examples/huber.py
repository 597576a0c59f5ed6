"""The Huber loss: like the squared loss near the target, and linear far from it."""

import torch

DELTA = 0.5


def huber(Yhat, Y):
    """Sum over the outputs (K, m_y, nbar) of each model, (K,)."""
    distance = (Yhat - Y).abs()
    near = distance.square()
    far = DELTA * (2 * distance - DELTA)
    return torch.where(distance <= DELTA, near, far).sum(dim=(1, 2))
