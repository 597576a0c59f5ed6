"""Broken files of a user's own graph: one message each, naming the file, line or node."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from own_files import FORMATS, data_of, networkx_graph, toy, write_csv
from scipy import sparse

from gnn_dynamics.data.own import memory
from gnn_dynamics.data.own.memory import available_memory, check_memory, needed
from gnn_dynamics.data.own.read import read_own
from gnn_dynamics.data.readers import read_dataset
from gnn_dynamics.errors import UserError

pytestmark = pytest.mark.slow

Change = Callable[[dict[str, Path]], None]


def replace(role: str, old: str, new: str) -> Change:
    """Replaces the first occurrence in one of the csv files."""

    def change(paths: dict[str, Path]) -> None:
        text = paths[role].read_text()
        assert old in text
        paths[role].write_text(text.replace(old, new, 1))

    return change


def write(role: str, text: str) -> Change:
    return lambda paths: paths[role].write_text(text)


def drop(*roles: str) -> Change:
    return lambda paths: [paths.pop(role) for role in roles]


def missing(paths: dict[str, Path]) -> None:
    paths["features"].unlink()


def renamed(role: str, suffix: str) -> Change:
    def change(paths: dict[str, Path]) -> None:
        paths[role] = paths[role].rename(paths[role].with_suffix(suffix))

    return change


BROKEN = {
    "id out of range": (
        replace("graph", "4,5", "4,6"),
        r"graph\.csv, line 8 \(4, 6\).*from 0 to 5",
    ),
    "negative id": (replace("graph", "4,5", "4,-1"), r"graph\.csv, line 8 \(4, -1\)"),
    "text as id": (
        replace("graph", "4,5", "4,n5"),
        r"graph\.csv, line 8 \(4, n5\): .*whole numbers from 0 to 5.*column `node`",
    ),
    "fraction as id": (replace("graph", "4,5", "4,5.5"), r"line 8 \(4, 5\.5\): .*whole numbers"),
    "empty id": (replace("graph", "4,5", "4,"), r"line 8, column 'target' is empty"),
    "huge id": (replace("graph", "4,5", "4,9999999999999999999"), r"line 8.*9999999999999999999"),
    "NaN": (replace("features", "2.0", "nan"), r"features\.csv, line \d, column 'f\d' \(node \d\)"),
    "empty field": (replace("features", ",2.0", ","), r"features\.csv, line \d, column 'f\d'"),
    "infinite": (replace("features", "2.0", "-inf"), r"features\.csv, line \d.* is -inf"),
    "text as feature": (replace("features", "2.0", "two"), r"features\.csv, line \d.*'two'"),
    "field too many": (replace("features", "2.0", "2.0,1"), r"line \d: it has 5 fields.* has 4"),
    "field too few": (replace("features", ",2.0", ""), r"line \d: it has 3 fields, line 1 has 4"),
    "empty line inside": (replace("graph", "3,3", ""), r"graph\.csv, line 6.* is empty"),
    "labels too few": (
        replace("labels", "0\n", ""),
        r"labels\.csv: 5 rows, but 6 nodes \(numbered by the rows of features",
    ),
    "no such label column": (
        write("labels", "a,b\n" + "1,2\n" * 6),
        r"'a' \(1 values\), 'b' \(1 values\): name the one that holds the labels \(labels: NAME",
    ),
    "one class": (write("labels", "y\n" + "1\n" * 6), r"labels\.csv: .* one class only \(1\)"),
    "no label": (write("labels", "y\n" + "-1\n" * 6), r"labels\.csv: no node has a label"),
    "fraction as class": (
        write("labels", "y\n" + "1\n" * 5 + "0.5\n"),
        r"line 7.*0\.5, not a class; .*task: reg",
    ),
    "node twice": (write("labels", "node,y\n1,0\n1,1\n"), r"line 3: node 1 has an earlier row"),
    "unknown node": (
        write("labels", "node,y\n1,0\n7,1\n"),
        r"line 3: .* no node 7; ids are 0 to 5",
    ),
    "no training node": (
        write("split", "part\n" + "test\n" * 6),
        r"split\.csv: there are no train",
    ),
    "no split": (drop("split"), r"there are no training nodes; add a file with the split"),
    "unlabelled training node": (write("labels", "node,y\n1,0\n2,1\n"), "training node 0 has no"),
    "word in the split": (
        replace("split", "test", "tset"),
        r"split\.csv, line 3.*'tset' is not a part",
    ),
    "no edge": (write("graph", "source,target\n"), r"graph\.csv: the graph is empty"),
    "loops only": (write("graph", "source,target\n1,1\n"), r"empty, no edge joins two nodes"),
    "empty file": (write("graph", ""), r"graph\.csv is empty"),
    "no feature": (write("features", "a\n"), r"features\.csv: the graph is empty \(0 nodes"),
    "weights": (write("graph", "source,target,weight\n0,1,1\n1,2,0.5\n"), r"line 3: weight 0\.5"),
    "no features": (
        drop("features"),
        r"graph\.csv has no node features .*add a file.*--features identity",
    ),
    "no labels": (drop("labels"), r"graph\.csv has no labels"),
    "columns": (write("graph", "a,b,c\n0,1,2\n"), r"graph\.csv has the columns a, b, c"),
    "missing": (missing, r"features\.csv \(features\) is missing"),
    "unknown format": (renamed("features", ".xlsx"), r"features\.xlsx: \.xlsx is not a format for"),
    "not Parquet": (
        renamed("features", ".parquet"),
        r"features\.parquet is not a complete Parquet",
    ),
    "not npy": (renamed("features", ".npy"), r"features\.npy is not an array of numbers"),
    "not npz": (renamed("features", ".npz"), r"features\.npz is not a complete file of numpy"),
    "not GraphML": (renamed("graph", ".graphml"), r"graph\.graphml is not readable as graphml"),
    "not GML": (renamed("graph", ".gml"), r"graph\.gml is not readable as gml"),
    "not torch": (renamed("graph", ".pt"), r"graph\.pt is not a"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_each_broken_file_has_its_message(case, tmp_path):
    change, message = BROKEN[case]
    paths = write_csv(tmp_path, toy())
    change(paths)
    with pytest.raises(UserError, match=message) as caught:
        read_dataset("toy", {"reader": "own", "files": paths}, None)
    assert "\n" not in str(caught.value)


def altered_npz(tmp_path, **arrays):
    stored = {name: tensor.numpy() for name, tensor in data_of(toy()).items()} | arrays
    kept = {name: array for name, array in stored.items() if array is not None}
    np.savez(tmp_path / "toy.npz", **kept)
    return {"files": {"graph": tmp_path / "toy.npz"}}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"edge_index": None}, r"toy\.npz has none of the arrays edge_index"),
        ({"edge_index": np.zeros((3, 4), int)}, r"edge_index holds int64 of the shape \(3, 4\)"),
        (
            {"edge_index": np.full((2, 4), 0.5)},
            r"edge_index, edge 0 \(0\.5, 0\.5\): .*whole numbers",
        ),
        ({"edge_index": np.array([[0, 1], [1, 6]])}, r"array edge_index, edge 1 \(1, 6\)"),
        ({"x": np.full((6, 2), np.inf)}, r"node 0, array x, feature 0 \(node 0\) is inf"),
        ({"x": np.array([["a"]] * 6)}, r"array x holds <U1 of the shape \(6,\), not numbers"),
        ({"x": np.zeros((6, 2, 2))}, r"array x holds float64 of the shape \(6, 2, 2\)"),
        ({"y": np.ones((6, 3))}, r"array y .*the shape \(6, 3\), not one column;.*--no-labels"),
        ({"y": np.arange(5)}, r"5 labels, but 6 nodes"),
        ({"train_mask": np.ones(5, bool)}, r"the mask of train has 5 values for 6 nodes"),
        ({"edge_weight": np.full(8, 2.0)}, r"edge 0: weight 2\.0"),
        ({"adjacency": np.zeros((6, 5)), "edge_index": None}, r"\(6, 5\).*is square and"),
    ],
)
def test_each_broken_array_has_its_message(arrays, message, tmp_path):
    with pytest.raises(UserError, match=message):
        read_own("toy", altered_npz(tmp_path, **arrays))


def test_an_adjacency_of_another_size(tmp_path):
    sparse.save_npz(tmp_path / "graph.npz", sparse.csr_array(np.ones((5, 5))))
    np.save(tmp_path / "x.npy", toy().X)
    files = {"graph": tmp_path / "graph.npz", "features": tmp_path / "x.npy"}
    with pytest.raises(
        UserError,
        match=r"graph\.npz has 5 nodes, but there are 6, numbered by the rows of features",
    ):
        read_own("toy", {"files": files})


@pytest.mark.parametrize("kind", ["an array", "compressed"])
def test_a_damaged_npz_is_named(kind, tmp_path):
    path = tmp_path / "toy.npz"
    if kind == "an array":
        with path.open("wb") as file:
            np.save(file, np.eye(3))
    else:
        np.savez_compressed(path, edge_index=np.arange(2000).reshape(2, -1))
        content = bytearray(path.read_bytes())
        content[60:90] = bytes(30)
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"toy\.npz is not a complete file of numpy"):
        read_own("toy", {"files": {"graph": path}})


def test_objects_in_an_npz_are_refused(tmp_path):
    np.savez(tmp_path / "toy.npz", edge_index=np.array([{}], dtype=object))
    with pytest.raises(UserError, match=r"toy\.npz is not a complete file of numpy"):
        read_own("toy", {"files": {"graph": tmp_path / "toy.npz"}})


class Runs:
    """Unpickled without care, this makes a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def saved(folder: Path, content, **options) -> dict:
    torch.save(content, folder / "toy.pt", **options)
    return {"files": {"graph": folder / "toy.pt"}}


def test_code_in_a_torch_file_is_named_and_does_not_run(tmp_path):
    with pytest.raises(UserError, match=r"toy\.pt names posix\.mkdir.*to_dict\(\)"):
        read_own("toy", saved(tmp_path, data_of(toy()) | {"x": Runs(tmp_path / "made")}))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("state", [{"_store": Runs}, {"__class__": Runs}, {"__setstate__": Runs}])
def test_a_stand_in_takes_no_behaviour_from_a_file(state, tmp_path):
    from torch_geometric.data import Data

    hostile = Data(**data_of(toy()))
    hostile.__dict__.update({key: kind(tmp_path / "made") for key, kind in state.items()})
    with pytest.raises(UserError, match=r"toy\.pt"):
        read_own("toy", saved(tmp_path, hostile))
    assert not (tmp_path / "made").exists()


def test_another_class_is_named(tmp_path):
    from torch_geometric.data import HeteroData

    with pytest.raises(UserError, match=r"names torch_geometric\.data\.hetero_data\.HeteroData"):
        read_own("toy", saved(tmp_path, HeteroData(a={"x": torch.ones(2, 2)})))


def test_a_newer_pickle_and_a_plain_one_are_explained(tmp_path):
    entry = saved(tmp_path, data_of(toy()), pickle_protocol=4)
    with pytest.raises(UserError, match=r"toy\.pt is a pickle of a newer protocol.*to_dict"):
        read_own("toy", entry)
    entry["files"]["graph"].write_bytes(pickle.dumps(data_of(toy())))
    with pytest.raises(UserError, match=r"toy\.pt .*"):
        read_own("toy", entry)


def test_several_graphs_in_one_file(tmp_path):
    from torch_geometric.data import Data

    content = (data_of(toy()), {"x": torch.tensor([0, 3, 6])}, Data)
    with pytest.raises(UserError, match=r"toy\.pt contains several graphs"):
        read_own("toy", saved(tmp_path, content))


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        (
            {"a": None},
            r"node 'n2', attribute a \(node 2\) is nan; every feature must be a finite number",
        ),
        ({"a": float("inf")}, r"node 'n2', attribute a \(node 2\) is inf"),
        ({"split": "learn"}, r"node 'n2', attribute split: 'learn' is not a part of a split"),
    ],
)
def test_a_wrong_attribute_names_the_node(attributes, message, tmp_path):
    import networkx as nx

    graph = networkx_graph(toy())
    for name, value in attributes.items():
        graph.nodes["n2"].pop(name)
        if value is not None:
            graph.nodes["n2"][name] = value
    nx.write_graphml(graph, tmp_path / "toy.graphml")
    with pytest.raises(UserError, match=message):
        read_own("toy", {"files": {"graph": tmp_path / "toy.graphml"}})


@pytest.mark.parametrize("form", ["masks", "lists", "columns"])
@pytest.mark.parametrize("pair", [("train", "val"), ("train", "test"), ("val", "test")])
def test_a_node_in_two_parts_of_a_split_is_named(pair, form, tmp_path):
    made, masks = toy(), dict(zip(("train", "val", "test"), np.eye(6, dtype=bool)[:3], strict=True))
    for part in pair:
        masks[part][[3, 5]] = True
    paths = write_csv(tmp_path, made)
    paths["split"] = tmp_path / ("split.csv" if form == "columns" else "split.npz")
    if form == "columns":
        pd.DataFrame(masks).to_csv(paths["split"], index=False)
    else:
        lists = {part: np.flatnonzero(mask) for part, mask in masks.items()}
        named = {f"{part}_mask": mask for part, mask in masks.items()}
        np.savez(paths["split"], **(lists if form == "lists" else named))
    first, second = pair
    with pytest.raises(UserError, match=f"parts {first} and {second} .*overlap in the nodes 3, 5;"):
        read_own("toy", {"files": paths})
    graph = read_own("toy", {"files": paths}, split="all", ignore_split=True)
    assert len(graph.train) == 6 and not len(graph.val) and graph.facts["unused"]


def test_a_file_too_large_for_memory_is_not_read(tmp_path):
    paths = write_csv(tmp_path, toy())
    with paths["features"].open("r+b") as file:  # sparse: takes no room on the disk
        file.truncate(10**10)
    with pytest.raises(UserError, match=r"features\.csv \(10 GB\) is too large: .* 8 GB are"):
        check_memory(paths.values(), 8e9)


@pytest.mark.parametrize("name", FORMATS)
def test_the_estimate_bounds_what_is_stored(name, tmp_path):
    made = toy()
    paths = FORMATS[name](tmp_path, made)
    assert sum(map(needed, paths.values())) > made.X.nbytes + made.edges.nbytes
    check_memory(paths.values(), None)


def test_free_memory_is_known_and_a_limit_of_the_container_counts(tmp_path, monkeypatch):
    assert 1e6 < available_memory() < 1e15
    (tmp_path / "limit").write_text("12345\n")
    monkeypatch.setattr(memory, "LIMITS", (str(tmp_path / "limit"), str(tmp_path / "none")))
    assert available_memory() == 12345


def test_no_message_without_a_remedy_for_a_parquet_of_text(tmp_path):
    paths = write_csv(tmp_path, toy())
    pd.DataFrame({"a": ["x"] * 6}).to_parquet(tmp_path / "f.parquet")
    with pytest.raises(
        UserError, match=r"f\.parquet has no node features \(it has: a\); add a file"
    ):
        read_own("toy", {"files": paths | {"features": tmp_path / "f.parquet"}})
