"""Planetoid: which pickles are read, how the pieces are put together, agreement with PyG."""

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from raw_files import digests, planetoid_files, python2_pickle, write_files
from scipy import sparse

from gnn_dynamics.data.formats.planetoid import ALLOWED, read_pickle
from gnn_dynamics.data.readers import read_dataset
from gnn_dynamics.errors import UserError


def written(folder: Path, content: bytes) -> Path:
    path = folder / "ind.toy.x"
    path.write_bytes(content)
    return path


class Runs:
    """Unpickled without care, this runs a function with an argument."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (os.system, r"(posix|nt)\.system"),
        (eval, r"__builtin__\.eval"),
        (io.open, r"_?io\.open"),
        (np.load, r"numpy\.load"),
        (getattr, r"__builtin__\.getattr"),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_malicious_pickle_is_refused_by_name(function, name, protocol, tmp_path):
    content = pickle.dumps(Runs(function, str(tmp_path / "made")), protocol)
    name = name if protocol < 3 else name.replace("__builtin__", "builtins")
    with pytest.raises(UserError, match=rf"ind\.toy\.x.*refused: {name}"):
        read_pickle(written(tmp_path, content))
    assert not (tmp_path / "made").exists()


def test_six_globals_are_allowed():
    assert len(ALLOWED) == 6


@pytest.mark.parametrize(
    "content",
    [b"", b"no pickle", python2_pickle(np.arange(3))[:-4], python2_pickle(sparse.eye(3))],
    ids=["empty", "text", "cut", "not csr"],
)
def test_a_damaged_file_is_named(content, tmp_path):
    with pytest.raises(UserError, match=r"ind\.toy\.x is not a file of Planetoid"):
        read_pickle(written(tmp_path, content))


def test_indices_of_a_matrix_are_checked(tmp_path):
    matrix = sparse.csr_matrix(np.eye(3))
    matrix.indices[1] = 7
    with pytest.raises(UserError, match="not a file of Planetoid"):
        read_pickle(written(tmp_path, python2_pickle(matrix)))


def test_reading_without_a_warning(tmp_path, recwarn):
    matrix = sparse.random_array((4, 5), density=0.5, rng=0, format="csr", dtype=np.float32)
    found = read_pickle(written(tmp_path, python2_pickle(sparse.csr_matrix(matrix))))
    assert (found != matrix).nnz == 0 and found.dtype == np.float32 and not recwarn


TEST_NODES = [9, 7, 12]  # of 13 nodes; 8, 10, 11 are missing, as 15 are from CiteSeer


@pytest.fixture
def toy(tmp_path):
    """A data set in Planetoid's format with gaps, loops, duplicates; its entry and dense pieces."""
    files, allx, tx = planetoid_files("ind.toy", TEST_NODES)
    write_files(tmp_path, files)
    entry = {"reader": "planetoid", "directed": False, "source_url": "https://example.org"}
    entry |= {"options": {"stem": "ind.toy"}, "files": digests(files)}
    return entry, allx, tx


def test_the_pieces_come_to_their_places(toy, tmp_path):
    entry, allx, tx = toy
    graph = read_dataset("toy", entry, tmp_path)
    X = np.zeros((13, 4))
    X[:7], X[TEST_NODES] = allx, tx
    np.testing.assert_array_equal(graph.features.toarray(), X)
    expected = [0, 1, 2, 0, 1, 2, 0, 2, -1, 1, -1, -1, 0]
    np.testing.assert_array_equal(graph.labels, expected)
    np.testing.assert_array_equal(graph.train, [0, 1, 2])
    np.testing.assert_array_equal(graph.val, [3, 4, 5, 6])
    np.testing.assert_array_equal(graph.test, [7, 9, 12])
    edges = set(zip(*map(np.ndarray.tolist, graph.adjacency.tocoo().coords), strict=True))
    assert edges == {(a, b) for p in [(0, 1), (1, 2), (3, 9), (7, 8)] for a, b in (p, p[::-1])}
    counts = ("stored_edges", "duplicate_edges_dropped", "self_loops_dropped")
    assert [graph.facts[key] for key in counts] == [12, 3, 1]


def test_a_changed_file_is_not_read(toy, tmp_path):
    (tmp_path / "ind.toy.ally").write_bytes(pickle.dumps(Runs(os.system, "false"), 2))
    with pytest.raises(UserError, match=r"ind\.toy\.ally is damaged: its SHA-256"):
        read_dataset("toy", toy[0], tmp_path)


def test_an_absent_file_is_named(toy, tmp_path):
    (tmp_path / "ind.toy.allx").unlink()
    with pytest.raises(UserError, match=r"ind\.toy\.allx is missing"):
        read_dataset("toy", toy[0], tmp_path)
