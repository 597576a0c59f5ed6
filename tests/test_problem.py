"""S, X, R and G_l against their definitions, written out densely."""

import numpy as np
import pytest
import scipy.sparse as sp
from graphs import adjacency_of, graphs, make_graph, patient, planetoid
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler
from torch import from_numpy
from torch_geometric.nn.conv.gcn_conv import gcn_norm
from torch_geometric.transforms import NormalizeFeatures

from gnn_dynamics.config.choices import built_in
from gnn_dynamics.errors import UserError
from gnn_dynamics.problem import propagation as module
from gnn_dynamics.problem.aggregations import AGGREGATIONS
from gnn_dynamics.problem.features import FEATURES
from gnn_dynamics.problem.problem import build_problem, kept_problem, readout_matrix
from gnn_dynamics.problem.propagation import propagated

PATH = adjacency_of(4, [(0, 1), (1, 2)])  # node 3 is isolated
X = np.array([[1.0, 0, 3], [0, 2, 2], [0, 0, 0], [4, 0, 4]])


def dense_powers(problem, depth):
    S, XT, R = problem.S.toarray(), sp.csr_array(problem.X).toarray().T, problem.R.toarray()
    return [XT @ np.linalg.matrix_power(S, level) @ R for level in range(depth + 1)]


@patient
@given(graphs(), st.sampled_from(list(AGGREGATIONS)), st.integers(0, 4), st.booleans())
def test_both_orders_of_multiplication_give_the_definition(graph, kind, depth, everything):
    problem = build_problem(graph, kind, "raw", "all" if everything else "train")
    expected = dense_powers(problem, depth)
    for order in (module._from_readout, module._from_features, propagated):
        for G, reference in zip(order(problem, depth), expected, strict=True):
            assert G.dtype == np.float64
            np.testing.assert_allclose(G, reference, rtol=1e-12, atol=1e-12)


def test_the_cheaper_order_is_taken():
    many = make_graph(adjacency_of(40, []), np.ones((40, 3)), train=np.arange(40))
    few = make_graph(adjacency_of(40, []), sp.eye_array(40), train=[0])
    calls = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_from_readout", "_from_features"):
            patch.setattr(module, name, lambda *_, name=name: calls.append(name) or [])
        for graph in (many, few):
            propagated(build_problem(graph, "gcn", "raw", "train"), 2)
    assert calls == ["_from_features", "_from_readout"]


def test_gcn_is_pyg_s_normalisation():
    edges = from_numpy(np.stack(PATH.nonzero())).long()
    index, weight = gcn_norm(edges, num_nodes=4)
    expected = sp.csr_array((weight.double().numpy(), index.numpy()), (4, 4)).toarray()
    np.testing.assert_allclose(AGGREGATIONS["gcn"](PATH).toarray(), expected, rtol=1e-6)


def test_gin_adds_loops_and_rw_averages_over_closed_neighbourhoods():
    np.testing.assert_array_equal(AGGREGATIONS["gin"](PATH).toarray(), PATH.toarray() + np.eye(4))
    mean = X.T @ AGGREGATIONS["rw"](PATH).toarray()
    np.testing.assert_allclose(mean[:, 1], X[[0, 1, 2]].mean(axis=0))
    np.testing.assert_allclose(mean[:, 3], X[3])


def test_row_features_sum_to_one_and_zero_rows_stay(mirror):
    rows = FEATURES["row"](sp.csr_array(X)).toarray()
    np.testing.assert_allclose(rows.sum(axis=1), [1, 1, 0, 1])
    cora = planetoid(mirror, "cora").features
    data = NormalizeFeatures()(_data(cora.toarray()))
    ours = FEATURES["row"](cora).toarray()
    np.testing.assert_allclose(ours, data.x.numpy(), rtol=1e-15, atol=0)


def _data(x):
    from torch_geometric.data import Data

    return Data(x=from_numpy(x))


def test_row_features_with_signs_that_cancel_stay_finite():
    rows = FEATURES["row"](sp.csr_array([[1.0, -1.0], [3.0, -1.0]])).toarray()
    np.testing.assert_allclose(rows, [[0.5, -0.5], [0.75, -0.25]])


def test_standard_features_are_z_scores_and_constant_ones_vanish():
    Z = np.column_stack([X, np.full(4, 0.1)])
    ours = FEATURES["standard"](sp.csr_array(Z))
    np.testing.assert_allclose(ours[:, :3], StandardScaler().fit_transform(X))
    assert (ours[:, 3] == 0).all()


@pytest.mark.parametrize("r", [1, 3, 6])
def test_pca_scores_carry_the_largest_variances(r):
    Z = np.random.default_rng(0).standard_normal((20, 6)) * [9, 5, 3, 2, 1, 0.5]
    ours = FEATURES[f"pca-{r}"](sp.csr_array(Z))
    s = np.linalg.svd(Z - Z.mean(axis=0), compute_uv=False)
    np.testing.assert_allclose(ours.T @ ours, np.diag(s[:r] ** 2), atol=1e-9)
    again = FEATURES[f"pca-{r}"](sp.csr_array(Z))
    np.testing.assert_array_equal(ours, again)


@pytest.mark.parametrize("kind", ["pca-0", "pca-", "pca-x", "pca-9", "rows", ""])
def test_unknown_features_are_refused(kind):
    with pytest.raises(UserError, match="features"):
        FEATURES[kind](sp.csr_array(X))


def test_unknown_aggregation_is_refused():
    words = (
        f"aggregation: 'gat' is not allowed.*{', '.join(built_in('aggregation'))}, file.py:function"
    )
    with pytest.raises(UserError, match=words):
        AGGREGATIONS["gat"](PATH)


def test_readout_selects_training_or_labelled_nodes():
    graph = make_graph(PATH, X, labels=[0, 1, -1, 1], train=[3, 0])
    np.testing.assert_array_equal(X.T @ readout_matrix(graph, "train"), X[[3, 0]].T)
    np.testing.assert_array_equal(build_problem(graph, "gcn", "raw", "all").node_ids, [0, 1, 3])
    np.testing.assert_array_equal(build_problem(graph, "gcn", "raw", "train").labels, [1, 0])


def test_readout_of_graphs_is_the_mean_over_their_nodes():
    graph = make_graph(PATH, X, [0, 1, 0], train=[2, 0], graph_index=[0, 0, 1, 2])
    expected = np.stack([X[3], X[:2].mean(axis=0)], axis=1)
    np.testing.assert_allclose(X.T @ readout_matrix(graph, "train").toarray(), expected)
    assert build_problem(graph, "gin", "raw", "all").nbar == 3


def test_a_kept_problem_is_that_of_its_own_graph():
    one, other = make_graph(PATH, X), make_graph(PATH, 2 * X)
    for graph in (one, other, one):
        kept, built = (make(graph, "gcn", "raw", "all") for make in (kept_problem, build_problem))
        assert kept is kept_problem(graph, "gcn", "raw", "all")
        np.testing.assert_array_equal(kept.X.toarray(), built.X.toarray())
        np.testing.assert_array_equal(kept.S.toarray(), built.S.toarray())


def test_regression_takes_every_finite_target():
    graph = make_graph(PATH, X, [0.5, np.nan, 2.0, -1.0], task="regression", train=[0])
    problem = build_problem(graph, "gcn", "raw", "all")
    assert (problem.m_y, problem.nbar) == (1, 3)


@pytest.mark.parametrize(
    ("graph", "nodes", "message"),
    [
        (make_graph(PATH, X, train=[]), "train", "no labelled node"),
        (make_graph(PATH, X, [0, -1, 0, 0], train=[0, 1]), "train", "without a label.* 1;"),
        (make_graph(PATH, X), "test", "nodes 'test' is unknown"),
        (make_graph(PATH, X, [0, 0], graph_index=[1, 1, 1, 1]), "all", "member 0 .* no nodes"),
    ],
)
def test_sets_of_nodes_that_cannot_be_trained_on(graph, nodes, message):
    with pytest.raises(UserError, match=message):
        readout_matrix(graph, nodes)
