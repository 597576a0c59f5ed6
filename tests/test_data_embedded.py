"""Data inside scikit-learn as nearest-neighbour graphs."""

from pathlib import Path

import numpy as np
import pytest
from sklearn import datasets
from sklearn.metrics import pairwise_distances
from sklearn.preprocessing import scale

from gnn_dynamics.data.fetch.catalogue import load_catalogue
from gnn_dynamics.data.fetch.download import fetch_dataset
from gnn_dynamics.data.graph_facts import graph_facts
from gnn_dynamics.data.readers import read_dataset
from gnn_dynamics.errors import UserError

CATALOGUE = load_catalogue(Path(__file__).resolve().parents[1] / "config" / "datasets.yaml")
NAMES = ("wine", "breast-cancer", "digits")
LOAD = {
    "wine": datasets.load_wine,
    "breast-cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
}


@pytest.mark.parametrize("name", NAMES)
def test_edges_join_each_node_with_its_nearest(name):
    """By sorting all distances; the k-th is so far from the next that no rounding decides."""
    graph, k = read_dataset(name, CATALOGUE[name], None), CATALOGUE[name]["options"]["k"]
    distance = pairwise_distances(scale(LOAD[name]().data), metric="cosine")
    np.fill_diagonal(distance, np.inf)
    ordered = np.sort(distance, axis=1)
    assert (ordered[:, k] - ordered[:, k - 1]).min() > 1e-8
    near = distance <= ordered[:, k - 1 : k]
    np.testing.assert_array_equal(graph.adjacency.toarray(), near | near.T)


@pytest.mark.parametrize(
    ("name", "nodes", "edges", "m_x", "classes", "split"),
    [
        ("wine", 178, 2294, 13, 3, (10, 20, 148)),
        ("breast-cancer", 569, 20962, 30, 2, (10, 20, 539)),
        ("digits", 1797, 29753, 64, 10, (50, 100, 1647)),
    ],
)
def test_sizes_and_splits(name, nodes, edges, m_x, classes, split):
    graph = read_dataset(name, CATALOGUE[name], None)
    row = graph_facts(graph)
    assert (row["nodes"], row["edges"], row["features_count"]) == (nodes, edges, m_x)
    assert row["classes"] == classes == len(np.unique(graph.labels[graph.train]))
    assert tuple(map(len, (graph.train, graph.val, graph.test))) == split
    every = np.concatenate([graph.train, graph.val, graph.test])
    np.testing.assert_array_equal(np.sort(every), np.arange(nodes))


@pytest.mark.parametrize("name", NAMES)
def test_features_and_labels_are_the_raw_ones(name):
    graph, data = read_dataset(name, CATALOGUE[name], None), LOAD[name]()
    np.testing.assert_array_equal(graph.features.toarray(), data.data)
    np.testing.assert_array_equal(graph.labels, data.target)


def test_digits_keep_their_constant_pixels():
    X = read_dataset("digits", CATALOGUE["digits"], None).features.toarray()
    assert X.shape[1] == 64 and np.linalg.matrix_rank(X) == 61
    assert np.count_nonzero(np.ptp(X, axis=0) == 0) == 3


def test_nothing_is_fetched(tmp_path):
    entry = CATALOGUE["wine"]
    assert fetch_dataset(entry, tmp_path, "/no/such/mirror") == entry["files"]
    assert not list(tmp_path.iterdir())


def test_other_data_in_the_package_are_noticed():
    entry = CATALOGUE["wine"] | {"files": {"wine_data.csv": "0" * 64}}
    with pytest.raises(UserError, match=r"wine_data\.csv is damaged"):
        read_dataset("wine", entry, None)
