"""The error of the integrator, which enters every check of a bound.

A bound speaks of exact flow; a run is a sequence of RK4 steps. The exact flow from each iterate
obeys the instantaneous inequality, so only the *local* errors of the steps enter, without any
assumption on how they spread: if every step changes log(L - L*) by at most e_k more than exact flow
would, then the bound holds up to the factor exp(sum e_k) (docs/theory.md, integrator).
"""

import functools

import torch
from torch import Tensor

from gnn_dynamics.dynamics.steppers import State, runge_kutta, stages
from gnn_dynamics.models.model import Weights
from gnn_dynamics.models.objective import Objective

RICHARDSON = 16 / 15  # error of one step of order 4 from its difference to two half steps


def local_error(objective: Objective, weights: Weights, gradient: Weights, dt: Tensor) -> Tensor:
    """Error in the loss of one RK4 step of `dt` (K,) from `weights`, (K,), by step doubling.

    With delta the error in the weights, |<grad, delta>| + ||delta||^2 / dt, where 2/dt is the
    curvature that dt is chosen by: free of the cancellation that the difference of two losses
    suffers near the optimum. Costs 12 gradients.
    """

    # As training would: a step that turns out too long is halved.
    state, whole = runge_kutta(State(dt, (dt,)), objective, weights, gradient)
    dt = state.size
    half, *_ = stages(objective, weights, gradient, dt / 2)
    halves, *_ = stages(objective, half, objective(half)[1], dt / 2)
    delta = whole.zip(lambda w, h: RICHARDSON * (w - h), halves)
    products = objective(halves)[1].zip(torch.mul, delta).tensors()
    slope = functools.reduce(torch.add, (product.sum(dim=(1, 2)) for product in products))
    return slope.abs() + delta.squared_norm() / dt
