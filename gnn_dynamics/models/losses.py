"""Losses of the outputs and their derivative V = d loss / d Yhat, for K models at once.

All take Yhat (K, m_y, nbar) and Y (K or 1, m_y, nbar) and return the loss (K,) and V like Yhat.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gnn_dynamics.config.functions import Expect, Function, Registry

Loss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def squared(Yhat: Tensor, Y: Tensor) -> tuple[Tensor, Tensor]:
    """||Yhat - Y||_F^2, no 1/2 and no mean (Theorems 1 and 2); V = 2 (Yhat - Y)."""
    residual = Yhat - Y
    return residual.square().flatten(1).sum(dim=1), 2 * residual


def cross_entropy(Yhat: Tensor, Y: Tensor) -> tuple[Tensor, Tensor]:
    """Mean over the nbar columns of -<y, log softmax(yhat)>, columns of Y being distributions.

    V = (softmax(Yhat) - Y) / nbar, to full relative precision where the columns of Y are unit
    vectors: softmax - 1 of a node that is nearly fitted would have few digits, while the weights of
    its wrong classes have all, and so

        w_c - Y_c sum(w) = w_c (1 - Y_c) - Y_c (sum_k w_k (1 - Y_k) + sum_k w_k Y_k - w_c).
    """
    shifted = Yhat - Yhat.amax(dim=1, keepdim=True)
    weight = shifted.exp()  # serves the loss and its derivative
    right = weight * Y
    wrong = weight - right
    wrong_total, right_total = wrong.sum(dim=1, keepdim=True), right.sum(dim=1, keepdim=True)
    total, nbar = wrong_total + right_total, Yhat.shape[-1]
    loss = (total.log().flatten(1).sum(dim=1) - (Y * shifted).flatten(1).sum(dim=1)) / nbar
    return loss, (wrong - Y * (wrong_total + (right_total - weight))) / (nbar * total)


def adopted(function: Function, expect: Expect) -> Loss:
    """An own function (Yhat, Y) -> loss (K,), or (loss, V); without V it is differentiated.

    Tried on a few outputs, in both precisions: each model has a loss of its own, at least 0.
    """

    def loss(Yhat: Tensor, Y: Tensor) -> tuple[Tensor, Tensor]:
        def total(outputs: Tensor) -> tuple[Tensor, Tensor]:
            value = function(outputs, Y)
            return value.sum(), value

        V, value = torch.func.grad(total, has_aux=True)(Yhat)
        return value, V

    Y = torch.eye(3, dtype=torch.float64)[None]
    Yhat = torch.linspace(-2, 3, 18, dtype=torch.float64).reshape(2, 3, 3).sin()
    gives_both = isinstance(function(Yhat, Y), tuple)
    own: Loss = function if gives_both else loss
    for dtype in (torch.float32, torch.float64):
        here = Yhat.to(dtype), Y.to(dtype)
        result = own(*here)[0] if gives_both else function(*here)
        expect(isinstance(result, Tensor), f"it returns {type(result).__name__}, not a tensor")
        shape, kind = tuple(result.shape), result.dtype
        expect(shape == (2,), f"it returns a loss of shape {shape} for K = 2 models")
        expect(kind == dtype, f"it returns {kind} for outputs of {dtype}")
    _check_loss(own, function if gives_both else None, Yhat, Y, expect)
    return own


def _check_loss(
    own: Loss, with_derivative: Loss | None, Yhat: Tensor, Y: Tensor, expect: Expect
) -> None:
    """That the values and derivatives at Yhat (2, m_y, nbar) are those of a loss."""
    value, V = own(Yhat, Y)
    finite = value.isfinite().all() and V.isfinite().all()
    expect(bool(finite), "its loss or its derivative is not finite")
    expect(bool((value >= 0).all()), f"its loss is {value.min():.3g}")
    alone = torch.cat([own(one[None], Y)[0] for one in Yhat])
    expect(torch.allclose(alone, value), "the loss of a model depends on its neighbours in K")
    if with_derivative:
        true = torch.func.grad(lambda outputs: with_derivative(outputs, Y)[0].sum())(Yhat)
        expect(V.shape == true.shape, f"its derivative has shape {tuple(V.shape)}")
        expect(torch.allclose(V, true), "its derivative is not that of its loss")
    curvature = torch.func.vjp(lambda outputs: own(outputs, Y)[1], Yhat)[1](V)[0]
    expect(bool(curvature.isfinite().all()), "its second derivative is not finite")


LOSSES = Registry[Callable[..., tuple[Tensor, Tensor]]](
    "loss_fn", {"squared": squared, "cross_entropy": cross_entropy}, adopted
)


def zero_output_loss(loss: str, Y: Tensor) -> Tensor:
    """The loss (K,) where the outputs are 0, for targets Y (K, m_y, nbar)."""
    if loss == "squared":
        return Y.square().sum(dim=(1, 2))
    if loss == "cross_entropy":
        return Y.new_full((len(Y),), math.log(Y.shape[1]))
    return LOSSES[loss](torch.zeros_like(Y), Y)[0]


def output_curvature(loss: str, Y: Tensor) -> float:
    """Scale of the loss's Hessian in the outputs, for targets Y (1, m_y, nbar); > 0.

    The largest eigenvalue: 2 for the squared loss, at most 1 / (2 nbar) for the cross-entropy. For
    an own loss the length of the Hessian at outputs 0 times a random unit vector; 1 if that is 0.
    """
    if loss == "squared":
        return 2.0
    if loss == "cross_entropy":
        return 1 / (2 * Y.shape[-1])
    v = torch.randn(Y.shape, generator=torch.Generator().manual_seed(0), dtype=Y.dtype)
    derivative = torch.func.vjp(lambda outputs: LOSSES[loss](outputs, Y)[1], torch.zeros_like(Y))
    return float(derivative[1](v)[0].norm() / v.norm()) or 1.0


def squared_root(Yhat: Tensor) -> Tensor:
    """sqrt(2) I for each column."""
    identity = torch.eye(Yhat.shape[1], dtype=Yhat.dtype, device=Yhat.device)
    return (math.sqrt(2) * identity)[None, None]


def softmax_root(Yhat: Tensor) -> Tensor:
    """With p = softmax(yhat) the Hessian is (diag(p) - p p^T) / nbar.

    R = diag(q) (I - q q^T) / sqrt(nbar) with q = sqrt(p).
    """
    identity = torch.eye(Yhat.shape[1], dtype=Yhat.dtype, device=Yhat.device)
    q = Yhat.softmax(dim=1).sqrt().mT.unsqueeze(-1)  # (K, nbar, m_y, 1)
    return q * (identity - q * q.mT) / math.sqrt(Yhat.shape[-1])


CURVATURE_ROOTS = {"squared": squared_root, "cross_entropy": softmax_root}


def curvature_root(loss: str, Yhat: Tensor) -> Tensor:
    """R (K or 1, nbar or 1, m_y, m_y) with R R^T the Hessian of the loss in each column of Yhat.

    For losses with a closed form, those of CURVATURE_ROOTS.
    """
    return CURVATURE_ROOTS[loss](Yhat)
