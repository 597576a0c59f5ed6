"""The graph of a command line, how it is to be used, and the tables that are made of it."""

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gnn_dynamics.api.graphs import name_of, read_paths
from gnn_dynamics.api.project import ROOT
from gnn_dynamics.artifacts.code_digest import code_digest
from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.artifacts.provenance import describe
from gnn_dynamics.artifacts.table import Table
from gnn_dynamics.cli.file_roles import files_by_role
from gnn_dynamics.data.graph import Graph
from gnn_dynamics.data.own.files import check_files
from gnn_dynamics.data.own.memory import GB, available_memory
from gnn_dynamics.data.own.names import MADE

OPTIONS = ("labels", "ids", "ends", "first_id", "split_index")  # of datasets.schema.yaml
Rows = Iterable[Mapping[str, Any]]


class Input(NamedTuple):
    """A graph, the transform of its features, the set I (train or all), and the memory in bytes."""

    graph: Graph
    features: str
    nodes: str
    memory: float


def read_input(arguments: argparse.Namespace) -> Input:
    """The input of a command: a prepared graph, or the user's own files.

    Raises:
        UserError: if a file cannot be read, or the memory is too small.
    """
    memory = available_memory() if arguments.memory is None else arguments.memory * GB
    paths = check_files(files_by_role(arguments.paths))
    name, all_nodes = arguments.name or name_of(paths), arguments.nodes == "all"
    graph = read_paths(paths, own_options(arguments), name, memory, ignore_split=all_nodes)
    features = "raw" if arguments.features in MADE else arguments.features
    # Without a split every labelled node is for training: `train` and `all` are the same.
    nodes = arguments.nodes or ("train" if len(graph.train) < len(graph.labelled) else "all")
    return Input(graph, features, nodes, memory)


def own_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """`options` of a catalogue entry for the user's own files."""
    task = "regression" if arguments.regression else "classification"
    options = {
        "task": "none" if arguments.no_labels else task,
        "weights": "ignore" if arguments.ignore_weights else "refuse",
        "features": arguments.features if arguments.features in MADE else None,
        **{name: getattr(arguments, name) for name in OPTIONS},
    }
    return {name: value for name, value in options.items() if value is not None}


def provenance(command: str, graph: Graph, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Of what a command writes about a graph."""
    code = code_digest(Path(__file__).with_name(f"{command}.py"), ROOT)
    made = describe(f"gnn-dynamics {command}", {}, {**settings, "code": code}, [])
    made["datasets"] = {graph.name: graph.facts["sha256"]}
    return made


def write_tables(
    out: Path, made: Mapping[str, Any], tables: Mapping[str, tuple[Table, Rows]]
) -> list[Path]:
    """Write tables, by their names, as Parquet to the folder `out`; returns their paths."""
    for stem, (table, rows) in tables.items():
        write_table([dict(row) for row in rows], out / f"{stem}.parquet", table, made)
    return [out / f"{stem}.parquet" for stem in tables]


def as_json(content: Any) -> str:
    """Strict JSON, in which NaN and infinity are null."""
    text = json.dumps(content, default=np.generic.item)
    plain = json.loads(text, parse_constant=lambda _: None)
    return json.dumps(plain, indent=1, sort_keys=True)
