"""Label alignment: definition, limits, and the mean over permutations."""

from itertools import permutations

import numpy as np
import pytest
from graphs import make_graph
from hypothesis import given
from hypothesis import strategies as st
from problems import random_adjacency

from gnn_dynamics.problem.problem import build_problem, targets
from gnn_dynamics.problem.propagation import propagated
from gnn_dynamics.spectra.label_alignment import (
    alignment,
    alignment_table,
    expected_alignment,
    leading_directions,
)


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 3), st.integers(1, 5))
def test_expected_alignment_is_the_mean_over_all_permutations(seed, k, m_y, nbar):
    rng = np.random.default_rng(seed)
    Y = rng.standard_normal((m_y, nbar)) + rng.standard_normal()
    V = np.linalg.qr(rng.standard_normal((nbar, min(k, nbar))))[0]
    every = [alignment(Y[:, list(order)], V) for order in permutations(range(nbar))]
    assert expected_alignment(Y, V) == pytest.approx(np.mean(every), rel=1e-9)


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 9))
def test_alignment_lies_between_0_and_1_and_reaches_both(seed, k, nbar):
    rng = np.random.default_rng(seed)
    M = rng.standard_normal((12, nbar))
    V = leading_directions([M[:5], M[5:]], k)
    assert V.shape == (nbar, min(k, nbar))
    Y = rng.standard_normal((2, nbar))
    assert -1e-12 <= alignment(Y, V) <= 1 + 1e-12
    assert alignment(rng.standard_normal((2, V.shape[1])) @ V.T, V) == pytest.approx(1)
    assert alignment(Y - (Y @ V) @ V.T, V) < 1e-12 or nbar <= k


def test_directions_are_those_of_a_dense_svd():
    rng = np.random.default_rng(0)
    blocks = [rng.standard_normal((7, 9)) for _ in range(3)]
    found = leading_directions(blocks, 3)
    dense = np.linalg.svd(np.vstack(blocks))[2][:3].T
    np.testing.assert_allclose(found @ found.T, dense @ dense.T, atol=1e-12)


def test_table_has_a_row_for_each_cell_and_true_labels_that_follow_the_graph_align():
    """Two groups of nodes with their own features: the labels are the leading directions."""
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 20)
    adjacency = np.zeros((40, 40))
    for group in (slice(0, 20), slice(20, 40)):
        adjacency[group, group] = random_adjacency(20, 60, rng).toarray()
    features = np.eye(2)[labels] + 0.01 * rng.random((40, 2))
    graph = make_graph(adjacency, features, labels)
    common = {"aggregation": "gcn", "features": "raw", "nodes": "all", "depth": 2}
    cells = [
        common | {"multiscale": scale, "labels": kind, "seed": seed}
        for scale in (False, True)
        for kind in ("true", "permuted")
        for seed in (0, 1)
    ]
    rows = alignment_table(graph, cells)
    assert [{key: row[key] for key in cells[0]} for row in rows] == cells
    for row in rows:
        G = propagated(build_problem(graph, "gcn", "raw", "all"), 2)
        M = np.vstack(G) if row["multiscale"] else G[2]
        P = np.linalg.svd(M)[2][:2]
        Y = targets(build_problem(graph, "gcn", "raw", "all"), row["labels"], row["seed"])
        share = np.square(Y @ P.T).sum() / np.square(Y).sum()
        assert row["alignment"] == pytest.approx(share, rel=1e-9)
        assert row["directions"] == 2
        if row["labels"] == "true":
            assert row["alignment"] > 0.9 > row["alignment_expected"]
