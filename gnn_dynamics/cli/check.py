"""`gnn-dynamics check`: does the theory apply to this graph, where not, and what would mend it?"""

import argparse
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.artifacts.code_digest import code_digest
from gnn_dynamics.artifacts.parquet import save_figure, write_table
from gnn_dynamics.artifacts.provenance import describe
from gnn_dynamics.cli.check_text import report
from gnn_dynamics.cli.file_roles import files_by_role
from gnn_dynamics.data.checks import checked
from gnn_dynamics.data.graph import Graph, load_graph
from gnn_dynamics.data.own.arrays import open_npz
from gnn_dynamics.data.own.memory import GB, available_memory, check_memory
from gnn_dynamics.data.own.raw_graph import Labels, Pieces
from gnn_dynamics.data.own.read import check_formats, own_graph, read_pieces
from gnn_dynamics.diagnosis import causes, repairs
from gnn_dynamics.diagnosis.analysis import Analysis, analyse
from gnn_dynamics.figures import graph_check
from gnn_dynamics.summaries import names

PACKAGE_ROOT = Path(__file__).resolve().parents[2]


def run(arguments: argparse.Namespace) -> int:
    """Check a graph, print the report, write it; 0 if the assumptions hold everywhere, else 1.

    Raises:
        UserError: for files that cannot be read, or too little memory.
    """
    memory = available_memory() if arguments.memory is None else arguments.memory * GB
    graph, names = _read(arguments, memory)
    # Without a split the whole graph is the training set: the two are the same.
    nodes = arguments.nodes or ("train" if len(graph.train) < len(graph.labelled) else "all")
    found = analyse(graph, arguments.features, nodes, arguments.depth, memory)
    settings = {"features": arguments.features, "nodes": nodes, "depth": arguments.depth}
    written = _write(found, settings, Path(arguments.out))
    if arguments.json:
        print(_as_json(found, settings, written))
    else:
        print(report(found, arguments.features, nodes, names))
        print("\nWritten to", ", ".join(map(str, written)))
    return 0 if found.holds else 1


def _read(arguments: argparse.Namespace, memory: float) -> tuple[Graph, list[str] | None]:
    """The graph, and the names of its nodes where these are not 0, 1, ..."""
    files = files_by_role(arguments.paths)
    paths = check_formats(files)
    check_memory(paths.values(), memory)
    if len(paths) == 1 and paths["graph"].suffix == ".npz" and "about" in open_npz(paths["graph"]):
        return load_graph(paths["graph"]), None
    options = {
        "labels": arguments.labels,
        "task": "regression" if arguments.regression else "classification",
        "weights": "ignore" if arguments.ignore_weights else "refuse",
    }
    pieces = read_pieces(paths, options)
    if arguments.no_labels:
        pieces, options = _unlabelled(pieces), options | {"task": "regression"}
    if pieces.parts is None:
        options["split"] = "all"
    graph = own_graph(arguments.name or paths["graph"].stem, paths, pieces, options)
    return checked(graph), pieces.node_names


def _unlabelled(pieces: Pieces) -> Pieces:
    """Pieces with a target 0 at every node: the graph condition does not depend on labels."""
    zeros = np.zeros(pieces.features.X.shape[0])
    return replace(pieces, labels=Labels(zeros, "node {}".format), parts=None)


def _write(found: Analysis, settings: Mapping[str, Any], out: Path) -> list[Path]:
    """The tables and the figure in the folder `out`; their paths."""
    code = code_digest(Path(__file__).resolve(), PACKAGE_ROOT)
    made = describe("gnn-dynamics check", {}, {**settings, "code": code}, [])
    made["datasets"] = {found.graph.name: found.graph.facts["sha256"]}
    key = {"dataset": found.graph.name}
    tables = {
        "graphs": pd.DataFrame([found.facts]),
        "graph_condition": pd.DataFrame(found.condition),
        "causes": pd.DataFrame(found.causes, columns=causes.COLUMNS).assign(**key),
        "repairs": pd.DataFrame(found.repairs, columns=repairs.COLUMNS).assign(**key),
    }
    for name, table in tables.items():
        write_table(table, out / f"{name}.parquet", made)
    title = ", ".join(map(names.name, (found.graph.name, settings["nodes"], settings["features"])))
    png, pdf = out / "graph_check.png", out / "graph_check.pdf"
    save_figure(graph_check.draw(tables["graph_condition"], title), png, pdf, made)
    return [*(out / f"{name}.parquet" for name in tables), png, pdf]


def _as_json(found: Analysis, settings: Mapping[str, Any], written: list[Path]) -> str:
    content = {
        "holds": found.holds,
        "settings": dict(settings),
        "graph": found.facts,
        "condition": found.condition,
        "causes": found.causes,
        "repairs": found.repairs,
        "traced": found.traced,
        "files": [str(path) for path in written],
    }
    return json.dumps(_plain(content), indent=1, sort_keys=True)


def _plain(value: Any) -> Any:
    """As strict JSON has it: NaN and infinity are null."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value
