"""Memory that the graph condition needs, known before anything is allocated. All in bytes.

Upper bounds, checked by tests against the peak of real processes.
"""

import numpy as np

from gnn_dynamics.data.graph import Graph
from gnn_dynamics.errors import UserError
from gnn_dynamics.problem.by_columns import COLUMN_TILE, MOST_ENTRIES
from gnn_dynamics.problem.matrix_file import NUMBER
from gnn_dynamics.problem.problem import labelled_ids
from gnn_dynamics.problem.propagation import readout_first

MEMORY_GB = 8.0  # default of graph_condition.memory_gb, 10^9 bytes
PROGRAM = 0.7e9  # Python with PyTorch (CUDA build), pandas and SciPy, before any graph
ENTRY, INDEX = 12, 4  # a float64 and its int32 index; the index alone, of a matrix of ones
# For each node: labels, row pointers, degrees, their roots, and while reachable nodes are searched.
NODE = 64
# Numbers for each entry of a (rows, columns) matrix while its singular values are found; for each
# of p^2 in TSQR (singular_values.tsqr); for each entry of X while it is made dense.
FACTOR_COPIES, TSQR_COPIES = 4, 30
TRANSFORM_COPIES = {"raw": 0, "row": 0, "standard": 4}
MOST_COPIES = 5  # of principal components, and of own features


def held_bytes(graph: Graph) -> float:
    """A prepared graph and the program around it; features that stay in their file do not count."""
    X = 0 if isinstance(graph.features, np.ndarray) else ENTRY * graph.features.nnz
    A = graph.adjacency.nnz
    return float(PROGRAM + INDEX * A + NUMBER * min(A, MOST_ENTRIES) + X + NODE * graph.n)


def bytes_in_memory(graph: Graph, features: str, nodes: str, depth: int) -> float:
    """Peak of the graph condition with everything in memory: S, X, all of X S^l, the matrices."""
    (n, m_x), X = graph.features.shape, graph.features.size  # stored entries, if sparse
    nbar, S = len(labelled_ids(graph, nodes)), graph.adjacency.nnz + n
    dense = TRANSFORM_COPIES.get(features, MOST_COPIES) * NUMBER * n * m_x
    columns = nbar if readout_first(S, n * m_x if dense else X, nbar, m_x, nbar, depth) else m_x
    factors = FACTOR_COPIES * NUMBER * (depth + 1) * m_x * nbar
    sparse = ENTRY * (4 * S + 4 * X)  # S while it is made; X as rows, transposed, row by row
    return float(held_bytes(graph) + sparse + dense + 2 * NUMBER * n * columns + factors)


def working_bytes(graph: Graph, features: str, nodes: str, depth: int, memory: float) -> float:
    """The part of `memory` that remains for aggregation by columns, beside the graph.

    Raises:
        UserError: if that is not enough for a few columns, or `memory` for the factors.
    """
    n, m_x = graph.features.shape
    nbar, p = len(labelled_ids(graph, nodes)), (depth + 1) * m_x
    dense = NUMBER * n * m_x if features not in TRANSFORM_COPIES else 0  # (n, r)
    fixed, principal = held_bytes(graph) + dense, (MOST_COPIES - 1) * dense
    columns = COLUMN_TILE * NUMBER * (2 * n + nbar)
    factors = NUMBER * (TSQR_COPIES * p * p if nbar > p else FACTOR_COPIES * p * nbar)
    least = fixed + max(principal, columns, factors)
    if least > memory:
        raise UserError(
            f"graph_condition.memory_gb: '{graph.name}' with features '{features}', nodes"
            f" '{nodes}' and depth {depth} needs about {least / 1e9:.1f} GB, more than"
            f" {memory / 1e9:g}; raise it, or ask for fewer depths or features."
        )
    return memory - fixed
