"""Aggregations S, which act on X (m_x, n) from the right; A the adjacency, D the degrees of A + I.

An aggregation is a function (adjacency) -> S. With c copies of each node, S is (c n, c n): each
copy starts with the features of its node, and the readout reads the first copy. So a recurrence of
several terms is an aggregation too (docs/extend.md). Definitions of the built-in ones: Xu, Zhang,
Jegelka, Kawaguchi (2021), arXiv 2105.04550, section 2.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from gnn_dynamics.config.functions import Expect, Registry

Aggregation = Callable[[sp.csr_array], sp.csr_array]


def with_loops(adjacency: sp.csr_array) -> tuple[sp.csr_array, np.ndarray]:
    """A + I and its degrees (n,)."""
    loops = sp.csr_array(adjacency + sp.eye_array(adjacency.shape[0]), dtype=np.float64)
    return loops, loops.sum(axis=0)


def gcn(adjacency: sp.csr_array) -> sp.csr_array:
    """D^-1/2 (A + I) D^-1/2."""
    loops, degrees = with_loops(adjacency)
    scale = sp.diags_array(1 / np.sqrt(degrees))
    return sp.csr_array(scale @ loops @ scale)


def gin(adjacency: sp.csr_array) -> sp.csr_array:
    """A + I."""
    return with_loops(adjacency)[0]


def rw(adjacency: sp.csr_array) -> sp.csr_array:
    """(A + I) D^-1: a column of X S is the mean of X over a node's closed neighbourhood."""
    loops, degrees = with_loops(adjacency)
    return sp.csr_array(loops @ sp.diags_array(1 / degrees))


def adopted(function: Callable[[sp.csr_array], Any], expect: Expect) -> Aggregation:
    """An own function, its result checked at each call; called once with a small graph."""

    def aggregation(adjacency: sp.csr_array) -> sp.csr_array:
        S, n = function(adjacency.copy()), adjacency.shape[0]
        expect(sp.issparse(S), f"it returns {type(S).__name__}, not a sparse matrix")
        square = S.shape[0] == S.shape[1] and S.shape[0] % n == 0 and S.shape[0] > 0
        expect(square, f"it returns S of shape {S.shape} for n = {n} nodes")
        S = sp.csr_array(S)
        return sp.csr_array(real_numbers(S, S.data, expect), dtype=np.float64)

    path = sp.diags_array([1.0, 1.0, 0.0], offsets=1, shape=(4, 4))  # node 3 is isolated
    aggregation(sp.csr_array(path + path.T))
    return aggregation


def real_numbers(matrix: Any, entries: np.ndarray, expect: Expect) -> Any:
    """The matrix, which an own function has made, if its entries are finite real numbers."""
    expect(entries.dtype.kind in "fiub", f"its result has entries of type {entries.dtype}")
    expect(bool(np.isfinite(entries).all()), "its result has entries that are not finite")
    return matrix


AGGREGATIONS = Registry("aggregation", {"gcn": gcn, "gin": gin, "rw": rw}, adopted)
