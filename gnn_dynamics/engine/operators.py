"""Everything linear in the models is one linear map and its adjoint.

    apply    A (K, L, m_y, m) -> Yhat (K, m_y, nbar),  Yhat = sum_l A_l G_l
    adjoint  V (K, m_y, nbar) -> D (K, L, m_y, m),     D_l  = V G_l^T

with G_l = X S^l R (m, nbar), A_l = W_l Bbar_l and one l for each of the L heads. The gradient of
every weight follows from D (linear.py). All operators are differentiable by autograd.

    StackedOperator   R1: G_l is computed once and no step sees the n nodes
    HornerOperator    R6: sparse X and S with m_y columns for each model; for many labelled nodes
    DiagonalOperator  R5: one level in the coordinates of its singular vectors
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor
from torch.nn.functional import pad

from gnn_dynamics.engine.matrices import Matrix, SparseMatrix, constant_matrix
from gnn_dynamics.engine.reductions import aligned

# Rows of a product are padded to a multiple of this. BLAS sums the last, incomplete tile of rows
# in another order; without such a tile a model's numbers do not depend on its neighbours.
ROW_TILE = 8


def fold(rows: Tensor, matrix: Tensor) -> Tensor:
    """(K, m_y, a) times one shared (a, b) -> (K, m_y, b), as a single product of K m_y rows."""
    flat = rows.flatten(0, 1)
    count = len(flat)
    if count % ROW_TILE:
        flat = pad(flat, (0, 0, 0, -count % ROW_TILE))
    return (flat @ matrix)[:count].unflatten(0, rows.shape[:2])


class StackedOperator:
    """R1 with dense G_l: the rows of all K models against Gs = [G_0; ...; G_H].

    G: one (m, nbar) for each head. `sizes` may say how many leading rows of each G_l matter, the
    others being zero (row-space coordinates have such rows); they are left out of Gs.
    Cost of one step: 4 m_y nbar sum(sizes) FLOP for each model.
    """

    def __init__(
        self,
        G: Sequence[np.ndarray | Tensor],
        sizes: Sequence[int] | None = None,
        dtype: torch.dtype = torch.float64,
        device: str = "cpu",
    ):
        self.G = [torch.as_tensor(G_l).to(device, dtype) for G_l in G]
        self.m, self.nbar = self.G[0].shape
        self.device = self.G[0].device
        self.sizes = tuple(sizes or [self.m] * len(self.G))
        self.Gs = torch.cat([G_l[:size] for G_l, size in zip(self.G, self.sizes, strict=True)])

    def apply(self, A: Tensor) -> Tensor:
        """A (K, L, m_y, m) -> Yhat (K, m_y, nbar)."""
        rows = [A[:, j, :, :size] for j, size in enumerate(self.sizes)]
        return fold(torch.cat(rows, dim=-1), self.Gs)

    def adjoint(self, V: Tensor) -> Tensor:
        """V (K, m_y, nbar) -> D (K, L, m_y, m)."""
        parts = fold(V, self.Gs.mT).split(self.sizes, dim=-1)
        return torch.stack([pad(part, (0, self.m - part.shape[-1])) for part in parts], dim=1)


class DiagonalOperator:
    """R5: G_H = diag(s) in the coordinates of its singular vectors (reductions.svd); s (m,)."""

    def __init__(self, s: Tensor):
        self.s, self.m, self.nbar, self.device = s, len(s), len(s), s.device

    def apply(self, A: Tensor) -> Tensor:
        """A (K, 1, m_y, m) -> Yhat (K, m_y, m)."""
        return A[:, 0] * self.s

    def adjoint(self, V: Tensor) -> Tensor:
        """V (K, m_y, m) -> D (K, 1, m_y, m)."""
        return (V * self.s).unsqueeze(1)


class HornerOperator:
    """R6: Horner's scheme in the space of outputs, m_y columns for each model.

        Yhat = (A_0 X + (A_1 X + (A_2 X + ...) S) S) R

    S (n, n), X (n, m_x) by rows, R (n, nbar). No activation of n x width is ever formed.
    Cost of one step: 4 m_y (L nnz(X) + H nnz(S) + nnz(R)) FLOP for each model.
    """

    def __init__(
        self,
        S: sp.csr_array,
        X: sp.csr_array | np.ndarray,
        R: sp.csr_array,
        levels: Sequence[int],
        dtype: torch.dtype = torch.float64,
        device: str = "cpu",
    ):
        (self.n, m_x), self.nbar, self.levels = X.shape, R.shape[1], tuple(levels)
        self.m, self.device = aligned(m_x), torch.device(device)

        def constant(M: sp.csr_array) -> Matrix:
            return constant_matrix(sp.csr_array(M), dtype, self.device)

        X = sp.csr_array(X)
        X.resize(self.n, self.m)
        self.S, self.X = constant(S.T), constant(X)
        self.R = None if is_identity(R) else constant(R.T)

    def apply(self, A: Tensor) -> Tensor:
        """A (K, L, m_y, m) -> Yhat (K, m_y, nbar)."""
        K, L, m_y, _ = A.shape
        P = self._per_model(self.X.times, A.flatten(1, 2).mT)  # (K, n, L m_y)
        P = P.unflatten(2, (L, m_y)).permute(2, 1, 0, 3).reshape(L, self.n, K * m_y)
        Q = P[-1]
        for level in range(self.levels[-1], 0, -1):
            Q = self.S.times(Q)
            if level - 1 in self.levels:
                Q = Q + P[level - 1]
        Q = Q if self.R is None else self.R.times(Q)
        return Q.unflatten(1, (K, m_y)).permute(1, 2, 0).contiguous()

    def adjoint(self, V: Tensor) -> Tensor:
        """V (K, m_y, nbar) -> D (K, L, m_y, m)."""
        K, m_y, _ = V.shape
        T = V.permute(2, 0, 1).reshape(self.nbar, K * m_y)
        T = T if self.R is None else self.R.adjoint(T)
        kept = [T] if 0 in self.levels else []
        for level in range(1, self.levels[-1] + 1):
            T = self.S.adjoint(T)
            kept += [T] if level in self.levels else []
        T = torch.stack(kept).unflatten(2, (K, m_y)).permute(2, 1, 0, 3)  # (K, n, L, m_y)
        return self._per_model(self.X.adjoint, T.flatten(2)).mT.unflatten(1, (-1, m_y))

    def _per_model(self, product, T: Tensor) -> Tensor:
        """One sparse product for each model: L m_y columns fit the cache, those of K do not."""
        if isinstance(self.X, SparseMatrix):
            return torch.stack([product(columns) for columns in T.contiguous()])
        return product(T)


def is_identity(R: sp.csr_array) -> bool:
    """Whether the readout takes every node, in order."""
    square = R.shape[0] == R.shape[1] == R.nnz
    return square and bool((R.diagonal() == 1).all())
