"""L*: two methods, its order relations, and the width from which weights attain it."""

import numpy as np
import pytest
import torch
from graphs import adjacency_of, graphs, make_graph, patient, planetoid
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from gnn_dynamics.models.model import Architecture
from gnn_dynamics.problem import labelled_columns
from gnn_dynamics.problem.aggregations import AGGREGATIONS
from gnn_dynamics.problem.labelled_columns import Columns
from gnn_dynamics.problem.problem import build_problem, targets
from gnn_dynamics.problem.propagation import propagated
from gnn_dynamics.spectra.optimum import (
    features,
    least_squares_residuals,
    optimum_rows,
    optimum_table,
    residual,
    row_basis,
    width_required,
)


def loss_optimum(G, Y) -> float:
    return residual(Y, row_basis([G]))


def rows_of(problem, depth, multiscale, draws) -> list[dict]:
    return optimum_rows(problem, depth, multiscale, draws, *features(problem, depth))


def width_suffices(arch: Architecture) -> bool:
    return arch.width >= width_required(arch.m_x, arch.m_y, arch.depth, arch.multiscale)


@pytest.mark.slow
@patient
@given(
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(0, 6),
    st.integers(1, 3),
    st.integers(0, 999),
)
def test_two_methods_and_the_pseudo_inverse_agree(rows, nbar, rank, m_y, seed):
    rng = np.random.default_rng(seed)
    rank = min(rank, rows, nbar)
    G = rng.standard_normal((rows, rank)) @ rng.standard_normal((rank, nbar))
    Y = rng.standard_normal((m_y, nbar))
    expected = np.square(Y - Y @ np.linalg.pinv(G, rtol=1e-10) @ G).sum()
    assert loss_optimum(G, Y) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert least_squares_residuals([G], Y).sum() == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_full_column_rank_gives_exactly_zero():
    G = np.random.default_rng(0).standard_normal((30, 5))
    assert loss_optimum(G, np.ones((2, 5))) == 0.0


@pytest.mark.slow
@patient
@given(graphs(), st.sampled_from(list(AGGREGATIONS)), st.integers(0, 3))
def test_skip_connections_never_raise_the_optimum(graph, kind, depth):
    problem = build_problem(graph, kind, "raw", "train")
    stack = rows_of(problem, depth, True, [("true", 0)])[0]
    norm = stack["label_norm_sq"]
    assert -0.0 <= stack["loss_optimum"] <= norm * (1 + 1e-12)
    for shallower in range(depth + 1):
        single = rows_of(problem, shallower, False, [("true", 0)])[0]
        assert stack["loss_optimum"] <= single["loss_optimum"] + 1e-10 * norm
        assert single["method_gap"] < 1e-9


def test_rows_report_one_factorisation_for_all_draws():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 30)
    graph = make_graph(adjacency_of(30, [(0, 1), (1, 2)]), rng.standard_normal((30, 4)), labels)
    problem = build_problem(graph, "gcn", "raw", "train")
    draws = [("true", 0), ("permuted", 0), ("permuted", 1), ("uniform", 1)]
    G = propagated(problem, 3)
    rows = optimum_rows(problem, 2, True, draws, G, Columns())
    M = np.vstack(G[:3])
    for row, draw in zip(rows, draws, strict=True):
        Y = targets(problem, *draw)
        assert (row["labels"], row["seed"]) == draw
        assert row["loss_optimum"] == pytest.approx(loss_optimum(M, Y), rel=1e-12)
        assert row["label_norm_sq"] == 30
        assert row["rank"] == np.linalg.matrix_rank(M)
        assert row["sigma_max"] == pytest.approx(np.linalg.norm(M, 2))
        assert row["method_gap"] < 1e-12
    assert len({row["loss_optimum"] for row in rows}) == 4


@pytest.mark.slow
@patient
@given(graphs(30), st.sampled_from(list(AGGREGATIONS)), st.integers(0, 3), st.booleans())
def test_features_from_a_file_give_the_same_optimum(graph, kind, depth, multiscale):
    problem = build_problem(graph, kind, "raw", "train")
    args = problem, depth, multiscale, [("true", 0), ("permuted", 1)]
    expected = rows_of(*args)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labelled_columns, "DENSE_BYTES", 0)
        found = rows_of(*args)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours["labels"], ours["rank"]) == (theirs["labels"], theirs["rank"])
        close = {"rel": 1e-9, "abs": 1e-10 * theirs["label_norm_sq"]}
        assert ours["loss_optimum"] == pytest.approx(theirs["loss_optimum"], **close)
        assert ours["label_norm_sq"] == theirs["label_norm_sq"] and ours["method_gap"] < 1e-9
        near = {"rel": 1e-6, "nan_ok": True}
        for name in ("sigma_max", "sigma_min", "sigma_min_positive"):
            assert ours[name] == pytest.approx(theirs[name], **near)


def test_table_follows_its_cells():
    graph = make_graph(adjacency_of(6, [(0, 1)]), np.random.default_rng(0).random((6, 2)))
    cell = {"aggregation": "gcn", "features": "raw", "nodes": "all", "labels": "true", "seed": 0}
    cells = [cell | {"multiscale": m, "depth": d} for d in (0, 2) for m in (False, True)]
    cells += [cells[0] | {"seed": 3}, cells[2] | {"aggregation": "gin"}]
    rows = optimum_table(graph, cells)
    key = tuple(cells[0])
    asked = sorted(tuple(cell[name] for name in key) for cell in cells)
    assert sorted(tuple(row[name] for name in key) for row in rows) == asked
    assert {row["dataset"] for row in rows} == {"toy"}


def test_width_required_follows_the_paper_s_numbers():
    assert width_required(1433, 7, 6, multiscale=True) == 42
    assert width_required(1433, 7, 6, multiscale=False) == 7
    assert width_required(4, 7, 2, multiscale=False) == 4
    assert width_required(4, 7, 0, multiscale=True) == 0
    assert not width_suffices(Architecture(1433, 32, 7, 6, True))
    assert width_suffices(Architecture(1433, 32, 7, 4, True))


def infimum(G, Y, arch, starts):
    """Smallest loss over the weights that L-BFGS finds from several random starts."""
    G, Y = [torch.from_numpy(G_l) for G_l in G], torch.from_numpy(Y)
    shapes = [(arch.width, fan_in) for fan_in in arch.layer_sizes[:-1]]
    shapes += [(arch.m_y, arch.layer_sizes[level]) for level in arch.levels]
    sizes = [rows * cols for rows, cols in shapes]

    def value(flat):
        flat = torch.tensor(flat, requires_grad=True)
        pieces = zip(flat.split(sizes), shapes, strict=True)
        weights = [piece.view(shape) for piece, shape in pieces]
        hidden, Yhat = torch.eye(arch.m_x, dtype=torch.float64), 0
        for level in range(arch.depth + 1):
            hidden = weights[level - 1] @ hidden if level else hidden
            if level in arch.levels:
                Yhat = Yhat + weights[arch.depth + arch.levels.index(level)] @ hidden @ G[level]
        loss = (Yhat - Y).square().sum()
        (gradient,) = torch.autograd.grad(loss, flat)
        return loss.item(), gradient.numpy()

    rng = np.random.default_rng(0)
    options = {"maxiter": 2000, "maxfun": 3000, "ftol": 1e-16, "gtol": 1e-10}
    points = [rng.standard_normal(sum(sizes)) * 0.6 for _ in range(starts)]
    return min(minimize(value, x, jac=True, method="L-BFGS-B", options=options).fun for x in points)


@pytest.fixture(scope="module")
def narrow():
    """m_x = 4, m_y = 2, H = 2, 14 nodes: L* > 0 for both models."""
    rng = np.random.default_rng(3)
    edges = [(i, (i * 5 + 1) % 14) for i in range(14) if i != (i * 5 + 1) % 14]
    graph = make_graph(adjacency_of(14, edges), rng.standard_normal((14, 4)))
    problem = build_problem(graph, "gcn", "standard", "all")
    G = [G_l / np.linalg.norm(G_l, 2) for G_l in propagated(problem, 2)]
    return [np.ascontiguousarray(G_l) for G_l in G], rng.standard_normal((2, 14))


@pytest.mark.slow
@pytest.mark.parametrize("multiscale", [False, True])
def test_sufficient_width_attains_the_closed_form(narrow, multiscale):
    G, Y = narrow
    optimum = loss_optimum(np.vstack(G) if multiscale else G[2], Y)
    assert 0.1 < optimum < np.square(Y).sum()
    arch = Architecture(4, width_required(4, 2, 2, multiscale), 2, 2, multiscale)
    assert width_suffices(arch)
    # The valley is flat: which start gets how far in 2000 steps depends on the machine's rounding.
    found = infimum(G, Y, arch, starts=4)
    assert optimum * (1 - 1e-9) <= found <= optimum * (1 + 1e-3)


def test_a_bottleneck_costs_what_reduced_rank_regression_says(narrow):
    """Width 1 without skips: L* plus the squared singular values of Y P beyond the first."""
    G, Y = narrow
    lost = np.linalg.svd(Y @ row_basis([G[2]]), compute_uv=False)[1:]
    expected = loss_optimum(G[2], Y) + np.square(lost).sum()
    arch = Architecture(4, 1, 2, 2, multiscale=False)
    assert not width_suffices(arch)
    assert infimum(G, Y, arch, starts=4) == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
def test_skip_connections_need_more_width_than_outputs(narrow):
    """At m_l = m_y the heads, which share B_1, stay above the closed form."""
    G, Y = narrow
    arch = Architecture(4, 2, 2, 2, multiscale=True)
    assert not width_suffices(arch)
    assert infimum(G, Y, arch, starts=3) > loss_optimum(np.vstack(G), Y) * 1.1


@pytest.mark.parametrize("name", ["cora", "citeseer"])
def test_public_splits_are_fitted_exactly(mirror, name):
    """CiteSeer's twins 35 and 89 share a label, so that rank 119 of 120 costs nothing."""
    problem = build_problem(planetoid(mirror, name), "gcn", "row", "train")
    for multiscale in (False, True):
        row = rows_of(problem, 2, multiscale, [("true", 0)])[0]
        assert row["loss_optimum"] < 1e-20 and row["method_gap"] < 1e-20


def test_twins_with_unlike_labels_cost_half_a_unit_each(mirror):
    """Two equal columns with targets e_a and e_b: the best common output is their mean."""
    graph = planetoid(mirror, "citeseer")
    graph.labels[89], kept = (graph.labels[35] + 1) % 6, graph.labels[89]
    try:
        problem = build_problem(graph, "gcn", "row", "train")
    finally:
        graph.labels[89] = kept
    single = rows_of(problem, 2, False, [("true", 0)])[0]
    assert single["loss_optimum"] == pytest.approx(1.0, rel=1e-9)
    assert single["method_gap"] < 1e-9
    assert rows_of(problem, 2, True, [("true", 0)])[0]["loss_optimum"] == 0.0
