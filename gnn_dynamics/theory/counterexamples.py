"""Statements that fail, each with the smallest problem that shows it. No data needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from gnn_dynamics.models.model import Weights
from gnn_dynamics.theory.products import outputs
from gnn_dynamics.theory.rates import geometry
from gnn_dynamics.theory.reference import flow_reference, squared_gradient, squared_loss


@dataclass(frozen=True)
class Decay:
    """Excess L(t) - L* of one flow at `times` beside a claimed bound on it."""

    times: np.ndarray
    excess: np.ndarray
    bound: np.ndarray

    @property
    def curves(self) -> dict[str, np.ndarray]:
        return {"excess": self.excess, "bound": self.bound}

    @property
    def worst_ratio(self) -> float:
        """max_t excess / bound: above 1 the claim fails."""
        return float((self.excess / self.bound).max())


def erratum_table(run: Sequence[Weights], G: Sequence[Tensor], Y: Tensor) -> pd.DataFrame:
    """The false step in the printed proof of Theorem 1, and the identity that repairs it.

    With a = ||Yhat - Y||_F, b = ||Y (I - P)||_F and P the projector on the row space of Gs, the
    proof (appendix A.1.3, last inequality, as quoted by Tang, Guo, Liu, Wei, ICLR Blogposts 2025)
    needs

        printed:    (a - b)^2 >= a^2 - b^2            false whenever L > L* > 0
        corrected:  ||(Yhat - Y) P||_F^2 = a^2 - b^2  exactly, since Yhat P = Yhat (Pythagoras)

    where a^2 = L and b^2 = L*. The theorem remains valid with the same constant. One row for each
    moment of a run of one model (K = 1), squared loss, with the columns loss, optimum, printed_left
    = (a - b)^2, right = a^2 - b^2, projected = ||(Yhat - Y) P||^2, printed_holds, identity_error =
    |projected - right| / loss.
    """
    N = geometry(G).rows
    residuals = [(outputs(weights, list(G)) - Y)[0] for weights in run]
    loss = np.array([float(E.square().sum()) for E in residuals])
    projected = np.array([float((E @ N).square().sum()) for E in residuals])
    optimum = float((Y - Y @ N @ N.mT).square().sum())
    left, right = (np.sqrt(loss) - np.sqrt(optimum)) ** 2, loss - optimum
    return pd.DataFrame(
        {
            "loss": loss,
            "optimum": optimum,
            "printed_left": left,
            "right": right,
            "projected": projected,
            "printed_holds": left >= right,
            "identity_error": np.abs(projected - right) / loss,
        }
    )


@cache
def printed_inequality() -> pd.DataFrame:
    """`erratum_table` of a flow with L* > 0, with a column `time`.

    H = 1, three features, nine labelled nodes, balanced start: random numbers from a fixed seed.
    """
    G_1, Y = _draws((3, 9), (2, 9))
    G = [G_1 / 3]
    start = Weights((torch.eye(3).double()[None],), (torch.zeros(1, 2, 3).double(),))
    times = np.linspace(0.0, 4.0, 61)
    run = flow_reference(squared_gradient(G, Y), start, times)
    return erratum_table(run, G, Y).assign(time=times)


def exponent_at_depth_zero(constant: float) -> Decay:
    """Theorem 1 at H = 0 with `constant` in the exponent, where the start makes 4 sharp.

    G_0 = diag(1, 0.7), W_0 = 0 and Y on the last singular direction: L(t) = exp(-4 sigma_min^2 t),
    so every constant above 4 fails. (B is empty, hence lambda = 1.)
    """
    sigma = 0.7
    G, Y = [_matrix([1.0, 0.0], [0.0, sigma])], _matrix([0.0, 1.0])
    times = np.linspace(0.0, 4.0, 81)
    start = Weights((), (torch.zeros(1, 1, 2).double(),))
    losses = _losses(flow_reference(squared_gradient(G, Y), start, times), G, Y)
    return Decay(times, losses, losses[0] * np.exp(-constant * sigma**2 * times))


@cache
def layer_subset(eps: float) -> tuple[Decay, Decay]:
    """The bound of the single layer H' = 0 on a multiscale net with H = 1, and Theorem 2(i).

    Two nodes, one feature: G_0 = [1 0], G_1 = [0 eps], Y = [1 0], W_0 = 0, W_1 = B_1 = eps^{-1/2}.
    L*_0 = 0, lambda^(0) = 1 and sigma_min(G_0) = 1, so the claimed bound is L(0) exp(-4 t). The
    residual leaves row(G_0), where the proof needs it to stay.
    """
    G, Y = [_matrix([1.0, 0.0]), _matrix([0.0, eps])], _matrix([1.0, 0.0])
    scalar = torch.full((1, 1, 1), eps**-0.5, dtype=torch.float64)
    start, times = Weights((scalar,), (0 * scalar, scalar)), np.linspace(0.0, 3.0, 61)
    run = flow_reference(squared_gradient(G, Y), start, times)
    losses = _losses(run, G, Y)
    # Gs = [[1, 0], [0, eps]] has sigma_min = eps and L* = 0.
    lowest = np.minimum.accumulate([min(1.0, float(weights.B[0]) ** 2) for weights in run])
    full = Decay(times, losses, losses[0] * np.exp(-4 * lowest * eps**2 * times))
    return Decay(times, losses, losses[0] * np.exp(-4 * times)), full


def margin_rescaled(scales: Sequence[float] = (1.0, 1e-2, 1e-4)) -> dict[str, list[float]]:
    """Loss and sigma_min(Bbar_H) of (W / c, c B_1) for each c: the loss stays, the margin goes.

    A singular margin gamma > 0 over the whole sublevel set of the loss (Definition 4 as we know
    it) is therefore impossible.
    """
    B_1, B_2, W, G, Y = _draws((1, 3, 3), (1, 3, 3), (1, 2, 3), (3, 8), (2, 8))
    nets = [Weights((c * B_1, B_2), (W / c,)) for c in scales]
    margins = [float(torch.linalg.svdvals(net.B[1] @ net.B[0])[0, -1]) for net in nets]
    return {"scale": list(scales), "loss": _losses(nets, [G], Y).tolist(), "sigma_min": margins}


def _matrix(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def _draws(*shapes: tuple[int, ...]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def _losses(run: Sequence[Weights], G: list[Tensor], Y: Tensor) -> np.ndarray:
    return np.array([float(squared_loss(weights, G, Y)) for weights in run])
