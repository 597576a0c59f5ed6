"""Initial weights: one independent random stream for each (seed, kind of matrix, layer).

So models with and without skip connections share every B_l and the head of the same layer, and
models of different depth share their first layers.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from gnn_dynamics.config.functions import Expect, Registry
from gnn_dynamics.errors import UserError
from gnn_dynamics.models.model import Architecture, Weights

Generator = np.random.Generator
Initialisation = Callable[[Generator, str, int, int], np.ndarray]
KINDS = {"B": 0, "W": 1}
NEAR_IDENTITY_NOISE = 0.1  # spectral norm of the perturbation is about twice this, if square


def initial_weights(arch: Architecture, init: str, seeds: Sequence[int]) -> Weights:
    """One model for each seed: Weights with K = len(seeds), float64, on the CPU.

    init: a key of INITIALISATIONS, or `file.py:function`.

    Raises:
        UserError: for an unknown name, and for "zero-head" when the width is below m_x.
    """
    draw = INITIALISATIONS[init]

    def stack(kind: str, layer: int, rows: int, columns: int) -> torch.Tensor:
        streams = (np.random.default_rng([seed, KINDS[kind], layer]) for seed in seeds)
        return torch.from_numpy(np.stack([draw(g, kind, rows, columns) for g in streams]))

    sizes = arch.layer_sizes
    layers = enumerate(pairwise(sizes), start=1)
    B = tuple(stack("B", layer, out, fan_in) for layer, (fan_in, out) in layers)
    return Weights(B, tuple(stack("W", l, arch.m_y, sizes[l]) for l in arch.levels))


# (generator, kind, rows, columns) -> one matrix (rows, columns) float64; kind B or W --------------


def uniform(generator: Generator, kind: str, rows: int, columns: int) -> np.ndarray:
    """U(-1/sqrt(fan_in), 1/sqrt(fan_in)), as torch.nn.Linear."""
    bound = columns**-0.5
    return generator.uniform(-bound, bound, (rows, columns))


def xavier(generator: Generator, kind: str, rows: int, columns: int) -> np.ndarray:
    """U(-a, a), a^2 = 6 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""
    bound = (6 / (rows + columns)) ** 0.5
    return generator.uniform(-bound, bound, (rows, columns))


def orthogonal(generator: Generator, kind: str, rows: int, columns: int) -> np.ndarray:
    """Orthonormal rows or columns, whichever are fewer; Haar distributed.

    Q of a Gaussian matrix, its signs fixed by R's diagonal to make it Haar distributed.
    """
    tall = (max(rows, columns), min(rows, columns))
    Q, R = np.linalg.qr(generator.standard_normal(tall))
    Q *= np.where(np.diag(R) < 0, -1.0, 1.0)
    return Q if rows >= columns else Q.T


def near_identity(generator: Generator, kind: str, rows: int, columns: int) -> np.ndarray:
    """B_l = I + 0.1 N(0, 1/fan_in), heads as by default."""
    if kind == "W":
        return uniform(generator, kind, rows, columns)
    noise = generator.standard_normal((rows, columns)) / columns**0.5
    matrix: np.ndarray = np.eye(rows, columns) + NEAR_IDENTITY_NOISE * noise
    return matrix


def zero_head(generator: Generator, kind: str, rows: int, columns: int) -> np.ndarray:
    """W = 0 and B_l with orthonormal columns: lambda_T >= 1 for every T."""
    if kind == "W":
        return np.zeros((rows, columns))
    if rows < columns:
        raise UserError(
            f"init: zero-head needs B_1 with orthonormal columns, but width {rows} is below"
            f" m_x = {columns}; set width to at least {columns}, or reduce the features with"
            f" features: pca-{rows}."
        )
    return orthogonal(generator, kind, rows, columns)


def adopted(function: Callable[..., Any], expect: Expect) -> Initialisation:
    """An own function, its result checked at each call; called with two small shapes."""

    def draw(generator: Generator, kind: str, rows: int, columns: int) -> np.ndarray:
        matrix = function(generator, kind, rows, columns)
        expect(isinstance(matrix, np.ndarray), f"it returns {type(matrix).__name__}")
        fits = matrix.shape == (rows, columns)
        expect(fits, f"it returns shape {matrix.shape} for ({rows}, {columns})")
        expect(matrix.dtype == np.float64, f"it returns {matrix.dtype}, not float64")
        expect(bool(np.isfinite(matrix).all()), "it returns numbers that are not finite")
        return matrix

    for kind, rows, columns in (("B", 4, 3), ("W", 2, 4)):
        one, other = (draw(np.random.default_rng(0), kind, rows, columns) for _ in range(2))
        expect(np.array_equal(one, other), "two calls with equal generators differ")
    return draw


INITIALISATIONS = Registry(
    "init",
    {
        "default": uniform,
        "xavier": xavier,
        "orthogonal": orthogonal,
        "near-identity": near_identity,
        "zero-head": zero_head,
    },
    adopted,
)
