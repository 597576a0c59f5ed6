"""The gradient of a ReLU GNN by automatic differentiation of its definition: a second opinion.

X_(l) = relu(B_l X_(l-1) S), Yhat = sum_l W_l X_(l) R over the heads (Xu et al. 2021, equations 1
and 3), on all nodes, without the reductions of models/relu.py. One model after another. The same
for any other activation.
"""

from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from gnn_dynamics.models.activations import ACTIVATIONS
from gnn_dynamics.models.losses import LOSSES
from gnn_dynamics.models.model import Weights
from gnn_dynamics.problem.problem import Problem
from gnn_dynamics.theory.terms import autograd_gradient


def relu_outputs(
    weights: Weights, problem: Problem, levels: Sequence[int], activation: str = "relu"
) -> Tensor:
    """Yhat (K, m_y, nbar) from weights in full space."""
    ST, X, RT = (_tensor(M) for M in (problem.S.T, problem.X, problem.R.T))

    def outputs(model: Weights) -> Tensor:
        heads, T, terms = dict(zip(levels, model.W, strict=True)), X, []  # T = X_(l)^T (n, m_l)
        for l in range(len(model.B) + 1):
            if l > 0:
                T, _ = ACTIVATIONS[activation](ST @ (T @ model.B[l - 1].T))  # (n, m_l)
            if l in heads:
                terms.append((RT @ (T @ heads[l].T)).T)  # (m_y, nbar)
        return torch.stack(terms).sum(dim=0)

    return torch.stack([outputs(weights.take(k)) for k in range(weights.models)])


def _tensor(M: sp.sparray | np.ndarray) -> Tensor:
    if not sp.issparse(M):
        return torch.as_tensor(M)
    M = sp.coo_array(M)
    coordinates, values = torch.from_numpy(np.stack(M.coords)), torch.from_numpy(M.data)
    return torch.sparse_coo_tensor(coordinates, values, M.shape, check_invariants=True)


def relu_gradient(
    problem: Problem, levels: Sequence[int], loss: str, activation: str = "relu"
) -> Callable[[Weights, Tensor], Weights]:
    """(weights, Y (K or 1, m_y, nbar)) -> gradient, computed on the CPU in float64."""

    def gradient(weights: Weights, Y: Tensor) -> Weights:
        Y, here = Y.to("cpu", torch.float64), weights.map(lambda w: w.to("cpu", torch.float64))
        gradient = autograd_gradient(
            lambda w: LOSSES[loss](relu_outputs(w, problem, levels, activation), Y)[0], here
        )
        return gradient.zip(lambda g, w: g.to(w), weights)

    return gradient
