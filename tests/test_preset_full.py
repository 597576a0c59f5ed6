"""`snakemake --cores all`, what a user types first, from official files to the report.

The data sets are small ones in the official formats, served by a mirror. The experiments are those
of config.yaml with fewer steps and seeds; a job trains all blocks of one data set.
"""

from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
import yaml
from raw_files import digests, gzipped_csv, ogb_files, packed_planetoid, write_files, zipped
from workflow_runs import Project

from gnn_dynamics.config.grid import blocks
from gnn_dynamics.data.fetch.catalogue import ogb_metadata

pytestmark = [pytest.mark.workflow, pytest.mark.full]

SHORT = {"steps": 20, "record": 5, "job_per": "dataset"}
SEEDS = 1  # of each experiment
NODES, FEATURES, CLASSES = 40, 36, 3  # pca-32 needs 33 nodes and features
FEW = 12  # nodes, or molecules, of OGB: 40 classes are as many outputs


def path(nodes: int) -> np.ndarray:
    return np.array([(i, i + 1) for i in range(nodes - 1)])


def planetoid(stem: str, rng: np.random.Generator) -> dict[str, bytes]:
    """A path and random chords, 9 nodes for training, the last ten for testing."""
    lists = defaultdict(list, {node: [] for node in range(NODES)})
    for a, b in [*path(NODES), *rng.integers(0, NODES, (NODES, 2))]:
        lists[int(a)].append(int(b))
        lists[int(b)].append(int(a))
    X = rng.random((NODES, FEATURES)) * (rng.random((NODES, FEATURES)) < 0.5)
    Y = np.eye(CLASSES, dtype=np.int32)[np.arange(NODES) % CLASSES]
    known = NODES - 10
    features, one_hot = (X[:known], X[known:]), (Y[:known], Y[known:])
    return packed_planetoid(stem, features, one_hot, 9, lists, range(known, NODES))


def arxiv(rng: np.random.Generator) -> dict[str, bytes]:
    X = rng.standard_normal((FEW, 8))
    return ogb_files("node", FEW, path(FEW), np.arange(FEW), "time", node_feat=X)


def molhiv(rng: np.random.Generator) -> dict[str, bytes]:
    """Molecules of three atoms in a row."""
    codes = rng.integers(0, 2, (3 * FEW, 9))
    bonds = np.tile([(0, 1), (1, 2)], (FEW, 1))
    files = ogb_files("graph", FEW, bonds, np.arange(FEW) % 2, "scaffold", node_feat=codes)
    sizes = {"node": [3] * FEW, "edge": [2] * FEW}
    return files | {f"raw/num-{kind}-list.csv.gz": gzipped_csv(v) for kind, v in sizes.items()}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """The project with the small data sets in its catalogue and its mirror, and a short preset."""
    folder = tmp_path_factory.mktemp("full")
    project, mirror, rng = Project(folder / "project"), folder / "mirror", np.random.default_rng(0)
    catalogue_path = project.folder / "config" / "datasets.yaml"
    catalogue = yaml.safe_load(catalogue_path.read_text(encoding="utf-8"))
    contents = {name: planetoid(f"ind.{name}", rng) for name in ("cora", "citeseer", "pubmed")}
    contents |= {"ogbn-arxiv": arxiv(rng), "ogbg-molhiv": molhiv(rng)}
    served, bases = {}, set()
    for name, files in contents.items():
        entry = catalogue[name]
        assert set(files) == set(entry["files"])
        entry["files"] = digests(files)
        if entry["reader"] == "ogb":
            url = ogb_metadata(name)["url"]
            top = Path(urlsplit(url).path).stem
            files, base = {Path(url).name: zipped(files, top)}, url.rpartition("/")[0]
        else:
            base = entry["source_url"]
        bases.add(base)
        top = urlsplit(base).path.strip("/")
        served |= {f"{top}/{file}": content for file, content in files.items()}
    rows = "".join(f"{urlsplit(base).path.strip('/')}\t{base}\n" for base in sorted(bases))
    write_files(mirror, served | {"urlmap.tsv": f"folder\turl\n{rows}".encode()})
    catalogue_path.write_text(yaml.safe_dump(catalogue, sort_keys=False), encoding="utf-8")
    preset = project.folder / "config" / "config.yaml"
    config = yaml.safe_load(preset.read_text(encoding="utf-8")) | {"mirror": str(mirror)}
    for entry in config["experiments"]:
        entry |= SHORT | {"seed": entry["seed"][:SEEDS]}
    preset.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return project


def test_the_default_preset_runs_to_its_report_with_every_rule_data_set_and_experiment(project):
    config = yaml.safe_load((project.folder / "config" / "config.yaml").read_text())
    done = project.snakemake("--cores", "all")
    assert done.returncode == 0, done.stdout
    results = project.folder / "results" / "full"
    assert (results / "report.html").read_text(encoding="utf-8").rstrip().endswith("</html>")
    graphs = pd.read_parquet(results / "tables" / "graphs.parquet")
    assert set(graphs["dataset"]) == set(config["datasets"]) and config["leave_out"] == []
    for table in ("graph_condition", "optimum", "alignment"):
        found = pd.read_parquet(results / "tables" / f"{table}.parquet")["dataset"]
        assert set(found) == set(config["datasets"]), table
    training = pd.read_parquet(results / "tables" / "training.parquet")
    keys = ["experiment", "dataset", "aggregation", "activation", "multiscale", "depth"]
    made = set(training[keys].itertuples(index=False, name=None))
    assert made == {tuple(getattr(block, key) for key in keys) for block in blocks(config)}
    assert rules_of(project) <= logged(project)


def rules_of(project: Project) -> set[str]:
    """Rules that run a script; the log of a rule, or the folder of its logs, has its name."""
    return {path.stem for path in (project.folder / "scripts").glob("*.py")} - {"_job"}


def logged(project: Project) -> set[str]:
    folders = (project.folder / "results" / "full" / "logs", project.folder / "data" / "logs")
    return {path.stem for folder in folders for path in folder.iterdir()}
