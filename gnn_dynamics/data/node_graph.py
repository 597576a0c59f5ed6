"""One graph whose nodes carry the labels, put together from what a reader found."""

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
    edge_place: Callable[[int], str] = "edge {}".format,
    feature_place: Callable[[int, int], str] = "features: node {}, feature {}".format,
) -> Graph:
    """A `Graph` from sources and targets (edges,), X (n, m_x), labels (n,) and a split.

    Whole-number labels are classes from 0 to the largest, real ones targets of a regression.
    `facts` get the counts of `clean_edges`; the two places say in a message where a value stands.

    Raises:
        UserError: if a node id is out of range or a feature is NaN or infinite.
    """
    adjacency, counts = clean_edges(len(labels), *edges, place=edge_place)
    regression = np.issubdtype(labels.dtype, np.floating)
    return Graph(
        name=name,
        adjacency=adjacency,
        features=node_features(X, place=feature_place),
        labels=labels,
        **parts,
        graph_index=None,
        task="regression" if regression else "classification",
        classes=1 if regression else int(labels.max()) + 1,
        facts=dict(facts) | counts,
    )
