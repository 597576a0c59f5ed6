"""OGB: made-up data in its formats, real data by its own loader, what its import must not do."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from local_server import serving
from raw_files import digests, ogb_arrays, ogb_files, write_files, zipped

from gnn_dynamics.data.fetch import transfer
from gnn_dynamics.data.fetch.catalogue import load_catalogue
from gnn_dynamics.data.fetch.download import fetch_dataset
from gnn_dynamics.data.formats.ogb import one_hot
from gnn_dynamics.data.graph import load_graph, save_graph
from gnn_dynamics.data.readers import read_dataset
from gnn_dynamics.errors import UserError

CATALOGUE = load_catalogue(Path(__file__).resolve().parents[1] / "config" / "datasets.yaml")
RNG = np.random.default_rng(0)
N = 30
EDGES = RNG.integers(0, N, (80, 2))
X = RNG.standard_normal((N, 8)).round(6).astype(np.float32)
ARXIV = ogb_files("node", N, EDGES, np.arange(N) % 40, "time", node_feat=X)


def entry_for(name, files):
    """The catalogue's entry with the checksums of other files."""
    entry = CATALOGUE[name]
    assert set(files) == set(entry["files"])
    return entry | {"files": digests(files)}


@pytest.fixture
def server(monkeypatch):
    """A web mirror with a small arxiv.zip."""
    monkeypatch.setattr(transfer, "BACK_OFF", 0.001)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("GNN_DYNAMICS_MIRROR", raising=False)
    transfer._session.cache_clear()
    urlmap = b"folder\turl\nogb\thttp://snap.stanford.edu/ogb\n"
    path = "ogb/data/nodeproppred/arxiv.zip"
    with serving({"urlmap.tsv": urlmap, path: zipped(ARXIV, "arxiv")}) as running:
        running.path = path
        yield running
    transfer._session.cache_clear()


def prepared(server, tmp_path):
    entry = entry_for("ogbn-arxiv", ARXIV)
    fetch_dataset(entry, tmp_path / "raw", server.url)
    return read_dataset("ogbn-arxiv", entry, tmp_path / "raw")


@pytest.mark.slow
@pytest.mark.parametrize("faults", [[], [400], [400, "no range"], ["503"], [3, "503", 2]], ids=str)
def test_arxiv_from_the_web_to_the_prepared_graph(faults, server, tmp_path):
    server.faults[server.path] = list(faults)
    graph = prepared(server, tmp_path)
    simple = {frozenset(edge) for edge in EDGES.tolist() if edge[0] != edge[1]}
    pairs = np.transpose(graph.adjacency.tocoo().coords).tolist()
    assert {frozenset(pair) for pair in pairs} == simple
    np.testing.assert_array_equal(graph.features.toarray(), X.astype(np.float64))
    np.testing.assert_array_equal(graph.labels, np.arange(N) % 40)
    split = np.concatenate([graph.train, graph.val, graph.test])
    np.testing.assert_array_equal(split, np.arange(N))
    assert graph.classes == 40 and graph.graph_index is None and graph.facts["directed_source"]
    save_graph(graph, tmp_path / "graph.npz")
    assert load_graph(tmp_path / "graph.npz").facts == graph.facts


def test_arxiv_with_a_wrong_member(server, tmp_path):
    wrong = ARXIV | {"raw/node-feat.csv.gz": b"other"}
    server.files[server.path] = zipped(wrong, "arxiv")
    with pytest.raises(UserError, match=r"raw/node-feat\.csv\.gz in .*arxiv\.zip: its SHA-256"):
        prepared(server, tmp_path)
    assert not [path for path in (tmp_path / "raw").rglob("*") if path.is_file()]


def test_arxiv_without_features_is_an_error_not_a_graph_without_features(server, tmp_path):
    less = {name: content for name, content in ARXIV.items() if "node-feat" not in name}
    server.files[server.path] = zipped(less, "arxiv")
    with pytest.raises(UserError, match=r"arxiv\.zip lacks the member arxiv/raw/node-feat"):
        prepared(server, tmp_path)


def test_arxiv_that_is_not_there(server, tmp_path):
    del server.files[server.path]
    with pytest.raises(
        UserError, match=r"arxiv\.zip.*answered 404.*official address is http://snap"
    ):
        prepared(server, tmp_path)


def test_products_are_undirected_and_their_digests_recorded(tmp_path):
    labels = np.arange(N) % 47
    files = ogb_files("node", N, EDGES, labels, "sales_ranking", node_feat=X)
    write_files(tmp_path, files)
    graph = read_dataset("ogbn-products", CATALOGUE["ogbn-products"], tmp_path)
    assert graph.facts["unpinned"] == digests(files) and not graph.facts["directed_source"]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_features_of_papers100m_stay_in_a_file_and_the_graph_is_that_of_tables(
    save, dtype, tmp_path
):
    labels = np.where(np.arange(N) < 25, np.arange(N) % 172, np.nan)
    files = ogb_arrays(EDGES, labels, "time", X.astype(dtype), save)
    write_files(tmp_path, files)
    graph = read_dataset("ogbn-papers100m", entry_for("ogbn-papers100m", files), tmp_path)
    write_files(tmp_path / "tables", ARXIV)
    other = read_dataset("ogbn-arxiv", entry_for("ogbn-arxiv", ARXIV), tmp_path / "tables")
    assert isinstance(graph.features, np.memmap) and graph.features.dtype == dtype
    np.testing.assert_array_equal(graph.features, X.astype(dtype))
    assert (graph.adjacency != other.adjacency).nnz == 0
    np.testing.assert_array_equal(graph.labels, np.where(np.isnan(labels), -1, labels))
    assert graph.classes == 172
    own = {"source_url", "sha256", "unpinned"}
    assert {key: graph.facts[key] for key in graph.facts.keys() - own} == {
        key: other.facts[key] for key in other.facts.keys() - own
    }
    np.testing.assert_array_equal(graph.train, other.train)
    save_graph(graph, tmp_path / "graph.npz")
    read = load_graph(tmp_path / "graph.npz")
    assert isinstance(read.features, np.memmap) and read.features.dtype == dtype
    np.testing.assert_array_equal(read.features, graph.features)


@pytest.mark.parametrize("content", [None, b"", b"PK", b"half"])
def test_arrays_of_papers100m_that_are_damaged(content, tmp_path):
    files = ogb_arrays(EDGES, np.arange(N), "time", X)
    whole = files["raw/data.npz"]
    broken = {None: X.tobytes(), b"half": whole[: len(whole) // 2]}.get(content, content)
    write_files(tmp_path, files | {"raw/data.npz": broken})
    entry = CATALOGUE["ogbn-papers100m"]
    with pytest.raises(UserError, match=r"data\.npz and .*node-label\.npz are not files of OGB"):
        read_dataset("ogbn-papers100m", entry, tmp_path)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((N, 2), dtype=int), "its features are int64 numbers"),
        (np.full((N, 2), np.inf, np.float32), "node 0, feature 0 is inf; every feature must be"),
    ],
)
def test_features_of_papers100m_that_are_no_real_numbers(X, message, tmp_path):
    write_files(tmp_path, ogb_arrays(EDGES, np.arange(N), "time", X))
    with pytest.raises(UserError, match=message):
        read_dataset("ogbn-papers100m", CATALOGUE["ogbn-papers100m"], tmp_path)


PROTEINS = {"edge_feat": RNG.random((80, 8)).round(6)}


def proteins(folder):
    labels = RNG.integers(0, 2, (N, 112))
    write_files(folder, ogb_files("node", N, EDGES, labels, "species", **PROTEINS))
    return labels


def test_proteins_have_means_of_edge_features_and_one_task(tmp_path):
    labels = proteins(tmp_path)
    graph = read_dataset("ogbn-proteins", CATALOGUE["ogbn-proteins"], tmp_path)
    at_node = [[] for _ in range(N)]
    for edge, features in zip(EDGES, PROTEINS["edge_feat"].astype(np.float32), strict=True):
        for end in edge:
            at_node[end].append(features.astype(np.float64))
    expected = [np.mean(rows, axis=0) if rows else np.zeros(8) for rows in at_node]
    np.testing.assert_allclose(graph.features.toarray(), expected, rtol=1e-14, atol=0)
    np.testing.assert_array_equal(graph.labels, labels[:, 0])
    assert graph.classes == 2 and graph.facts["label"] == "task 0 of 112"


def test_many_tasks_need_a_choice(tmp_path):
    proteins(tmp_path)
    entry = CATALOGUE["ogbn-proteins"]
    options = {"name": "ogbn-proteins", "features": "edge-means"}
    with pytest.raises(UserError, match=r"has 112 tasks; options\.label_column"):
        read_dataset("ogbn-proteins", entry | {"options": options}, tmp_path)


def test_a_task_that_is_not_supported(tmp_path):
    options = {"name": "ogbg-code2", "features": "numbers"}
    with pytest.raises(UserError, match="'subtoken prediction'; only classification and regr"):
        read_dataset("code", CATALOGUE["ogbn-arxiv"] | {"options": options, "files": {}}, tmp_path)


def test_categories_are_not_numbers(tmp_path):
    codes = RNG.integers(0, 3, (N, 4))
    write_files(tmp_path, ogb_files("node", N, EDGES, np.arange(N), "time", node_feat=codes))
    entry = CATALOGUE["ogbn-arxiv"] | {"files": dict.fromkeys(ARXIV)}
    with pytest.raises(UserError, match="features: atom-codes"):
        read_dataset("ogbn-arxiv", entry, tmp_path)


def test_one_hot_places_each_code_in_its_block():
    found = one_hot(np.array([[0, 2], [1, 0]]), [2, 3]).toarray()
    np.testing.assert_array_equal(found, [[1, 0, 0, 0, 1], [0, 1, 1, 0, 0]])
    with pytest.raises(UserError, match="node 1, feature 0: code 2 is not one of the 2"):
        one_hot(np.array([[0, 2], [2, 0]]), [2, 3])


@pytest.mark.slow
def test_reading_does_not_import_ogb(tmp_path):
    """Its import would ask a server for a newer version, and print; nor does reading print."""
    codes = np.zeros((N, 9), dtype=int)
    files = ogb_files("node", N, EDGES, np.arange(N), "time", node_feat=codes)
    write_files(tmp_path / "data", files)
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, '.');"
        "from gnn_dynamics.data.formats.ogb import read_ogb;"
        "options = {'name': 'ogbn-arxiv', 'features': 'atom-codes'};"
        f"assert read_ogb({{'options': options}}, Path('data')).X.nnz == {codes.size};"
        "assert 'ogb' not in sys.modules and 'outdated' not in sys.modules"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    answer = subprocess.run(command, capture_output=True, cwd=tmp_path)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, b"", b"")


def test_features_that_are_not_there(tmp_path):
    proteins(tmp_path)
    entry = CATALOGUE["ogbn-proteins"]
    options = entry["options"] | {"features": "numbers"}
    with pytest.raises(UserError, match=r"has no node-feat\.csv\.gz, which features: numbers"):
        read_dataset("ogbn-proteins", entry | {"options": options}, tmp_path)


MOLECULES = ("ogbg-molbace", "ogbg-molesol", "ogbg-molfreesolv")


@pytest.mark.parametrize("name", MOLECULES)
def test_molecules_equal_those_of_ogbs_own_loader(name, mirror, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "outdated", None)
    from ogb.graphproppred import GraphPropPredDataset
    from ogb.utils.features import get_atom_feature_dims

    fetch_dataset(CATALOGUE[name], tmp_path / "raw", str(mirror))
    graph = read_dataset(name, CATALOGUE[name], tmp_path / "raw")
    theirs = tmp_path / name.replace("-", "_")
    source = mirror / "ogb" / CATALOGUE[name]["source_url"].split("/ogb/")[1].removesuffix(".zip")
    files = [path for path in source.rglob("*") if path.is_file()]
    write_files(theirs, {str(p.relative_to(source)): p.read_bytes() for p in files})
    (theirs / "processed").mkdir()
    loader = GraphPropPredDataset(name, root=str(tmp_path))
    molecules = [loader[i][0] for i in range(len(loader))]
    offsets = np.cumsum([0] + [m["num_nodes"] for m in molecules])
    ends = [m["edge_index"] + at for m, at in zip(molecules, offsets, strict=False)]
    assert graph.n == offsets[-1]
    np.testing.assert_array_equal(
        np.unique(np.concatenate(ends, axis=1), axis=1), np.stack(graph.adjacency.tocoo().coords)
    )
    blocks = np.split(graph.features.toarray(), np.cumsum(get_atom_feature_dims())[:-1], axis=1)
    codes = np.stack([block.argmax(axis=1) for block in blocks], axis=1)
    np.testing.assert_array_equal(codes, np.concatenate([m["node_feat"] for m in molecules]))
    assert all((block.sum(axis=1) == 1).all() for block in blocks)
    np.testing.assert_array_equal(graph.labels, loader.labels.ravel())
    np.testing.assert_array_equal(np.bincount(graph.graph_index), np.diff(offsets))
    split = loader.get_idx_split()
    for part, key in (("train", "train"), ("val", "valid"), ("test", "test")):
        np.testing.assert_array_equal(getattr(graph, part), np.sort(split[key]))
