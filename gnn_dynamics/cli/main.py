"""The command line: arguments, help and exit codes. Each subcommand is a module with `run`."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence

from gnn_dynamics import __version__
from gnn_dynamics.errors import UserError

CHECK = """\
Check whether the theory applies to your graph. Prints the sizes of the graph; rank and sigma^2 of
the propagated features for GCN and GIN, by depth, without and with skip connections; the nodes or
features that break the assumptions, and why; what repairs them; the expected speed of training.
Writes the same as Parquet and PNG.

A graph is one file, or several. The roles follow from the file names, or are given:
graph=edges.csv nodes=table.csv, or graph=a.csv features=b.npy labels=c.csv split=d.csv.

  tables    .csv .tsv .txt .edges .cites .content (also .gz .bz2 .xz), .parquet
  arrays    .npy .npz .mtx .pt: edges or an adjacency, features, labels, masks
  networks  .graphml .gexf .gml .net, .json (node-link), a prepared graph of the workflow (.npz)

The report begins with how the files were understood. docs/own-graphs.md says what is recognised.
"""
CHECK_EXAMPLES = """\
examples:
  gnn-dynamics check data/prepared/cora.npz
  gnn-dynamics check edges.csv features.npy labels.csv
  gnn-dynamics check graph=links.parquet features=bag.npz labels=topics.csv split=split.csv
  gnn-dynamics check data.pt --nodes train --depth 6
  gnn-dynamics check karate.graphml --labels club --features standard --json

exit codes: 0 the assumptions hold in every cell, 1 they fail in some cell, 2 bad input
"""
RACE = """\
Find the network that trains fastest on your graph: GCN and GIN, with and without skip connections,
1 to 8 layers, linear and ReLU, with Adam and gradient descent at several learning rates. Prints the
ranking by steps to 10 % of the label norm, with accuracies beside it, and an advice. The race ends
after --minutes, or at Ctrl-C, with what it has by then: more time adds seeds and candidates.

The files of the graph are given as for `gnn-dynamics check`.
"""
RACE_EXAMPLES = """\
examples:
  gnn-dynamics race data.pt
  gnn-dynamics race edges.csv features.npy labels.csv --features row --minutes 5

exit codes: 0 success, 2 bad input, or too little time for a single network
"""
STUDY = """\
Run the whole workflow on your graph: graph condition, training, theorems, claims, and a report.
Writes an entry to config/datasets.yaml and the preset config/NAME.yaml of the project, and calls
Snakemake, whose results are in results/NAME. The same command resumes a run that was stopped.

The files of the graph are given as for `gnn-dynamics check`.
"""
STUDY_EXAMPLES = """\
examples:
  gnn-dynamics study data.pt --name my-graph --cores 4
  gnn-dynamics study edges.csv features.npy labels.csv --features standard --dry-run

exit codes: 0 success, 2 bad input, or a job of the workflow failed
"""
COMPARE = """\
Compare the tables of two result folders within tolerances. Rows are matched by their keys.

  text, whole numbers, truth values, lists   must be equal
  real numbers a, b                          may differ by atol + rtol max(|a|, |b|)
  singular values (sigma_...)                also by 1e-13 of the largest in the row; squares too
  rounding errors (relative_gap, ...)        may have any values up to --noise
  rank_gap                                   may differ if above 1000 in both tables
"""
COMPARE_EXAMPLES = """\
examples:
  gnn-dynamics compare results/quickstart /elsewhere/results/quickstart
  gnn-dynamics compare a b --rtol 1e-9 --atol 0

exit codes: 0 equal within tolerances, 1 different, 2 bad input
"""
DESCRIBE = """\
Print the provenance of a file. Every Parquet, PNG and PDF file of the project contains its
settings, the digest of its code, data checksums, precision and device.
"""
DESCRIBE_EXAMPLES = """\
examples:
  gnn-dynamics describe results/quickstart/figures/claims.png

exit codes: 0 success, 2 not a file of the project
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; a UserError is one line on standard error."""
    arguments = _parser().parse_args(argv)
    # Before torch is imported: the last digits of threaded products depend on the machine.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        return importlib.import_module(f"gnn_dynamics.cli.{arguments.command}").run(arguments)
    except UserError as error:
        print(f"gnn-dynamics: error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gnn-dynamics", description="Training dynamics of graph neural networks."
    )
    parser.add_argument("--version", action="version", version=f"gnn-dynamics {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, brief, text, examples, add_arguments in (
        ("check", "check whether the theory applies to a graph", CHECK, CHECK_EXAMPLES, _check),
        ("race", "which network trains fastest on a graph", RACE, RACE_EXAMPLES, _race),
        ("study", "the whole workflow on a graph", STUDY, STUDY_EXAMPLES, _study),
        ("compare", "compare two runs", COMPARE, COMPARE_EXAMPLES, _compare),
        ("describe", "print the provenance of a file", DESCRIBE, DESCRIBE_EXAMPLES, _describe),
    ):
        plain = argparse.RawDescriptionHelpFormatter
        command = commands.add_parser(
            name, help=brief, description=text, epilog=examples, formatter_class=plain
        )
        add_arguments(command.add_argument)
        command.add_argument("--json", action="store_true", help="print JSON instead of text")
    return parser


def _check(add: Callable[..., argparse.Action]) -> None:
    _graph(add)
    add("--depth", type=_count, default=4, metavar="H", help="check depths 1 to H (default: 4)")
    _out(add, "check", "the tables and the figure")


def _race(add: Callable[..., argparse.Action]) -> None:
    _graph(add)
    add(
        "--minutes",
        type=_minutes,
        default=1.0,
        metavar="M",
        help="how long to train (default: 1)",
    )
    add("--seeds", type=_count, default=5, metavar="N", help="seeds of each network (default: 5)")
    _out(add, "race", "the table, the figure and the page race.html")


def _study(add: Callable[..., argparse.Action]) -> None:
    _graph(add)
    add("--cores", type=_count, default=1, metavar="N", help="cores to use (default: 1)")
    add("--dry-run", action="store_true", help="print the jobs, and run none")


def _out(add: Callable[..., argparse.Action], command: str, content: str) -> None:
    folder = f"gnn-dynamics-{command}"
    text = f"folder for {content} (default: ./{folder})"
    add("--out", default=folder, metavar="FOLDER", help=text)


def _graph(add: Callable[..., argparse.Action]) -> None:
    """The options that say what a graph is, and how it is read."""
    scale = (
        "unchanged, rows of sum 1, or columns of mean 0 and variance 1 (default: raw); identity,"
        " degree and ones make features for a graph that has none"
    )
    which = "the set I: training nodes, or all labelled nodes (default: train if there is a split)"
    add("paths", nargs="+", metavar="[ROLE=]PATH", help="the files of one graph")
    made = ("identity", "degree", "ones")
    add("--features", choices=("raw", "row", "standard", *made), default="raw", help=scale)
    add("--nodes", choices=("train", "all"), help=which)
    add("--labels", metavar="NAME", help="column, attribute or array with the labels")
    add("--ids", metavar="NAME", help="column with the ids of the nodes; none: rows are in order")
    add("--ends", metavar="A,B", help="the columns with the ids at both ends of an edge")
    add("--first-id", type=int, metavar="N", help="id of the first row of features (default: 0)")
    add(
        "--split", type=int, metavar="K", dest="split_index", help="which of several splits, from 0"
    )
    add("--no-labels", action="store_true", help="the graph has none; I is the set of all nodes")
    add("--regression", action="store_true", help="labels are real targets, not classes")
    add("--ignore-weights", action="store_true", help="treat weighted edges as unweighted")
    add("--name", help="name of the graph (default: the name of its file)")
    add(
        "--memory",
        type=float,
        metavar="GB",
        help="memory limit in 10^9 bytes (default: the free memory)",
    )


def _compare(add: Callable[..., argparse.Action]) -> None:
    noise = "largest value in a column of rounding errors (default: 1e-6)"
    add("run_a", metavar="RUN_A", help="a result folder, or a folder with Parquet files")
    add("run_b", metavar="RUN_B", help="the folder to compare with")
    add("--rtol", type=float, default=1e-6, help="relative tolerance (default: 1e-6)")
    add("--atol", type=float, default=1e-9, help="absolute tolerance (default: 1e-9)")
    add("--noise", type=float, default=1e-6, help=noise)


def _describe(add: Callable[..., argparse.Action]) -> None:
    add("file", metavar="FILE", help="a .parquet, .png or .pdf file of the project")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number of minutes above 0")
    return minutes
