"""The prepared graph: cleaning of edges, its file, its row in graphs.parquet, its promises."""

import dataclasses
import zipfile

import numpy as np
import pytest
from graphs import patient
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from gnn_dynamics.artifacts import files, npz
from gnn_dynamics.artifacts.npz import mapped_array, read_about
from gnn_dynamics.data import adjacency as adjacency_module
from gnn_dynamics.data import graph_facts as facts_module
from gnn_dynamics.data.adjacency import clean_edges
from gnn_dynamics.data.checks import checked
from gnn_dynamics.data.graph import (
    Graph,
    load_graph,
    node_features,
    save_graph,
)
from gnn_dynamics.data.graph_facts import graph_facts
from gnn_dynamics.errors import UserError

EDGE_LISTS = st.integers(1, 8).flatmap(
    lambda n: st.tuples(
        st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=30)
    )
)


def cleaned(n, pairs):
    return clean_edges(n, *np.array(pairs, dtype=np.int64).reshape(-1, 2).T)


@pytest.mark.slow
@patient
@given(EDGE_LISTS)
def test_the_graph_is_simple_and_has_the_same_neighbours(case):
    n, pairs = case
    adjacency, counts = cleaned(n, pairs)
    expected = {frozenset(pair) for pair in pairs if pair[0] != pair[1]}
    found = list(zip(*adjacency.tocoo().coords, strict=True))
    assert {frozenset(map(int, pair)) for pair in found} == expected
    assert len(found) == 2 * len(expected) == 2 * counts["edges"]
    assert (adjacency != adjacency.T).nnz == 0 and not adjacency.diagonal().any()
    assert (adjacency.data == 1).all() and adjacency.dtype == np.float64
    assert adjacency.has_sorted_indices and adjacency.indices.dtype == np.int32


@patient
@given(EDGE_LISTS)
def test_every_stored_edge_is_accounted_for(case):
    n, pairs = case
    _, counts = cleaned(n, pairs)
    ordered = set(pairs)
    assert counts["stored_edges"] == len(pairs)
    assert counts["duplicate_edges_dropped"] == len(pairs) - len(ordered)
    assert counts["self_loops_dropped"] == sum(a == b for a, b in ordered)
    assert counts["one_way_edges"] == sum(a != b and (b, a) not in ordered for a, b in ordered)
    kept = len(pairs) - counts["duplicate_edges_dropped"] - counts["self_loops_dropped"]
    assert kept == 2 * counts["edges"] - counts["one_way_edges"]


@patient
@given(EDGE_LISTS, st.randoms())
def test_order_direction_and_repetition_do_not_matter(case, random):
    n, pairs = case
    again = [pair[:: random.choice((1, -1))] for pair in pairs for _ in range(2)]
    random.shuffle(again)
    assert (cleaned(n, pairs)[0] != cleaned(n, again)[0]).nnz == 0


@patient
@given(EDGE_LISTS, st.integers(1, 9), st.integers(1, 9), st.sampled_from([0, 2**20]))
def test_a_graph_from_few_edges_and_rows_at_a_time_is_that_of_scipy(case, chunk, band, in_memory):
    n, pairs = case
    source, target = np.array([p for p in pairs if p[0] != p[1]], dtype=int).reshape(-1, 2).T
    once = sparse.coo_array((np.ones(len(source)), (source, target)), (n, n)).tocsr()
    expected = (once + once.T).tocsr()
    expected.sort_indices()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adjacency_module, "CHUNK", chunk)
        patch.setattr(adjacency_module, "BAND", band)
        patch.setattr(files, "IN_MEMORY", in_memory)
        adjacency, counts = cleaned(n, pairs)
    for name in ("indices", "indptr"):
        ours, theirs = getattr(adjacency, name), getattr(expected, name)
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == np.int32
    assert counts == cleaned(n, pairs)[1] and counts["one_way_edges"] == expected.nnz - once.nnz


def test_more_repetitions_than_a_byte_counts():
    adjacency, counts = cleaned(2, [(0, 1)] * 1000)
    assert counts["duplicate_edges_dropped"] == 999 and adjacency.nnz == 2


@pytest.mark.parametrize(
    ("source", "target", "edge"),
    [([0, 1], [1, 3], "edge 1 (1, 3)"), ([0, -1], [1, 0], "edge 1"), ([0.5], [1], "edge 0 (0.5")],
)
def test_a_wrong_node_id_is_named(source, target, edge):
    with pytest.raises(UserError, match="from 0 to 2") as caught:
        clean_edges(3, np.array(source), np.array(target))
    assert edge in str(caught.value)


def test_a_feature_that_is_no_number_is_named():
    X = np.zeros((3, 2))
    X[2, 1] = np.nan
    with pytest.raises(UserError, match="node 2, feature 1 is nan"):
        node_features(X)


@patient
@given(
    st.integers(0, 5), st.integers(0, 5), st.integers(0, 99), st.sampled_from(["f4", "f8", "i8"])
)
def test_dense_features_are_stored_as_scipy_would(rows, columns, seed, kind):
    X = np.random.default_rng(seed).integers(-1, 3, (rows, columns)).astype(kind)
    found, expected = node_features(X), sparse.csr_array(X, dtype=np.float64)
    for name in ("data", "indices", "indptr"):
        ours, theirs = getattr(found, name), getattr(expected, name)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def example(**changes) -> Graph:
    """Five nodes, a path 0-1-2-3 and the lonely 4, which has neither features nor a label."""
    adjacency, counts = cleaned(5, [(0, 1), (2, 1), (2, 3), (3, 3), (0, 1)])
    X = np.array([[1, 0, 0.5], [0, 2, 0], [3, 0, 0], [0, 0, 1e-3], [0, 0, 0]])
    graph = Graph(
        name="path",
        adjacency=adjacency,
        features=node_features(X),
        labels=np.array([0, 0, 1, 1, -1]),
        train=np.array([0, 2]),
        val=np.array([1]),
        test=np.array([3]),
        graph_index=None,
        task="classification",
        classes=2,
        facts={"source_url": "https://example.org", "sha256": "0" * 64, **counts},
    )
    return dataclasses.replace(graph, **changes)


def pooled(**changes) -> Graph:
    """The same nodes as two graphs with real labels."""
    pieces = {"graph_index": np.array([0, 0, 0, 0, 1]), "labels": np.array([0.25, np.pi])}
    parts = {"train": np.array([0]), "val": np.array([1]), "test": np.array([], dtype=np.int64)}
    return example(**{"task": "regression", "classes": 1, **pieces, **parts, **changes})


def in_a_file(graph, folder, dtype="float32") -> Graph:
    """The same graph with dense features in a file."""
    np.savez(folder / "features.npz", X=graph.features.toarray().astype(dtype))
    return dataclasses.replace(graph, features=mapped_array(folder / "features.npz", "X"))


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_a_graph_with_features_in_a_file_survives_its_file(dtype, tmp_path):
    graph = in_a_file(example(), tmp_path, dtype)
    for name in ("a.npz", "b.npz"):
        save_graph(graph, tmp_path / name)
        graph = load_graph(tmp_path / name)
        np.testing.assert_array_equal(graph.features, example().features.toarray().astype(dtype))
        assert isinstance(graph.features, np.memmap) and graph.features.dtype == dtype
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert checked(graph) is graph
    assert graph_facts(graph) == graph_facts(example())


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_of_an_archive_is_mapped(save, order, tmp_path):
    X = np.arange(12.0).reshape(3, 4)
    save(tmp_path / "a.npz", before=np.arange(5), X=np.asarray(X, order=order), after=X)
    mapped = mapped_array(tmp_path / "a.npz", "X")
    np.testing.assert_array_equal(mapped, X, strict=True)
    assert isinstance(mapped, np.memmap) and not mapped.flags.writeable


def test_an_array_of_objects_is_not_mapped(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="X is an array of objects"):
        mapped_array(tmp_path / "a.npz", "X")


def test_a_feature_in_a_file_that_is_no_number_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("gnn_dynamics.data.graph.CHUNK", 2)
    X = np.zeros((3, 2), dtype=np.float32)
    X[2, 1] = np.nan
    np.savez(tmp_path / "a.npz", X=X)
    with pytest.raises(UserError, match="node 2, feature 1 is nan"):
        node_features(mapped_array(tmp_path / "a.npz", "X"))


@pytest.mark.parametrize("graph", [example(), pooled()], ids=["nodes", "graphs"])
def test_a_graph_survives_its_file(graph, tmp_path):
    save_graph(graph, tmp_path / "a.npz")
    read = load_graph(tmp_path / "a.npz")
    for field in dataclasses.fields(Graph):
        before, after = getattr(graph, field.name), getattr(read, field.name)
        if isinstance(before, sparse.csr_array):
            assert (before != after).nnz == 0 and after.dtype == np.float64
            assert after.indices.dtype == before.indices.dtype
        elif isinstance(before, np.ndarray):
            np.testing.assert_array_equal(before, after, strict=True)
        else:
            assert before == after


def test_the_same_graph_gives_the_same_bytes(tmp_path):
    save_graph(example(), tmp_path / "a.npz")
    save_graph(load_graph(tmp_path / "a.npz"), tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_a_damaged_or_absent_file_is_named(tmp_path):
    save_graph(example(), tmp_path / "a.npz")
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content[: len(content) // 2])
    for name in ("a.npz", "absent.npz"):
        with pytest.raises(UserError, match=name):
            load_graph(tmp_path / name)


def test_about_is_read_without_the_arrays(tmp_path):
    graph, path = example(), tmp_path / "a.npz"
    save_graph(graph, path)
    with zipfile.ZipFile(path) as members:
        info = members.getinfo("features_data.npy")
        end = members.infolist()[members.namelist().index(info.filename) + 1].header_offset
    content = bytearray(path.read_bytes())
    content[end - 1] ^= 1  # the last feature value no longer fits the checksum of its member
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.npz is not a complete prepared graph"):
        load_graph(path)
    about = read_about(path)
    assert (about["name"], about["task"], about["classes"]) == ("path", "classification", 2)
    assert about["facts"] == graph.facts and about["features_count"] == 3


def test_about_reads_no_other_member(tmp_path, monkeypatch):
    save_graph(example(), tmp_path / "a.npz")
    opened, open_member = [], zipfile.ZipFile.open
    monkeypatch.setattr(
        zipfile.ZipFile,
        "open",
        lambda self, name, *args, **kw: opened.append(name) or open_member(self, name, *args, **kw),
    )
    read_about(tmp_path / "a.npz")
    assert set(opened) == {"about.npy"}


@pytest.mark.parametrize("read", [read_about, load_graph])
def test_another_version_of_the_format_is_refused(read, tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "FORMAT", npz.FORMAT + 1)
    save_graph(example(), tmp_path / "a.npz")
    monkeypatch.undo()
    with pytest.raises(UserError, match=r"a\.npz .*another version of the format.*delete it"):
        read(tmp_path / "a.npz")


@pytest.mark.parametrize("content", [None, b"", b"PK", b"no archive"])
def test_about_of_a_damaged_or_absent_file_names_it(content, tmp_path):
    if content is not None:
        (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.npz is not a complete prepared graph"):
        read_about(tmp_path / "a.npz")


def test_a_file_with_a_pickle_in_it_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", about=np.array([{}], dtype=object))
    with pytest.raises(UserError, match="not a complete prepared graph"):
        load_graph(tmp_path / "a.npz")


def test_facts_of_a_graph():
    row = graph_facts(example())
    assert row == {
        "dataset": "path",
        "nodes": 5,
        "edges": 3,
        "features_count": 3,
        "classes": 2,
        "train_nodes": 2,
        "self_loops_dropped": 1,
        "duplicate_edges_dropped": 1,
        "isolated_nodes": 1,
        "zero_feature_nodes": 1,
        "unlabelled_nodes": 1,
        "edge_homophily": 2 / 3,
        "max_degree": 2,
        "source_url": "https://example.org",
        "sha256": "0" * 64,
    }
    assert graph_facts(pooled())["edge_homophily"] is None


@pytest.mark.parametrize("chunk", [1, 3, 2**20])
def test_homophily_leaves_out_unlabelled_ends(chunk, monkeypatch):
    monkeypatch.setattr(facts_module, "CHUNK", chunk)
    labels = np.array([0, 0, -1, 1, 1])
    assert graph_facts(example(labels=labels, train=np.array([0])))["edge_homophily"] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": np.array([0, 1])}, "2 labels for 5 nodes"),
        ({"train": np.array([0, 5])}, "names 5"),
        ({"train": np.array([], dtype=np.int64)}, "no training nodes"),
        ({"train": np.array([0, 4])}, "training node 4 has no label"),
        ({"val": np.array([0])}, "overlap"),
        ({"labels": np.array([0, 0, 2, 1, -1])}, "with 2 classes"),
        ({"labels": np.array([0, 0, 0, 0, -1]), "classes": 1}, "only one class"),
        ({"features": sparse.csr_array((4, 3))}, "4 feature rows for 5 nodes"),
        ({"graph_index": np.array([0, 1, 0, 1, 1])}, "in order"),
    ],
)
def test_a_broken_promise_is_told(changes, message):
    assert checked(example()) and checked(pooled())
    with pytest.raises(UserError, match=f"dataset path: .*{message}"):
        checked(example(**changes))
