"""ReLU GNNs: X_(l) = relu(B_l X_(l-1) S), heads as in Definitions 1 and 2, gradient by hand.

Any function of single numbers may stand for relu (activations.py).

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

from gnn_dynamics.linalg.products import Matrix, tiled
from gnn_dynamics.models.activations import Activation, Adjoint, relu
from gnn_dynamics.models.losses import LOSSES
from gnn_dynamics.models.model import Weights, single
from gnn_dynamics.models.receptive_field import ReceptiveField


@dataclass(frozen=True)
class ReluModel:
    """The models with an activation, which see the receptive field `field` of their graph.

    Y: (K or 1, m_y, nbar);  loss: a key of `losses.LOSSES`
    """

    field: ReceptiveField
    activation: Activation = relu

    def outputs(self, weights: Weights) -> Tensor:
        """Yhat (K, m_y, nbar)."""
        if self.field.side_by_side:
            return forward(weights, self.field, self.activation).outputs
        models = (single(weights, k) for k in range(weights.models))
        return torch.stack(
            [forward(model, self.field, self.activation).outputs for model in models]
        )

    def signal(self, weights: Weights, Y: Tensor, loss: str) -> Tensor:
        """V = d loss / d Yhat (K, m_y, nbar)."""
        return LOSSES[loss](self.outputs(weights), Y)[1]

    def loss_and_gradient(self, weights: Weights, Y: Tensor, loss: str) -> tuple[Tensor, Weights]:
        """Loss (K,) and its gradient.

        Fastest with `column_major` weights, the layout in which the gradient comes.
        """
        if self.field.side_by_side:
            return loss_and_gradient(weights, self.field, Y, loss, self.activation)
        Y = Y.expand(weights.models, -1, -1)
        models = (
            loss_and_gradient(single(weights, k), self.field, Y[k], loss, self.activation)
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
    weights: Weights, field: ReceptiveField, Y: Tensor, loss: str, activation: Activation = relu
) -> tuple[Tensor, Weights]:
    """One model, 2-D tensors, or K side by side, 3-D; loss (1,) or (K,)."""
    states = forward(weights, field, activation)
    Yhat = states.outputs
    batch = (-1, *Yhat.shape[-2:])
    value, V = LOSSES[loss](Yhat.reshape(batch), Y.reshape(batch))
    return value, backward(weights, field, states, V.reshape(Yhat.shape))


@dataclass(frozen=True)
class Activations:
    """Node-major states of one forward pass: hidden[l] = X_(l)^T on N_{H-l}, l = 1..H."""

    hidden: dict[int, Tensor]
    adjoints: dict[int, Adjoint]  # of the activation at each l
    outputs: Tensor  # Yhat (..., m_y, nbar)


def forward(weights: Weights, field: ReceptiveField, activation: Activation = relu) -> Activations:
    """All states; the tensors of `weights` are 2-D, or 3-D for K models side by side."""
    heads = dict(zip(field.levels, weights.W, strict=True))
    hidden: dict[int, Tensor] = {}
    adjoints: dict[int, Adjoint] = {}
    Yhat = raw_outputs(heads[0], field) if 0 in heads else None  # sum_l W_l X_(l) on N_0
    for l, B in enumerate(weights.B, start=1):
        if l == 1:
            Z = chain(field.first, column_major(B).mT)  # (..., |N_{H-1}|, m_1)
        else:
            Z = field.aggregations[l - 2].times(hidden[l - 1]) @ B.mT  # (..., |N_{H-l}|, m_l)
        hidden[l], adjoints[l] = activation(Z)
        if l in heads:  # a column-major head would take ten times as long
            Yhat = add_product(Yhat, heads[l].contiguous(), field.at_labels(hidden[l]).mT)
    assert Yhat is not None  # the last layer has a head
    return Activations(hidden, adjoints, at_readout(field, Yhat))


def raw_outputs(W: Tensor, field: ReceptiveField) -> Tensor:
    """W_0 X on N_0, (..., m_y, |N_0|)."""
    return chain(field.raw, tiled(W.mT)).mT[..., : W.shape[-2], :].contiguous()


def raw_gradient(E: Tensor, field: ReceptiveField) -> Tensor:
    """d loss / d W_0 = E X^T on N_0."""
    return chain_adjoint(field.raw, tiled(E.mT)).mT[..., : E.shape[-2], :].contiguous()


def at_readout(field: ReceptiveField, Yhat: Tensor) -> Tensor:
    """Outputs of the labelled nodes, or of each graph."""
    return Yhat if field.readout is None else field.readout.times(Yhat.mT).mT


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


def add_product(total: Tensor | None, A: Tensor, B: Tensor) -> Tensor:
    """total + A B, in place: one call instead of two."""
    if total is None:
        return A @ B
    return total.addmm_(A, B) if total.dim() == 2 else total.baddbmm_(A, B)


def backward(weights: Weights, field: ReceptiveField, states: Activations, V: Tensor) -> Weights:
    """Gradient from V = d loss / d Yhat (..., m_y, nbar); uses the states up."""
    E = V if field.readout is None else field.readout.adjoint(V.mT).mT  # (..., m_y, |N_0|)
    heads = dict(zip(field.levels, weights.W, strict=True))
    dB: list[Tensor] = []
    dW = {0: raw_gradient(E, field)} if 0 in heads else {}
    T: Tensor | None = None  # d loss / d X_(l)^T
    for l in range(len(weights.B), 0, -1):
        X = states.hidden.pop(l)  # freed as soon as possible: less leaves the cache
        if l in heads:
            dW[l] = E @ field.at_labels(X)  # (..., m_y, m_l)
            if T is None:
                T = E.mT @ heads[l]  # (..., |N_0|, m_H)
            else:
                add_product(field.at_labels(T), E.mT, heads[l])
        assert T is not None  # the last layer has a head
        Z = states.adjoints.pop(l)(T)  # (..., |N_{H-l}|, m_l)
        if l == 1:
            dB.insert(0, chain_adjoint(field.first, Z).mT)
        else:
            Z = field.aggregations[l - 2].adjoint(Z)  # (..., |N_{H-l+1}|, m_l)
            dB.insert(0, Z.mT @ states.hidden[l - 1])
            T = Z @ weights.B[l - 1]
    return Weights(tuple(dB), tuple(dW[l] for l in field.levels))
