"""ReLU GNNs: X_(l) = relu(B_l X_(l-1) S), heads as in Definitions 1 and 2, gradient by hand.

Exact reductions, none of them an approximation:

- every layer computes only the nodes that the loss needs (see receptive_field.py);
- layer 1 is linear in B_1, so X S is formed once, or X and S are applied in turn, whichever has
  fewer entries (on Cora the second, by 1.6 to 2.9 times);
- aggregation before the dense product for l >= 2: it leaves fewer rows to multiply;
- the gradient is written out, so nothing is stored or computed that it does not need.

Inside, nodes are rows (T = X_(l)^T), as sparse products want; the public functions turn them
back. On a CPU models run one after another, since side by side they leave the cache and gain
nothing; on a GPU they run as one batch.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from gnn_dynamics.linalg.products import Matrix
from gnn_dynamics.models.losses import LOSSES
from gnn_dynamics.models.model import Weights, single
from gnn_dynamics.models.receptive_field import ReceptiveField


@dataclass(frozen=True)
class ReluModel:
    """The ReLU models, which see the receptive field `field` of their graph.

    Y: (K or 1, m_y, nbar);  loss: a key of `losses.LOSSES`
    """

    field: ReceptiveField

    def signal(self, weights: Weights, Y: Tensor, loss: str) -> Tensor:
        """V = d loss / d Yhat (K, m_y, nbar)."""
        if self.field.side_by_side:
            Yhat = forward(weights, self.field).outputs
        else:
            models = (single(weights, k) for k in range(weights.models))
            Yhat = torch.stack([forward(model, self.field).outputs for model in models])
        return LOSSES[loss](Yhat, Y)[1]

    def loss_and_gradient(self, weights: Weights, Y: Tensor, loss: str) -> tuple[Tensor, Weights]:
        """Loss (K,) and its gradient.

        Fastest with `column_major` weights, the layout in which the gradient comes.
        """
        if self.field.side_by_side:
            return loss_and_gradient(weights, self.field, Y, loss)
        Y = Y.expand(weights.models, -1, -1)
        models = (
            loss_and_gradient(single(weights, k), self.field, Y[k], loss)
            for k in range(weights.models)
        )
        values, gradients = zip(*models, strict=True)
        return torch.cat(values), gradients[0].zip(stack_models, *gradients[1:])


def column_major(tensor: Tensor) -> Tensor:
    """The same tensor with contiguous columns, the layout of sparse products and of gradients.

    Updates keep the layout, so a trainer that maps this over its first weights never copies.
    """
    return tensor.mT.contiguous().mT


def stack_models(*tensors: Tensor) -> Tensor:
    """Matrices of single models -> one (K, rows, columns) of the same layout."""
    if len(tensors) == 1:
        return tensors[0].unsqueeze(0)
    if tensors[0].is_contiguous():
        return torch.stack(tensors)
    return torch.stack([tensor.mT for tensor in tensors]).mT


def loss_and_gradient(
    weights: Weights, field: ReceptiveField, Y: Tensor, loss: str
) -> tuple[Tensor, Weights]:
    """One model, 2-D tensors, or K side by side, 3-D; loss (1,) or (K,)."""
    states = forward(weights, field)
    Yhat = states.outputs
    batch = (-1, *Yhat.shape[-2:])
    value, V = LOSSES[loss](Yhat.reshape(batch), Y.reshape(batch))
    return value, backward(weights, field, states, V.reshape(Yhat.shape))


@dataclass(frozen=True)
class Activations:
    """Node-major states of one forward pass.

    hidden[l] = X_(l)^T on N_{H-l}, l = 1..H; aggregated[l] = (X_(l-1) S)^T there, l = 2..H.
    """

    hidden: dict[int, Tensor]
    aggregated: dict[int, Tensor]
    outputs: Tensor  # Yhat (..., m_y, nbar)


def forward(weights: Weights, field: ReceptiveField) -> Activations:
    """All states; the tensors of `weights` are 2-D, or 3-D for K models side by side."""
    hidden: dict[int, Tensor] = {}
    aggregated: dict[int, Tensor] = {}
    for l, B in enumerate(weights.B, start=1):
        if l == 1:
            Z = chain(field.first, column_major(B).mT)  # (..., |N_{H-1}|, m_1)
        else:
            aggregated[l] = field.aggregations[l - 2].times(hidden[l - 1])
            Z = aggregated[l] @ B.mT  # (..., |N_{H-l}|, m_l)
        hidden[l] = Z.relu_()
    return Activations(hidden, aggregated, head_outputs(weights, field, hidden))


def chain(matrices: tuple[Matrix, ...], T: Tensor) -> Tensor:
    """M_0 M_1 ... T."""
    for matrix in reversed(matrices):
        T = matrix.times(T)
    return T


def chain_adjoint(matrices: tuple[Matrix, ...], T: Tensor) -> Tensor:
    """... M_1^T M_0^T T."""
    for matrix in matrices:
        T = matrix.adjoint(T)
    return T


def head_outputs(weights: Weights, field: ReceptiveField, hidden: dict[int, Tensor]) -> Tensor:
    """Yhat = sum_l W_l X_(l) R."""
    terms = zip(field.levels, weights.W, strict=True)
    l, W = next(terms)
    if l == 0:
        total = chain(field.raw, column_major(W).mT).mT.contiguous()  # (..., m_y, |N_0|)
    else:
        total = W @ field.at_labels(hidden[l]).mT
    for l, W in terms:
        total = add_product(total, W, field.at_labels(hidden[l]).mT)
    return total if field.readout is None else field.readout.times(total.mT).mT


def add_product(total: Tensor, A: Tensor, B: Tensor) -> Tensor:
    """total + A B, in place: one call instead of two."""
    return total.addmm_(A, B) if total.dim() == 2 else total.baddbmm_(A, B)


def backward(weights: Weights, field: ReceptiveField, states: Activations, V: Tensor) -> Weights:
    """Gradient from V = d loss / d Yhat (..., m_y, nbar)."""
    E = V if field.readout is None else field.readout.adjoint(V.mT).mT  # (..., m_y, |N_0|)
    W = tuple(head_gradient(field, states, E, l) for l in field.levels)
    B: list[Tensor] = []
    Z: Tensor | None = None
    for l in range(len(weights.B), 0, -1):
        T = hidden_gradient(weights, field, E, l, Z)
        Z = relu_adjoint(T, states.hidden[l])  # (..., |N_{H-l}|, m_l)
        if l == 1:
            B.insert(0, chain_adjoint(field.first, Z).mT)
        else:
            B.insert(0, (states.aggregated[l].mT @ Z).mT)  # (..., m_l, m_{l-1})
    return Weights(tuple(B), W)


def relu_adjoint(T: Tensor, X: Tensor) -> Tensor:
    """T where relu gave X > 0, else 0 (so relu'(0) = 0, as in torch); in place if allowed."""
    if T.requires_grad:
        adjoint: Tensor = torch.ops.aten.threshold_backward(T, X, 0)
    else:
        adjoint = torch.ops.aten.threshold_backward.grad_input(T, X, 0, grad_input=T)
    return adjoint


def head_gradient(field: ReceptiveField, states: Activations, E: Tensor, l: int) -> Tensor:
    """d loss / d W_l = E X_(l)^T on N_0, with E = V R^T."""
    if l == 0:
        return chain_adjoint(field.raw, E.mT.contiguous()).mT
    return E @ field.at_labels(states.hidden[l])  # (..., m_y, m_l)


def hidden_gradient(
    weights: Weights, field: ReceptiveField, E: Tensor, l: int, Z: Tensor | None
) -> Tensor:
    """d loss / d X_(l)^T from head l and, for l < H, from the pre-activation Z of layer l + 1."""
    if Z is None:
        return E.mT @ weights.W[-1]  # (..., |N_0|, m_H)
    T = field.aggregations[l - 1].adjoint(Z @ weights.B[l])  # (..., |N_{H-l}|, m_l)
    if l in field.levels:
        add_product(field.at_labels(T), E.mT, weights.W[field.levels.index(l)])
    return T
