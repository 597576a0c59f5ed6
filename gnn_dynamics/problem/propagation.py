"""Features after l aggregations, in memory: G_l = X S^l R (m_x, nbar), reduction R1."""

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp

from gnn_dynamics.problem.problem import Problem


def propagated(problem: Problem, depth: int) -> list[np.ndarray]:
    """[G_0, ..., G_depth], each X S^l R of shape (m_x, nbar), float64: reduction R1, exact.

    A linear model sees the graph through these matrices only.
    """
    return list(hops(problem, depth))


def hops(problem: Problem, depth: int) -> Iterator[np.ndarray]:
    """G_0, G_1, ..., G_depth one after the other, in the order of multiplication that costs less.

    From the right, S^l R then X times it: (H nnz(S) + (H+1) nnz(X)) nbar multiplications.
    From the left, X S^l then its readout:  (H nnz(S) + (H+1) nnz(R)) m_x.
    """
    entries = problem.S.nnz, problem.X.size, problem.R.nnz  # `size` of a sparse X: stored entries
    right = readout_first(*entries, problem.m_x, problem.nbar, depth)
    yield from (_from_readout if right else _from_features)(problem, depth)


def readout_first(S: int, X: int, R: int, m_x: int, nbar: int, depth: int) -> bool:
    """Whether multiplying from the right costs less; S, X, R: their numbers of stored entries."""
    return (depth * S + (depth + 1) * X) * nbar < (depth * S + (depth + 1) * R) * m_x


def _from_readout(problem: Problem, depth: int) -> Iterator[np.ndarray]:
    X = sp.csr_array(problem.X.T) if sp.issparse(problem.X) else problem.X.T  # (m_x, n)
    columns = problem.R.toarray()  # S^l R (n, nbar)
    for hop in range(depth + 1):
        if hop:
            columns = problem.S @ columns
        yield X @ columns  # (m_x, nbar)


def _from_features(problem: Problem, depth: int) -> Iterator[np.ndarray]:
    S, R = sp.csr_array(problem.S.T), sp.csr_array(problem.R.T)
    X = problem.X
    rows = X if isinstance(X, np.ndarray) else X.toarray()  # (X S^l)^T (n, m_x)
    for hop in range(depth + 1):
        if hop:
            rows = S @ rows
        yield np.ascontiguousarray((R @ rows).T)  # (m_x, nbar)
