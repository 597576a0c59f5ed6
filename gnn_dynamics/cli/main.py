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
    scale = (
        "unchanged, rows of sum 1, or columns of mean 0 and variance 1 (default: raw); identity,"
        " degree and ones make features for a graph that has none"
    )
    which = "the set I: training nodes, or all labelled nodes (default: train if there is a split)"
    out = "folder for the tables and the figure (default: ./gnn-dynamics-check)"
    add("paths", nargs="+", metavar="[ROLE=]PATH", help="the files of one graph")
    made = ("identity", "degree", "ones")
    add("--features", choices=("raw", "row", "standard", *made), default="raw", help=scale)
    add("--depth", type=_depth, default=4, metavar="H", help="check depths 1 to H (default: 4)")
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
    add("--out", default="gnn-dynamics-check", metavar="FOLDER", help=out)


def _compare(add: Callable[..., argparse.Action]) -> None:
    noise = "largest value in a column of rounding errors (default: 1e-6)"
    add("run_a", metavar="RUN_A", help="a result folder, or a folder with Parquet files")
    add("run_b", metavar="RUN_B", help="the folder to compare with")
    add("--rtol", type=float, default=1e-6, help="relative tolerance (default: 1e-6)")
    add("--atol", type=float, default=1e-9, help="absolute tolerance (default: 1e-9)")
    add("--noise", type=float, default=1e-6, help=noise)


def _describe(add: Callable[..., argparse.Action]) -> None:
    add("file", metavar="FILE", help="a .parquet, .png or .pdf file of the project")


def _depth(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a depth; give a whole number from 1")
    return int(text)
