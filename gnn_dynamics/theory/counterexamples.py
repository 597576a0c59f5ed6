"""Statements that fail, each with the smallest problem that shows it. No data needed."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gnn_dynamics.models.model import Weights
from gnn_dynamics.theory.reference import flow_reference, squared_gradient, squared_loss


@dataclass(frozen=True)
class Decay:
    """Excess L(t) - L* of one flow at `times` beside a claimed bound on it."""

    times: np.ndarray
    excess: np.ndarray
    bound: np.ndarray

    @property
    def worst_ratio(self) -> float:
        """max_t excess / bound: above 1 the claim fails."""
        return float((self.excess / self.bound).max())


def exponent_at_depth_zero(constant: float, end: float = 4.0) -> Decay:
    """Theorem 1 at H = 0 with `constant` in the exponent, where the start makes 4 sharp.

    G_0 = diag(1, 0.7), W_0 = 0 and Y on the last singular direction: L(t) = exp(-4 sigma_min^2 t),
    so every constant above 4 fails. (B is empty, hence lambda = 1.)
    """
    sigma = 0.7
    G, Y = [_matrix([[1.0, 0.0], [0.0, sigma]])], _matrix([[0.0, 1.0]])
    times = np.linspace(0.0, end, 81)
    losses = _losses(Weights((), (torch.zeros(1, 1, 2, dtype=torch.float64),)), G, Y, times)
    return Decay(times, losses, losses[0] * np.exp(-constant * sigma**2 * times))


def layer_subset(eps: float, end: float = 3.0) -> tuple[Decay, Decay]:
    """The bound of the single layer H' = 0 on a multiscale net with H = 1, and Theorem 2(i).

    Two nodes, one feature: G_0 = [1 0], G_1 = [0 eps], Y = [1 0], W_0 = 0, W_1 = B_1 = eps^{-1/2}.
    L*_0 = 0, lambda^(0) = 1 and sigma_min(G_0) = 1, so the claimed bound is L(0) exp(-4 t). The
    residual leaves row(G_0), where the proof needs it to stay.
    """
    G, Y = [_matrix([[1.0, 0.0]]), _matrix([[0.0, eps]])], _matrix([[1.0, 0.0]])
    scalar = torch.full((1, 1, 1), eps**-0.5, dtype=torch.float64)
    times = np.linspace(0.0, end, 61)
    gradient = squared_gradient(G, Y)
    run = flow_reference(gradient, Weights((scalar,), (torch.zeros_like(scalar), scalar)), times)
    losses = np.array([float(squared_loss(weights, G, Y)) for weights in run])
    # Gs = [[1, 0], [0, eps]] has sigma_min = eps and L* = 0.
    lowest = np.minimum.accumulate([min(1.0, float(weights.B[0]) ** 2) for weights in run])
    full = Decay(times, losses, losses[0] * np.exp(-4 * lowest * eps**2 * times))
    return Decay(times, losses, losses[0] * np.exp(-4 * times)), full


def margin_rescaled(
    scales: tuple[float, ...] = (1.0, 1e-2, 1e-4), seed: int = 0
) -> dict[str, list[float]]:
    """Loss and sigma_min(Bbar_H) of (W / c, c B_1) for each c: the loss stays, the margin goes.

    A singular margin gamma > 0 over the whole sublevel set of the loss (Definition 4 as we know
    it) is therefore impossible.
    """
    generator = torch.Generator().manual_seed(seed)
    shapes = ((1, 3, 3), (1, 3, 3), (1, 2, 3), (3, 8), (2, 8))
    B_1, B_2, W, G, Y = (
        torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes
    )
    nets = [Weights((c * B_1, B_2), (W / c,)) for c in scales]
    margins = [float(torch.linalg.svdvals(net.B[1] @ net.B[0])[0, -1]) for net in nets]
    losses = [float(squared_loss(net, [G], Y)) for net in nets]
    return {"scale": list(scales), "loss": losses, "sigma_min": margins}


def _matrix(rows: list[list[float]]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def _losses(start: Weights, G: list[Tensor], Y: Tensor, times: np.ndarray) -> np.ndarray:
    run = flow_reference(squared_gradient(G, Y), start, times)
    return np.array([float(squared_loss(weights, G, Y)) for weights in run])
