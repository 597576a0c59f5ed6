"""`gnn-dynamics check`: whether the theory applies to a graph, and what repairs it where not."""

import argparse
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.artifacts.code_digest import code_digest
from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.artifacts.provenance import describe
from gnn_dynamics.claims.names import listed
from gnn_dynamics.cli.check_text import report
from gnn_dynamics.cli.file_roles import files_by_role
from gnn_dynamics.data.checks import checked
from gnn_dynamics.data.graph import Graph, load_graph
from gnn_dynamics.data.graph_facts import GRAPHS
from gnn_dynamics.data.own.files import check_files
from gnn_dynamics.data.own.memory import GB, available_memory, check_memory
from gnn_dynamics.data.own.names import MADE
from gnn_dynamics.data.own.read import read_own
from gnn_dynamics.diagnosis.analysis import Analysis, analyse
from gnn_dynamics.diagnosis.causes import CAUSES
from gnn_dynamics.diagnosis.repairs import REPAIRS
from gnn_dynamics.figures import graph_check
from gnn_dynamics.spectra.graph_condition import GRAPH_CONDITION

CONTENT = ("holds", "condition", "causes", "repairs", "traced")
OPTIONS = ("labels", "ids", "ends", "first_id", "split_index")  # of datasets.schema.yaml
PACKAGE_ROOT = Path(__file__).resolve().parents[2]


def run(arguments: argparse.Namespace) -> int:
    """Check a graph, write and print the result; returns 0 if the assumptions hold, else 1.

    Raises:
        UserError: if a file cannot be read, or the memory is too small.
    """
    memory = available_memory() if arguments.memory is None else arguments.memory * GB
    graph = _read(arguments, memory)
    features = "raw" if arguments.features in MADE else arguments.features
    # Without a split every labelled node is for training: `train` and `all` are the same.
    nodes = arguments.nodes or ("train" if len(graph.train) < len(graph.labelled) else "all")
    analysis = analyse(graph, features, nodes, arguments.depth, memory)
    settings = {"features": features, "nodes": nodes, "depth": arguments.depth}
    files = _write(analysis, settings, Path(arguments.out))
    if arguments.json:
        content = {key: getattr(analysis, key) for key in CONTENT}
        content |= {"settings": settings, "graph": analysis.facts, "files": [*map(str, files)]}
        print(json.dumps(_plain(content), indent=1, sort_keys=True))
    else:
        print(report(analysis, features, nodes))
        print("\nWritten to", ", ".join(map(str, files)))
    return 0 if analysis.holds else 1


def _read(arguments: argparse.Namespace, memory: float) -> Graph:
    """The graph: a prepared one, or the user's own files."""
    paths = check_files(files_by_role(arguments.paths))
    check_memory(paths.values(), memory)
    if len(paths) == 1 and _is_prepared(paths["graph"]):
        return load_graph(paths["graph"])
    task = "regression" if arguments.regression else "classification"
    options = {
        "task": "none" if arguments.no_labels else task,
        "weights": "ignore" if arguments.ignore_weights else "refuse",
        "features": arguments.features if arguments.features in MADE else None,
        **{name: getattr(arguments, name) for name in OPTIONS},
    }
    given = {name: value for name, value in options.items() if value is not None}
    name = arguments.name or paths["graph"].name.partition(".")[0]
    entry, every_node = {"files": paths, "options": given}, arguments.nodes == "all"
    return checked(read_own(name, entry, memory, split="all", ignore_split=every_node))


def _is_prepared(path: Path) -> bool:
    """Whether a file is a prepared graph of the workflow, by its member `about`."""
    return zipfile.is_zipfile(path) and "about.npy" in zipfile.ZipFile(path).namelist()


def _write(analysis: Analysis, settings: Mapping[str, Any], out: Path) -> list[Path]:
    """Write the tables and the figure to the folder `out`; returns their paths."""
    code = code_digest(Path(__file__).resolve(), PACKAGE_ROOT)
    made = describe("gnn-dynamics check", {}, {**settings, "code": code}, [])
    made["datasets"] = {analysis.graph.name: analysis.graph.facts["sha256"]}
    key = {"dataset": analysis.graph.name}
    tables = {
        "graphs": (GRAPHS, [analysis.facts]),
        "graph_condition": (GRAPH_CONDITION, analysis.condition),
        "causes": (CAUSES, [key | row for row in analysis.causes]),
        "repairs": (REPAIRS, [key | row for row in analysis.repairs]),
    }
    for stem, (table, rows) in tables.items():
        write_table(rows, out / f"{stem}.parquet", table, made)
    title = listed(analysis.graph.name, settings["nodes"], settings["features"])
    png, pdf = out / "graph_check.png", out / "graph_check.pdf"
    save_figure(graph_check.draw(pd.DataFrame(analysis.condition), title), png, pdf, made)
    return [*(out / f"{stem}.parquet" for stem in tables), png, pdf]


def _plain(value: Any) -> Any:
    """The value for strict JSON, in which NaN and infinity become null."""
    text = json.dumps(value, default=np.generic.item)
    return json.loads(text, parse_constant=lambda _: None)
