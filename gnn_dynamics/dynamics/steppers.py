"""Gradient descent, momentum and Adam: one step each, as pure functions.

    step(state, objective, weights, gradient) -> (state, weights)

with `gradient` taken at `weights`. `retune(state, objective, weights, gradient, loss, step)` lets
gradient flow (flow.py) prepare its next step; the others keep their step size.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gnn_dynamics.models.model import Weights, per_model
from gnn_dynamics.models.objective import Objective

MOMENTUM = 0.9
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # PyTorch's defaults


@dataclass(frozen=True)
class State:
    """What a stepper keeps of K models.

    size: (K,) step sizes;  scalars: further tensors (K, ...);  moments: averages of gradients
    error: (K,) estimated error in the loss that the last step made, where the stepper knows it
    ahead: loss (K,) and gradient at the present weights, where the last step computed them
    """

    size: Tensor
    scalars: tuple[Tensor, ...] = ()
    moments: tuple[Weights, ...] = ()
    error: Tensor | None = None
    ahead: tuple[Tensor, Weights] | None = None

    def map(self, function: Callable[[Tensor], Tensor]) -> "State":
        """Apply `function` to every tensor, all of which have K models along their first axis."""
        return State(
            function(self.size),
            tuple(map(function, self.scalars)),
            tuple(moment.map(function) for moment in self.moments),
            None if self.error is None else function(self.error),
            self.ahead and (function(self.ahead[0]), self.ahead[1].map(function)),
        )

    def tensors(self) -> tuple[Tensor, ...]:
        moments = (tensor for moment in self.moments for tensor in moment.tensors())
        return (self.size, *self.scalars, *moments)


Retune = Callable[[State, Objective, Weights, Weights, Tensor, int], State]


@dataclass(frozen=True)
class Stepper:
    """A way to move: `start(weights, lr (K,))` gives the first state.

    Without `retune` the step size never changes, so that steps need no decision in between.
    check_every: steps between two readings of the losses
    """

    name: str
    start: Callable[[Weights, Tensor], State]
    step: Callable[[State, Objective, Weights, Weights], tuple[State, Weights]]
    retune: Retune | None = None
    check_every: int = 50


def descend(weights: Weights, direction: Weights, size: Tensor) -> Weights:
    """weights - size * direction, with one `size` (K,) for each model."""
    size = per_model(size)
    return weights.zip(lambda w, d: torch.addcmul(w, size, d, value=-1), direction)


def zeros(weights: Weights, count: int) -> tuple[Weights, ...]:
    """Moments at the start."""
    return (weights.map(torch.zeros_like),) * count


# Gradient descent --------------------------------------------------------------------------------


def gradient_descent(
    state: State, objective: Objective, weights: Weights, gradient: Weights
) -> tuple[State, Weights]:
    """w <- w - lr g."""
    return state, descend(weights, gradient, state.size)


def momentum(
    state: State, objective: Objective, weights: Weights, gradient: Weights
) -> tuple[State, Weights]:
    """v <- 0.9 v + g, w <- w - lr v (heavy ball, as torch.optim.SGD)."""
    (velocity,) = state.moments
    velocity = velocity.zip(lambda v, g: torch.add(g, v, alpha=MOMENTUM), gradient)
    return replace(state, moments=(velocity,)), descend(weights, velocity, state.size)


# Adam --------------------------------------------------------------------------------------------


def adam(
    state: State, objective: Objective, weights: Weights, gradient: Weights
) -> tuple[State, Weights]:
    """Kingma and Ba (2015), arXiv 1412.6980, with the defaults of torch.optim.Adam."""
    lr, (t,), (first, second) = state.size, state.scalars, state.moments
    t = t + 1
    first = first.zip(lambda m, g: m.lerp(g, 1 - BETA_1), gradient)
    second = second.zip(lambda v, g: (v * BETA_2).addcmul_(g, g, value=1 - BETA_2), gradient)
    # w - size m / (sqrt(v) unbias + eps), with `size` moved into the denominator: one pass less.
    # One power serves all models: a vectorised routine, whose last digit may differ, would take
    # most of eight or more, and a model would depend on the number of its neighbours.
    power = t[:1]
    size = per_model(lr / (1 - BETA_1**power))
    slope, shift = per_model((1 - BETA_2**power).rsqrt()) / size, EPSILON / size

    def move(w: Tensor, m: Tensor, v: Tensor) -> Tensor:
        return torch.addcdiv(w, m, v.sqrt().mul_(slope).add_(shift), value=-1)

    return State(lr, (t,), (first, second)), weights.zip(move, first, second)


STEPPERS = {
    "gd": Stepper("gd", lambda weights, lr: State(lr), gradient_descent),
    "momentum": Stepper("momentum", lambda w, lr: State(lr, moments=zeros(w, 1)), momentum),
    "adam": Stepper("adam", lambda w, lr: State(lr, (torch.zeros_like(lr),), zeros(w, 2)), adam),
}
