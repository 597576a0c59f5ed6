"""Gradient descent, momentum, Adam and gradient flow: one step each, as pure functions.

    step(state, objective, weights, gradient) -> (state, weights)

with `gradient` taken at `weights`. A state is a tuple of tensors (K,) and Weights, its first entry
being the step size of each model; it can be cut down to the models that still train.
`retune(state, objective, weights, gradient, loss, previous, step)` lets gradient flow choose the
size of its next step; the others keep theirs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gnn_dynamics.engine.model import Weights, per_model
from gnn_dynamics.engine.objective import Objective
from gnn_dynamics.engine.trace import RISE

State = tuple[Tensor | Weights, ...]
MOMENTUM = 0.9
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # PyTorch's defaults


def keep_state(state: State, objective, weights, gradient, loss, previous, step) -> State:
    """No retuning."""
    return state


@dataclass(frozen=True)
class Stepper:
    """A way to move: `start(weights, lr (K,))` gives the first state."""

    name: str
    start: Callable[[Weights, Tensor], State]
    step: Callable[[State, Objective, Weights, Weights], tuple[State, Weights]]
    retune: Callable[..., State] = keep_state


def take_state(state: State, index: Tensor) -> State:
    """The state of the models named by `index`."""
    return tuple(p.take(index) if isinstance(p, Weights) else p[index] for p in state)


def descend(weights: Weights, direction: Weights, size: Tensor) -> Weights:
    """weights - size * direction, with one `size` (K,) for each model."""
    size = per_model(size)
    return weights.zip(lambda w, d: torch.addcmul(w, size, d, value=-1), direction)


# Gradient descent --------------------------------------------------------------------------------


def gradient_descent(state, objective, weights, gradient):
    """w <- w - lr g."""
    return state, descend(weights, gradient, state[0])


def momentum(state, objective, weights, gradient):
    """v <- 0.9 v + g, w <- w - lr v (heavy ball, as torch.optim.SGD)."""
    lr, velocity = state
    velocity = velocity.zip(lambda v, g: torch.add(g, v, alpha=MOMENTUM), gradient)
    return (lr, velocity), descend(weights, velocity, lr)


# Adam --------------------------------------------------------------------------------------------


def start_adam(weights: Weights, lr: Tensor) -> State:
    zeros = weights.map(torch.zeros_like)
    return lr, torch.zeros_like(lr), zeros, zeros


def adam(state, objective, weights, gradient):
    """Kingma and Ba (2015), arXiv 1412.6980, with the defaults of torch.optim.Adam."""
    lr, t, first, second = state
    t = t + 1
    first = first.zip(lambda m, g: m.lerp(g, 1 - BETA_1), gradient)
    second = second.zip(lambda v, g: (v * BETA_2).addcmul_(g, g, value=1 - BETA_2), gradient)
    # w - size m / (sqrt(v) unbias + eps), with `size` moved below the line: one pass less.
    size = per_model(lr / (1 - BETA_1**t))
    slope, shift = per_model((1 - BETA_2**t).rsqrt()) / size, EPSILON / size

    def move(w: Tensor, m: Tensor, v: Tensor) -> Tensor:
        return torch.addcdiv(w, m, v.sqrt().mul_(slope).add_(shift), value=-1)

    return (lr, t, first, second), weights.zip(move, first, second)


# Gradient flow -----------------------------------------------------------------------------------


def runge_kutta(state, objective, weights, k1):
    """Classical Runge-Kutta step of dw/dt = -gradient (order 4), dt = state[0] for each model."""
    dt = state[0]

    def slope(k: Weights, part: float) -> Weights:
        return objective(descend(weights, k, part * dt))[1]

    k2 = slope(k1, 1 / 2)
    k3 = slope(k2, 1 / 2)
    k4 = slope(k3, 1)
    mean = k1.zip(lambda a, b, c, d: (a + 2 * (b + c) + d) / 6, k2, k3, k4)
    return state, descend(weights, mean, dt)


def flow(
    lambda_max: Callable[[Objective, Weights], Tensor],
    factor: float = 2.0,
    fall: float = 0.1,
    every: int = 50,
) -> Stepper:
    """Gradient flow with dt = min(factor / lambda_max, fall L / ||grad||^2).

    lambda_max: (objective, weights) -> (K,), the largest curvature; RK4 is stable up to a factor of
        2.78. It grows along a run, so it is estimated anew every `every` steps, and at once for a
        model whose loss has just risen.
    fall: share of the loss that a step may take away, to first order. Curvature alone would step
        over the start, where the loss falls fastest and the saddle is still flat.
    The state is (dt, factor / lambda_max, rise), `rise` being the least rise of the loss that
    counts.
    """

    def start(weights: Weights, lr: Tensor) -> State:
        return lr, torch.zeros_like(lr), torch.zeros_like(lr)

    def retune(state, objective, weights, gradient, loss, previous, step):
        _, stable, rise = state
        if step == 0:
            rise = RISE * loss
        due = torch.isfinite(loss)
        if step % every:
            due &= loss - previous > rise
        index = due.nonzero().flatten()
        if len(index):
            curvature = lambda_max(objective.take(index), weights.take(index)).to(loss)
            # A flat loss bounds no step; any dt follows the flow exactly.
            safe = torch.where(curvature > 0, factor / curvature, factor)
            stable = stable.index_copy(0, index, safe)
        slope = gradient.squared_norm()
        dt = torch.where(slope > 0, torch.minimum(stable, fall * loss / slope), stable)
        return dt, stable, rise

    return Stepper("flow", start, runge_kutta, retune)


STEPPERS = {
    "gd": Stepper("gd", lambda weights, lr: (lr,), gradient_descent),
    "momentum": Stepper(
        "momentum", lambda weights, lr: (lr, weights.map(torch.zeros_like)), momentum
    ),
    "adam": Stepper("adam", start_adam, adam),
}
