"""A user's own graph: every format gives the same graph; what is merged, dropped, encoded."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from graphs import patient
from hypothesis import given, settings
from hypothesis import strategies as st
from own_files import FORMATS, data_of, toy, write_csv, write_npz
from workflow_runs import ROOT

from gnn_dynamics.data.graph_facts import graph_facts
from gnn_dynamics.data.own.read import read_own
from gnn_dynamics.data.readers import read_dataset


def read(paths, **options):
    entry = {"reader": "own", "files": {r: str(p) for r, p in paths.items()}, "options": options}
    return read_dataset("toy", entry, None)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_graph(name, tmp_path):
    made = toy()
    graph = read(FORMATS[name](tmp_path, made))
    edges = {(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)}
    expected = {pair for a, b in edges for pair in ((a, b), (b, a))}
    found = zip(*map(np.ndarray.tolist, graph.adjacency.tocoo().coords), strict=True)
    assert set(found) == expected
    np.testing.assert_array_equal(graph.features.toarray(), made.X)
    np.testing.assert_array_equal(graph.labels, made.y)
    np.testing.assert_array_equal(graph.train, [0, 3, 5])
    np.testing.assert_array_equal(graph.test, [1, 2, 4])
    assert (graph.task, graph.classes, len(graph.val)) == ("classification", 2, 0)


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"scipy"}))
def test_repeated_and_reversed_edges_and_loops_are_counted(name, tmp_path):
    facts = read(FORMATS[name](tmp_path, toy())).facts
    names = ("stored_edges", "duplicate_edges_dropped", "self_loops_dropped", "edges")
    assert [facts[key] for key in names] == [8, 1, 1, 5]
    assert facts["edges"] - facts["one_way_edges"] == 1


def test_the_facts_hold_digests_but_no_path(tmp_path):
    graph = read(write_csv(tmp_path, toy()))
    assert set(graph.facts["unpinned"]) == {"graph", "features", "labels", "split"}
    assert all(len(digest) == 64 for digest in graph.facts["unpinned"].values())
    assert str(tmp_path) not in str(graph.facts)
    assert graph_facts(graph)["source_url"] == "local files: features, graph, labels, split"


def test_another_content_has_another_digest(tmp_path):
    paths = write_csv(tmp_path, toy())
    before = read(paths).facts["sha256"]
    paths["labels"].write_text(paths["labels"].read_text().replace("0", "2"))
    assert read(paths).facts["sha256"] != before


@pytest.mark.parametrize("separator", [";", "\t", " "])
def test_the_separator_is_found(separator, tmp_path):
    assert read(write_csv(tmp_path, toy(), separator)).n == 6


def test_tables_without_a_header_and_with_numbered_columns(tmp_path):
    made, paths = toy(), write_csv(tmp_path, toy())
    pd.DataFrame(made.edges).to_csv(paths["graph"], index=False, header=False)
    pd.DataFrame(made.X).to_csv(paths["features"], index=False)  # header 0,1,2,3
    pd.Series(made.y).to_csv(paths["labels"], index=False, header=False)
    np.testing.assert_array_equal(read(paths).features.toarray(), made.X)


def test_a_first_column_without_a_name_is_the_node(tmp_path):
    made, paths = toy(), write_csv(tmp_path, toy())
    order = [3, 0, 5, 1, 2, 4]
    pd.DataFrame(made.X, index=range(6)).loc[order].to_csv(paths["features"])
    np.testing.assert_array_equal(read(paths).features.toarray(), made.X)


def test_labels_by_name_text_and_gaps(tmp_path):
    paths = write_csv(tmp_path, toy())
    paths["labels"].write_text("node,colour,size\n5,red,1\n0,red,2\n3,blue,3\n1,,4\n")
    graph = read(paths, labels="colour")
    np.testing.assert_array_equal(graph.labels, [1, -1, -1, 0, -1, 1])
    assert graph.facts["class_names"] == ["blue", "red"]


def test_classes_are_numbered_in_order(tmp_path):
    paths = write_csv(tmp_path, toy())
    paths["labels"].write_text("y\n7\n3\n7\n3\n-1\n10\n")
    graph = read(paths)
    np.testing.assert_array_equal(graph.labels, [1, 0, 1, 0, -1, 2])
    assert graph.facts["class_names"] == ["3", "7", "10"]


def test_regression_on_request(tmp_path):
    paths = write_csv(tmp_path, toy())
    paths["labels"].write_text("y\n0.5\n1\n2\n-3\n\n1e-3\n\n")
    graph = read(paths, task="regression")
    np.testing.assert_array_equal(graph.labels, [0.5, 1, 2, -3, np.nan, 1e-3])
    assert (graph.task, graph.classes) == ("regression", 1)


def test_a_split_is_drawn_where_none_is_given(tmp_path):
    paths = write_csv(tmp_path, toy())
    del paths["split"]
    assert len(read(paths, split="all").train) == 6
    drawn = read(paths, split={"train": 2, "val": 1, "seed": 0})
    assert [len(part) for part in (drawn.train, drawn.val, drawn.test)] == [4, 2, 0]


def test_weights_of_one_are_no_weights_and_others_ignored_on_request(tmp_path):
    paths = write_csv(tmp_path, toy())
    table = pd.read_csv(paths["graph"]).assign(weight=1.0, since=1999)
    table.to_csv(paths["graph"], index=False)
    assert read(paths).facts["unused"] == ["edge column 'since'"]
    table.assign(weight=0.5).to_csv(paths["graph"], index=False)
    graph = read(paths, weights="ignore")
    assert (graph.adjacency.data == 1).all() and graph.facts["weights_ignored"]


def test_a_file_of_features_wins_over_the_graphs(tmp_path):
    paths = write_npz(tmp_path, toy())
    np.save(tmp_path / "x.npy", np.eye(6))
    graph = read(paths | {"features": tmp_path / "x.npy"})
    np.testing.assert_array_equal(graph.features.toarray(), np.eye(6))


def test_a_stored_zero_of_a_matrix_is_no_edge(tmp_path):
    A = np.zeros((6, 6))
    A[0, 1] = A[2, 3] = 1
    np.savez(tmp_path / "dense.npz", adjacency=A, x=np.eye(6), y=np.arange(6) % 2)
    graph = read({"graph": tmp_path / "dense.npz"}, split="all")
    assert graph.facts["edges"] == 2


def test_masks_stored_as_bytes_are_masks(tmp_path):
    arrays = {name: tensor.numpy() for name, tensor in data_of(toy()).items()}
    arrays |= {name: arrays[name].astype(np.uint8) for name in ("train_mask", "test_mask")}
    np.savez(tmp_path / "old.npz", **arrays)
    np.testing.assert_array_equal(read({"graph": tmp_path / "old.npz"}).train, [0, 3, 5])


@pytest.mark.slow
def test_a_pickled_data_is_read_without_pytorch_geometric(tmp_path):
    path = FORMATS["pyg-data"](tmp_path, toy())["graph"]
    code = (
        "import sys; from pathlib import Path;"
        "from gnn_dynamics.data.own.torch_file import read_torch;"
        f"arrays = read_torch(Path({str(path)!r}));"
        "print(arrays['x'].shape, 'torch_geometric' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert answer.stdout.decode().strip() == "(6, 4) False"


def test_the_list_of_safe_names_is_put_back(tmp_path):
    from torch_geometric.data import Data

    with torch.serialization.safe_globals([Data]):
        before = torch.serialization.get_safe_globals()
        read(FORMATS["pyg-data"](tmp_path, toy()))
        assert set(torch.serialization.get_safe_globals()) == set(before)


EDGE_LISTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=20)


@pytest.mark.slow
@settings(patient, max_examples=15)
@given(edges=EDGE_LISTS.filter(lambda pairs: any(a != b for a, b in pairs)), data=st.data())
def test_formats_agree_on_any_edges(edges, data, tmp_path_factory):
    made = toy()
    made = type(made)(np.array(edges), made.X, made.y, made.train)
    first, second = data.draw(st.permutations(sorted(set(FORMATS) - {"scipy"})))[:2]
    folder = tmp_path_factory.mktemp("formats")
    a, b = (read_own("toy", {"files": FORMATS[name](folder, made)}) for name in (first, second))
    assert (a.adjacency != b.adjacency).nnz == 0
    counts = ("stored_edges", "duplicate_edges_dropped", "self_loops_dropped", "one_way_edges")
    assert [a.facts[key] for key in counts] == [b.facts[key] for key in counts]


@settings(patient, max_examples=15)
@given(
    values=st.lists(
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2),
        min_size=6,
        max_size=6,
    )
)
def test_every_number_survives_a_csv(values, tmp_path_factory):
    folder = tmp_path_factory.mktemp("numbers")
    paths = write_csv(folder, toy())
    pd.DataFrame(values, columns=["a", "b"]).to_csv(paths["features"], index=False)
    np.testing.assert_array_equal(read(paths).features.toarray(), np.array(values) + 0.0)


@pytest.mark.slow
def test_torch_is_imported_for_files_of_torch_only():
    """It takes seconds, which a command needs not spend on a table."""
    code = "import gnn_dynamics.data.readers, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
