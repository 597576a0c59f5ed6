"""Checks that every data set must pass before it is stored, whatever its reader."""

from collections.abc import Iterator

import numpy as np

from gnn_dynamics.data.graph import Graph
from gnn_dynamics.errors import UserError


def checked(graph: Graph) -> Graph:
    """The graph, if its parts fit together: shapes, labels, split and classes.

    Raises:
        UserError: naming the data set and the first property that it lacks.
    """
    for problem in _problems(graph):
        raise UserError(f"dataset {graph.name}: {problem}")
    return graph


def _problems(graph: Graph) -> Iterator[str]:
    n, count, index = graph.n, len(graph.labels), graph.graph_index
    if graph.features.shape[0] != n:
        yield f"{graph.features.shape[0]} feature rows for {n} nodes"
    if index is None:
        if count != n:
            yield f"{count} labels for {n} nodes"
    elif len(index) != n or not _ascends(index, count):
        yield f"the graph index does not number {n} nodes into {count} graphs in order"
    split = np.concatenate([graph.train, graph.val, graph.test])
    if len(split) and (split.min() < 0 or split.max() >= count):
        yield f"the split names {split.max()}, but there are {count} labels"
    if len(np.unique(split)) < len(split):
        yield "the parts of the split overlap"
    if not len(graph.train):
        yield "there are no training nodes"
    unlabelled = np.setdiff1d(graph.train, graph.labelled)
    if unlabelled.size:
        yield f"training node {unlabelled[0]} has no label"
    known = graph.labels[graph.labelled]
    if graph.task == "classification" and (known.min() < 0 or known.max() >= graph.classes):
        yield f"labels run from {known.min()} to {known.max()} with {graph.classes} classes"
    if graph.task == "classification" and graph.classes < 2:
        yield "there is only one class"


def _ascends(index: np.ndarray, count: int) -> bool:
    """Whether the index runs from 0 to count - 1 in ascending order without gaps."""
    return np.array_equal(np.unique(index), np.arange(count)) and bool((np.diff(index) >= 0).all())
