"""Random graphs of any size, as prepared graphs, made within twice the memory that they take."""

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

from gnn_dynamics.data.adjacency import clean_edges
from gnn_dynamics.data.graph import Graph

ROWS = 2**16  # of features drawn at a time


def normal_features(n: int, m_x: int, rng: np.random.Generator) -> sp.csr_array:
    """(n, m_x) float64 CSR that holds every entry, with values that float32 holds exactly.

    The features of the Open Graph Benchmark are such ones.
    """
    values = np.empty((n, m_x))
    for top in range(0, n, ROWS):
        rows = values[top : top + ROWS]
        rows[:] = rng.standard_normal(rows.shape, dtype=np.float32)
    columns = np.tile(np.arange(m_x, dtype=np.int32), n)
    pointers = m_x * np.arange(n + 1, dtype=np.int32 if n * m_x < 2**31 else np.int64)
    return sp.csr_array((values.ravel(), columns, pointers), shape=(n, m_x))


def random_graph(
    n: int,
    entries: int,
    m_x: int,
    labelled: int,
    classes: int,
    features: Callable[[int, int, np.random.Generator], sp.csr_array] = normal_features,
) -> Graph:
    """`n` nodes, about `entries` stored entries of the adjacency, and drawn features.

    Edges join nodes drawn uniformly: the least kind of all graphs to a cache. The training split
    has `labelled` nodes at random; every node has one of the labels.
    """
    rng = np.random.default_rng(0)
    adjacency, facts = clean_edges(n, *rng.integers(0, n, (2, entries // 2), dtype=np.int32))
    none = np.array([], dtype=np.int64)
    return Graph(
        name=f"random-{n}",
        adjacency=adjacency,
        features=features(n, m_x, rng),
        labels=rng.integers(0, classes, n),
        train=np.sort(rng.choice(n, labelled, replace=False)),
        val=none,
        test=none,
        graph_index=None,
        task="classification",
        classes=classes,
        facts=facts,
    )
