"""ReLU GNNs: X_(l) = relu(B_l X_(l-1) S), heads as in Definitions 1 and 2, gradient by hand.

Exact reductions, none of them an approximation:

- every layer computes only the nodes that the loss needs (see prefix.py);
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

from gnn_dynamics.linalg.products import Matrix, is_differentiated
from gnn_dynamics.models.losses import LOSSES
from gnn_dynamics.models.model import Weights
from gnn_dynamics.models.receptive_field import ReceptiveField

CACHE_LINE = 64  # bytes


def relu_loss_and_gradient(
    weights: Weights, data: ReceptiveField, Y: Tensor, loss: str
) -> tuple[Tensor, Weights]:
    """Loss (K,) and its gradient; Y (K or 1, m_y, nbar), `loss` a key of `losses.LOSSES`.

    Fastest with `column_major` weights, the layout in which the gradient comes.
    """
    if data.side_by_side:
        return loss_and_gradient(weights, data, Y, loss)
    Y = Y.expand(weights.models, -1, -1)
    models = range(weights.models)
    values, gradients = zip(
        *(loss_and_gradient(single(weights, k), data, Y[k], loss) for k in models), strict=True
    )
    return torch.cat(values), gradients[0].zip(stack_models, *gradients[1:])


def relu_forward(weights: Weights, data: ReceptiveField) -> tuple[Tensor, list[Tensor]]:
    """Yhat (K, m_y, nbar), and X_(1), ..., X_(H) as (K, m_l, |N_{H-l}|), nodes as in data.order."""
    if data.side_by_side:
        return transposed(forward(weights, data))
    models = [transposed(forward(single(weights, k), data)) for k in range(weights.models)]
    outputs, hidden = zip(*models, strict=True)
    return stack_models(*outputs), [stack_models(*X) for X in zip(*hidden, strict=True)]


def transposed(states: "Activations") -> tuple[Tensor, list[Tensor]]:
    return states.outputs, [T.mT for T in states.hidden[1:]]


def single(weights: Weights, k: int) -> Weights:
    """Model k, with 2-D tensors on cache lines, as fresh tensors are.

    BLAS sums in another order elsewhere; so a model's digits do not depend on its place in K.
    """

    def aligned(tensor: Tensor) -> Tensor:
        return tensor.clone() if tensor.data_ptr() % CACHE_LINE else tensor

    return weights.take(k).map(aligned)


def column_major(tensor: Tensor) -> Tensor:
    """The same tensor with contiguous columns: what sparse products read and gradients come in.

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
    weights: Weights, data: ReceptiveField, Y: Tensor, loss: str
) -> tuple[Tensor, Weights]:
    """One model, 2-D tensors, or K side by side, 3-D; loss (1,) or (K,)."""
    states = forward(weights, data)
    Yhat = states.outputs
    batch = (-1, *Yhat.shape[-2:])
    value, V = LOSSES[loss](Yhat.reshape(batch), Y.reshape(batch))
    return value, backward(weights, data, states, V.reshape(Yhat.shape))


@dataclass(frozen=True)
class Activations:
    """Node-major states of one forward pass, l = 0..H (entry 0 unused).

    hidden[l] = X_(l)^T on N_{H-l}; aggregated[l] = (X_(l-1) S)^T there, for l >= 2.
    """

    hidden: list[Tensor | None]
    aggregated: list[Tensor | None]
    outputs: Tensor  # Yhat (..., m_y, nbar)


def forward(weights: Weights, data: ReceptiveField) -> Activations:
    """All states; the tensors of `weights` are 2-D, or 3-D for K models side by side."""
    hidden, aggregated = [None], [None]
    for l, B in enumerate(weights.B, start=1):
        if l == 1:
            aggregated.append(None)
            Z = chain(data.first, column_major(B).mT)
        else:
            aggregated.append(data.aggregations[l - 2].times(hidden[-1]))
            Z = aggregated[-1] @ B.mT
        hidden.append(Z.relu_())
    return Activations(hidden, aggregated, outputs(weights, data, hidden))


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


def outputs(weights: Weights, data: ReceptiveField, hidden: list[Tensor | None]) -> Tensor:
    """Yhat = sum_l W_l X_(l) R."""
    n_0, total = data.counts[0], None
    for l, W in zip(data.levels, weights.W, strict=True):
        if l == 0:
            total = data.raw.times(column_major(W).mT).mT.contiguous()
        else:
            total = add_product(total, W, hidden[l][..., :n_0, :].mT)
    return total if data.readout is None else data.readout.times(total.mT).mT


def add_product(total: Tensor | None, A: Tensor, B: Tensor) -> Tensor:
    """total + A B, in place: one call for what would be two."""
    if total is None:
        return A @ B
    return total.addmm_(A, B) if total.dim() == 2 else total.baddbmm_(A, B)


def backward(weights: Weights, data: ReceptiveField, states: Activations, V: Tensor) -> Weights:
    """Gradient from V = d loss / d Yhat (..., m_y, nbar)."""
    E = V if data.readout is None else data.readout.adjoint(V.mT).mT  # (..., m_y, |N_0|)
    B = [None] * len(weights.B)
    W = tuple(head_gradient(data, states, E, l) for l in data.levels)
    Z = None
    for l in range(len(B), 0, -1):
        T = hidden_gradient(weights, data, E, l, Z)
        Z = relu_adjoint(T, states.hidden[l])
        if l == 1:
            B[0] = chain_adjoint(data.first, Z).mT
        else:
            B[l - 1] = (states.aggregated[l].mT @ Z).mT
    return Weights(tuple(B), W)


def relu_adjoint(T: Tensor, X: Tensor) -> Tensor:
    """T where relu gave X > 0, else 0 (so relu'(0) = 0, as in torch); in place where it may be."""
    if is_differentiated(T):
        return torch.ops.aten.threshold_backward(T, X, 0)
    return torch.ops.aten.threshold_backward.grad_input(T, X, 0, grad_input=T)


def head_gradient(data: ReceptiveField, states: Activations, E: Tensor, l: int) -> Tensor:
    """d loss / d W_l = E X_(l)^T on N_0, with E = V R^T."""
    if l == 0:
        return data.raw.adjoint(E.mT.contiguous()).mT
    return E @ states.hidden[l][..., : data.counts[0], :]


def hidden_gradient(
    weights: Weights, data: ReceptiveField, E: Tensor, l: int, Z: Tensor | None
) -> Tensor:
    """d loss / d X_(l)^T from head l and from layer l + 1, whose pre-activation got Z."""
    j = data.heads.get(l)
    if Z is None:
        return E.mT @ weights.W[j]
    T = data.aggregations[l - 1].adjoint(Z @ weights.B[l])
    if j is not None:
        add_product(T[..., : data.counts[0], :], E.mT, weights.W[j])
    return T
