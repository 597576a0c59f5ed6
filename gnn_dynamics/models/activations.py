"""Activations, which act number by number: Z -> (X, adjoint), X like Z, Z may be overwritten.

adjoint: T = d loss / d X -> d loss / d Z, once; it may overwrite T.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gnn_dynamics.config.functions import Expect, Registry

Adjoint = Callable[[Tensor], Tensor]
Activation = Callable[[Tensor], tuple[Tensor, Adjoint]]


def linear(Z: Tensor) -> tuple[Tensor, Adjoint]:
    """Z itself. Linear models have cheaper forms of their own (forms.py)."""
    return Z, lambda T: T


def relu(Z: Tensor) -> tuple[Tensor, Adjoint]:
    """max(Z, 0), in place."""
    X = Z.relu_()
    return X, partial(relu_adjoint, X=X)


def relu_adjoint(T: Tensor, X: Tensor) -> Tensor:
    """T where relu gave X > 0, else 0 (so relu'(0) = 0, as in torch); in place if allowed."""
    if T.requires_grad:
        adjoint: Tensor = torch.ops.aten.threshold_backward(T, X, 0)
    else:
        adjoint = torch.ops.aten.threshold_backward.grad_input(T, X, 0, grad_input=T)
    return adjoint


def adopted(function: Callable[[Tensor], Any], expect: Expect) -> Activation:
    """An own function Z -> X, or (X, adjoint); without the adjoint it is differentiated.

    Tried on a few numbers, in both precisions.
    """

    def activation(Z: Tensor) -> tuple[Tensor, Adjoint]:
        X, pullback = torch.func.vjp(function, Z)
        return X, lambda T: pullback(T)[0]

    Z = torch.linspace(-2, 2, 12, dtype=torch.float64).reshape(3, 4)
    gives_both = isinstance(function(Z.clone()), tuple)
    own: Activation = function if gives_both else activation
    for dtype in (torch.float32, torch.float64):
        X = own(Z.to(dtype, copy=True))[0]
        expect(isinstance(X, Tensor), f"it returns {type(X).__name__}, not a tensor")
        expect(X.shape == Z.shape, f"it returns shape {tuple(X.shape)} for {tuple(Z.shape)}")
        expect(X.dtype == dtype, f"it returns {X.dtype} for {dtype}")
    _check_activation(own, Z, expect)
    return own


def _check_activation(own: Activation, Z: Tensor, expect: Expect) -> None:
    """That values and derivatives at Z (3, 4) are those of a function of one number."""

    def values(numbers: Tensor) -> Tensor:
        return own(numbers.clone())[0]

    X, adjoint = own(Z.clone())
    derivative = adjoint(torch.ones_like(Z))
    finite = X.isfinite().all() and derivative.isfinite().all()
    expect(bool(finite), "its values or derivatives are not finite")
    apart = torch.stack([values(z.reshape(1, 1)) for z in Z.flatten()]).reshape(Z.shape)
    expect(torch.allclose(apart, X), "a value depends on other numbers than its own")
    true = torch.func.vjp(values, Z)[1](torch.ones_like(Z))[0]
    expect(torch.allclose(derivative, true), "its adjoint is not that of its values")


ACTIVATIONS = Registry("activation", {"linear": linear, "relu": relu}, adopted)
