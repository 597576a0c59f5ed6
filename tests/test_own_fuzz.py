"""Whatever is in a file, reading it gives a graph or a UserError of one line, never a traceback."""

import io
import json
import os

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from graphs import patient
from hypothesis import given, settings
from hypothesis import strategies as st
from own_case_files import EDGES, NAMES, TRAIN, X, Y, tensors

from gnn_dynamics.data.own.files import READERS
from gnn_dynamics.data.readers import read_dataset
from gnn_dynamics.errors import UserError

pytestmark = pytest.mark.slow

TIMES = int(os.environ.get("GNN_DYNAMICS_FUZZ", "1"))  # as many examples
NUMBERS = ("0", "1", "2", "5", "-1", "1.5", "1,5", "1e400", "nan", "99999999999999999999")
WORDS = ("", '"', '"0 1"', "#", "a", "True", "id", "node", "label", "x", "y", "train", "source")
FIELDS = st.sampled_from(NUMBERS + WORDS)
TABLES = st.tuples(
    st.sampled_from([",", ";", "\t", " ", "  ", "|"]),
    st.lists(st.lists(FIELDS, min_size=1, max_size=5), min_size=1, max_size=9),
    st.sampled_from(["\n", "\r\n", "\n\n", "\n# "]),
).map(lambda parts: parts[2].join(parts[0].join(row) for row in parts[1]).encode())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=6,
)
ENTRY = st.dictionaries(st.sampled_from(["id", "x", "y", "source", "target", "label"]), VALUES)
LINKED = st.fixed_dictionaries({"nodes": st.lists(ENTRY) | VALUES, "links": st.lists(ENTRY)})
TREES = (LINKED | VALUES | ENTRY).map(lambda tree: json.dumps(tree).encode())


def valid(kind):
    """A file of a kind that is read right; parts of it are then changed."""
    file = io.BytesIO()
    graph = nx.Graph([(int(a), int(b)) for a, b in EDGES])
    nx.set_node_attributes(graph, {k: {"f": float(X[k, 0]), "y": int(Y[k])} for k in graph})
    if kind == ".npz":
        np.savez(file, edge_index=EDGES.T, x=X, y=Y, train_mask=TRAIN)
    elif kind in (".pt", ".pth"):
        torch.save(tensors(), file)
    elif kind in (".graphml", ".gexf", ".gml", ".net"):
        write = "pajek" if kind == ".net" else kind[1:]
        getattr(nx, f"write_{write}")(graph if kind != ".net" else nx.Graph(graph.edges), file)
    elif kind == ".npy":
        np.save(file, EDGES.T)
    elif kind == ".json":
        file.write(json.dumps(nx.node_link_data(graph, edges="links")).encode())
    elif kind == ".mtx":
        file.write(b"%%MatrixMarket matrix coordinate pattern general\n6 6 2\n1 2\n2 3\n")
    else:
        file.write(b"source,target\n0,1\n1,2\n2,3\n")
    return file.getvalue()


def read(folder, kind, content, role="graph"):
    """Reads a file in a role beside sound files."""
    np.save(folder / "x.npy", X)
    np.save(folder / "y.npy", Y)
    np.save(folder / "edges.npy", EDGES.T)
    files = {"graph": "edges.npy", "features": "x.npy", "labels": "y.npy"} | {role: f"a{kind}"}
    (folder / f"a{kind}").write_bytes(content)
    read_files(folder, files, weights="ignore")


def read_files(folder, files, **options):
    """Reads files by role; asserts that nothing but UserErrors come."""
    paths = {role: str(folder / name) for role, name in files.items()}
    try:
        graph = read_dataset("toy", {"reader": "own", "files": paths, "options": options}, None)
    except UserError as error:
        assert "\n" not in str(error)
        assert str(folder) in str(error) or "dataset toy" in str(error)
    else:
        assert graph.n == graph.features.shape[0] == len(graph.labels)


ROLES = st.sampled_from(["graph", "features", "labels", "split", "nodes", "ids"])


@pytest.mark.parametrize("kind", sorted(READERS))
@settings(patient, max_examples=12 * TIMES)
@given(data=st.data())
def test_a_damaged_file_is_refused_or_read(kind, data, tmp_path_factory):
    folder, sound = tmp_path_factory.mktemp("fuzz"), valid(kind)
    content = bytearray(sound)
    for _ in range(data.draw(st.integers(0, 4))):
        start = data.draw(st.integers(0, len(sound)))
        content[start : start + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    read(folder, kind, bytes(content), data.draw(ROLES))


@pytest.mark.parametrize(
    ("kind", "role", "content"),
    [
        (".mtx", "split", valid(".mtx")),  # a sparse matrix is no mask
        (".json", "ids", b'{"a": null, "b": [null]}'),  # the values are no numbers of rows
        (".json", "ids", b'{"a": 0.5, "b": 1}'),
    ],
)
def test_what_fuzzing_found_is_refused(kind, role, content, tmp_path):
    read(tmp_path, kind, content, role)


@settings(patient, max_examples=60 * TIMES)
@given(content=TABLES | st.binary(max_size=60), role=ROLES)
def test_any_text_is_refused_or_read(content, role, tmp_path_factory):
    read(tmp_path_factory.mktemp("fuzz"), ".csv", content, role)


@settings(patient, max_examples=60 * TIMES)
@given(content=TREES, role=ROLES)
def test_any_json_is_refused_or_read(content, role, tmp_path_factory):
    read(tmp_path_factory.mktemp("fuzz"), ".json", content, role)


TITLES = ["", "id", "node", "txId", "label", "y", "x", "class", "split", "weight", "f0", "t"]
TITLES += ["source", "target", "from", "train_mask", "val_idx", "test", "train"]
WHOLE = np.arange(6)
COLUMNS = [WHOLE, WHOLE + 1, WHOLE[::-1], NAMES, Y, X[:, 0], X[:, 2] / 3, TRAIN, ~TRAIN]
COLUMNS += [Y * 2.0 - 1, np.array([*"001122"]), np.where(TRAIN, "train", "test"), EDGES[:, 0]]
COLUMNS += [EDGES[:, 1], NAMES[EDGES[:, 0]], np.where(TRAIN, None, 1.5), np.where(TRAIN, NAMES, "")]
COLUMNS += [np.array([f"[{a}, {b}]" for a, b in EDGES]), np.full(6, np.nan), np.full(6, "unknown")]
FRAMES = st.dictionaries(
    st.sampled_from(TITLES), st.sampled_from(COLUMNS), min_size=1, max_size=4
).flatmap(lambda frame: st.tuples(st.just(frame), st.integers(1, 6), st.booleans()))
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "weights": st.just("ignore"),
        "split": st.sampled_from(["all", {"train": 1, "val": 1, "seed": 0}]),
        "task": st.sampled_from(["classification", "regression", "none"]),
        "features": st.sampled_from(["identity", "degree", "ones"]),
        "first_id": st.integers(0, 2),
        "split_index": st.integers(0, 2),
        **{name: st.sampled_from([*TITLES, "none"]) for name in ("labels", "ids")},
        "ends": st.sampled_from(["source,target", "from,t", "x", "column 1,column 2"]),
    },
)


@settings(patient, max_examples=60 * TIMES)
@given(tables=st.dictionaries(ROLES, FRAMES, min_size=1), options=OPTIONS, kind=st.booleans())
def test_any_tables_are_refused_or_read(tables, options, kind, tmp_path_factory):
    """Columns of the usual kinds under usual names, in any role, with any options."""
    folder = tmp_path_factory.mktemp("fuzz")
    np.save(folder / "edges.npy", EDGES.T)
    files = {"graph": "edges.npy"}
    for role, (columns, rows, header) in tables.items():
        frame = pd.DataFrame(columns).iloc[:rows]
        if kind:
            files[role] = f"{role}.csv"
            frame.to_csv(folder / files[role], index=False, header=header)
        else:
            files[role] = f"{role}.npz"
            arrays = {name or "a": frame[name].to_numpy() for name in frame}
            texts = {k: v.astype(str) if v.dtype.kind == "O" else v for k, v in arrays.items()}
            np.savez(folder / files[role], **texts)
    read_files(folder, files, **options)
