"""Everything linear in the models is one linear map and its adjoint.

    apply    A (K, L, m_y, m) -> Yhat (K, m_y, nbar),  Yhat = sum_l A_l G_l
    adjoint  V (K, m_y, nbar) -> D (K, L, m_y, m),     D_l  = V G_l^T

with G_l = X S^l R (m, nbar), A_l = W_l Bbar_l and one l for each of the L heads. An operator has
the attributes m, nbar and device. The gradient of every weight follows from D (linear.py). All
operators are differentiable by autograd.

    StackedOperator   R1: G_l is computed once and no step sees the n nodes
    HornerOperator    R6: sparse X and S with m_y columns for each model; for many labelled nodes
    DiagonalOperator  R5: one G_l in the coordinates of its singular vectors
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor
from torch.nn.functional import pad

from gnn_dynamics.linalg.products import (
    Matrix,
    SparseMatrix,
    constant_matrix,
    even,
    is_identity,
    shared_matmul,
    tiled,
)
from gnn_dynamics.models.reductions import aligned

# Columns of a triangular Gs that share a product: fewer zeros against larger products. Powers of
# two are a third slower, as rows then compete for the same lines of the cache.
STAIR = 96


class StackedOperator:
    """R1 with dense G_l: the rows of all K models against Gs = [G_0; ...; G_H].

    G: one (m, nbar) for each head. `sizes` may say how many leading rows of each G_l are in use,
    the others being zero, and `triangular` that Gs is lower triangular, as in coordinates from
    reductions.py; products leave the zeros out.
    Cost of one step: 4 m_y FLOP for each model and entry of Gs.
    """

    def __init__(
        self,
        G: Sequence[np.ndarray | Tensor],
        sizes: Sequence[int] | None = None,
        triangular: bool = False,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float64,
    ):
        self.G = [torch.as_tensor(G_l).to(device, dtype) for G_l in G]
        self.m, self.nbar = self.G[0].shape
        self.device = self.G[0].device
        self.sizes = tuple(sizes or [self.m] * len(self.G))
        Gs = torch.cat([G_l[:size] for G_l, size in zip(self.G, self.sizes, strict=True)])
        self.Gs = even(Gs)  # as `shared_matmul` needs
        rows, columns = self.Gs.shape
        self.stairs = staircase(rows, columns, STAIR if triangular else columns)

    def features(self) -> list[Tensor]:
        """G_l (m, nbar) for each head."""
        return self.G

    def apply(self, A: Tensor) -> Tensor:
        """A (K, L, m_y, m) -> Yhat (K, m_y, nbar)."""
        rows = torch.cat([A[:, j, :, :size] for j, size in enumerate(self.sizes)], dim=-1)
        rows = pad(rows, (0, len(self.Gs) - rows.shape[-1]))  # (K, m_y, sum of sizes)
        blocks = [
            shared_matmul(rows[..., s.top :], self.Gs[s.top :, s.left : s.right])
            for s in self.stairs
        ]
        return torch.cat(blocks, dim=-1)[..., : self.nbar]

    def adjoint(self, V: Tensor) -> Tensor:
        """V (K, m_y, nbar) -> D (K, L, m_y, m)."""
        V = pad(V, (0, self.Gs.shape[1] - self.nbar))
        blocks = [
            shared_matmul(V[..., : s.right], self.Gs[s.top : s.bottom, : s.right].mT)
            for s in self.stairs
        ]
        D = torch.cat(blocks, dim=-1)[..., : sum(self.sizes)]  # (K, m_y, sum of sizes)
        parts = torch.split(D, list(self.sizes), dim=-1)
        return torch.stack([pad(part, (0, self.m - part.shape[-1])) for part in parts], dim=1)


@dataclass(frozen=True)
class Stair:
    """Rows top..bottom of Gs end at column `right`; columns left..right begin at row `top`."""

    top: int
    bottom: int
    left: int
    right: int


def staircase(rows: int, columns: int, width: int) -> list[Stair]:
    """Blocks that cover a lower triangular Gs; all of any Gs where `width` is its columns."""
    edges = [*range(width, columns, width), columns]
    tops = [0, *edges[:-1]]
    return [
        Stair(top, rows if right == columns else right, top, right)
        for top, right in zip(tops, edges, strict=True)
    ]


class DiagonalOperator:
    """R5: G_H = diag(s) in the coordinates of its singular vectors (reductions.svd); s (m,)."""

    def __init__(self, s: Tensor, dtype: torch.dtype = torch.float64):
        self.s, self.device = s.to(dtype), s.device
        self.m = self.nbar = len(s)

    def features(self) -> list[Tensor]:
        """[diag(s)]."""
        return [torch.diag(self.s)]

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
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float64,
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
        return self._each(self._outputs, A)

    def adjoint(self, V: Tensor) -> Tensor:
        """V (K, m_y, nbar) -> D (K, L, m_y, m)."""
        return self._each(self._signals, V)

    def _each(self, function: Callable[[Tensor], Tensor], batch: Tensor) -> Tensor:
        """Model by model on a CPU: the columns of several would leave the cache."""
        if self.device.type == "cpu":
            return torch.stack([function(one) for one in batch])
        return function(batch).contiguous()

    def _outputs(self, A: Tensor) -> Tensor:
        """A (..., L, m_y, m) -> Yhat (..., m_y, nbar)."""
        m_y = A.shape[-2]
        columns = tiled(A.movedim(-1, -3))  # (..., m, L, c): A_l^T, side by side
        P = self.X.times(columns.flatten(-2))  # (..., n, L c)
        P = P.reshape(*P.shape[:-1], *columns.shape[-2:])  # (..., n, L, c)
        Q = P[..., -1, :]  # (..., n, c)
        for l in range(self.levels[-1], 0, -1):
            skip = l - 1 in self.levels
            Q = times_plus(self.S, Q, P[..., l - 1, :]) if skip else self.S.times(Q)
        return (Q if self.R is None else self.R.times(Q)).mT[..., :m_y, :]

    def _signals(self, V: Tensor) -> Tensor:
        """V (..., m_y, nbar) -> D (..., L, m_y, m)."""
        T = tiled(V.mT)  # (..., nbar, c)
        T = T if self.R is None else self.R.adjoint(T)
        D = []
        for l in range(self.levels[-1] + 1):  # T (..., n, c)
            T = self.S.adjoint(T) if l else T
            D += [self.X.adjoint(T)] if l in self.levels else []
        return torch.stack([D_l.mT[..., : V.shape[-2], :] for D_l in D], dim=-3)


Operator = StackedOperator | HornerOperator | DiagonalOperator


def times_plus(matrix: Matrix, T: Tensor, onto: Tensor) -> Tensor:
    """M T + onto; in one pass and in place for a sparse M, unless a derivative is taken."""
    fused = isinstance(matrix, SparseMatrix) and T.dim() == 2
    if fused and not (T.requires_grad or onto.requires_grad):
        return torch.addmm(onto, matrix.M, T, out=onto)
    return onto + matrix.times(T)
