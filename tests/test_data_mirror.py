"""Every data set that the mirror holds: documented sizes, and agreement with PyTorch Geometric."""

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from gnn_dynamics.data.fetch.catalogue import load_catalogue
from gnn_dynamics.data.fetch.download import fetch_dataset
from gnn_dynamics.data.graph_facts import graph_facts
from gnn_dynamics.data.readers import read_dataset
from gnn_dynamics.errors import UserError

CATALOGUE = load_catalogue(Path(__file__).resolve().parents[1] / "config" / "datasets.yaml")

# name: nodes, edges, features, classes; split; stored edges, loops, duplicates; isolated nodes,
# nodes without features. From the papers and the descriptions of the sources.
SIZES = {
    "cora": ((2708, 5278, 1433, 7), (140, 500, 1000), (10858, 0, 302), (0, 0)),
    "citeseer": ((3327, 4552, 3703, 6), (120, 500, 1000), (9464, 124, 236), (48, 15)),
    "amazon-photo": ((7650, 119081, 745, 8), (160, 240, 7250), (143663, 1, 0), (115, 0)),
    "amazon-computers": ((13752, 245861, 767, 10), (200, 300, 13252), (287209, 0, 0), (281, 0)),
    "coauthor-cs": ((18333, 81894, 6805, 15), (300, 450, 17583), (163788, 0, 0), (0, 0)),
    "coauthor-physics": ((34493, 247962, 8415, 5), (100, 150, 34243), (495924, 0, 0), (0, 0)),
    "actor": ((7600, 26659, 932, 5), (3648, 2432, 1520), (26659, 0, 0), (0, 0)),
    "cornell": ((183, 277, 1703, 5), (87, 59, 37), (277, 0, 0), (0, 0)),
    "texas": ((183, 279, 1703, 5), (87, 59, 37), (279, 0, 0), (0, 0)),
    "wisconsin": ((251, 450, 1703, 5), (120, 80, 51), (450, 0, 0), (0, 0)),
    "chameleon-filtered": ((890, 8854, 2325, 5), (409, 287, 194), (8854, 0, 0), (0, 94)),
    "squirrel-filtered": ((2223, 46998, 2089, 5), (1053, 718, 452), (46998, 0, 0), (0, 113)),
    "minesweeper": ((10000, 39402, 7, 2), (5000, 2500, 2500), (39402, 0, 0), (0, 0)),
    "tolokers": ((11758, 519000, 10, 2), (5879, 2939, 2940), (519000, 0, 0), (0, 0)),
    "chameleon": ((2277, 31371, 2325, 5), (1092, 729, 456), (36101, 50, 0), (0, 233)),
    "squirrel": ((5201, 198353, 2089, 5), (2496, 1664, 1041), (217073, 140, 0), (0, 165)),
}
# name: graphs, nodes, mean edges, split, classes
MOLECULES = {
    "ogbg-molhiv": (41127, 1049163, 27.47, (32901, 4113, 4113), 2),
    "ogbg-molbace": (1513, 51577, 36.86, (1210, 151, 152), 2),
    "ogbg-molbbbp": (2039, 49068, 25.95, (1631, 204, 204), 2),
    "ogbg-molesol": (1128, 14991, 13.68, (902, 113, 113), 1),
    "ogbg-molfreesolv": (642, 5600, 8.39, (513, 64, 65), 1),
}
HOMOPHILY = {
    "cora": 0.810,
    "amazon-photo": 0.827,
    "coauthor-physics": 0.931,
    "cornell": 0.123,  # 0.30 would be the labels of Texas
    "minesweeper": 0.683,
    "tolokers": 0.595,
}
NONZEROS = {"cora": 49216, "citeseer": 105165, "amazon-photo": 1979909, "coauthor-cs": 1092079}


@pytest.fixture(scope="module")
def read(mirror, tmp_path_factory):
    """A data set from the mirror, by name; fetched and read once."""
    known = {}

    def by_name(name):
        if name not in known:
            folder = tmp_path_factory.mktemp(name)
            fetch_dataset(CATALOGUE[name], folder, str(mirror))
            known[name] = read_dataset(name, CATALOGUE[name], folder)
        return known[name]

    return by_name


@pytest.mark.parametrize("name", SIZES)
def test_sizes(name, read):
    graph = read(name)
    sizes, split, edges, empty = SIZES[name]
    row = graph_facts(graph)
    assert sizes == tuple(row[k] for k in ("nodes", "edges", "features_count", "classes"))
    assert split == (len(graph.train), len(graph.val), len(graph.test))
    dropped = (row["self_loops_dropped"], row["duplicate_edges_dropped"])
    assert edges == (graph.facts["stored_edges"], *dropped)
    assert empty == (row["isolated_nodes"], row["zero_feature_nodes"])
    assert row["unlabelled_nodes"] == (15 if name == "citeseer" else 0)
    if name in HOMOPHILY:
        assert row["edge_homophily"] == pytest.approx(HOMOPHILY[name], abs=5e-4)
    if name in NONZEROS:
        assert graph.features.nnz == NONZEROS[name]


@pytest.mark.parametrize("name", MOLECULES)
def test_molecules(name, read):
    graph = read(name)
    graphs, nodes, mean_edges, split, classes = MOLECULES[name]
    assert (len(graph.labels), graph.n, graph.classes) == (graphs, nodes, classes)
    assert round(graph.adjacency.nnz / 2 / graphs, 2) == mean_edges
    assert split == (len(graph.train), len(graph.val), len(graph.test))
    assert graph.features.shape[1] == 174 and graph.features.nnz == 9 * nodes
    assert graph.labels.dtype == (np.int64 if classes == 2 else np.float64)
    assert graph.task == ("classification" if classes == 2 else "regression")
    # No bond joins two molecules.
    rows, columns = graph.adjacency.tocoo().coords
    assert (graph.graph_index[rows] == graph.graph_index[columns]).all()


def test_every_embedded_or_mirrored_data_set_is_covered():
    absent = {"pubmed", "ogbn-arxiv", "ogbn-products", "ogbn-papers100m", "ogbn-proteins"}
    embedded = {name for name, entry in CATALOGUE.items() if entry["reader"] == "embedded"}
    assert set(CATALOGUE) == set(SIZES) | set(MOLECULES) | absent | embedded


@pytest.mark.parametrize(
    ("name", "file"), [("pubmed", "ind.pubmed.allx"), ("ogbn-arxiv", "arxiv.zip")]
)
def test_what_a_mirror_lacks_is_named(name, file, mirror, tmp_path):
    partial = tmp_path / "mirror"
    (partial / "planetoid" / "data").mkdir(parents=True)
    shutil.copy(mirror / "urlmap.tsv", partial)
    for path in (mirror / "planetoid" / "data").glob("ind.pubmed.*"):
        if path.name != "ind.pubmed.allx":
            shutil.copy(path, partial / "planetoid" / "data")
    with pytest.raises(UserError, match=f"cannot fetch {file} from the mirror {partial}"):
        fetch_dataset(CATALOGUE[name], tmp_path / "raw", str(partial))


def test_citeseer_has_fifteen_nodes_without_anything(read):
    graph = read("citeseer")
    gaps = [2407, 2489, 2553, 2682, 2781, 2953, 3042, 3063, 3212, 3214, 3250, 3292, 3305, 3306]
    gaps += [3309]
    np.testing.assert_array_equal(np.flatnonzero(graph.labels == -1), gaps)
    assert set(np.diff(graph.adjacency.indptr)[gaps]) == {1, 2}  # they have neighbours
    np.testing.assert_array_equal(np.bincount(graph.labels[graph.labels >= 0])[0], 249)


def test_classes_per_split_without_an_official_one(read):
    for name in ("amazon-photo", "coauthor-cs"):
        graph = read(name)
        assert set(np.bincount(graph.labels[graph.train])) == {20}
        assert set(np.bincount(graph.labels[graph.val])) == {30}


def raw_layout(mirror, files, folder):
    """Copy files of the mirror to where PyG would download them."""
    folder.mkdir(parents=True)
    for file in files:
        shutil.copy(mirror / file, folder)


def pyg_planetoid(mirror, root, name):
    from torch_geometric.datasets import Planetoid

    files = (mirror / "planetoid" / "data").glob(f"ind.{name.lower()}.*")
    raw_layout(mirror, files, root / name / "raw")
    return Planetoid(str(root), name)


def pyg_amazon(mirror, root, name):
    from torch_geometric.datasets import Amazon

    file = f"gnn-benchmark/data/npz/amazon_electronics_{name.lower()}.npz"
    raw_layout(mirror, [file], root / name / "raw")
    return Amazon(str(root), name)


def pyg_heterophilous(mirror, root, name):
    from torch_geometric.datasets import HeterophilousGraphDataset

    raw_layout(mirror, [f"heterophilous-graphs/data/{name}.npz"], root / name / "raw")
    return HeterophilousGraphDataset(str(root), name)


def pyg_webkb(mirror, root, name):
    from torch_geometric.datasets import WebKB

    folder = mirror / "geom-gcn"
    files = [*(folder / "new_data" / name).iterdir(), *(folder / "splits").glob(f"{name}_*")]
    raw_layout(mirror, files, root / name / "raw")
    return WebKB(str(root), name)


PYG = {
    "cora": (pyg_planetoid, "Cora"),
    "citeseer": (pyg_planetoid, "CiteSeer"),
    "amazon-photo": (pyg_amazon, "Photo"),
    "minesweeper": (pyg_heterophilous, "minesweeper"),
    "wisconsin": (pyg_webkb, "wisconsin"),
    "texas": (pyg_webkb, "texas"),
}


@pytest.mark.parametrize("name", PYG)
def test_equal_to_pytorch_geometric(name, read, mirror, tmp_path):
    loader, theirs = PYG[name]
    with warnings.catch_warnings():  # theirs, about the age of the files
        warnings.simplefilter("ignore")
        data = loader(mirror, tmp_path, theirs)[0]
    assert_equal_to_pyg(read(name), data)


def assert_equal_to_pyg(graph, data):
    """Same features, labels, simple edges and, where PyG has one, split."""
    known = graph.labels >= 0
    np.testing.assert_array_equal(graph.features.toarray(), data.x.to_dense().numpy())
    np.testing.assert_array_equal(graph.labels[known], data.y.numpy()[known])
    source, target = data.edge_index.numpy()
    ends = np.stack([np.minimum(source, target), np.maximum(source, target)])
    simple = np.unique(ends[:, source != target], axis=1)
    rows, columns = graph.adjacency.tocoo().coords
    np.testing.assert_array_equal(simple, np.stack([rows, columns])[:, rows < columns])
    if "train_mask" in data:
        for part in ("train", "val", "test"):
            mask = data[f"{part}_mask"].numpy()
            mask = mask if mask.ndim == 1 else mask[:, 0]
            np.testing.assert_array_equal(getattr(graph, part), np.flatnonzero(mask))


def test_the_reader_of_geom_gcn_equals_pytorch_geometric(mirror, tmp_path):
    """On Texas, since the text of Chameleon is long to parse for PyG."""
    files = [f"new_data/texas/out1_{part}.txt" for part in ("graph_edges", "node_feature_label")]
    files.append("splits/texas_split_0.6_0.2_0.npz")
    entry = CATALOGUE["chameleon"] | {"files": dict.fromkeys(files)}
    graph = read_dataset("texas", entry, mirror / "geom-gcn")
    assert (graph.facts["stored_edges"], graph.facts["self_loops_dropped"]) == (325, 16)
    assert_equal_to_pyg(graph, pyg_webkb(mirror, tmp_path, "texas")[0])


def test_chameleon_is_the_same_in_both_sources(mirror, read):
    """The text of Geom-GCN and the arrays of heterophilous-graphs."""
    entry = CATALOGUE["actor"] | {"files": {"chameleon.npz": None}}
    arrays = read_dataset("chameleon", entry, mirror / "heterophilous-graphs" / "data")
    text = read("chameleon")
    for part in ("adjacency", "features"):
        assert (getattr(arrays, part) != getattr(text, part)).nnz == 0
    for part in ("labels", "train", "val", "test"):
        np.testing.assert_array_equal(getattr(arrays, part), getattr(text, part))
