"""The two models of the paper as shapes and weights; every tensor carries K models side by side.

Linear GNN (Definition 1)             Yhat = W_H B_H ... B_1 G_H
Multiscale linear GNN (Definition 2)  Yhat = sum_{l=0}^{H} W_l B_l ... B_1 G_l

with G_l = X S^l R (m_x, nbar). Xu, Zhang, Jegelka, Kawaguchi (2021), arXiv 2105.04550.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

CACHE_LINE = 64  # bytes


@dataclass(frozen=True)
class Architecture:
    """Shapes of one model: m_x inputs, `depth` = H hidden layers of `width`, m_y outputs."""

    m_x: int
    width: int
    m_y: int
    depth: int
    multiscale: bool
    activation: str = "linear"

    @property
    def levels(self) -> tuple[int, ...]:
        """The l that carry a head W_l: (0, ..., H) with skip connections, (H,) without."""
        return tuple(range(self.depth + 1)) if self.multiscale else (self.depth,)

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """(m_0, ..., m_H) with m_0 = m_x."""
        return (self.m_x, *(self.width,) * self.depth)


@dataclass(frozen=True)
class Weights:
    """B[i] is B_{i+1}, (K, m_{i+1}, m_i); W[j] is the head of levels[j], (K, m_y, m_l).

    Gradients and optimiser moments have the same shape and use the same class.
    """

    B: tuple[Tensor, ...]
    W: tuple[Tensor, ...]

    @property
    def models(self) -> int:
        """K."""
        return self.W[0].shape[0]

    def tensors(self) -> tuple[Tensor, ...]:
        return (*self.B, *self.W)

    def map(self, function: Callable[[Tensor], Tensor]) -> "Weights":
        return Weights(tuple(map(function, self.B)), tuple(map(function, self.W)))

    def zip(self, function: Callable[..., Tensor], *others: "Weights") -> "Weights":
        """Apply `function` to corresponding tensors of this and the others."""
        B = tuple(map(function, self.B, *(o.B for o in others)))
        W = tuple(map(function, self.W, *(o.W for o in others)))
        return Weights(B, W)

    def take(self, index: Tensor | slice | Sequence[int] | int) -> "Weights":
        """The models named by `index` (along K); one number gives 2-D tensors."""
        return self.map(lambda tensor: tensor[index])

    def like(self, tensors: Sequence[Tensor]) -> "Weights":
        """The weights with these tensors, in the order of `tensors()`."""
        return Weights(tuple(tensors[: len(self.B)]), tuple(tensors[len(self.B) :]))

    def flatten(self) -> Tensor:
        """(K, size), one row per model."""
        return torch.cat([tensor.flatten(1) for tensor in self.tensors()], dim=1)

    def unflatten(self, rows: Tensor) -> "Weights":
        """The inverse of `flatten`, for weights of this shape."""
        tensors = self.tensors()
        parts = torch.split(rows, [tensor[0].numel() for tensor in tensors], dim=1)
        return self.like([part.view(t.shape) for part, t in zip(parts, tensors, strict=True)])

    def inner(self, other: "Weights") -> Tensor:
        """(K,) <self, other> over all weights of each model."""
        products = self.zip(torch.mul, other).tensors()
        return functools.reduce(torch.add, (product.sum(dim=(1, 2)) for product in products))

    def squared_norm(self) -> Tensor:
        """(K,) sum of squares over all weights of each model."""
        return self.inner(self)


def per_model(values: Tensor) -> Tensor:
    """(K,) -> (K, 1, 1), to scale every weight of a model."""
    return values.reshape(-1, 1, 1)


def stack_weights(parts: Sequence[Weights]) -> Weights:
    """Lay blocks of models side by side: K = sum of theirs."""
    return parts[0].zip(lambda *tensors: torch.cat(tensors), *parts[1:])


def single(weights: Weights, k: int) -> Weights:
    """Model k, with 2-D tensors on cache lines, as fresh tensors are.

    BLAS sums in another order elsewhere; so a model's digits do not depend on its index in K.
    """

    def aligned(tensor: Tensor) -> Tensor:
        return tensor.clone() if tensor.data_ptr() % CACHE_LINE else tensor

    return weights.take(k).map(aligned)
