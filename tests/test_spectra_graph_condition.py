"""The graph condition: rank, culprits, interlacing, two methods; facts about Cora and CiteSeer."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from graphs import adjacency_of, graphs, make_graph, patient, planetoid
from hypothesis import given
from hypothesis import strategies as st

from gnn_dynamics.linalg.singular_values import rank_tolerance
from gnn_dynamics.problem.aggregations import AGGREGATIONS
from gnn_dynamics.problem.problem import build_problem
from gnn_dynamics.problem.propagation import propagated
from gnn_dynamics.spectra import graph_condition as module
from gnn_dynamics.spectra.graph_condition import condition_rows, condition_table


def rows_of(graph, kind="gcn", depths=(0, 1, 2), nodes="train", features="raw"):
    rows = condition_rows(build_problem(graph, kind, features, nodes), depths)
    return {(row["multiscale"], row["depth"]): row for row in rows}


@patient
@given(graphs(), st.sampled_from(list(AGGREGATIONS)))
def test_every_row_is_the_dense_svd_of_its_matrix(graph, kind):
    problem = build_problem(graph, kind, "raw", "train")
    G = propagated(problem, 3)
    for (multiscale, depth), row in rows_of(graph, kind, depths=(0, 1, 3)).items():
        M = np.vstack(G[: depth + 1]) if multiscale else G[depth]
        s = np.linalg.svd(M, compute_uv=False)
        rank = int((s > rank_tolerance(s[0], M.shape)).sum())
        assert (row["rows"], row["cols"], row["rank"]) == (*M.shape, rank)
        assert row["condition_holds"] == (rank == min(M.shape))
        assert row["sigma_max"] == pytest.approx(s[0], rel=1e-12)
        if rank:
            assert row["sigma_min_positive"] == pytest.approx(s[rank - 1], rel=1e-6)
            assert row["sigma_min_positive_sq"] == row["sigma_min_positive"] ** 2
        if not row["condition_holds"]:
            assert row["sigma_min"] == row["sigma_min_sq"] == 0
        if row["relative_gap"] is not None:
            assert row["relative_gap"] < 1e-6


@pytest.mark.slow
@patient
@given(graphs(), st.sampled_from(list(AGGREGATIONS)))
def test_neither_rank_nor_sigma_of_the_stack_falls_with_depth(graph, kind):
    rows = [rows_of(graph, kind, range(5))[True, depth] for depth in range(5)]
    for before, now in pairwise(rows):
        assert now["rank"] >= before["rank"]
        if now["rank"] == before["rank"] > 0:
            assert now["sigma_min_positive"] >= before["sigma_min_positive"] * (1 - 1e-9)


@patient
@given(graphs(), st.sampled_from(list(AGGREGATIONS)))
def test_named_nodes_are_those_of_the_null_space(graph, kind):
    problem = build_problem(graph, kind, "raw", "train")
    for row in condition_rows(problem, [2]):
        G = np.vstack(propagated(problem, 2)[0 if row["multiscale"] else 2 :])
        deficient = row["rank"] < row["cols"] <= row["rows"]
        if not deficient:
            assert row["culprit_nodes"] is None
            continue
        _, _, Vh = np.linalg.svd(G, full_matrices=True)
        involved = np.abs(Vh[row["rank"] :]).max(axis=0) > 1e-6
        assert row["culprit_nodes"] == sorted(problem.node_ids[involved].tolist())


def test_depths_may_have_gaps():
    problem = build_problem(make_graph(adjacency_of(3, [(0, 1)]), np.eye(3)), "gcn", "raw", "all")
    rows = condition_rows(problem, [3, 1])
    cells = [(False, 1), (True, 1), (False, 3), (True, 3)]
    assert [(row["multiscale"], row["depth"]) for row in rows] == cells


@pytest.mark.parametrize("kind", AGGREGATIONS)
def test_closed_twins_break_the_condition_until_the_features_return(kind):
    """Nodes 1 and 2 are joined to each other only: equal columns of X S^l for l >= 1."""
    rng = np.random.default_rng(0)
    graph = make_graph(adjacency_of(5, [(1, 2), (0, 3), (3, 4)]), rng.standard_normal((5, 8)))
    rows = rows_of(graph, kind)
    assert rows[False, 0]["condition_holds"]
    for depth in (1, 2):
        assert rows[False, depth]["rank"] == 4 and rows[False, depth]["sigma_min"] == 0
        assert rows[False, depth]["culprit_nodes"] == [1, 2]
        assert rows[True, depth]["condition_holds"]
        assert rows[True, depth]["culprit_nodes"] is None


def test_constant_features_are_named_where_features_are_fewer_than_nodes():
    X = np.random.default_rng(0).standard_normal((9, 4))
    X[:, 2] = 0
    path = adjacency_of(9, [(i, i + 1) for i in range(8)])
    rows = rows_of(make_graph(path, X), depths=(0, 1))
    for key in ((False, 0), (False, 1), (True, 1)):
        assert not rows[key]["condition_holds"]
        assert rows[key]["culprit_nodes"] is None
        assert rows[key]["culprit_features"] == [2]


def test_growth_beyond_float64_keeps_the_proven_rank():
    """A star with 40 leaves: 20 hops of A + I grow by 1e17, but the stack contains X itself."""
    edges = [(0, leaf) for leaf in range(1, 41)]
    rows = rows_of(make_graph(adjacency_of(42, edges), np.eye(42)), "gin", depths=(0, 20))
    deep = rows[True, 20]
    assert deep["sigma_max"] * 1e-16 > 1  # so that sigma_min = sqrt(21) drowns
    assert deep["condition_holds"] and deep["rank"] == 42
    assert deep["method"] == "interlacing" and deep["relative_gap"] is None
    assert rows[True, 0]["sigma_min"] <= deep["sigma_min"] <= np.sqrt(21) * (1 + 1e-9)


def test_second_method_is_left_out_where_it_costs_too_much(monkeypatch):
    graph = make_graph(adjacency_of(3, [(0, 1)]), np.eye(3) + 1)
    assert rows_of(graph)[True, 1]["second_method"] == "gram"
    monkeypatch.setattr(module, "SECOND_METHOD_WORK", 1)
    row = rows_of(graph)[True, 1]
    assert row["second_method"] is None and row["relative_gap"] is None


def test_a_wrong_factor_would_show_in_the_gap(monkeypatch):
    graph = make_graph(adjacency_of(6, [(0, 1)]), np.random.default_rng(0).random((6, 9)))
    right = module.singular_values
    monkeypatch.setattr(module, "singular_values", lambda M: right(M) * (1 + 1e-4))
    assert rows_of(graph)[True, 2]["relative_gap"] > 1e-5


def test_table_has_a_row_for_every_cell():
    grid = {"aggregations": ["gcn", "rw"], "features": ["raw", "row"], "nodes": ["all"]}
    rows = condition_table(make_graph(adjacency_of(3, []), np.eye(3)), grid | {"depths": [0, 2]})
    keys = ("dataset", "aggregation", "features", "nodes", "multiscale", "depth")
    assert len({tuple(row[key] for key in keys) for row in rows}) == len(rows) == 16


@pytest.mark.parametrize("kind", ["gcn", "gin"])
def test_citeseer_public_split_has_twins(mirror, kind):
    rows = rows_of(planetoid(mirror, "citeseer"), kind, range(11))
    assert rows[False, 0]["condition_holds"]
    for depth in range(1, 11):
        linear, stack = rows[False, depth], rows[True, depth]
        assert (linear["rank"], linear["cols"]) == (119, 120)
        assert linear["culprit_nodes"] == [35, 89] and linear["sigma_min"] == 0
        assert linear["rank_gap"] > 1e9
        assert stack["condition_holds"] and stack["sigma_min"] > 2.7


@pytest.mark.parametrize("kind", ["gcn", "gin"])
def test_cora_public_split_meets_the_condition_and_two_methods_agree(mirror, kind):
    rows = rows_of(planetoid(mirror, "cora"), kind, range(11))
    assert all(row["condition_holds"] and row["cols"] == 140 for row in rows.values())
    assert all(row["sigma_min_positive"] > 2 * row["tolerance"] for row in rows.values())
    assert max(row["relative_gap"] for row in rows.values()) < 1e-6
    if kind == "gcn":  # raw features, by an independent computation
        assert rows[False, 3]["sigma_min"] == pytest.approx(6.9825e-3, rel=1e-4)


PRIME = 2**31 - 1


def exact_rank(M):
    """Rank of an integer matrix modulo a prime, never above its rank over the rationals."""
    M, rank = M.astype(np.int64) % PRIME, 0
    for column in range(M.shape[1]):
        candidates = rank + np.flatnonzero(M[rank:, column])
        if candidates.size:
            M[[rank, candidates[0]]] = M[[candidates[0], rank]]
            M[rank] = M[rank] * pow(int(M[rank, column]), -1, PRIME) % PRIME
            M[rank + 1 :] -= M[rank + 1 :, column, np.newaxis] * M[rank] % PRIME
            M[rank + 1 :] %= PRIME
            rank += 1
    return rank


@pytest.mark.parametrize(("name", "rank"), [("cora", 140), ("citeseer", 119)])
def test_numerical_rank_is_the_exact_one_at_condition_1e14(mirror, name, rank):
    """Raw features and A + I are integers, and float64 holds X S^10 without any rounding."""
    problem = build_problem(planetoid(mirror, name), "gin", "raw", "train")
    G = propagated(problem, 10)[10]
    assert (np.rint(G) == G).all() and G.max() < 2**53
    assert exact_rank(G.T) == rank
    assert condition_rows(problem, [10])[0]["rank"] == rank


@pytest.mark.slow
def test_cora_all_nodes_lacks_two_features(mirror):
    problem = build_problem(planetoid(mirror, "cora"), "gcn", "raw", "all")
    for row in condition_rows(problem, [0, 1])[::2]:
        assert (row["rows"], row["cols"], row["rank"]) == (1433, 2708, 1431)
        assert row["rank_gap"] > 1e10
        assert row["culprit_features"] is not None and row["culprit_nodes"] is None


def test_rounding_errors_of_ten_hops_stay_below_the_tolerance(mirror):
    """Against X S^l in extended precision: what `rank_tolerance` counts on."""
    problem = build_problem(planetoid(mirror, "cora"), "gcn", "row", "train")
    S, columns = problem.S.astype(np.longdouble), problem.R.toarray().astype(np.longdouble)
    for _ in range(10):
        columns = S @ columns
    exact = problem.X.T.astype(np.longdouble) @ columns
    G = propagated(problem, 10)[10]
    error = np.linalg.norm((G - exact).astype(np.float64), ord=2)
    assert error < rank_tolerance(torch.linalg.matrix_norm(torch.from_numpy(G), 2), G.shape) / 2


def test_all_nodes_may_have_lists_of_their_own():
    graph = make_graph(adjacency_of(3, [(0, 1)]), np.eye(3))
    grid = {
        "aggregations": ["gcn", "gin"],
        "features": ["raw", "row"],
        "nodes": ["train", "all"],
        "depths": [0, 1, 2],
        "all_nodes": {"features": ["row"], "depths": [1]},
    }
    cells = {(r["nodes"], r["features"], r["depth"]) for r in condition_table(graph, grid)}
    assert {cell for cell in cells if cell[0] == "all"} == {("all", "row", 1)}
    assert len(cells) == 2 * 3 + 1
