"""The L-hop neighbourhood of the labelled nodes: all that a ReLU model and its loss need.

Nodes are sorted by hop distance to those that the readout R touches (N_0). Layer l of H then
needs only the first |N_{H-l}| of them, and its aggregation is a corner of one sorted S: an exact
restriction. On Cora's train split the counts are 140, 644, 1664, 2218, ... of 2708 nodes.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from gnn_dynamics.errors import UserError
from gnn_dynamics.linalg.products import Matrix, constant_matrix, is_identity, product_cost


@dataclass(frozen=True)
class ReceptiveField:
    """The constants of a ReLU model, restricted to the nodes that its loss needs.

    order (n_needed,): the nodes sorted by hop distance, |N_j| of them within j hops = counts[j].
    """

    levels: tuple[int, ...]
    order: np.ndarray
    counts: tuple[int, ...]
    raw: tuple[Matrix, ...]  # X on N_0 (|N_0|, m_x); empty without a head W_0
    first: tuple[Matrix, ...]  # layer 1 is relu(first[0] first[1] ... B_1^T)
    aggregations: tuple[Matrix, ...]  # of layers 2..H, (|N_{H-l}|, |N_{H-l+1}|)
    readout: Matrix | None  # R^T (nbar, |N_0|); None where it is the identity
    side_by_side: bool

    def at_labels(self, T: Tensor) -> Tensor:
        """The rows of N_0 in T (..., |N_j|, c), a view."""
        return T[..., : self.counts[0], :]


def receptive_field(
    S: sp.csr_array,
    X: sp.csr_array | np.ndarray,
    R: sp.csr_array,
    levels: tuple[int, ...],
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> ReceptiveField:
    """Sort the nodes by hop distance and cut S, X, R to what the heads need.

    S (n, n) acts from the right, X (n, m_x) by rows, R (n, nbar); levels end with H.
    Raises UserError where the shapes do not fit or R reads no node.
    """
    device, X, H = torch.device(device), sp.csr_array(X), levels[-1]
    if not S.shape[0] == S.shape[1] == X.shape[0] == R.shape[0]:
        raise UserError(
            f"S {S.shape}, X {X.shape} and R {R.shape} do not describe one graph:"
            " give S (n, n), X (n, m_x) and R (n, nbar) with the same n"
        )
    if R.nnz == 0:
        raise UserError("the readout R reads no node: label at least one node or graph")
    order, counts = hop_order(S, R, H)
    M, X, R = sp.csr_array(S.T)[order][:, order], X[order], sp.csr_array(R[order[: counts[0]]].T)

    def constant(matrix: sp.csr_array) -> Matrix:
        return constant_matrix(sp.csr_array(matrix), dtype, device)

    aggregations = [M[: counts[H - l], : counts[H - l + 1]] for l in range(1, H + 1)]
    first = first_layer(aggregations[0], X, device) if H else ()
    return ReceptiveField(
        levels,
        order,
        counts,
        raw=(constant(X[: counts[0]]),) if 0 in levels else (),
        first=tuple(map(constant, first)),
        aggregations=tuple(map(constant, aggregations[1:])),
        readout=None if is_identity(R) else constant(R),
        side_by_side=device.type != "cpu",
    )


def hop_order(S: sp.csr_array, R: sp.csr_array, H: int) -> tuple[np.ndarray, tuple[int, ...]]:
    """Nodes sorted by hop distance to those that R reads, and |N_0|, ..., |N_H|.

    N_0 keeps the order of R's columns where each reads a node of its own, so that R becomes the
    identity. Column c of X S reads the rows i with S_ic != 0: those are the neighbours.
    """
    nodes = sp.csc_array(R).indices
    order = nodes if len(np.unique(nodes)) == len(nodes) else np.unique(nodes)
    reads, counts = sp.csr_array(S.T), [0, len(order)]
    for _ in range(H):
        reached = np.unique(reads[order[counts[-2] :]].indices)
        order = np.concatenate([order, np.setdiff1d(reached, order)])
        counts.append(len(order))
    return order, tuple(counts[1:])


def first_layer(
    aggregation: sp.csr_array, X: sp.csr_array, device: torch.device
) -> tuple[sp.csr_array, ...]:
    """Aggregation and X as one matrix or as two, whichever costs less per column of B_1^T."""
    together = sp.csr_array(aggregation @ X)
    apart = (aggregation, X)
    cost = product_cost(together, device)
    return apart if sum(product_cost(M, device) for M in apart) < cost else (together,)
