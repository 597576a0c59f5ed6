"""`gnn-dynamics study`: the whole workflow on the user's graph, up to its report.

An entry of the catalogue and a preset are written, and Snakemake is called. The preset has the
experiments of `quickstart` with the features and the set I of the command.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import yaml

from gnn_dynamics.api.graphs import is_prepared, name_of
from gnn_dynamics.api.project import ROOT
from gnn_dynamics.artifacts.files import write_text
from gnn_dynamics.cli.file_roles import files_by_role
from gnn_dynamics.cli.graph_input import Input, own_options, read_input
from gnn_dynamics.config.schema import read_yaml
from gnn_dynamics.data.own.files import check_files
from gnn_dynamics.errors import UserError

CATALOGUE = ROOT / "config" / "datasets.yaml"
ONE_GRAPH = "-digits"  # ends the name of an experiment of `quickstart` that repeats another


def run(arguments: argparse.Namespace) -> int:
    """Write the entry and the preset and run the workflow; returns 0, or 2 if the run failed.

    Raises:
        UserError: if a file cannot be read, or another graph has the name.
    """
    if not (ROOT / "Snakefile").is_file():
        raise UserError("study runs the workflow of the project; install it by `pip install -e .`")
    paths = check_files(files_by_role(arguments.paths))
    if is_prepared(paths["graph"]):
        raise UserError(f"{paths['graph']} is a prepared graph, which the catalogue already has")
    given = read_input(arguments)
    name = arguments.name or re.sub(r"[^a-z0-9]+", "-", name_of(paths).lower()).strip("-")
    options = own_options(arguments)
    if not len(given.graph.val) and not len(given.graph.test):
        options["split"] = "all"
    files = {role: str(path.resolve()) for role, path in paths.items()}
    add_entry(name, {"reader": "own", "files": files, "options": options})
    preset = ROOT / "config" / f"{name}.yaml"
    text = yaml.safe_dump(preset_of(name, given), sort_keys=False, width=100)
    write_text(f"# The preset of `gnn-dynamics study` for the graph {name}.\n{text}", preset)
    command = [sys.executable, "-m", "snakemake", "--cores", str(arguments.cores)]
    command += ["--configfile", str(preset), *(["--dry-run"] if arguments.dry_run else [])]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise UserError(f"the workflow failed; after a repair, `{' '.join(command)}` resumes it")
    if not arguments.dry_run:
        print(f"\nThe report: {ROOT / 'results' / name / 'report.html'}")
    return 0


def add_entry(name: str, entry: Mapping[str, Any]) -> None:
    """Append an entry to the catalogue, unless it is there.

    Raises:
        UserError: if the catalogue has another entry of that name, or the name cannot be one.
    """
    if not re.fullmatch("[a-z0-9][a-z0-9-]*", name):
        raise UserError(f"{name!r} is not a name; use small letters, digits and hyphens (--name)")
    known = read_yaml(CATALOGUE)
    if name in known and known[name] != entry:
        raise UserError(f"{CATALOGUE} has another graph {name!r}; choose a name (--name)")
    if name not in known:
        text = CATALOGUE.read_text(encoding="utf-8").rstrip("\n")
        write_text(f"{text}\n\n{yaml.safe_dump({name: entry}, sort_keys=False)}", CATALOGUE)


def preset_of(name: str, given: Input) -> dict[str, Any]:
    """The preset `quickstart` on one graph, without what the graph cannot have.

    An experiment that repeats another on one more graph is left out. A regression has no
    cross-entropy, and `zero-head` needs a width of at least m_x.
    """
    preset = read_yaml(ROOT / "config" / "quickstart.yaml")
    graph, m_x = given.graph, given.graph.features.shape[1]
    lists = {"datasets": [name], "features": [given.features], "nodes": [given.nodes]}
    experiments = [
        experiment | lists
        for experiment in preset["experiments"]
        if not experiment["name"].endswith(ONE_GRAPH)
        and (graph.task == "classification" or "cross_entropy" not in experiment["loss_fn"])
        and ("zero-head" not in experiment["init"] or m_x <= min(experiment["width"]))
    ]
    condition = {
        key: value for key, value in preset["graph_condition"].items() if key != "all_nodes"
    }
    condition |= {"features": [given.features], "nodes": [given.nodes]}
    run = {"run": name, "datasets": [name], "leave_out": []}
    return run | {"graph_condition": condition, "experiments": experiments}
