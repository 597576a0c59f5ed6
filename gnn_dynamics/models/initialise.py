"""Initial weights: one independent random stream for each (seed, kind of matrix, layer).

So models with and without skip connections share every B_l and the head of the same layer, and
models of different depth share their first layers.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch

from gnn_dynamics.errors import UserError
from gnn_dynamics.models.model import Architecture, Weights

Generator = np.random.Generator
KINDS = {"B": 0, "W": 1}
NEAR_IDENTITY_NOISE = 0.1  # spectral norm of the perturbation is about twice this, if square


def initial_weights(arch: Architecture, init: str, seeds: Sequence[int]) -> Weights:
    """One model for each seed: Weights with K = len(seeds), float64, on the CPU.

    init: "default"        U(-1/sqrt(fan_in), 1/sqrt(fan_in)), as torch.nn.Linear
          "xavier"         U(-a, a), a^2 = 6 / (fan_in + fan_out) (Glorot and Bengio, 2010)
          "orthogonal"     orthonormal rows or columns, whichever are fewer; Haar distributed
          "near-identity"  B_l = I + 0.1 N(0, 1/fan_in), heads as by default
          "zero-head"      W = 0 and B_l with orthonormal columns: lambda_T >= 1 for every T

    Raises:
        UserError: for an unknown name, and for "zero-head" when the width is below m_x.
    """
    if init not in INITIALISATIONS:
        raise UserError(f"init: unknown '{init}'; allowed are {', '.join(INITIALISATIONS)}.")
    if init == "zero-head" and arch.depth and arch.width < arch.m_x:
        raise UserError(
            f"init: zero-head needs B_1 with orthonormal columns, but width {arch.width} is below"
            f" m_x = {arch.m_x}; set width to at least {arch.m_x}, or reduce the features with"
            f" features: pca-{arch.width}."
        )
    draw = INITIALISATIONS[init]

    def stack(kind: str, layer: int, rows: int, columns: int) -> torch.Tensor:
        streams = (np.random.default_rng([seed, KINDS[kind], layer]) for seed in seeds)
        return torch.from_numpy(np.stack([draw[kind](g, rows, columns) for g in streams]))

    sizes = arch.layer_sizes
    layers = enumerate(pairwise(sizes), start=1)
    B = tuple(stack("B", layer, out, fan_in) for layer, (fan_in, out) in layers)
    return Weights(B, tuple(stack("W", l, arch.m_y, sizes[l]) for l in arch.levels))


def uniform(generator: Generator, rows: int, columns: int) -> np.ndarray:
    bound = columns**-0.5
    return generator.uniform(-bound, bound, (rows, columns))


def xavier(generator: Generator, rows: int, columns: int) -> np.ndarray:
    bound = (6 / (rows + columns)) ** 0.5
    return generator.uniform(-bound, bound, (rows, columns))


def orthogonal(generator: Generator, rows: int, columns: int) -> np.ndarray:
    """Q of a Gaussian matrix, its signs fixed by R's diagonal to make it Haar distributed."""
    tall = (max(rows, columns), min(rows, columns))
    Q, R = np.linalg.qr(generator.standard_normal(tall))
    Q *= np.where(np.diag(R) < 0, -1.0, 1.0)
    return Q if rows >= columns else Q.T


def near_identity(generator: Generator, rows: int, columns: int) -> np.ndarray:
    noise = generator.standard_normal((rows, columns)) / columns**0.5
    matrix: np.ndarray = np.eye(rows, columns) + NEAR_IDENTITY_NOISE * noise
    return matrix


INITIALISATIONS: dict[str, dict[str, Callable[[Generator, int, int], np.ndarray]]] = {
    "default": {"B": uniform, "W": uniform},
    "xavier": {"B": xavier, "W": xavier},
    "orthogonal": {"B": orthogonal, "W": orthogonal},
    "near-identity": {"B": near_identity, "W": uniform},
    "zero-head": {"B": orthogonal, "W": lambda _, rows, columns: np.zeros((rows, columns))},
}
