"""`gnn-dynamics check`: whether the theory applies to a graph, and what repairs it where not."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.claims.names import listed
from gnn_dynamics.cli.check_text import report
from gnn_dynamics.cli.graph_input import as_json, provenance, read_input, write_tables
from gnn_dynamics.data.graph_facts import GRAPHS
from gnn_dynamics.diagnosis.analysis import Analysis, analyse
from gnn_dynamics.diagnosis.causes import CAUSES
from gnn_dynamics.diagnosis.repairs import REPAIRS
from gnn_dynamics.figures import graph_check
from gnn_dynamics.spectra.graph_condition import GRAPH_CONDITION

CONTENT = ("holds", "condition", "causes", "repairs", "traced")


def run(arguments: argparse.Namespace) -> int:
    """Check a graph, write and print the result; returns 0 if the assumptions hold, else 1.

    Raises:
        UserError: if a file cannot be read, or the memory is too small.
    """
    graph, features, nodes, memory = read_input(arguments)
    analysis = analyse(graph, features, nodes, arguments.depth, memory)
    settings = {"features": features, "nodes": nodes, "depth": arguments.depth}
    files = _write(analysis, settings, Path(arguments.out))
    if arguments.json:
        content = {key: getattr(analysis, key) for key in CONTENT}
        content |= {"settings": settings, "graph": analysis.facts, "files": [*map(str, files)]}
        print(as_json(content))
    else:
        print(report(analysis, features, nodes))
        print("\nWritten to", ", ".join(map(str, files)))
    return 0 if analysis.holds else 1


def _write(analysis: Analysis, settings: Mapping[str, Any], out: Path) -> list[Path]:
    """Write the tables and the figure to the folder `out`; returns their paths."""
    made = provenance("check", analysis.graph, settings)
    key = {"dataset": analysis.graph.name}
    tables = {
        "graphs": (GRAPHS, [analysis.facts]),
        "graph_condition": (GRAPH_CONDITION, analysis.condition),
        "causes": (CAUSES, [key | row for row in analysis.causes]),
        "repairs": (REPAIRS, [key | row for row in analysis.repairs]),
    }
    title = listed(analysis.graph.name, settings["nodes"], settings["features"])
    png, pdf = out / "graph_check.png", out / "graph_check.pdf"
    save_figure(graph_check.draw(pd.DataFrame(analysis.condition), title), png, pdf, made)
    return [*write_tables(out, made, tables), png, pdf]
