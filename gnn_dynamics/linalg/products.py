"""Constant matrices that all models share (S, X, R, bases), and the cheapest products with them.

A product acts on node-major features T, (rows, c) or (K, rows, c): `times` gives M T and `adjoint`
M^T T. Both are linear, so reverse automatic differentiation passes through them exactly.
"""

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor
from torch.nn.functional import pad

from gnn_dynamics.errors import UserError

# Time of one stored entry of a CSR product over one of a dense product, per column: measured 3.6 in
# float64 and 4.9 in float32 (Cora's X S against 64 columns, one thread, AVX2).
SPARSE_COST = 4
# Larger dense matrices than this stay sparse on a GPU (2 GiB in float64).
GPU_DENSE_ENTRIES = 2**28


# The K a rows of a product are padded to a multiple of a cache line of numbers. BLAS sums the last,
# incomplete tile of rows in another order; without such a tile a model's numbers do not depend on
# its neighbours. The two sides of the shared matrix are padded to this many bytes: other row
# lengths alternate between alignments, and BLAS then picks another kernel.
CACHE_LINE = 64
ROW_BYTES = 32
# Sparse products of six or seven columns take as long as those of sixteen.
COLUMN_TILE = 8


def shared_matmul(rows: Tensor, matrix: Tensor) -> Tensor:
    """(K, a, b) times one shared (b, c) -> (K, a, c), as a single product of K a rows."""
    c, count = matrix.shape[1], rows.shape[0] * rows.shape[1]
    matrix = even(matrix)
    flat = rows.flatten(0, 1)
    flat = padded(flat, len(matrix) - flat.shape[1], -count % (CACHE_LINE // flat.itemsize))
    return (flat @ matrix)[:count, :c].reshape(*rows.shape[:2], c)


def even(matrix: Tensor) -> Tensor:
    """The matrix with both sides padded to a multiple of ROW_BYTES."""
    rows, columns = (-size % (ROW_BYTES // matrix.itemsize) for size in matrix.shape)
    return padded(matrix, columns, rows)


def padded(matrix: Tensor, columns: int, rows: int) -> Tensor:
    """The matrix with `columns` and `rows` of zeros appended."""
    return pad(matrix, (0, columns, 0, rows)) if columns or rows else matrix


def tiled(T: Tensor) -> Tensor:
    """T with zeros that fill its last axis up to a multiple of COLUMN_TILE, contiguous."""
    return pad(T, (0, -T.shape[-1] % COLUMN_TILE)).contiguous()


@dataclass(frozen=True)
class DenseMatrix:
    """M (rows, columns) as a dense tensor."""

    M: Tensor

    def times(self, T: Tensor) -> Tensor:
        return self.M @ T

    def adjoint(self, T: Tensor) -> Tensor:
        return self.M.mT @ T


@dataclass(frozen=True)
class SparseMatrix:
    """M (rows, columns) as int32 CSR with its transpose, both kept: a CSC product is slower."""

    M: Tensor
    transposed: Tensor

    def times(self, T: Tensor) -> Tensor:
        if T.requires_grad:
            product: Tensor = SparseProduct.apply(T, self)
            return product
        return self.product(T)

    def adjoint(self, T: Tensor) -> Tensor:
        return self.flipped.times(T)

    @cached_property
    def flipped(self) -> "SparseMatrix":
        return SparseMatrix(self.transposed, self.M)

    def product(self, T: Tensor) -> Tensor:
        """M T; K models are folded into the columns, as CSR products have no batch axis."""
        if T.dim() == 2:
            out = T.new_empty(self.M.shape[0], T.shape[1])
            return torch.addmm(out, self.M, T, beta=0, out=out)  # mm would clear `out` first
        K, rows, c = T.shape
        folded = self.product(T.movedim(0, 1).reshape(rows, K * c))
        return folded.reshape(-1, K, c).movedim(1, 0)


class SparseProduct(torch.autograd.Function):
    """T -> M T where T carries a derivative, for CSR products that write to a given tensor."""

    @staticmethod
    def forward(ctx: Any, T: Tensor, matrix: SparseMatrix) -> Tensor:
        ctx.matrix = matrix  # setup_context would cost 50 us a call
        return matrix.product(T)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.matrix.adjoint(gradient), None


Matrix = DenseMatrix | SparseMatrix


def is_sparse(M: sp.csr_array, device: torch.device) -> bool:
    """Whether CSR is the cheaper form of M on this device (a GPU prefers dense while it fits)."""
    entries = M.shape[0] * M.shape[1]
    if device.type == "cpu":
        return bool(SPARSE_COST * M.nnz < entries)
    return bool(entries > GPU_DENSE_ENTRIES)


def is_identity(M: sp.csr_array) -> bool:
    """Whether M is the identity matrix."""
    square = M.shape[0] == M.shape[1]
    return bool(square and (M - sp.eye_array(M.shape[0])).count_nonzero() == 0)


def product_cost(M: sp.csr_array, device: torch.device) -> int:
    """Relative cost of one column of M T."""
    return int(SPARSE_COST * M.nnz if is_sparse(M, device) else M.shape[0] * M.shape[1])


def constant_matrix(M: sp.csr_array, dtype: torch.dtype, device: torch.device) -> Matrix:
    """M (rows, columns) on `device`, sparse or dense, whichever multiplies faster there."""
    if not is_sparse(M, device):
        return DenseMatrix(torch.as_tensor(M.toarray(), dtype=dtype, device=device))
    transposed = sp.csr_array(M.T)
    return SparseMatrix(csr_tensor(M, dtype, device), csr_tensor(transposed, dtype, device))


def csr_tensor(M: sp.csr_array, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Torch CSR with int32 indices: a quarter less memory traffic than int64.

    Raises:
        UserError: with more entries than these can count.
    """
    if M.nnz >= 2**31:
        raise UserError(f"a matrix of {M.nnz} stored entries: at most 2^31 - 1 can be trained on.")
    arrays = (np.asarray(array, dtype=np.int32) for array in (M.indptr, M.indices))
    crow, columns = (torch.from_numpy(array) for array in arrays)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        matrix = torch.sparse_csr_tensor(
            crow, columns, torch.from_numpy(M.data), M.shape, check_invariants=False
        )
    return matrix.to(dtype=dtype, device=device)
