"""Gradient descent, momentum and Adam: one step each.

    step(state, objective, weights, gradient) -> (state, weights)

with `gradient` taken at `weights`. Step sizes are float64, weights of any precision.
`retune(state, objective, weights, gradient, loss, step)` lets gradient flow (flow.py) prepare its
next step; the others keep their step size.

On a GPU the host must not wait for a number in every step. There it decides once for a block of
steps, by the `demand` of the models, and State.plan holds its decision.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from gnn_dynamics.config.choices import CHOICES
from gnn_dynamics.config.functions import Expect, Registry, states
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
    plan: what the host has decided for a block of steps; None where each step may ask the tensors
    """

    size: Tensor
    scalars: tuple[Tensor, ...] = ()
    moments: tuple[Weights, ...] = ()
    error: Tensor | None = None
    ahead: tuple[Tensor, Weights] | None = None
    plan: int | None = None

    def map(self, function: Callable[[Tensor], Tensor]) -> "State":
        """Apply `function` to every tensor, all of which have K models along their first axis."""
        return State(
            function(self.size),
            tuple(map(function, self.scalars)),
            tuple(moment.map(function) for moment in self.moments),
            None if self.error is None else function(self.error),
            self.ahead and (function(self.ahead[0]), self.ahead[1].map(function)),
            self.plan,
        )

    def tensors(self) -> tuple[Tensor, ...]:
        moments = (tensor for moment in self.moments for tensor in moment.tensors())
        error = () if self.error is None else (self.error,)
        ahead = (self.ahead[0], *self.ahead[1].tensors()) if self.ahead else ()
        return (self.size, *self.scalars, *moments, *error, *ahead)


Retune = Callable[[State, Objective, Weights, Weights, Tensor, int], State]
BETWEEN = 1  # a step number for `retune` in a block of steps: at its start only, curvature is found


@dataclass(frozen=True)
class Stepper:
    """A way to move: `start(weights, lr (K,))` gives the first state.

    Without `retune` the step size never changes, so that steps need no decision in between.
    check_every: steps between two readings of the losses, which divides those between two estimates
        of the curvature
    demand: (K,) what each model asks of the plan;  plan: the state with the plan that serves the
        largest demand of a model that still trains
    """

    name: str
    start: Callable[[Weights, Tensor], State]
    step: Callable[[State, Objective, Weights, Weights], tuple[State, Weights]]
    retune: Retune | None = None
    check_every: int = 50
    demand: Callable[[State], Tensor] | None = None
    plan: Callable[[State, float], State] | None = None


def descend(weights: Weights, direction: Weights, size: Tensor) -> Weights:
    """weights - size * direction, with one `size` (K,) for each model."""
    size = per_model(size).to(weights.W[0])
    return weights.zip(lambda w, d: torch.addcmul(w, size, d, value=-1), direction)


def zeros(weights: Weights, count: int) -> tuple[Weights, ...]:
    """Moments at the start."""
    return tuple(weights.map(torch.zeros_like) for _ in range(count))


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
    """Kingma and Ba (2015), arXiv 1412.6980, with the defaults of torch.optim.Adam.

    On a CPU the moments of `state` move in place.
    """
    state = replace(state, scalars=(state.scalars[0] + 1,))
    on_cpu = state.size.device.type == "cpu"
    return (fused_adam if on_cpu else separate_adam)(state, weights, gradient)


def fused_adam(state: State, weights: Weights, gradient: Weights) -> tuple[State, Weights]:
    """All numbers in one pass: the kernel of torch.optim.Adam(fused=True).

    Model by model: the last numbers of a tensor, which do not fill a register, may round
    differently. The kernel takes the numbers in the order of memory, whatever the strides.
    """
    weights = weights.map(torch.clone)
    gradient = gradient.zip(in_layout, weights)
    step = [state.scalars[0][:1].float()] * len(weights.tensors())
    columns = [
        zip(*(tensor.unbind() for tensor in part.tensors()), strict=True)
        for part in (weights, gradient, *state.moments)
    ]
    for lr, w, g, m, v in zip(state.size.tolist(), *columns, strict=True):
        torch._fused_adam_(
            w, g, m, v, [], step,
            lr=lr, beta1=BETA_1, beta2=BETA_2, eps=EPSILON,
            weight_decay=0, amsgrad=False, maximize=False,
        )  # fmt: skip
    return state, weights


def in_layout(tensor: Tensor, like: Tensor) -> Tensor:
    """The tensor, each model in the memory layout of `like`."""
    same = tensor[0].stride() == like[0].stride()
    return tensor if same else torch.empty_like(like).copy_(tensor)


def separate_adam(state: State, weights: Weights, gradient: Weights) -> tuple[State, Weights]:
    """The same number by number for all K models together, as a GPU prefers."""
    first, second = state.moments
    first = first.zip(lambda m, g: m.lerp(g, 1 - BETA_1), gradient)
    second = second.zip(lambda v, g: (v * BETA_2).addcmul_(g, g, value=1 - BETA_2), gradient)
    # w - size m / (sqrt(v) unbias + eps), with `size` moved into the denominator: one pass less.
    t, like = state.scalars[0], weights.W[0]
    size = per_model(state.size / (1 - BETA_1**t)).to(like)
    slope, shift = per_model((1 - BETA_2**t).rsqrt()).to(like) / size, EPSILON / size

    def move(w: Tensor, m: Tensor, v: Tensor) -> Tensor:
        return torch.addcdiv(w, m, v.sqrt().mul_(slope).add_(shift), value=-1)

    return replace(state, moments=(first, second)), weights.zip(move, first, second)


# Own optimizers ----------------------------------------------------------------------------------


def adopted(function: Callable[..., Any], expect: Expect) -> Stepper:
    """A stepper from an own function (gradient, t, *states) -> update, or (update, *states).

    It is called for one weight matrix of all K models, with t = 1, 2, ... (K, 1, 1); w <- w - lr
    update. The states are like the gradient, and zero at first. Tried on a few numbers.
    """
    count = states(function, CHOICES["optimizer"])

    def call(gradient: Tensor, t: Tensor, *before: Tensor) -> tuple[Tensor, ...]:
        result = function(gradient, t, *before)
        return result if isinstance(result, tuple) else (result,)

    def start(weights: Weights, lr: Tensor) -> State:
        return State(lr, (torch.zeros_like(lr),), zeros(weights, count))

    def step(
        state: State, objective: Objective, weights: Weights, gradient: Weights
    ) -> tuple[State, Weights]:
        t = state.scalars[0] + 1
        tensors = (part.tensors() for part in (gradient, *state.moments))
        results = [call(g, per_model(t).to(g), *own) for g, *own in zip(*tensors, strict=True)]
        update, *after = (weights.like(parts) for parts in zip(*results, strict=True))
        state = replace(state, scalars=(t,), moments=tuple(after))
        return state, descend(weights, update, state.size)

    _check_update(call, count, expect)
    return Stepper("own", start, step)


def _check_update(call: Callable[..., tuple[Tensor, ...]], count: int, expect: Expect) -> None:
    """That three steps with a gradient (2, 3, 4), whose last row is 0, give updates that fit."""
    gradient = torch.linspace(-1, 2, 24, dtype=torch.float64).reshape(2, 3, 4)
    gradient[:, -1] = 0
    for dtype in (torch.float32, torch.float64):
        together = alone = (torch.zeros_like(gradient, dtype=dtype),) * count
        for t in range(1, 4):
            g, at = gradient.to(dtype), torch.full((2, 1, 1), t, dtype=dtype)
            result = call(g.clone(), at, *together)
            expect(
                len(result) == 1 + count,
                f"it has {count} states but returns {len(result) - 1} of them",
            )
            for tensor in result:
                expect(isinstance(tensor, Tensor), f"it returns {type(tensor).__name__}")
                fits = tensor.shape == g.shape and tensor.dtype == dtype
                found = f"{tuple(tensor.shape)} {tensor.dtype}"
                expect(fits, f"it returns {found} for a gradient {tuple(g.shape)} {dtype}")
                expect(bool(tensor.isfinite().all()), "it returns numbers that are not finite")
            first = call(g[:1].clone(), at[:1], *(moment[:1] for moment in alone))
            same = torch.allclose(first[0], result[0][:1])
            expect(same, "the update of a model depends on its neighbours in K")
            # Forms pad weights with zeros (reductions.py), which must stay.
            expect(not result[0][:, -1].any(), "it moves weights whose gradient is 0")
            together, alone = result[1:], tuple(moment[:1] for moment in result[1:])


STEPPERS = Registry(
    "optimizer",
    {
        "gd": Stepper("gd", lambda weights, lr: State(lr), gradient_descent),
        "momentum": Stepper("momentum", lambda w, lr: State(lr, moments=zeros(w, 1)), momentum),
        "adam": Stepper(
            "adam", lambda w, lr: State(lr, (torch.zeros_like(lr),), zeros(w, 2)), adam
        ),
    },
    adopted,
)
