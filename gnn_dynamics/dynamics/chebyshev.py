"""Gradient flow by the Runge-Kutta-Chebyshev method of order 2, for stiff problems of any size.

s stages are stable up to dt lambda_max = 0.65 s^2, so a gradient buys s / 4 times as much time as
with the classical method. Sommeijer, Shampine, Verwer (1998), RKC: an explicit solver for parabolic
PDEs, doi:10.1016/S0377-0427(97)00219-7, whose coefficients and error estimate these are.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial

import numpy as np
import torch
from torch import Tensor

from gnn_dynamics.dynamics.step_control import (
    Trial,
    add,
    advance,
    choose,
    falls,
    first_step,
    slower,
)
from gnn_dynamics.dynamics.steppers import State, Stepper
from gnn_dynamics.models.model import Weights, per_model
from gnn_dynamics.models.objective import Objective

DAMPING = 2 / 13
# Of the largest curvature, which is known to 1 % and may grow until the next estimate.
MARGIN = 1.05
MOST_STAGES = 250
EVERY = 25  # steps between two estimates of the largest curvature


# Plans of a block of steps, some 10 % apart, so that few graphs are captured.
PLANS = (*range(2, 12), *(math.ceil(11 * 1.1**k) for k in range(1, 33)), MOST_STAGES + 1)


@cache
def coefficients(device: torch.device) -> Tensor:
    """(s, j, 5) for s stages and stage j, of Y_0, Y_{j-1}, Y_{j-2}, dt F_{j-1} and dt F_0.

    A step of fewer stages than another keeps its last one: 0, 1, 0, 0, 0 for j > s.
    """
    most = MOST_STAGES + 1  # one more, by rounding
    s = np.arange(2, most + 1)
    w_0 = 1 + DAMPING / s**2
    T, dT, ddT = np.zeros((3, most + 1, len(s)))
    T[0], T[1], dT[1] = 1, w_0, 1
    for j in range(2, most + 1):
        T[j] = 2 * w_0 * T[j - 1] - T[j - 2]
        dT[j] = 2 * T[j - 1] + 2 * w_0 * dT[j - 1] - dT[j - 2]
        ddT[j] = 4 * dT[j - 1] + 2 * w_0 * ddT[j - 1] - ddT[j - 2]
    w_1 = dT[s, s - 2] / ddT[s, s - 2]
    b = np.empty_like(T)
    b[2:] = ddT[2:] / dT[2:] ** 2
    b[:2] = b[2]
    a = 1 - b * T
    table = np.zeros((most + 1, most + 1, 5))
    table[:, :, 1] = 1
    table[s, 1, 1], table[s, 1, 0], table[s, 1, 4] = 0, 1, b[1] * w_1
    for j in range(2, most + 1):
        mu, nu, mu_F = 2 * b[j] * w_0 / b[j - 1], -b[j] / b[j - 2], 2 * b[j] * w_1 / b[j - 1]
        row = np.stack([1 - mu - nu, mu, nu, mu_F, -a[j - 1] * mu_F], axis=1)  # (s, 5)
        table[j:, j] = row[j - 2 :]
    return torch.from_numpy(table).to(device)


def stages_needed(dt_curvature: Tensor) -> Tensor:
    """Fewest stages that are stable for dt lambda_max, with the damping: 0.653 (s^2 - 1)."""
    return (1 + 1.54 * dt_curvature).sqrt().ceil().nan_to_num(nan=2.0).clamp(min=2.0).long()


def longest(stages: int) -> float:
    """dt lambda_max of the largest step that is stable with so many stages."""
    return (stages**2 - 1) / 1.54


def chebyshev_flow(lambda_max: Callable[[Objective, Weights], Tensor], tolerance: float) -> Stepper:
    """Gradient flow with the step that `tolerance` allows (step_control.py).

    lambda_max: (objective, weights) -> (K,), the largest curvature, estimated every EVERY steps.
    """

    def start(weights: Weights, lr: Tensor) -> State:
        return State(lr, (lr, torch.zeros_like(lr), lr))

    def retune(
        state: State,
        objective: Objective,
        weights: Weights,
        gradient: Weights,
        loss: Tensor,
        step: int,
    ) -> State:
        dt, curvature, _ = state.scalars
        dt = dt if step else first_step(loss, gradient)
        if step % EVERY == 0:
            curvature = MARGIN * lambda_max(objective, weights).to(loss).clamp(min=0.0)
        return replace(state, scalars=(dt, curvature, loss))

    def step(
        state: State, objective: Objective, weights: Weights, gradient: Weights
    ) -> tuple[State, Weights]:
        plan, (dt, curvature, before) = state.plan, state.scalars
        dt = torch.where(curvature > 0, torch.minimum(dt, limit(state) / curvature), dt)
        counts = stages_needed(dt * curvature)
        most = int(counts.max()) if state.plan is None else state.plan
        end = stages(objective, weights, gradient, dt, counts, most)
        loss, there = objective(end)
        # 0.8 (w_0 - w_1) + 0.4 dt (F_0 + F_1), F = -gradient
        delta = weights.zip(lambda a, b: 0.8 * (a - b), end)
        delta = add(delta, (-0.4 * dt, gradient), (-0.4 * dt, there))
        error = there.inner(delta).abs() + curvature / 2 * delta.squared_norm()
        trial = Trial(end, delta, slower(gradient, there), falls(loss, before), error)
        state, weights = advance(weights, dt, (), trial, tolerance)
        take = partial(choose, state.size > 0)
        ahead = take(loss, before), there.zip(take, gradient)
        scalars = (*state.scalars, curvature, before)
        return replace(state, scalars=scalars, ahead=ahead, plan=plan), weights

    return Stepper("flow", start, step, retune, 5, demand, planned)


def limit(state: State) -> float:
    """Of dt lambda_max: what a plan allows is less than MOST_STAGES."""
    return longest(MOST_STAGES if state.plan is None else min(state.plan, MOST_STAGES))


def demand(state: State) -> Tensor:
    """Stages (K,) that the next step would have without a plan."""
    dt, curvature, _ = state.scalars
    return stages_needed((dt * curvature).clamp(max=longest(MOST_STAGES)))


def planned(state: State, most: float) -> State:
    """The state with a plan for `most` stages; for more where they outgrew the last plan."""
    room = 2.0 if state.plan is None else max(1.0, most / state.plan)
    return replace(state, plan=next((s for s in PLANS if s >= room * most), PLANS[-1]))


def stages(
    objective: Objective, weights: Weights, gradient: Weights, dt: Tensor, counts: Tensor, most: int
) -> Weights:
    """The weights after one step of dt (K,) with `counts` (K,) stages, at most `most`.

    A model that has fewer stages than another keeps its last one.
    """
    table = coefficients(dt.device)[counts.clamp(max=most), : most + 1]  # (K, most + 1, 5)
    factors = table.movedim(1, 0).to(dt)
    before, present, slope = weights, weights, gradient
    for j in range(1, most + 1):
        if j > 1:
            slope = objective(present)[1]
        c_0, c_1, c_2, f, f_0 = map(per_model, factors[j].unbind(dim=-1))
        f, f_0 = f * per_model(dt), f_0 * per_model(dt)

        def stage(y_0: Tensor, y_1: Tensor, y_2: Tensor, g_1: Tensor, g_0: Tensor) -> Tensor:
            return c_0 * y_0 + c_1 * y_1 + c_2 * y_2 - f * g_1 - f_0 * g_0  # noqa: B023

        before, present = present, weights.zip(stage, present, before, slope, gradient)
    return present
