"""Step sizes of gradient flow by the local error: which trials count, how long the next one is.

Each model has its own step. A trial that fails leaves its model where it is for one round of the
training loop, with size 0, so that no model waits for another or depends on it.

The local error is the difference delta of a method and its embedded method. It is measured by the
speed of the flow, ||delta|| / (dt ||gradient||) <= tolerance, so that it is a share of the way that
the weights go, whatever their units.
"""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from gnn_dynamics.dynamics.steppers import State
from gnn_dynamics.models.model import Weights, per_model

SAFETY, SMALLEST, LARGEST = 0.85, 0.2, 4.0  # Hairer, Norsett, Wanner, section II.4
FIRST_SHARE = 0.1  # of the loss that the first trial may take away, to first order
ROUNDING = 1e-10  # relative rise of the loss that a step may have; flow has none


@dataclass(frozen=True)
class Trial:
    """One trial step of K models.

    weights: at its end;  delta: local error of the weights;  speed: (K,) ||gradient|| of the flow
    defect: (K,) further error as a multiple of the tolerance, infinity where the step must fail
    error: (K,) estimated error in the loss
    carried: tensors (K, ...) that the method keeps for its next step
    """

    weights: Weights
    delta: Weights
    speed: Tensor
    defect: Tensor
    error: Tensor
    carried: tuple[Tensor, ...] = ()


def first_step(loss: Tensor, gradient: Weights) -> Tensor:
    """(K,) FIRST_SHARE L / ||gradient||^2; 1 where the gradient is zero."""
    slope = gradient.squared_norm()
    return torch.where(slope > 0, FIRST_SHARE * loss / slope, 1.0)


def falls(loss: Tensor, before: Tensor) -> Tensor:
    """Defect (K,) of a step: 0 where the loss falls, up to rounding, and infinity elsewhere."""
    return torch.where(loss <= before * (1 + ROUNDING), 0.0, torch.inf)


def slower(*gradients: Weights) -> Tensor:
    """The smallest norm of several gradients, (K,)."""
    return torch.stack([gradient.squared_norm() for gradient in gradients]).amin(dim=0).sqrt()


def advance(
    weights: Weights, dt: Tensor, carried: tuple[Tensor, ...], trial: Trial, tolerance: float
) -> tuple[State, Weights]:
    """Take the trials of dt (K,) that count; the state has the scalars (next dt, carried...)."""
    share = trial.delta.squared_norm().sqrt() / (dt * trial.speed)
    share = torch.where(trial.speed > 0, share, 0.0)  # nothing moves at a critical point
    excess = torch.maximum(share / tolerance, trial.defect).nan_to_num(nan=torch.inf)
    accepted = excess <= 1
    # The estimates are of order 2: delta / dt falls with the square of dt.
    factor = (SAFETY * excess.clamp(min=1e-6).rsqrt()).clamp(SMALLEST, LARGEST)
    take = partial(choose, accepted)
    kept = tuple(map(take, trial.carried, carried))
    taken, error = torch.where(accepted, dt, 0.0), torch.where(accepted, trial.error, 0.0)
    return State(taken, (dt * factor, *kept), error=error), trial.weights.zip(take, weights)


def choose(accepted: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """The rows of `new` where `accepted` (K,), of `old` elsewhere."""
    return torch.where(accepted.view(-1, *(1,) * (new.dim() - 1)), new, old)


def add(weights: Weights, *terms: tuple[float | Tensor, Weights]) -> Weights:
    """weights + sum of c times a direction, c a number or (K,)."""
    for c, direction in terms:
        size = per_model(c) if isinstance(c, Tensor) else c
        weights = weights.zip(lambda w, d: torch.add(w, size * d), direction)  # noqa: B023
    return weights
