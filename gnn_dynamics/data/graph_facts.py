"""One row of graphs.parquet for each graph: sizes, what was dropped, homophily, source."""

from typing import Any

import numpy as np
from scipy import sparse

from gnn_dynamics.artifacts.table import Table, integers, reals, texts
from gnn_dynamics.data.graph import UNLABELLED, Graph

GRAPHS = Table(
    keys=("dataset",),
    columns=texts("dataset")
    | integers("nodes", "edges", "features_count", "classes", "train_nodes")
    | integers("self_loops_dropped", "duplicate_edges_dropped", "isolated_nodes")
    | integers("zero_feature_nodes", "unlabelled_nodes")
    | reals("edge_homophily")
    | integers("max_degree")
    | texts("source_url", "sha256"),
)


def graph_facts(graph: Graph) -> dict[str, Any]:
    """The row of graphs.parquet.

    edge_homophily is the share of edges whose ends have the same label, among edges whose ends are
    both labelled; it is null for regression and for graph-level data. For graph-level data,
    train_nodes and unlabelled_nodes count graphs. isolated_nodes have no edge.
    """
    degree = np.diff(graph.adjacency.indptr)
    dropped = ("self_loops_dropped", "duplicate_edges_dropped", "source_url", "sha256")
    return {
        "dataset": graph.name,
        "nodes": graph.n,
        "edges": graph.adjacency.nnz // 2,
        "features_count": graph.features.shape[1],
        "classes": graph.classes,
        "train_nodes": len(graph.train),
        "isolated_nodes": int(np.count_nonzero(degree == 0)),
        "zero_feature_nodes": int(np.count_nonzero(np.diff(graph.features.indptr) == 0)),
        "unlabelled_nodes": len(graph.labels) - len(graph.labelled),
        "edge_homophily": _edge_homophily(graph),
        "max_degree": int(degree.max(initial=0)),
        **{key: graph.facts[key] for key in dropped},
    }


def _edge_homophily(graph: Graph) -> float | None:
    if graph.task != "classification" or graph.graph_index is not None:
        return None
    rows, columns = sparse.triu(graph.adjacency, k=1).tocoo().coords
    a, b = graph.labels[rows], graph.labels[columns]
    known = (a != UNLABELLED) & (b != UNLABELLED)
    return float(np.mean(a[known] == b[known])) if known.any() else None
