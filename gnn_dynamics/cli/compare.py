"""`gnn-dynamics compare`: are the tables of two result folders equal within tolerances?"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from gnn_dynamics.artifacts.parquet import KEYS, KINDS, read_metadata, read_table
from gnn_dynamics.artifacts.templates import render
from gnn_dynamics.cli.differences import Difference, Tolerance, table_differences
from gnn_dynamics.errors import UserError


def run(arguments: argparse.Namespace) -> int:
    """Compare two folders and print what differs; 0 if nothing does, else 1.

    Raises:
        UserError: if a folder has no tables, or one of them is damaged.
    """
    tolerance = Tolerance(arguments.rtol, arguments.atol, arguments.noise)
    a, b = _tables(arguments.run_a), _tables(arguments.run_b)
    result = {name: _compared(a.get(name), b.get(name), tolerance) for name in sorted({*a, *b})}
    different = [name for name, differences in result.items() if differences]
    if arguments.json:
        tables = {name: [asdict(one) for one in part] for name, part in result.items()}
        print(json.dumps({"equal": not different, "tables": tables}, indent=1))
    else:
        values = {"result": result, "different": different, "tolerance": tolerance}
        print(render("gnn_dynamics.cli", "compare.txt.jinja", values))
    return 1 if different else 0


def _tables(run: str) -> dict[str, Path]:
    """The tables of a run, by name: those in `tables/`, or all in the folder."""
    folder = Path(run)
    if not folder.is_dir():
        raise UserError(f"{run} is no folder")
    inner = folder / "tables" if (folder / "tables").is_dir() else folder
    tables = {path.stem: path for path in sorted(inner.glob("*.parquet"))}
    if not tables:
        raise UserError(f"{inner} has no .parquet files to compare")
    return tables


def _compared(a: Path | None, b: Path | None, tolerance: Tolerance) -> list[Difference]:
    """Rows are matched by the keys in the first file's metadata, without any by their order."""
    if a is None or b is None:
        return [Difference.presence("(table)", 0, "the whole table", a is not None)]
    keys, kinds = read_metadata(a, KEYS) or (), read_metadata(a, KINDS) or {}
    return table_differences(read_table(a), read_table(b), keys, tolerance, kinds)
