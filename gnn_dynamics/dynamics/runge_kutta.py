"""Gradient flow by the classical Runge-Kutta method: the reference for the methods of flow.py.

Its step is bounded by the largest curvature, whatever accuracy is asked for, so that its cost grows
with the condition number.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from gnn_dynamics.dynamics.step_control import choose
from gnn_dynamics.dynamics.steppers import State, Stepper, descend
from gnn_dynamics.models.model import Weights
from gnn_dynamics.models.objective import Objective

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

    With a plan of one trial, a model whose trial does not fit stays where it is, with size 0, and
    tries half in the next round of the training loop.
    """
    trial, (stable, _) = state.size, state.scalars
    for _ in range(state.plan or HALVINGS):
        dt = trial
        moved, steepness, growth = stages(objective, weights, k1, dt)
        fits = (dt * steepness <= STABLE) & (growth <= GROWTH)
        if state.plan is None and fits.all():
            break
        trial = torch.where(fits, dt, dt / 2)
    stable, most = torch.minimum(stable, STABLE / steepness), torch.full_like(dt, torch.inf)
    if state.plan is None:
        return State(dt, (stable, most)), moved
    taken, most = torch.where(fits, dt, 0.0), torch.where(fits, most, trial)
    moved = moved.zip(partial(choose, fits), weights)
    return State(taken, (stable, most), plan=state.plan), moved


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


def runge_kutta_flow(
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
    The scalars of the state are the largest stable dt, and half of a dt that has just failed.
    """

    def start(weights: Weights, lr: Tensor) -> State:
        return State(lr, (torch.zeros_like(lr), torch.full_like(lr, torch.inf)))

    def retune(
        state: State,
        objective: Objective,
        weights: Weights,
        gradient: Weights,
        loss: Tensor,
        step: int,
    ) -> State:
        stable, most = state.scalars
        if step % every == 0:
            curvature = lambda_max(objective, weights).to(loss)
            # A flat loss bounds no step; any dt follows the flow exactly.
            stable = torch.where(curvature > 0, factor / curvature, factor)
        slope = gradient.squared_norm()
        dt = torch.where(slope > 0, torch.minimum(stable, share * loss / slope), stable)
        return State(torch.minimum(dt, most), (stable, most), plan=state.plan)

    def no_demand(state: State) -> Tensor:
        return torch.ones_like(state.size)

    def one_trial(state: State, _: float) -> State:
        return replace(state, plan=1)

    return Stepper("flow", start, runge_kutta, retune, demand=no_demand, plan=one_trial)
