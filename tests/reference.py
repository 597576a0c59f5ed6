"""Plain, slow and obviously correct models: what every fast form is compared with.

Two independent roads to the same loss and gradient: PyTorch Geometric's own layers, and torch
autograd of Definitions 1 and 2 written out densely. Random problems for both are in problems.py.
"""

from collections.abc import Sequence

import numpy as np
import torch
from problems import (
    Cell,
    Example,
    cells,
    cora_shaped,
    examples,
    make_example,
    mean_pooling,
    one_hot,
    random_weights,
    selection,
)
from torch import Tensor, nn

from benchmarks.pyg import PygModel
from gnn_dynamics.models.model import Architecture, Weights, stack_weights

__all__ = [
    "Cell",
    "Example",
    "cells",
    "cora_shaped",
    "dense_forward",
    "dense_loss",
    "dense_loss_and_gradient",
    "dense_outputs",
    "examples",
    "make_example",
    "mean_pooling",
    "one_hot",
    "pyg_loss_and_gradient",
    "random_weights",
    "relative_error",
    "selection",
]

LOSSES = {
    "squared": lambda Yhat, Y: (Yhat - Y).square().sum(),
    "cross_entropy": lambda Yhat, Y: nn.functional.cross_entropy(Yhat.T, Y.T),
}


# (a) PyTorch Geometric ---------------------------------------------------------------------------


def pyg_loss_and_gradient(
    arch: Architecture, weights: Weights, example: Example, Y: Tensor, loss: str
) -> tuple[Tensor, Weights]:
    """Loss (K,) and gradient by PyG and autograd, one after another; Y as in `Cell`."""
    x = torch.from_numpy(example.X.toarray())
    edge_index = torch.from_numpy(np.stack(example.adjacency.nonzero())).long()
    R = torch.from_numpy(example.R.toarray())

    def value(k: int) -> tuple[Tensor, Weights]:
        model = PygModel(arch, example.kind, weights, k)
        loss_k = LOSSES[loss](model(x, edge_index).T @ R, Y[k % len(Y)])
        gradient = torch.autograd.grad(loss_k, list(model.parameters()))
        return loss_k, unflatten(gradient, arch.depth)

    return stack_results([value(k) for k in range(weights.models)])


# (b) Definitions 1 and 2, densely ----------------------------------------------------------------


def dense_forward(arch: Architecture, weights: Weights, example: Example) -> list[Tensor]:
    """[X_(0), ..., X_(H)] of every model, X_(l) = sigma(B_l X_(l-1) S) of shape (K, m_l, n)."""
    S = torch.from_numpy(example.S.toarray())
    X = torch.from_numpy(example.X.toarray()).T.expand(weights.models, -1, -1)
    sigma = torch.relu if arch.activation == "relu" else (lambda tensor: tensor)
    hidden = [X]
    for B in weights.B:
        hidden.append(sigma(B @ hidden[-1] @ S))
    return hidden


def dense_outputs(arch: Architecture, weights: Weights, example: Example) -> Tensor:
    """Yhat (K, m_y, nbar) = sum over the levels of W_l X_(l) R."""
    hidden = dense_forward(arch, weights, example)
    R = torch.from_numpy(example.R.toarray())
    return sum(W @ hidden[l] @ R for W, l in zip(weights.W, arch.levels, strict=True))


def dense_loss(
    arch: Architecture, weights: Weights, example: Example, Y: Tensor, loss: str
) -> Tensor:
    """(K,) losses, differentiable."""
    Yhat = dense_outputs(arch, weights, example)
    return torch.stack([LOSSES[loss](Yhat[k], Y[k % len(Y)]) for k in range(len(Yhat))])


def dense_loss_and_gradient(
    arch: Architecture, weights: Weights, example: Example, Y: Tensor, loss: str
) -> tuple[Tensor, Weights]:
    """Loss (K,) and gradient by autograd of the definitions."""
    weights = weights.map(lambda tensor: tensor.detach().clone().requires_grad_())
    losses = dense_loss(arch, weights, example, Y, loss)
    gradient = torch.autograd.grad(losses.sum(), weights.tensors())
    return losses.detach(), Weights(gradient[: arch.depth], gradient[arch.depth :])


def unflatten(tensors: Sequence[Tensor], depth: int) -> Weights:
    """[B_1, ..., B_H, W_...] of one model -> Weights with K = 1."""
    tensors = [tensor.detach().unsqueeze(0) for tensor in tensors]
    return Weights(tuple(tensors[:depth]), tuple(tensors[depth:]))


def stack_results(results: list[tuple[Tensor, Weights]]) -> tuple[Tensor, Weights]:
    losses, gradients = zip(*results, strict=True)
    return torch.stack([loss.detach() for loss in losses]), stack_weights(gradients)


def relative_error(ours: Weights, theirs: Weights) -> float:
    """Largest over all tensors and models of ||ours - theirs|| / ||theirs||.

    A tensor far below the largest one of its model is measured against 1e-3 of that one, since
    cancellation in it is common to every implementation.
    """
    norms = torch.stack([tensor.flatten(1).norm(dim=1) for tensor in theirs.tensors()])
    gaps = ours.zip(torch.sub, theirs).tensors()
    gaps = torch.stack([tensor.flatten(1).norm(dim=1) for tensor in gaps])
    floor = 1e-3 * norms.amax(dim=0).clamp(min=1e-300)
    return (gaps / torch.maximum(norms, floor)).max().item()
