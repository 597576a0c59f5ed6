"""Other files of the kinds in tests/cases/own: each is the graph that all cases share."""

import json

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from own_case_files import EDGES, NAMES, TRAIN, X, Y, adjacency

from gnn_dynamics.data.readers import read_dataset
from gnn_dynamics.errors import UserError

pytestmark = pytest.mark.slow

FEATURES = pd.DataFrame(X, columns=["f0", "f1", "f2"])
PAIRS = pd.DataFrame(EDGES, columns=["source", "target"])
TOPICS = np.array(["a", "b"])[Y]


@pytest.fixture
def folder(tmp_path):
    """A folder with sound files of the graph, whose parts the tests replace."""
    PAIRS.to_csv(tmp_path / "edges.csv", index=False)
    FEATURES.to_csv(tmp_path / "features.csv", index=False)
    pd.DataFrame({"label": Y}).to_csv(tmp_path / "labels.csv", index=False)
    np.save(tmp_path / "x.npy", X)
    return tmp_path


def read(folder, changed=None, **options):
    files = {"graph": "edges.csv", "features": "features.csv", "labels": "labels.csv"}
    files |= changed or {}
    paths = {role: str(folder / name) for role, name in files.items() if name}
    entry = {"reader": "own", "files": paths, "options": {"split": "all"} | options}
    return read_dataset("toy", entry, None)


def is_the_graph(graph):
    np.testing.assert_array_equal(graph.adjacency.toarray(), adjacency())
    np.testing.assert_array_equal(graph.features.toarray(), X)
    np.testing.assert_array_equal(graph.labels, Y)
    return True


def test_names_of_rows_without_a_title_as_r_writes_them(folder):
    text = FEATURES.set_axis(range(1, 7)).to_csv(sep=" ").lstrip(" ")
    (folder / "features.txt").write_text(text)
    assert is_the_graph(read(folder, {"features": "features.txt"}))


def test_texts_without_a_header_beside_a_table_of_nodes(folder):
    pd.DataFrame(NAMES[EDGES]).to_csv(folder / "e.txt", sep=" ", header=False, index=False)
    table = FEATURES.assign(topic=TOPICS)
    table.insert(0, "title", NAMES)
    table.sample(frac=1, random_state=0).to_csv(folder / "nodes.csv", index=False)
    changed = {"graph": "e.txt", "nodes": "nodes.csv", "features": None, "labels": None}
    graph = read(folder, changed, labels="topic")
    order = [graph.facts["node_names"].index(name) for name in NAMES]
    np.testing.assert_array_equal(graph.features.toarray()[order], X)
    np.testing.assert_array_equal(graph.adjacency.toarray()[np.ix_(order, order)], adjacency())
    np.testing.assert_array_equal(graph.labels[order], Y)


def test_a_file_of_ids_names_the_rows_of_an_array(folder):
    pd.DataFrame(NAMES[EDGES]).to_csv(folder / "e.csv", header=False, index=False)
    (folder / "ids.txt").write_text("\n".join(NAMES))
    changed = {"graph": "e.csv", "features": "x.npy"}
    with pytest.raises(UserError, match=r"e\.csv, line 1 \(amber, birch\).*ids=FILE"):
        read(folder, changed)
    assert is_the_graph(read(folder, changed | {"ids": "ids.txt"}))


def test_the_four_files_of_graphsage(folder):
    ids = [f"n{k}" for k in range(6)]
    parts = [{"id": ids[k], "val": k == 2, "test": k == 5} for k in range(6)]
    links = [{"source": int(a), "target": int(b)} for a, b in EDGES]
    shuffled = dict(sorted({name: k for k, name in enumerate(ids)}.items(), reverse=True))
    (folder / "G.json").write_text(json.dumps({"nodes": parts, "links": links}))
    (folder / "c.json").write_text(json.dumps(dict(zip(ids, Y.tolist(), strict=True))))
    (folder / "i.json").write_text(json.dumps(shuffled))
    files = {"graph": "G.json", "features": "x.npy", "labels": "c.json", "ids": "i.json"}
    graph = read(folder, files, split=None)
    assert is_the_graph(graph)
    np.testing.assert_array_equal(graph.train, np.flatnonzero(TRAIN))


@pytest.mark.parametrize("form", [{"sep": "\t"}, {"sep": ";"}, {"sep": ","}])
def test_decimal_commas_with_any_separator(form, folder):
    FEATURES.to_csv(folder / "f.txt", decimal=",", index=False, **form)
    graph = read(folder, {"features": "f.txt"})
    assert is_the_graph(graph)
    assert "features: decimal commas" in graph.facts["understood"]


def test_an_adjacency_with_names_of_nodes(folder):
    table = pd.DataFrame(adjacency(), index=NAMES, columns=NAMES)
    table.to_csv(folder / "a.csv")
    FEATURES.set_axis(NAMES).to_csv(folder / "f.csv", index_label="id")
    assert is_the_graph(read(folder, {"graph": "a.csv", "features": "f.csv"}))


@pytest.mark.parametrize("kind", ["gexf", "graphml", "gml"])
def test_programs_that_draw_graphs(kind, folder):
    graph = nx.Graph()
    for k, (row, topic) in enumerate(zip(X.tolist(), TOPICS, strict=True)):
        graph.add_node(f"v{k}", **dict(zip(FEATURES, row, strict=True)), topic=str(topic))
    graph.add_edges_from((f"v{a}", f"v{b}") for a, b in EDGES)
    getattr(nx, f"write_{kind}")(graph, folder / f"g.{kind}")
    files = {"graph": f"g.{kind}", "features": None, "labels": None}
    assert is_the_graph(read(folder, files, labels="topic"))
    with pytest.raises(UserError, match=r"no labels under a usual name .*topic"):
        read(folder, files)


def test_a_matrix_of_features_in_matrix_market(folder):
    entries = [f"{i + 1} {j + 1} {X[i, j]}" for i in range(6) for j in range(3) if X[i, j]]
    head = f"%%MatrixMarket matrix coordinate real general\n% words\n6 3 {len(entries)}\n"
    (folder / "x.mtx").write_text(head + "\n".join(entries))
    assert is_the_graph(read(folder, {"features": "x.mtx"}))


def test_a_label_is_never_a_feature_and_is_listed(folder):
    FEATURES.assign(label=Y).to_csv(folder / "f.csv", index=False)
    assert is_the_graph(read(folder, {"features": "f.csv", "labels": None}))
    graph = read(folder, {"features": "f.csv"})
    assert is_the_graph(graph) and graph.facts["unused"] == ["column 'label'"]


def test_the_options_that_messages_propose_work(folder):
    (PAIRS + 1).to_csv(folder / "e.csv", index=False)
    with pytest.raises(UserError, match="--first-id 1"):
        read(folder, {"graph": "e.csv"})
    assert is_the_graph(read(folder, {"graph": "e.csv"}, first_id=1))
    PAIRS.set_axis(["a", "b"], axis=1).assign(c=3).to_csv(folder / "e.csv", index=False)
    with pytest.raises(UserError, match="--ends A,B"):
        read(folder, {"graph": "e.csv"})
    assert is_the_graph(read(folder, {"graph": "e.csv"}, ends="a,b"))


@pytest.mark.parametrize("made", ["identity", "degree", "ones"])
def test_a_list_of_edges_is_enough(made, folder):
    files = {"features": None, "labels": None}
    graph = read(folder, files, features=made, task="none")
    np.testing.assert_array_equal(graph.adjacency.toarray(), adjacency())
    degrees = adjacency().sum(axis=1, keepdims=True)
    expected = {"identity": np.eye(6), "degree": degrees, "ones": np.ones((6, 1))}
    np.testing.assert_array_equal(graph.features.toarray(), expected[made])


def test_regression_targets_keep_minus_one(folder):
    (folder / "y.csv").write_text("y\n-1\n0.5\n\n2\n3\n4\n")
    graph = read(folder, {"labels": "y.csv"}, task="regression")
    np.testing.assert_array_equal(graph.labels, [-1, 0.5, np.nan, 2, 3, 4])


def test_a_line_after_comments_has_its_number_in_the_file(folder):
    (folder / "e.txt").write_text("# a\n# b\n0 1\n# c\n1 2\n2 9\n")
    with pytest.raises(UserError, match=r"e\.txt, line 6 \(2, 9\)"):
        read(folder, {"graph": "e.txt"})


def test_ends_of_different_kinds_are_the_nodes_without_a_table(folder):
    """Numbers on one side and texts on the other, also where an end is missing."""
    (folder / "e.csv").write_text("source,target\n1,a\n2,b\n1,2\n")
    files = {"graph": "e.csv", "features": None, "labels": None}
    graph = read(folder, files, features="ones", task="none")
    assert graph.facts["node_names"] == ["1", "2", "a", "b"] and graph.facts["edges"] == 3
    (folder / "e.csv").write_text("source,target\n1,a\n2,\n")
    with pytest.raises(UserError, match=r"e\.csv, line 3, column 'target' is empty"):
        read(folder, files, features="ones", task="none")


@pytest.mark.parametrize("names", [np.arange(6), NAMES, np.arange(10, 16)])
def test_lists_of_ids_are_a_split_also_of_different_lengths(names, folder):
    FEATURES.assign(id=names).to_csv(folder / "f.csv", index=False)
    pd.DataFrame({"id": names, "y": Y}).to_csv(folder / "y.csv", index=False)
    pd.DataFrame(names[EDGES]).to_csv(folder / "e.csv", index=False, header=False)
    parts = {"train_idx": pd.Series(names[[2, 3, 5]]), "test_idx": pd.Series(names[[1, 4]])}
    pd.DataFrame(parts).to_csv(folder / "split.csv", index=False)
    files = {"graph": "e.csv", "features": "f.csv", "labels": "y.csv", "split": "split.csv"}
    graph = read(folder, files, split=None)
    assert is_the_graph(graph)
    assert [graph.train.tolist(), graph.test.tolist()] == [[2, 3, 5], [1, 4]]
    pd.Series(names[[2, 3, 5]]).to_csv(folder / "train.csv", index=False, header=False)
    assert read(folder, files | {"split": "train.csv"}, split=None).train.tolist() == [2, 3, 5]


def test_a_list_of_edges_as_an_array_may_start_at_one(folder):
    np.save(folder / "e.npy", EDGES.T + 1)
    with pytest.raises(UserError, match="--first-id 1"):
        read(folder, {"graph": "e.npy"})
    assert is_the_graph(read(folder, {"graph": "e.npy"}, first_id=1))
    np.save(folder / "a.npy", adjacency())
    assert is_the_graph(read(folder, {"graph": "a.npy"}, first_id=1))


def test_infinity_is_no_class(folder):
    (folder / "y.csv").write_text("y\n0\n1\n0\n1\ninf\n1\n")
    with pytest.raises(UserError, match=r"y\.csv, line 6, column 'y' .*is inf, not a class"):
        read(folder, {"labels": "y.csv"})
