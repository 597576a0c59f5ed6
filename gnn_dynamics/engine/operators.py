"""Everything linear in the models is one linear map and its adjoint.

    apply    A (K, L, m_y, m) -> Yhat (K, m_y, nbar),  Yhat = sum_l A_l G_l
    adjoint  V (K, m_y, nbar) -> D (K, L, m_y, m),     D_l  = V G_l^T

with G_l = X S^l R (m, nbar), A_l = W_l Bbar_l and one l for each of the L heads. The gradient of
every weight follows from D (linear.py). All operators are differentiable by autograd.

`StackedOperator` is reduction R1: G_l is computed once and no step ever sees the n nodes.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

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
