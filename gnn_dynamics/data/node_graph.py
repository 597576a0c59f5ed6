"""A `Graph` with node labels from the arrays of a reader."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gnn_dynamics.data.graph import Graph, clean_edges, node_features


def node_graph(
    name: str,
    edges: tuple[np.ndarray, np.ndarray],
    X: Any,
    labels: np.ndarray,
    parts: Mapping[str, np.ndarray],
    facts: Mapping[str, Any],
    edge_where: Callable[[int], str] = "edge {}".format,
    feature_where: Callable[[int, int], str] = "features: node {}, feature {}".format,
) -> Graph:
    """A `Graph` from sources and targets (edges,), X (n, m_x), labels (n,) and a split.

    Integer labels are classes from 0 to the largest, real labels are targets of a regression. The
    counts of `clean_edges` are added to `facts`. `edge_where` and `feature_where` locate an edge
    and a feature value in messages.

    Raises:
        UserError: if a node id is out of range or a feature is NaN or infinite.
    """
    adjacency, counts = clean_edges(len(labels), *edges, where=edge_where)
    regression = np.issubdtype(labels.dtype, np.floating)
    return Graph(
        name=name,
        adjacency=adjacency,
        features=node_features(X, where=feature_where),
        labels=labels,
        **parts,
        graph_index=None,
        task="regression" if regression else "classification",
        classes=1 if regression else int(labels.max()) + 1,
        facts=dict(facts) | counts,
    )
