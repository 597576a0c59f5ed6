"""Singular values, numerical rank and dependent columns, by QR, in float64.

A Gram matrix squares the condition number: it has lost every digit of sigma_min where
(sigma_min / sigma_max)^2 < 1e-16. Here M = QR, by blocks of rows (TSQR: Demmel, Grigori, Hoemmen,
Langou 2012, doi:10.1137/080731992), and the singular values of M are those of the small R.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import torch
from torch import Tensor

EPS = float(np.finfo(np.float64).eps)
# Rows of a block for each of its columns: larger blocks do not make QR faster.
BLOCK_HEIGHT = 8
MOST_CULPRITS = 32

Matrix = np.ndarray | Tensor


@dataclass(frozen=True)
class Spectrum:
    """What a theorem needs of a matrix M (rows, cols), k = min(rows, cols).

    rank: number of singular values above `tolerance`.
    sigma_max, sigma_min: the largest and the k-th; sigma_min is exactly 0 where rank < k.
    sigma_min_positive: the rank-th, nan for a zero matrix.
    rank_gap: sigma_rank / sigma_(rank+1): how clear the rank is; nan where rank = k or rank = 0.
    """

    rows: int
    cols: int
    rank: int
    sigma_max: float
    sigma_min: float
    sigma_min_positive: float
    tolerance: float
    rank_gap: float


def tsqr(blocks: Iterable[Matrix]) -> Tensor:
    """R (p, p), upper triangular, of the QR factorisation of row blocks (any height, p) stacked.

    With fewer than p rows in all, R has as many rows as there are. The blocks are read once, and
    memory stays within about 30 p^2 numbers whatever their total height. Works on the device of
    the blocks. Cost 2 rows p^2 FLOP and an eighth more.

    Raises:
        ValueError: if there is no block.
    """
    R = None
    for piece in _pieces(blocks):
        R = _triangle(piece if R is None else torch.cat([R, piece]))
    if R is None:
        raise ValueError("tsqr needs at least one block of rows")
    return R


def _pieces(blocks: Iterable[Matrix]) -> Iterator[Tensor]:
    """The same rows in pieces of at most BLOCK_HEIGHT p, small blocks put together."""
    waiting: list[Tensor] = []
    for block in blocks:
        block = torch.as_tensor(block, dtype=torch.float64)
        limit = BLOCK_HEIGHT * max(1, block.shape[1])
        for piece in torch.split(block, limit):
            if waiting and sum(map(len, waiting)) + len(piece) > limit:
                yield torch.cat(waiting)
                waiting = []
            waiting.append(piece)
    if waiting:
        yield torch.cat(waiting)


def _triangle(M: Tensor) -> Tensor:
    R: Tensor = torch.linalg.qr(M, mode="r").R
    return R


def append_rows(R: Matrix | None, block: Matrix) -> Tensor:
    """A factor of [block; M] from a factor R of M: the same singular values, at most p rows.

    The new block goes on top: where levels grow (GIN), large rows above small ones keep the small
    ones' digits in Householder's QR (Cox, Higham 1998, doi:10.1007/BF02510912).
    """
    block = torch.as_tensor(block, dtype=torch.float64)
    M = block if R is None else torch.cat([block, torch.as_tensor(R)])
    return _triangle(M) if M.shape[0] > M.shape[1] else M


def stacked_factor(blocks: Iterable[Matrix]) -> Tensor:
    """A factor of all blocks (any height, p) stacked: the same singular values, at most p rows.

    Raises:
        ValueError: if there is no block.
    """
    R = functools.reduce(append_rows, blocks, None)
    if R is None:
        raise ValueError("stacked_factor needs at least one block of rows")
    return R


def singular_values(M: Matrix) -> np.ndarray:
    """All min(rows, cols) singular values of M, descending: QR of the tall side, then SVD of R."""
    M = torch.as_tensor(M, dtype=torch.float64)
    tall = M if M.shape[0] >= M.shape[1] else M.mT
    R = tsqr([tall]) if tall.shape[0] > tall.shape[1] else tall
    values: Tensor = torch.linalg.svdvals(R)
    return values.numpy(force=True)


def rank_tolerance(sigma_max: float, shape: Sequence[int]) -> float:
    """Singular values up to this are rounding errors: eps sigma_max max(16, sqrt(m + n + 1) / 2).

    The second term is the expected size of rounding errors (Press, Teukolsky, Vetterling, Flannery,
    Numerical Recipes, 3rd edition, section 2.6.2); the first keeps room, in small matrices, for the
    errors of S^l. Worst-case thresholds, as max(m, n) eps sigma_max, are a hundred times larger and
    call singular values zero which the theory proves positive (the stack at H = 10, aggregation
    gin: it contains [X; XS]). Measured on Cora and CiteSeer, an exact zero comes out below
    5 eps sigma_max. `Spectrum.rank_gap` measures how clear the decision was.
    """
    return EPS * float(sigma_max) * max(16.0, 0.5 * float(np.sqrt(shape[0] + shape[1] + 1)))


def numerical_rank(s: np.ndarray, shape: Sequence[int]) -> int:
    """Number of the singular values `s` (descending) of a (rows, cols) matrix above tolerance."""
    return int((s > rank_tolerance(s[0], shape)).sum()) if len(s) else 0


def spectrum_from(s: np.ndarray, shape: Sequence[int], known_rank: int = 0) -> Spectrum:
    """Spectrum from all singular values of a (rows, cols) matrix.

    `known_rank` is a lower bound of the rank from elsewhere, which overrules the tolerance.
    """
    tolerance = rank_tolerance(s[0], shape)
    rank = max(numerical_rank(s, shape), known_rank)
    gap = np.nan
    if 0 < rank < len(s):
        gap = float(s[rank - 1] / s[rank]) if s[rank] > 0 else np.inf
    return Spectrum(
        rows=int(shape[0]),
        cols=int(shape[1]),
        rank=rank,
        sigma_max=float(s[0]),
        sigma_min=float(s[-1]) if rank == len(s) else 0.0,
        sigma_min_positive=float(s[rank - 1]) if rank else np.nan,
        tolerance=tolerance,
        rank_gap=gap,
    )


def orthonormal_basis(
    M: Matrix, rank: int | None = None, shape: Sequence[int] | None = None
) -> np.ndarray:
    """U (rows, rank): orthonormal basis of the column space of M, by its SVD.

    `rank`, if it is known, replaces the numerical rank of M. `shape`: of the matrix of
    which M is a reduction, whose rounding errors M has inherited.
    """
    shape = shape or M.shape
    M = append_rows(None, torch.as_tensor(M).mT).mT  # a wide M by its triangular factor
    U, s, _ = torch.linalg.svd(M, full_matrices=False)
    rank = numerical_rank(s.cpu().numpy(), shape) if rank is None else rank
    basis: Tensor = U[:, :rank]
    return basis.numpy(force=True)


def null_vectors(M: Matrix, rank: int) -> np.ndarray:
    """N (cols, cols - rank): unit vectors that span the null space of M, by QR with pivoting.

    M P = Q [[T_1, T_2], [0, 0]] gives N = P [-T_1^-1 T_2; I], one dependent column to each vector.
    """
    M = append_rows(None, M).numpy(force=True)
    T, pivots = scipy.linalg.qr(M, mode="r", pivoting=True)
    N = np.zeros((M.shape[1], M.shape[1] - rank))
    N[pivots[:rank]] = -scipy.linalg.solve_triangular(T[:rank, :rank], T[:rank, rank:])
    N[pivots[rank:]] = np.eye(M.shape[1] - rank)
    N /= np.linalg.norm(N, axis=0)
    return N


def dependent_columns(
    M: Matrix, ids: Sequence[int] | np.ndarray, known: Spectrum
) -> list[int] | None:
    """Ids of the columns of M (rows, cols) that take part in a linear dependency, ascending.

    That is: columns j with v_j != 0 for some v with M v = 0: zero columns, equal ones, and all of
    a longer dependency. None where there are none, more than 32, or where the smallest positive
    singular value is so small that dependent columns cannot be told from nearly dependent ones.
    known: the spectrum of M, or of the whole of which M is a factor with the same null space.
    """
    missing = M.shape[1] - known.rank
    if not 0 < missing <= MOST_CULPRITS:
        return None
    noise = known.tolerance / known.sigma_min_positive if known.rank else 0.0
    if noise > 0.1:
        return None
    weights = np.abs(null_vectors(M, known.rank)).max(axis=1)
    culprits = np.sort(np.asarray(ids)[weights > max(1e-6, noise)])
    return culprits.tolist() if len(culprits) <= MOST_CULPRITS else None
