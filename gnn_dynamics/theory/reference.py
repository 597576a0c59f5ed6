"""Gradient flow to 11 digits by scipy's DOP853, the reference for our RK4. Small problems only.

Hairer, Norsett, Wanner, Solving Ordinary Differential Equations I, section II.5.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from gnn_dynamics.models.model import Weights
from gnn_dynamics.theory.products import label_signals, outputs
from gnn_dynamics.theory.terms import theory_gradient

RTOL, ATOL = 1e-11, 1e-13


def squared_gradient(G: Sequence[Tensor], Y: Tensor) -> Callable[[Weights], Weights]:
    """weights -> gradient of ||Yhat - Y||_F^2 by the products of Theorem 3."""

    def gradient(weights: Weights) -> Weights:
        V = 2 * (outputs(weights, G) - Y)  # (K, m_y, nbar)
        return theory_gradient(weights, label_signals(V, G))

    return gradient


def squared_loss(weights: Weights, G: Sequence[Tensor], Y: Tensor) -> Tensor:
    """||Yhat - Y||_F^2 for each model, (K,): a sum, without 1/2."""
    return (outputs(weights, G) - Y).square().sum(dim=(1, 2))


def flow_reference(
    gradient: Callable[[Weights], Weights], weights: Weights, times: Sequence[float] | np.ndarray
) -> list[Weights]:
    """Weights on the gradient flow from `weights` (at time 0) at each of `times`, ascending.

    Raises:
        RuntimeError: if DOP853 gives up.
    """

    def at(theta: np.ndarray) -> Weights:
        return weights.unflatten(torch.tensor(theta).reshape(weights.models, -1))

    def right_hand_side(_: float, theta: np.ndarray) -> np.ndarray:
        return -gradient(at(theta)).flatten().numpy().ravel()

    start, span = weights.flatten().numpy().ravel(), (0.0, float(times[-1]))
    solution = solve_ivp(right_hand_side, span, start, "DOP853", times, rtol=RTOL, atol=ATOL)
    if not solution.success:
        raise RuntimeError(f"DOP853 stopped at t = {solution.t[-1]}: {solution.message}")
    return [at(theta) for theta in solution.y.T]
