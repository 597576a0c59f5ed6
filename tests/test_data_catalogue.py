"""The catalogue: strict, complete, and in agreement with the ogb package."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gnn_dynamics.data.fetch.catalogue import load_catalogue, ogb_metadata
from gnn_dynamics.errors import UserError

CONFIG = Path(__file__).resolve().parents[1] / "config"
CATALOGUE = load_catalogue(CONFIG / "datasets.yaml")


@pytest.fixture
def altered(tmp_path):
    """The catalogue's file after a change to its content."""
    shutil.copy(CONFIG / "datasets.schema.yaml", tmp_path)

    def write(change):
        entries = yaml.safe_load((CONFIG / "datasets.yaml").read_text())
        change(entries)
        (tmp_path / "datasets.yaml").write_text(yaml.safe_dump(entries))
        return tmp_path / "datasets.yaml"

    return write


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e["cora"].update(url="x"), "cora.url: there is no such key"),
        (lambda e: e["cora"].pop("licence"), "cora: missing licence"),
        (lambda e: e["cora"].pop("source_url"), "cora: missing source_url"),
        (lambda e: e["cora"].update(reader="planet"), "did you mean planetoid"),
        (lambda e: e["wine"]["options"].update(k=0), "wine.options.k: must be at least 1"),
        (lambda e: e["texas"]["options"].update(fold=1), "texas.options.fold: there is no such"),
        (lambda e: e["cora"]["files"].update({"ind.cora.x": "abc"}), "ind.cora.x"),
        (lambda e: e["cora"]["files"].update({"../x": None}), "../x"),
        (lambda e: e.update(My_graph=e["cora"]), "top level: 'My_graph' does not have the form"),
    ],
)
def test_a_wrong_key_is_named(altered, change, message):
    path = altered(change)
    with pytest.raises(UserError, match=r"datasets\.yaml:\n") as caught:
        load_catalogue(path)
    assert message in str(caught.value)


def test_a_file_that_is_not_yaml(tmp_path):
    (tmp_path / "datasets.yaml").write_text("cora: [")
    with pytest.raises(UserError, match=r"datasets\.yaml"):
        load_catalogue(tmp_path / "datasets.yaml")


def test_ogb_supplies_address_and_split():
    arxiv = CATALOGUE["ogbn-arxiv"]
    assert arxiv["source_url"] == "http://snap.stanford.edu/ogb/data/nodeproppred/arxiv.zip"
    for name, entry in CATALOGUE.items():
        if entry["reader"] == "ogb":
            meta = ogb_metadata(entry["options"]["name"])
            assert Path(entry["source_url"]).stem == meta["download_name"]
            splits = [file for file in entry["files"] if file.startswith(f"split/{meta['split']}/")]
            assert len(splits) == 3, name


@pytest.mark.parametrize("name", ["ogbn-cora", "cora"])
def test_a_name_that_ogb_does_not_know(name):
    with pytest.raises(UserError, match=name):
        ogb_metadata(name)


def test_reading_it_is_cheap():
    """The workflow reads it whenever it is parsed: without torch, pandas, scipy, or ogb itself."""
    code = (
        "import sys; from gnn_dynamics.data.fetch.catalogue import load_catalogue;"
        f"load_catalogue({str(CONFIG / 'datasets.yaml')!r});"
        "print(sorted({'ogb', 'torch', 'pandas', 'scipy', 'sklearn'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert answer.stdout.strip() == b"[]"
