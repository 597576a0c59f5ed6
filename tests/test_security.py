"""Files and settings are not trusted: they run nothing, reach nowhere else, become no markup."""

import ast
import gzip
import lzma
import struct
import zipfile
from itertools import pairwise

import numpy as np
import pytest
import torch
import yaml
from own_files import toy, write_csv
from workflow_runs import ROOT

from gnn_dynamics.config.schema import SAFE_LOADER, read_yaml
from gnn_dynamics.data.fetch.archive import extract_members
from gnn_dynamics.data.fetch.catalogue import load_catalogue
from gnn_dynamics.data.fetch.transfer import Unavailable, fetch
from gnn_dynamics.data.own.read import read_own
from gnn_dynamics.errors import UserError
from gnn_dynamics.workflow.check_config import check_config, check_paths

# docs/site/ runs the tutorials of the documentation, which are code of the project.
FOLDERS = {"gnn_dynamics": "**/*.py", "scripts": "*.py", "docs": "*.py"}
SOURCES = sorted(path for folder, these in FOLDERS.items() for path in (ROOT / folder).glob(these))
EMPTY = {"run": "x", "datasets": [], "experiments": [], "graph_condition": {}}
ATTACK = "<script>alert('x')</script>"
# Calls that run, or may run, what they are given.
FORBIDDEN = {
    *("eval", "exec", "os.system", "os.popen", "pickle.load", "pickle.loads", "marshal.loads"),
    *("joblib.load", "pd.read_pickle", "yaml.unsafe_load", "yaml.full_load"),
}


def calls(path):
    """(name, keyword arguments) of every call in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_runs_what_it_reads(path):
    for name, options in calls(path):
        assert name not in FORBIDDEN
        assert options.get("shell", "False") == "False"
        assert name != "torch.load" or options.get("weights_only") == "True"
        assert name != "np.load" or options.get("allow_pickle") == "False"
        assert name != "yaml.load" or options.get("Loader") == "SAFE_LOADER"


def test_the_loader_of_yaml_builds_plain_values_only():
    assert issubclass(SAFE_LOADER, yaml.constructor.SafeConstructor)


def bomb(place, declared):
    """An archive whose member is 20 MB of zeros; `declared` falsifies the size that it claims."""
    path = place / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("top/raw.csv", bytes(20_000_000))
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.index(mark) + offset, declared)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("declared", "message"), [(20_000_000, "a zip bomb"), (1000, "not a sound zip archive")]
)
def test_a_zip_bomb_leaves_nothing(declared, message, tmp_path):
    path = bomb(tmp_path, declared)
    with pytest.raises(UserError, match=message):
        extract_members(path, tmp_path / "out", "top", {"raw.csv": None}, "a.zip")
    assert not [p for p in (tmp_path / "out").rglob("*") if p.is_file()]


@pytest.mark.slow
def test_an_xz_bomb_is_not_unpacked(tmp_path):
    packed = tmp_path / "a.csv.xz"
    packed.write_bytes(lzma.compress(bytes(50_000_000)))
    with pytest.raises(Unavailable, match="grows to more than 1000 times its size"):
        fetch(packed, tmp_path / "a.csv.part")
    assert (tmp_path / "a.csv.part").stat().st_size < 20_000_000


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_an_array_that_claims_more_than_there_is(suffix, tmp_path):
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }"
    head = head.ljust(117) + b"\n"
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bytes(64)
    path = tmp_path / f"x{suffix}"
    path.write_bytes(array)
    if suffix == ".npz":
        with zipfile.ZipFile(path, "w") as opened:
            opened.writestr("x.npy", array)
    files = write_csv(tmp_path, toy()) | {"features": path}
    with pytest.raises(UserError, match=rf"x\{suffix} is not a"):
        read_own("toy", {"files": files})


def test_packed_text_is_measured_before_it_is_read(tmp_path):
    path = tmp_path / "edges.csv.gz"
    path.write_bytes(gzip.compress(b"0,1\n" * 5_000_000))
    assert path.stat().st_size < 1e5
    with pytest.raises(UserError, match=r"edges\.csv\.gz .*is too large: reading needs about"):
        read_own("toy", {"files": {"graph": path}}, memory=1e8)


def huge_graphs(folder):
    """Small files that claim a graph of two billion nodes."""
    n = 2 * 10**9
    with (folder / "a.mtx").open("w") as file:
        file.write(f"%%MatrixMarket matrix coordinate pattern general\n{n} {n} 1\n1 2\n")
    coo = {"row": [0], "col": [1], "data": [1.0], "shape": [n, n], "format": b"coo"}
    np.savez(folder / "a.npz", **coo)
    np.savez(folder / "b.npz", edge_index=[[0], [1]], num_nodes=n)
    torch.save(torch.sparse_coo_tensor([[0], [1]], [1.0], (n, n)), folder / "a.pt")
    return [folder / name for name in ("a.mtx", "a.npz", "b.npz", "a.pt")]


@pytest.mark.parametrize("which", range(4))
def test_a_graph_that_claims_more_nodes_than_fit_is_refused(which, tmp_path):
    path = huge_graphs(tmp_path)[which]
    entry = {"files": {"graph": path}, "options": {"features": "ones", "task": "none"}}
    with pytest.raises(UserError, match="is too large"):
        read_own("toy", entry, memory=1e11, split="all")


def test_nested_entities_in_graphml_are_not_expanded(tmp_path):
    names = [f"e{k}" for k in range(10)]
    entities = [f'<!ENTITY e0 "{"x" * 1000}">']
    entities += [f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise(names)]
    path = tmp_path / "a.graphml"
    path.write_text(
        f"<!DOCTYPE g [{''.join(entities)}]><graphml><graph edgedefault='undirected'>"
        "<node id='&e9;'/></graph></graphml>"
    )
    with pytest.raises(UserError, match=r"a\.graphml is not readable"):
        read_own("toy", {"files": {"graph": path}})


@pytest.mark.parametrize("run", ["../x", "a/b", "/x", "..", ".x", "x\n", "a b", "", ATTACK])
def test_a_run_has_a_plain_name(run):
    catalogue = load_catalogue(ROOT / "config" / "datasets.yaml")
    schema = read_yaml(ROOT / "config" / "schema.yaml")
    config = read_yaml(ROOT / "config" / "config.yaml") | {"run": run}
    with pytest.raises(UserError, match=r"run: .* does not have the form"):
        check_config(config, schema, catalogue)


@pytest.mark.parametrize("name", [ATTACK, "../x", "a/b", "x\n"])
def test_a_data_set_has_a_plain_name(name, tmp_path):
    entries = yaml.safe_load((ROOT / "config" / "datasets.yaml").read_text())
    schema = (ROOT / "config" / "datasets.schema.yaml").read_text()
    (tmp_path / "datasets.schema.yaml").write_text(schema)
    (tmp_path / "datasets.yaml").write_text(yaml.safe_dump(entries | {name: entries["wine"]}))
    with pytest.raises(UserError, match=r"datasets\.yaml:\n"):
        load_catalogue(tmp_path / "datasets.yaml")


def own(**files):
    return {"mine": {"reader": "own", "files": files}}


def test_a_link_out_of_the_project_is_refused_and_an_absolute_path_is_not(tmp_path):
    project, outside = tmp_path / "project", tmp_path / "outside"
    (project / "own").mkdir(parents=True)
    outside.mkdir()
    (project / "own" / "edges.csv").symlink_to(outside / "edges.csv")
    config = EMPTY | {"datasets": ["mine"]}
    message = r"mine\.files\.graph: own/edges\.csv is a link .*outside"
    with pytest.raises(UserError, match=message):
        check_paths(config, own(graph="own/edges.csv"), project)
    check_paths(config, own(graph=str(outside / "edges.csv")), project)
    (project / "own" / "here.csv").symlink_to(project / "own" / "there.csv")
    check_paths(config, own(graph="own/here.csv"), project)


def test_a_run_that_is_a_link_out_of_the_results_is_refused(tmp_path):
    disk = tmp_path / "disk"
    (disk / "results").mkdir(parents=True)
    (tmp_path / "results").symlink_to(disk / "results")
    check_paths(EMPTY, {}, tmp_path)
    (tmp_path / "results" / "x").symlink_to(disk)
    with pytest.raises(UserError, match=r"run: x is a link that leads out of results/"):
        check_paths(EMPTY, {}, tmp_path)


def test_arrays_of_objects_are_never_read(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{}], dtype=object), allow_pickle=True)
    files = write_csv(tmp_path, toy()) | {"features": tmp_path / "x.npy"}
    with pytest.raises(UserError, match=r"x\.npy is not an array"):
        read_own("toy", {"files": files})
