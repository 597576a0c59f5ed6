"""Aggregation by columns, QR by rows: the same numbers as in memory, within a budget."""

import subprocess
import sys
import tracemalloc
import weakref
from collections import namedtuple
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from graphs import adjacency_of, graphs, make_graph, patient
from hypothesis import given
from hypothesis import strategies as st

from gnn_dynamics.artifacts import files
from gnn_dynamics.artifacts.npz import mapped_array
from gnn_dynamics.data.adjacency import csr_of_ones
from gnn_dynamics.data.graph import save_graph
from gnn_dynamics.errors import UserError
from gnn_dynamics.linalg.singular_values import tsqr
from gnn_dynamics.problem import by_columns
from gnn_dynamics.problem.aggregations import AGGREGATIONS
from gnn_dynamics.problem.by_columns import (
    column_blocks,
    features_on_disk,
    graph_source,
    problem_source,
    row_blocks,
    submatrix,
)
from gnn_dynamics.problem.matrix_file import temporary_matrix_file
from gnn_dynamics.problem.problem import build_problem
from gnn_dynamics.problem.propagation import propagated
from gnn_dynamics.spectra import graph_condition as module
from gnn_dynamics.spectra.graph_condition import condition_rows, condition_table, streamed_rows
from gnn_dynamics.spectra.memory import bytes_in_memory, held_bytes, working_bytes

pytestmark = pytest.mark.slow

NODES = st.sampled_from(["train", "all"])
KINDS = ("raw", "row", "standard")
FEATURES = st.sampled_from(KINDS)
ROOT = Path(__file__).resolve().parents[1]


def pooled(graph):
    """The same nodes as two graphs, or one."""
    index = np.arange(graph.n) * 2 // graph.n
    return make_graph(graph.adjacency, graph.features, graph_index=index)


def read_back(source, depth, memory=0.0):
    """[P_0, ..., P_H] of a source, read three rows at a time."""
    hops = range(depth + 1)
    return np.vstack(list(features_on_disk(source, hops, memory).row_blocks(hops, 3)))


@patient
@given(graphs(40), st.sampled_from(list(AGGREGATIONS)), FEATURES, NODES, st.integers(0, 3))
def test_columns_are_aggregated_as_in_memory(graph, kind, features, nodes, depth):
    for each in (graph, pooled(graph)):
        problem = build_problem(each, kind, features, nodes)
        expected = np.vstack(propagated(problem, depth)).T
        lean = graph_source(each, kind, features, nodes, depth)
        for source in (lean, problem_source(problem)):
            np.testing.assert_allclose(read_back(source, depth), expected, rtol=1e-12, atol=1e-12)


@patient
@given(
    graphs(40),
    st.sampled_from(list(AGGREGATIONS)),
    st.sampled_from([*KINDS, "pca-1"]),
    NODES,
    st.integers(0, 3),
    st.sampled_from(["float16", "float32"]),
)
def test_features_in_a_file_give_the_same_numbers(
    tmp_path_factory, graph, kind, features, nodes, depth, dtype
):
    path = tmp_path_factory.mktemp("features") / "a.npz"
    X = graph.features.toarray().astype(dtype)
    np.savez(path, X=X)
    sparse, dense = (
        make_graph(graph.adjacency, X, graph.labels, graph.train),
        replace(graph, features=mapped_array(path, "X")),
    )
    problems = [build_problem(each, kind, features, nodes) for each in (sparse, dense)]
    expected, found = (np.vstack(propagated(problem, depth)).T for problem in problems)
    assert type(problems[1].X) is np.ndarray and problems[1].X.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_columns, "ROWS", 3)
        found = read_back(graph_source(dense, kind, features, nodes, depth), depth)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("train", [[0], None], ids=["few within reach", "all nodes"])
@pytest.mark.parametrize("features", KINDS)
def test_features_in_a_file_are_never_in_memory_as_a_whole(train, features, tmp_path, monkeypatch):
    n, m_x = 2**16, 64
    X = np.random.default_rng(0).standard_normal((n, m_x), dtype=np.float32)
    np.savez(tmp_path / "a.npz", X=X)
    path = sp.diags_array([np.ones(n - 1)] * 2, offsets=[-1, 1], format="csr")
    graph = make_graph(path, sp.csr_array((n, m_x)), train=train)
    graph = replace(graph, features=mapped_array(tmp_path / "a.npz", "X"))
    monkeypatch.setattr(by_columns, "ROWS", 2**10)
    tracemalloc.start()
    source = graph_source(graph, "gcn", features, "train", 1)
    features_on_disk(source, [0, 1], 0.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < X.nbytes


@patient
@given(graphs(30), st.sampled_from(list(AGGREGATIONS)), st.integers(1, 9))
def test_rows_in_blocks_of_few_entries_aggregate_alike(graph, kind, most):
    problem = build_problem(graph, kind, "raw", "all")
    expected = np.vstack(propagated(problem, 2)).T
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_columns, "MOST_ENTRIES", most)
        blocks = row_blocks(graph.adjacency)
        for source in (problem_source(problem), graph_source(graph, kind, "raw", "all", 2)):
            np.testing.assert_allclose(read_back(source, 2), expected, rtol=1e-12, atol=1e-12)
    rows = [index for rows, _ in blocks for index in range(rows.start, rows.stop)]
    assert rows == list(range(graph.n))
    for rows, block in blocks:
        assert len(block.values()) <= most or rows.stop == rows.start + 1


def test_a_matrix_shares_its_memory_with_its_blocks():
    graph = make_graph(adjacency_of(4, [(0, 1), (1, 2)]), np.eye(4))
    ((rows, block),) = row_blocks(graph.adjacency)
    assert rows == slice(0, 4)
    assert block.values().data_ptr() == graph.adjacency.data.ctypes.data
    assert block.col_indices().data_ptr() == graph.adjacency.indices.ctypes.data


@patient
@given(graphs(30), st.integers(1, 9), st.data())
def test_the_part_of_a_graph_within_reach_is_cut_out_as_by_scipy(graph, chunk, data):
    A = csr_of_ones(graph.adjacency.indices, graph.adjacency.indptr)
    kept = np.array(sorted(data.draw(st.sets(st.integers(0, graph.n - 1), min_size=1))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_columns, "CHUNK", chunk)
        part = submatrix(A, kept)
    expected = graph.adjacency[kept][:, kept]
    np.testing.assert_array_equal(part.toarray(), expected.toarray())
    assert part.has_sorted_indices and part.shape == expected.shape


def test_a_matrix_of_ones_has_no_memory_for_them():
    A = csr_of_ones(np.tile(np.arange(2, dtype=np.int32), 1000), 2 * np.arange(1001))
    assert A.data.base.nbytes == 8 and A.indices.dtype == np.int32 and A.indptr.dtype == np.int64
    for rows, block in row_blocks(A):
        assert block.values().tolist() == [1.0] * (2 * (rows.stop - rows.start))


def test_principal_components_and_many_blocks_of_columns():
    X = np.random.default_rng(0).standard_normal((60, 30))
    graph = make_graph(adjacency_of(60, [(i, i + 1) for i in range(50)]), X)
    problem = build_problem(graph, "gcn", "pca-20", "all")
    source = graph_source(graph, "gcn", "pca-20", "all", 2)
    assert column_blocks(source, 0.0) == [(0, 8), (8, 16), (16, 20)]
    assert column_blocks(source, 9 * source.column_bytes) == column_blocks(source, 0.0)
    assert column_blocks(source, 17 * source.column_bytes) == [(0, 16), (16, 20)]
    assert column_blocks(source, 1e9) == [(0, 20)]
    for memory in (0.0, 1e9):
        expected = np.vstack(propagated(problem, 2)).T
        np.testing.assert_allclose(read_back(source, 2, memory), expected, rtol=1e-11, atol=1e-12)


def test_one_block_of_columns_is_gone_before_the_next():
    graph = make_graph(adjacency_of(30, [(0, 1)]), np.eye(30))
    source, alive = graph_source(graph, "gcn", "raw", "all", 1), []

    def columns(first, end):
        assert all(reference() is None for reference in alive)
        made = source.columns(first, end)
        alive.append(weakref.ref(made))
        return made

    read_back(replace(source, columns=columns), 1)
    assert len(alive) == 4


def test_only_nodes_within_reach_are_aggregated():
    """On a path of 200 nodes, three hops from node 0 reach four."""
    path = adjacency_of(200, [(i, i + 1) for i in range(199)])
    X = np.random.default_rng(0).standard_normal((200, 5))
    graph = make_graph(path, X, train=[0])
    problem = build_problem(graph, "gcn", "standard", "train")
    source = graph_source(graph, "gcn", "standard", "train", 3)
    assert source.readout.shape == (1, 4)
    np.testing.assert_allclose(
        read_back(source, 3), np.vstack(propagated(problem, 3)).T, rtol=1e-12
    )


@patient
@given(graphs(30), st.sampled_from(list(AGGREGATIONS)), FEATURES, NODES, st.sets(st.integers(0, 4)))
def test_streamed_rows_are_those_in_memory(graph, kind, features, nodes, depths):
    depths = sorted(depths | {0})
    expected = condition_rows(build_problem(graph, kind, features, nodes), depths)
    found = streamed_rows(graph, kind, features, nodes, depths, 8e9)
    resolution = {"relative_gap", "second_method", "rank_gap"}  # of what is zero but for rounding
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.keys() == theirs.keys()
        for name in ours.keys() - resolution:
            if isinstance(theirs[name], float):
                scale = 1e-13 * theirs["sigma_max"]
                assert ours[name] == pytest.approx(
                    theirs[name], rel=1e-9, abs=scale, nan_ok=True
                ), name
            else:
                assert ours[name] == theirs[name], name


@pytest.mark.parametrize("rank", [12, 9])
@pytest.mark.parametrize(("condition", "accuracy"), [(1e2, 1e-10), (1e8, 1e-6)])
@pytest.mark.parametrize("heights", [[5000], [1, 37, 4000, 962], [50] * 100])
def test_blocks_give_the_singular_values_of_the_dense_svd(heights, condition, accuracy, rank):
    rng = np.random.default_rng(rank)
    U = np.linalg.qr(rng.standard_normal((5000, rank)))[0]
    V = np.linalg.qr(rng.standard_normal((12, rank)))[0]
    M = (U * np.geomspace(1, 1 / condition, rank)) @ V.T
    edges = np.cumsum([0, *heights])
    R = tsqr(M[a:b] for a, b in pairwise(edges)).numpy()
    found, dense = (np.linalg.svd(A, compute_uv=False) for A in (R, M))
    np.testing.assert_allclose(found[:rank], dense[:rank], rtol=accuracy)
    np.testing.assert_allclose(found[rank:], 0, atol=1e-14)


def test_random_features_through_the_whole_stream_at_both_sizes_of_blocks():
    """More labelled nodes than stacked features, so that one factor serves every depth."""
    rng = np.random.default_rng(0)
    half = sp.random_array((900, 900), density=0.01, rng=rng)
    graph = make_graph((half + half.T) > 0, rng.standard_normal((900, 20)))
    problem = build_problem(graph, "gcn", "raw", "all")
    rows = streamed_rows(graph, "gcn", "raw", "all", [0, 3], 8e9)
    G = propagated(problem, 3)
    matrices = {(False, 0): G[0], (True, 0): G[0], (False, 3): G[3], (True, 3): np.vstack(G)}
    for row in rows:
        s = np.linalg.svd(matrices[row["multiscale"], row["depth"]], compute_uv=False)
        assert row["sigma_max"] == pytest.approx(s[0], rel=1e-12)
        assert row["sigma_min"] == pytest.approx(s[-1], rel=1e-10)


# The budget --------------------------------------------------------------------------------------

GRID = {"aggregations": ["gcn"], "features": ["raw"], "nodes": ["all"], "depths": [2]}


def test_what_fits_is_not_streamed(monkeypatch):
    graph = make_graph(adjacency_of(9, [(0, 1)]), np.eye(9))
    calls = []
    for name in ("condition_rows", "streamed_rows"):
        monkeypatch.setattr(module, name, lambda *_, name=name: calls.append(name) or [])
    need = bytes_in_memory(graph, "raw", "all", 2)
    for memory in ({}, {"memory_gb": need / 1e9}, {"memory_gb": 0.9999999 * need / 1e9}):
        condition_table(graph, GRID | memory)
    assert calls == ["condition_rows", "condition_rows", "streamed_rows"]


@pytest.mark.parametrize("features", ["raw", "pca-2"])
def test_too_small_a_budget_is_refused_with_what_would_do(features):
    graph = make_graph(adjacency_of(4, [(0, 1)]), np.eye(4))
    with pytest.raises(UserError, match=r"memory_gb: 'toy'.*depth 2 needs .*0\.7 GB.*than 0\.5"):
        condition_table(graph, GRID | {"features": [features], "memory_gb": 0.5})
    components = 8 * 4 * 4 if features == "pca-2" else 0
    assert working_bytes(graph, features, "all", 2, 1e9) == 1e9 - held_bytes(graph) - components


def test_a_full_temporary_folder_is_named(monkeypatch):
    usage = namedtuple("usage", "free")(10)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(UserError, match=r"0\.0 GB of free space.*take 0\.2 GB; set TMPDIR"):
        temporary_matrix_file(10**6, 10, 3)


PEAK = """
import sys
from benchmarks.measure import peak_memory
from gnn_dynamics.spectra.graph_condition import condition_table
from gnn_dynamics.data.graph import load_graph
graph = load_graph(sys.argv[1])
grid = {"aggregations": ["gcn"], "features": sys.argv[3:], "nodes": ["train"], "depths": [3]}
condition_table(graph, grid | {"memory_gb": float(sys.argv[2])})
print(peak_memory())
"""


@pytest.fixture(scope="module")
def middling(tmp_path_factory):
    """200 000 nodes, 1.6 million stored entries, 40 features; in memory that takes 1 GB."""
    rng, n = np.random.default_rng(0), 200_000
    source, target = rng.integers(0, n, (2, 4 * n))
    half = sp.coo_array((np.ones(4 * n), (source, target)), (n, n)).tocsr()
    both = half + half.T
    both.setdiag(0)
    both.eliminate_zeros()
    both.data[:] = 1
    X = rng.standard_normal((n, 40), dtype=np.float32)
    graph = make_graph(both, X, train=np.arange(0, n, 4))
    path = tmp_path_factory.mktemp("middling") / "graph.npz"
    save_graph(graph, path)
    return graph, path


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("streamed", [True, False])
def test_the_peak_of_a_process_stays_below_what_was_foreseen(middling, streamed):
    graph, path = middling
    in_memory = max(bytes_in_memory(graph, kind, "train", 3) for kind in KINDS)
    memory = 1.1 * held_bytes(graph) if streamed else in_memory
    assert (memory < in_memory) == streamed
    command = [sys.executable, "-W", "ignore", "-c", PEAK, str(path), str(memory / 1e9), *KINDS]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert int(answer.stdout) < memory
