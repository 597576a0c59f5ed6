"""Gradient descent, momentum, Adam and gradient flow: one step each.

    step(state, objective, weights, gradient) -> (state, weights)

with `gradient` taken at `weights`. Step sizes are float64, weights of any precision.
`retune(state, objective, weights, gradient, loss, step)` lets gradient flow choose the size of its
next step; the others keep theirs.
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

    size: (K,) step sizes;  scalars: further tensors (K,);  moments: averages of gradients
    """

    size: Tensor
    scalars: tuple[Tensor, ...] = ()
    moments: tuple[Weights, ...] = ()

    def map(self, function: Callable[[Tensor], Tensor]) -> "State":
        """Apply `function` to every tensor, all of which have K models along their first axis."""
        moments = tuple(moment.map(function) for moment in self.moments)
        return State(function(self.size), tuple(map(function, self.scalars)), moments)

    def tensors(self) -> tuple[Tensor, ...]:
        moments = (tensor for moment in self.moments for tensor in moment.tensors())
        return (self.size, *self.scalars, *moments)


Retune = Callable[[State, Objective, Weights, Weights, Tensor, int], State]


@dataclass(frozen=True)
class Stepper:
    """A way to move: `start(weights, lr (K,))` gives the first state.

    Without `retune` the step size never changes, so that steps need no decision in between.
    """

    name: str
    start: Callable[[Weights, Tensor], State]
    step: Callable[[State, Objective, Weights, Weights], tuple[State, Weights]]
    retune: Retune | None = None


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


# Gradient flow -----------------------------------------------------------------------------------

STABLE = 2.0  # dt * steepness up to which a step counts; RK4 is stable to 2.78
GROWTH = 1.5  # of the gradient within a step that counts: the way out of a saddle point is steep
HALVINGS = 30  # trials of a step; the last one is accepted in any case


def runge_kutta(
    state: State, objective: Objective, weights: Weights, k1: Weights
) -> tuple[State, Weights]:
    """Classical Runge-Kutta step of dw/dt = -gradient (order 4), dt = state.size for each model.

    A step for which the gradient turns out steeper than dt allows is halved until it fits; the
    state returned has the dt that was taken. The steepness comes free with the stages: k2 - k1 is
    the Hessian times the gradient, so |k3 - k2| over their distance is close to its largest
    eigenvalue (Hairer, Wanner, Solving Ordinary Differential Equations II, section IV.2). That does
    not see the way out of a saddle point, where deep networks start: there the gradient grows,
    faster than exponentially, and so it may grow by GROWTH in a step only.
    """
    trial, (stable,) = state.size, state.scalars
    for _ in range(HALVINGS):
        dt = trial
        moved, steepness, growth = stages(objective, weights, k1, dt)
        fits = (dt * steepness <= STABLE) & (growth <= GROWTH)
        if fits.all():
            break
        trial = torch.where(fits, dt, dt / 2)
    return State(dt, (torch.minimum(stable, STABLE / steepness),)), moved


def stages(
    objective: Objective, weights: Weights, k1: Weights, dt: Tensor
) -> tuple[Weights, Tensor, Tensor]:
    """The weights after one step; steepness of the gradient along it, and its growth, (K,)."""

    def slope(k: Weights, part: float) -> Weights:
        return objective(descend(weights, k, part * dt))[1]

    k2 = slope(k1, 1 / 2)
    k3 = slope(k2, 1 / 2)
    k4 = slope(k3, 1)
    mean = k1.zip(lambda a, b, c, d: (a + 2 * (b + c) + d) / 6, k2, k3, k4)
    distance = k2.zip(torch.sub, k1).squared_norm().sqrt() * dt / 2
    change = k3.zip(torch.sub, k2).squared_norm().sqrt()
    steepness = torch.where(distance > 0, change / distance, 0.0)
    growth = (k4.squared_norm() / k1.squared_norm()).sqrt()
    growth = torch.where(k1.squared_norm() > 0, growth, 0.0)
    return descend(weights, mean, dt), steepness.nan_to_num(nan=torch.inf), growth


def flow(
    lambda_max: Callable[[Objective, Weights], Tensor],
    factor: float = 2.0,
    share: float = 0.1,
    every: int = 50,
) -> Stepper:
    """Gradient flow with dt = min(factor / lambda_max, share L / ||gradient||^2).

    lambda_max: (objective, weights) -> (K,), the largest curvature, estimated every `every` steps;
        between estimates `runge_kutta` notices where it has grown.
    share: of the loss that a step may take away, to first order. Curvature alone would step over
        the start, where the loss falls fastest.
    The scalar of the state is the largest stable dt.
    """

    def start(weights: Weights, lr: Tensor) -> State:
        return State(lr, (torch.zeros_like(lr),))

    def retune(
        state: State,
        objective: Objective,
        weights: Weights,
        gradient: Weights,
        loss: Tensor,
        step: int,
    ) -> State:
        (stable,) = state.scalars
        if step % every == 0:
            curvature = lambda_max(objective, weights).to(loss)
            # A flat loss bounds no step; any dt follows the flow exactly.
            stable = torch.where(curvature > 0, factor / curvature, factor)
        slope = gradient.squared_norm()
        dt = torch.where(slope > 0, torch.minimum(stable, share * loss / slope), stable)
        return State(dt, (stable,))

    return Stepper("flow", start, runge_kutta, retune)


STEPPERS = {
    "gd": Stepper("gd", lambda weights, lr: State(lr), gradient_descent),
    "momentum": Stepper("momentum", lambda w, lr: State(lr, moments=zeros(w, 1)), momentum),
    "adam": Stepper("adam", lambda w, lr: State(lr, (torch.zeros_like(lr),), zeros(w, 2)), adam),
}
