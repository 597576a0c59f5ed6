"""Small graphs as data sets, for tests of what stands between the files and the models."""

import warnings
from functools import cache
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from hypothesis import settings
from hypothesis import strategies as st
from problems import random_adjacency

from gnn_dynamics.data.graph import Graph

# On a busy machine an example may take any time.
patient = settings(deadline=None, max_examples=50)
NONE = np.array([], dtype=np.int64)


def make_graph(
    adjacency, features, labels=None, train=None, graph_index=None, task="classification"
) -> Graph:
    """Graph from arrays; by default all labels are 0 and all labelled members train."""
    n = np.shape(adjacency)[0]
    members = n if graph_index is None else int(np.max(graph_index)) + 1
    labels = np.asarray(np.zeros(members, dtype=np.int64) if labels is None else labels)
    if train is None:
        train = np.flatnonzero(labels >= 0) if task == "classification" else np.arange(members)
    return Graph(
        name="toy",
        adjacency=sp.csr_array(adjacency, dtype=np.float64),
        features=sp.csr_array(features, dtype=np.float64),
        labels=labels,
        train=np.asarray(train, dtype=np.int64),
        val=NONE,
        test=NONE,
        graph_index=None if graph_index is None else np.asarray(graph_index),
        task=task,
        classes=1 if task == "regression" else int(labels.max()) + 1,
        facts={},
    )


def adjacency_of(n: int, edges) -> sp.csr_array:
    """Symmetric 0/1 adjacency from pairs."""
    A = np.zeros((n, n))
    for i, j in edges:
        A[i, j] = A[j, i] = 1
    return sp.csr_array(A)


@st.composite
def graphs(draw, max_nodes: int = 14):
    """1 to 14 nodes, 1 to 6 features, 1 to 3 classes; pieces, isolated nodes, rows of zeros."""
    n = draw(st.integers(1, max_nodes))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.integers(0, 3, (n, draw(st.integers(1, 6)))).astype(float)
    if draw(st.booleans()):
        X = X + rng.standard_normal(X.shape) * (X > 0)
    X[rng.random(n) < draw(st.sampled_from([0.0, 0.3]))] = 0
    labels = rng.integers(0, draw(st.integers(1, 3)), n)
    train = np.sort(rng.permutation(n)[: draw(st.integers(1, n))])
    return make_graph(random_adjacency(n, draw(st.integers(0, 2 * n)), rng), X, labels, train)


@cache
def planetoid(mirror: Path, name: str) -> Graph:
    """cora or citeseer, public split, by PyTorch Geometric's reader of the official files."""
    from torch_geometric.io import read_planetoid_data

    with warnings.catch_warnings():  # these files are older than SciPy's present module names
        warnings.simplefilter("ignore")
        data = read_planetoid_data(str(mirror / "planetoid" / "data"), name)
    source, target = data.edge_index.numpy()
    keep = source != target
    half = sp.csr_array((np.ones(keep.sum()), (source[keep], target[keep])), (data.num_nodes,) * 2)
    adjacency = sp.csr_array((half + half.T > 0).astype(np.float64))
    train = np.flatnonzero(data.train_mask.numpy())
    return make_graph(adjacency, data.x.numpy(), data.y.numpy(), train)
