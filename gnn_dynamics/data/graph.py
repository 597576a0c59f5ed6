"""`Graph`, the one form in which the rest of the package sees a data set, and its file.

Sizes: n nodes, m_x features, and `graphs` graphs where labels belong to graphs, not to nodes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from gnn_dynamics.artifacts.npz import mapped_array, open_prepared, write_prepared
from gnn_dynamics.data.adjacency import clean_edges, csr_of_ones
from gnn_dynamics.errors import UserError

UNLABELLED = -1
PARTS = ("train", "val", "test")
CHUNK = 2**20  # feature values that are converted to a smaller type, or checked, at a time


@dataclass(frozen=True, eq=False)
class Graph:
    """A data set: one graph, or the disjoint union of many (`graph_index` given).

    Attributes:
        name: fills the column `dataset` of tables.
        adjacency: (n, n) float64 CSR: symmetric, 0/1, no diagonal, indices sorted.
        features: (n, m_x) float64 CSR without stored zeros; or a dense array of float16 or
            float32, memory-mapped, where the data set ships one: part of it is read and converted
            when it is used. Rows are nodes, unlike in the paper.
        labels: (n,), or (graphs,) with a graph_index; int64 with -1 where unknown, or float64 for
            regression.
        train: int64 indices, ascending, of nodes (or graphs); the three parts do not overlap.
        val: the same for validation.
        test: the same for the test.
        graph_index: (n,) int64, ascending: the graph of each node; None for a single graph.
        task: "classification" or "regression".
        classes: number of classes; 1 for regression.
        facts: JSON values: the source of the data and the counts of dropped edges, under
            source_url, sha256, stored_edges, self_loops_dropped, duplicate_edges_dropped, ...
        splits: (k, n) uint8, where the data set ships k splits: 1, 2, 3 for nodes of train, val,
            test, 0 for others; None where it ships one.
    """

    name: str
    adjacency: sparse.csr_array
    features: sparse.csr_array | np.ndarray
    labels: np.ndarray
    train: np.ndarray
    val: np.ndarray
    test: np.ndarray
    graph_index: np.ndarray | None
    task: str
    classes: int
    facts: dict[str, Any]
    splits: np.ndarray | None = None

    @property
    def n(self) -> int:
        """Number of nodes."""
        return self.adjacency.shape[0]

    @property
    def labelled(self) -> np.ndarray:
        """Indices of all nodes (or graphs) with a label, ascending."""
        if self.task == "regression":
            return np.flatnonzero(np.isfinite(self.labels))
        return np.flatnonzero(self.labels != UNLABELLED)


def save_graph(graph: Graph, path: str | Path) -> None:
    """Write a graph as .npz, atomically; the same graph gives the same bytes on every machine.

    The ones of the adjacency are not stored, and sparse feature values are stored in the smallest
    type that represents them exactly.
    """
    arrays = {
        "adjacency_indices": graph.adjacency.indices,
        "adjacency_indptr": graph.adjacency.indptr,
        **_stored_features(graph.features),
        **{name: getattr(graph, name) for name in ("labels", *PARTS)},
    }
    optional = {"graph_index": graph.graph_index, "splits": graph.splits}
    arrays |= {name: array for name, array in optional.items() if array is not None}
    about = {name: getattr(graph, name) for name in ("name", "task", "classes", "facts")}
    write_prepared(arrays, about | {"features_count": graph.features.shape[1]}, path)


def _stored_features(X: sparse.csr_array | np.ndarray) -> dict[str, np.ndarray]:
    if isinstance(X, np.ndarray):
        return {"features": X}
    return {
        "features_data": _smallest(X.data),
        "features_indices": X.indices,
        "features_indptr": X.indptr,
    }


def _smallest(values: np.ndarray) -> np.ndarray:
    """The values as uint8 or float32 where the conversion is exact, else as they are."""
    for kind in (np.uint8, np.float32):
        chunks = (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
        with np.errstate(all="ignore"):
            if all(np.array_equal(chunk.astype(kind), chunk) for chunk in chunks):
                return values.astype(kind)
    return values


def load_graph(path: str | Path) -> Graph:
    """Read what `save_graph` wrote; nothing in the file can run code. Dense features stay there.

    Raises:
        UserError: if the file is absent, damaged, or of another version of the format.
    """
    with open_prepared(path) as (about, arrays):
        m_x = about.pop("features_count")
        dense = "features" in arrays
        # First, because values are in memory twice while their type changes.
        X = mapped_array(path, "features") if dense else _sparse_features(arrays, m_x)
        return Graph(features=X, **_arrays(arrays), **about)


def _sparse_features(file: Mapping[str, np.ndarray], m_x: int) -> sparse.csr_array:
    values = file["features_data"].astype(np.float64, copy=False)
    X = (values, file["features_indices"], file["features_indptr"])
    return sparse.csr_array(X, shape=(len(X[2]) - 1, m_x))


def _arrays(file: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The other array fields of `Graph`; `file` reads a member when it is accessed."""
    return {
        "adjacency": csr_of_ones(file["adjacency_indices"], file["adjacency_indptr"]),
        **{name: file.get(name) for name in ("graph_index", "splits")},
        **{name: file[name] for name in ("labels", *PARTS)},
    }


class Content(NamedTuple):
    """What a reader finds in the files of a data set.

    edges     source and target of each edge, both (edges,); each edge in one direction or both.
    X         (n, m_x), dense or sparse; a memory-mapped array stays in its file.
    labels    (n,), or (graphs,) with a graph_index: integers are classes, -1 where unknown; real
              numbers are targets of a regression.
    parts     ascending indices under train, val and test.
    facts     entries of `Graph.facts`, such as the origin of the split.
    edge_where, feature_where   locate an edge, or a node and a feature, in messages.
    classes   number of classes; without it they run from 0 to the largest label.
    graph_index, splits   as in `Graph`.
    """

    edges: tuple[np.ndarray, np.ndarray]
    X: Any
    labels: np.ndarray
    parts: Mapping[str, np.ndarray]
    facts: Mapping[str, Any]
    edge_where: Callable[[int], str] = "edge {}".format
    feature_where: Callable[[int, int], str] = "features: node {}, feature {}".format
    classes: int | None = None
    graph_index: np.ndarray | None = None
    splits: np.ndarray | None = None


def graph_of(name: str, content: Content) -> Graph:
    """The `Graph` of what a reader found; the counts of `clean_edges` are added to its facts.

    Raises:
        UserError: if a node id is out of range, a feature is NaN or infinite, or the temporary
            folder has too little room for the edges.
    """
    n, labels = content.X.shape[0], content.labels
    adjacency, counts = clean_edges(n, *content.edges, where=content.edge_where)
    regression = np.issubdtype(labels.dtype, np.floating)
    return Graph(
        name=name,
        adjacency=adjacency,
        features=node_features(content.X, where=content.feature_where),
        labels=labels,
        **content.parts,
        graph_index=content.graph_index,
        splits=content.splits,
        task="regression" if regression else "classification",
        classes=1 if regression else content.classes or int(labels.max()) + 1,
        facts={**content.facts, **counts},
    )


def node_features(
    X: Any, where: Callable[[int, int], str] = "features: node {}, feature {}".format
) -> sparse.csr_array | np.ndarray:
    """Features as float64 CSR: duplicates summed, indices sorted, no stored zeros.

    X: (n, m_x), dense or sparse; a memory-mapped array is checked and returned as it is. `where`
    locates the value of a node and a feature in messages.

    Raises:
        UserError: if a value is NaN or infinite, naming the node and the feature.
    """
    if isinstance(X, np.memmap):
        return _checked_in_place(X, where)
    features = _stored(X) if isinstance(X, np.ndarray) else sparse.csr_array(X, dtype=np.float64)
    features.sum_duplicates()
    features.eliminate_zeros()
    bad = np.flatnonzero(~np.isfinite(features.data))
    if bad.size:
        node = int(np.searchsorted(features.indptr, bad[0], side="right")) - 1
        raise _not_finite(where(node, features.indices[bad[0]]), features.data[bad[0]])
    return features


def _checked_in_place(X: np.ndarray, where: Callable[[int, int], str]) -> np.ndarray:
    for rows in dense_rows(X):
        bad = np.argwhere(~np.isfinite(X[rows]))
        if bad.size:
            node, column = rows.start + int(bad[0, 0]), int(bad[0, 1])
            raise _not_finite(where(node, column), X[node, column])
    return X


def dense_rows(X: np.ndarray) -> Iterator[slice]:
    """All rows of features (n, m_x) in order, about CHUNK values at a time."""
    height = max(1, CHUNK // max(1, X.shape[1]))
    return (slice(top, top + height) for top in range(0, len(X), height))


def _not_finite(what: str, value: float) -> UserError:
    return UserError(f"{what} is {value}; every feature must be a finite number")


def _stored(X: np.ndarray) -> sparse.csr_array:
    """`csr_array(X)` within twice the memory of X; SciPy's conversion uses 64-bit coordinates."""
    present = X != 0
    pointers = np.concatenate([[0], np.cumsum(np.count_nonzero(present, axis=1))])
    pointers = pointers.astype(np.int32 if pointers[-1] < 2**31 else np.int64)
    columns = np.broadcast_to(np.arange(X.shape[1], dtype=np.int32), X.shape)[present]
    return sparse.csr_array((X[present].astype(np.float64), columns, pointers), shape=X.shape)
