"""R4 for labelled columns that do not fit into memory: as `reductions.left`, block by block.

Gs^T = Z T as there, T (p, p) from a QR factorisation that reads Gs^T some rows at a time, and Y Z
from the same reflections applied to Y. Whatever comes after sees G_l Z and Y Z alone: the cost of a
step does not depend on n or nbar.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from gnn_dynamics.linalg.products import shared_matmul
from gnn_dynamics.linalg.singular_values import BLOCK_HEIGHT
from gnn_dynamics.problem.by_columns import features_on_disk, problem_source
from gnn_dynamics.problem.problem import Problem

DENSE_BYTES = 2 * 2**30  # of G_l in memory at once; more stay sparse or in a file


def fits(problem: Problem, count: int) -> bool:
    """Whether `count` dense G_l (m_x, nbar) fit into DENSE_BYTES."""
    return 8 * problem.m_x * problem.nbar * count <= DENSE_BYTES


@dataclass(frozen=True)
class Columns:
    """Coordinates of the labelled columns: Y -> Y Z, Z (nbar, p) with orthonormal columns.

    None leaves them as they are.
    """

    Z: Tensor | None = None

    def targets(self, Y: Tensor) -> tuple[Tensor, Tensor]:
        """Y (K, m_y, nbar) -> (Y Z, ||Y - Y Z Z^T||^2 (K,)), the constant part of the loss."""
        if self.Z is None:
            return Y, Y.new_zeros(len(Y))
        reduced = shared_matmul(Y, self.Z)
        return reduced, (Y - shared_matmul(reduced, self.Z.mT)).square().sum(dim=(1, 2))


@dataclass(frozen=True)
class StreamedColumns:
    """`Columns` where Z is known by its reflections only, and further ones of Y Z.

    row_blocks: () -> rows of Gs^T. The factorisation is repeated for every Y, from the same numbers
    in the same order. So Z is that of T even where Gs lacks rank, when Z is not unique.
    """

    row_blocks: Callable[[], Iterator[np.ndarray]]
    then: Columns = field(default_factory=Columns)

    def targets(self, Y: Tensor) -> tuple[Tensor, Tensor]:
        """Y (K, m_y, nbar) -> (Y Z, ||Y - Y Z Z^T||^2 (K,)), the constant part of the loss."""
        K, m_y, _ = Y.shape
        _, rotated, rest = triangularise(self.row_blocks(), Y.flatten(0, 1).mT, m_y)
        reduced, more = self.then.targets(rotated.mT.reshape(K, m_y, -1))  # (K, m_y, p)
        return reduced, more + rest.reshape(K, m_y).sum(dim=1)


def triangularise(
    row_blocks: Iterable[np.ndarray], Y: Tensor, together: int
) -> tuple[Tensor, Tensor, Tensor]:
    """QR by Householder reflections of row blocks M (nbar, p) = Z T, applied to Y (nbar, c).

    Returns T (p, p) upper triangular, Z^T Y (p, c) and the squared norms (c,) of the columns of
    Y - Z Z^T Y, which come as sums of squares. With nbar < p, T and Z^T Y have nbar rows.
    `together`: columns of Y to reflect at once, those of one model, whose numbers then do not
    depend on the other models.
    Cost 2 nbar p^2 FLOP, an eighth more where blocks have 8 p rows, and 4 nbar p c for Y.

    Raises:
        ValueError: if there is no block.
    """
    T: Tensor | None = None
    rotated, rest, top = Y[:0], Y.new_zeros(Y.shape[1]), 0
    for rows_of_M in row_blocks:
        block = torch.as_tensor(rows_of_M, device=Y.device)
        rows = torch.cat([rotated, Y[top : top + len(block)]])
        reflectors, scales = torch.geqrf(block if T is None else torch.cat([T, block]))
        parts = (part.contiguous() for part in torch.split(rows, together, dim=1))
        reflected = [torch.ormqr(reflectors, scales, part, transpose=True) for part in parts]
        p = min(reflectors.shape)
        T, rotated = reflectors[:p].triu(), torch.cat([part[:p] for part in reflected], dim=1)
        rest = rest + torch.cat([part[p:].square().sum(dim=0) for part in reflected])
        top += len(block)
    if T is None:
        raise ValueError("triangularise needs at least one block of rows")
    return T, rotated, rest


def streamed_features(
    problem: Problem, hops: Sequence[int], device: torch.device, memory: float = DENSE_BYTES
) -> tuple[list[Tensor], StreamedColumns]:
    """G_l Z (m_x, p) for each of `hops`, and the columns Z; G_l itself goes to a file.

    `memory`: bytes for aggregation by columns.

    Raises:
        UserError: if the temporary folder has too little room for the file.
    """
    source = problem_source(problem)
    matrix_file = features_on_disk(source, hops, memory)

    def row_blocks() -> Iterator[np.ndarray]:
        return matrix_file.row_blocks(hops, BLOCK_HEIGHT * len(hops) * source.m_x)

    nothing = torch.zeros(source.nbar, 1, dtype=torch.float64, device=device)
    T, _, _ = triangularise(row_blocks(), nothing, 1)
    return list(torch.split(T.mT, source.m_x)), StreamedColumns(row_blocks)  # (m_x, p) each
