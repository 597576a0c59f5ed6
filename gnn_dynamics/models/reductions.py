"""Exact changes of coordinates that make a linear model smaller: R3, R4, R5, and padding.

A model sees its graph through G_l = X S^l R alone, so whatever the G_l do not span is never used.

    row_space  R3  on the side of the features (m_x -> r); exact for gradient descent, momentum and
                   gradient flow, with any loss. Never for Adam, which works entry by entry
    left       R4  on the side of the labelled columns (nbar -> p); squared loss, any optimiser
    svd        R5  both at once, G_H -> diag(s), without skip connections; conditions of R3 and R4

R3 holds since every gradient of B_1 is (something) G_l^T with l >= 1 and that of W_0 is V G_0^T:
rows outside these spans never change. B_1 and W_0 get a basis each, as they see different levels.
R4 holds since ||A G - Y||^2 = ||A G Z - Y Z||^2 + ||Y - Y Z Z^T||^2 when the columns of Z span the
rows of G; the last term is constant.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from gnn_dynamics.linalg.products import shared_matmul
from gnn_dynamics.models.model import Weights
from gnn_dynamics.problem.labelled_columns import Columns

# Every matrix of a model then starts on a cache line, which holds 16 numbers in float32. BLAS picks
# its order of summation by the address of a matrix, so without this a model's last digits would
# depend on its neighbours.
ALIGNMENT = 16
ROUNDING = 4  # errors of a projection, in units of max(shape) eps ||G_l||


def aligned(size: int) -> int:
    """`size` rounded up to a multiple of ALIGNMENT."""
    return -(-size // ALIGNMENT) * ALIGNMENT


# The side of the weights -------------------------------------------------------------------------


@dataclass(frozen=True)
class Frame:
    """Coordinates of the weights: B_1 -> B_1 Q and W_0 -> W_0 Q_0, then padding.

    Q, Q_0: (m_x, m), orthonormal columns followed by zero ones; None leaves the features as they
    are. Padding rounds widths and m_x up with zeros, whose gradient is zero: every optimiser
    leaves them alone.
    """

    Q: Tensor | None = None
    Q_0: Tensor | None = None

    def reduce(self, weights: Weights) -> Weights:
        """Full weights -> these coordinates."""
        rotated = at_input(weights, lambda B: _times(B, self.Q), lambda W: _times(W, self.Q_0))
        return Weights(
            tuple(_padded(B, rows=True) for B in rotated.B), tuple(map(_padded, rotated.W))
        )

    def expand(self, weights: Weights, start: Weights) -> Weights:
        """Back to full space; `start` are the full weights from which the same models began.

        What lies outside the basis is frozen: B_1(t) = B_1(0) (I - Q Q^T) + C(t) Q^T.
        """
        rows = weights.zip(lambda w, full: w[:, : full.shape[1]], start)
        inner = rows.zip(lambda w, full: w[..., : full.shape[2]], start)
        head = start.W[0]
        return at_input(
            inner,
            lambda B: _expanded(rows.B[0], start.B[0], self.Q),
            lambda W: _expanded(rows.W[0], head, self.Q_0),
        )


def at_input(
    weights: Weights, layer: Callable[[Tensor], Tensor], head: Callable[[Tensor], Tensor]
) -> Weights:
    """Apply `layer` to B_1 and `head` to W_0, the matrices that act on features, where present."""
    B, W = weights.B, weights.W
    return Weights(
        (layer(B[0]), *B[1:]) if B else B, (head(W[0]), *W[1:]) if len(W) > len(B) else W
    )


def _times(tensor: Tensor, Q: Tensor | None) -> Tensor:
    return tensor if Q is None else shared_matmul(tensor, Q)


def _expanded(reduced: Tensor, start: Tensor, Q: Tensor | None) -> Tensor:
    if Q is None:
        return reduced[..., : start.shape[-1]]
    return start + shared_matmul(reduced - shared_matmul(start, Q), Q.mT)


def _padded(tensor: Tensor, rows: bool = False) -> Tensor:
    height, width = tensor.shape[-2:]
    return pad(tensor, (0, aligned(width) - width, 0, aligned(height) - height if rows else 0))


# Reductions --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reduced:
    """Data in new coordinates: one G_l (m, p) for each head.

    Only the first `sizes` rows of each hold non-zero entries. Their stack may be lower triangular.
    """

    frame: Frame
    columns: Columns
    G: list[Tensor]
    sizes: tuple[int, ...]
    triangular: bool = False


def unreduced(G: Sequence[Tensor]) -> Reduced:
    """Padding only, m_x -> m. Exact for everything."""
    m_x = len(G[0])
    padded = [pad(G_l, (0, 0, 0, aligned(m_x) - m_x)) for G_l in G]
    return Reduced(Frame(), Columns(), padded, (m_x,) * len(G))


def row_space(G: Sequence[Tensor], levels: Sequence[int]) -> Reduced:
    """R3: a basis of span(G_H, ..., G_1) for B_1, and one of span(G_0) for W_0.

    The first is built from the last hop down, so that G_l has non-zero entries only in its
    first rank([G_H, ..., G_l]) rows.
    """
    deep = [G_l for G_l, l in zip(G, levels, strict=True) if l]
    shallow = [G_l for G_l, l in zip(G, levels, strict=True) if not l]
    (Q, ranks), (Q_0, raw) = nested_basis(deep[::-1], G[0]), nested_basis(shallow, G[0])
    sizes = (*raw, *ranks[::-1])
    m = aligned(max(Q.shape[1], Q_0.shape[1], 1))
    Q, Q_0 = (pad(basis, (0, m - basis.shape[1])) for basis in (Q, Q_0))
    rows = []
    for G_l, l, size in zip(G, levels, sizes, strict=True):
        basis = (Q if l else Q_0)[:, :size]
        rows.append(pad(basis.mT @ G_l, (0, 0, 0, m - size)))  # (m, nbar)
    return Reduced(Frame(Q, Q_0), Columns(), rows, sizes)


def nested_basis(G: Sequence[Tensor], like: Tensor) -> tuple[Tensor, list[int]]:
    """Q (m_x, r) whose first sizes[i] columns are an orthonormal basis of span(G[0], ..., G[i]).

    Q has no columns if G is empty; m_x is taken from `like`.
    """
    Q, sizes = like.new_zeros(len(like), 0), []
    for G_l in G:
        rest = G_l - Q @ (Q.mT @ G_l)  # (m_x, nbar)
        U, s, _ = torch.linalg.svd(rest, full_matrices=False)
        noise = ROUNDING * max(G_l.shape) * torch.finfo(s.dtype).eps
        U = U[:, s > noise * torch.linalg.matrix_norm(G_l, 2)]
        # Weak directions contain rounding errors along Q. A second pass removes them, and with them
        # any direction that was nothing else.
        U = U - Q @ (Q.mT @ U)
        U = U[:, torch.linalg.vector_norm(U, dim=0) > 1 / 2]
        Q = torch.cat([Q, torch.linalg.qr(U)[0]], dim=1)
        sizes.append(Q.shape[1])
    return Q, sizes


def left(data: Reduced) -> Reduced:
    """R4: thin QR of Gs^T = Z T, (nbar, p); then Gs becomes the lower triangular T^T."""
    if not sum(data.sizes):  # no features at all
        return data
    rows = [G_l[:size] for G_l, size in zip(data.G, data.sizes, strict=True)]
    Z, T = torch.linalg.qr(torch.cat(rows).mT)
    m = len(data.G[0])
    blocks = torch.split(T.mT, list(data.sizes))  # (size, p) each
    G = [pad(block, (0, 0, 0, m - len(block))) for block in blocks]
    return Reduced(data.frame, Columns(Z), G, data.sizes, triangular=True)


def svd(G_H: Tensor) -> tuple[Reduced, Tensor]:
    """R5: G_H = U diag(s) V^T; weights in the coordinates U, columns in V. Also returns s (m,).

    For models without skip connections; G_H serves layer 1, or at H = 0 the head.
    """
    U, s, Vh = torch.linalg.svd(G_H, full_matrices=False)
    rank = max(int((s > max(G_H.shape) * torch.finfo(s.dtype).eps * s[0]).sum()), 1)
    m = aligned(rank)
    Q, Z = (pad(basis[:, :rank], (0, m - rank)) for basis in (U, Vh.mT))
    s = pad(s[:rank], (0, m - rank))
    return Reduced(Frame(Q, Q), Columns(Z), [torch.diag(s)], (m,)), s
