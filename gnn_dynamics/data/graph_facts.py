"""One row of graphs.parquet for each graph: sizes, what was dropped, homophily, source."""

from typing import Any

import numpy as np
from scipy import sparse

from gnn_dynamics.artifacts.table import Table, integers, reals, texts
from gnn_dynamics.data.adjacency import CHUNK, row_ranges
from gnn_dynamics.data.graph import UNLABELLED, Graph, dense_rows

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
        "zero_feature_nodes": _rows_of_zeros(graph.features),
        "unlabelled_nodes": len(graph.labels) - len(graph.labelled),
        "edge_homophily": _edge_homophily(graph),
        "max_degree": int(degree.max(initial=0)),
        **{key: graph.facts[key] for key in dropped},
    }


def _rows_of_zeros(X: sparse.csr_array | np.ndarray) -> int:
    if not isinstance(X, np.ndarray):
        return int(np.count_nonzero(np.diff(X.indptr) == 0))
    return sum(int(np.count_nonzero(~X[rows].any(axis=1))) for rows in dense_rows(X))


def _edge_homophily(graph: Graph) -> float | None:
    if graph.task != "classification" or graph.graph_index is not None:
        return None
    A, known, same = graph.adjacency, 0, 0
    for rows in row_ranges(A.indptr, CHUNK):
        pointers = A.indptr[rows.start : rows.stop + 1]
        a = np.repeat(graph.labels[rows], np.diff(pointers))
        b = graph.labels[A.indices[pointers[0] : pointers[-1]]]
        both = (a != UNLABELLED) & (b != UNLABELLED)
        known += int(np.count_nonzero(both))
        same += int(np.count_nonzero(both & (a == b)))
    return same / known if known else None
