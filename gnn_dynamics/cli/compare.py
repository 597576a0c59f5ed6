"""`gnn-dynamics compare`: are the tables of two result folders equal within tolerances?"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from gnn_dynamics.artifacts.parquet import KEYS, KINDS, read_metadata, read_table
from gnn_dynamics.cli.differences import Difference, Tolerance, table_differences
from gnn_dynamics.errors import UserError

Differences = dict[str, list[Difference]]  # table -> what differs


def run(arguments: argparse.Namespace) -> int:
    """Compare two folders and print what differs; 0 if nothing does, else 1.

    Raises:
        UserError: if a folder has no tables, or one of them is damaged.
    """
    tolerance = Tolerance(arguments.rtol, arguments.atol, arguments.noise)
    a, b = _tables(arguments.run_a), _tables(arguments.run_b)
    result = {name: _compared(a.get(name), b.get(name), tolerance) for name in sorted({*a, *b})}
    print(_as_json(result) if arguments.json else _report(result, tolerance))
    return int(any(result.values()))


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


def _report(result: Differences, tolerance: Tolerance) -> str:
    lines = [line for name, differences in result.items() for line in _lines(name, differences)]
    equal = [name for name, differences in result.items() if not differences]
    limits = f"rtol {tolerance.rtol:g}, atol {tolerance.atol:g}, noise {tolerance.noise:g}"
    if equal:
        lines.append(f"equal within {limits}: {', '.join(equal)}")
    count = len(result) - len(equal)
    lines.append(f"{count} of {len(result)} tables differ" if count else "The runs are equal.")
    return "\n".join(lines)


def _lines(name: str, differences: list[Difference]) -> list[str]:
    lines = [f"{name}:"] if differences else []
    for one in differences:
        unit = "rows, the first" if one.column == "(rows)" else "cells, the worst"
        count = f"{one.cells} {unit} at " if one.cells else ""
        size = "" if one.absolute is None else f", by {one.absolute:.3g} ({one.relative:.2g} of it)"
        lines.append(f"  {one.column}: {count}{one.where}: {one.a} and {one.b}{size}")
    return lines


def _as_json(result: Differences) -> str:
    tables = {name: [asdict(one) for one in differences] for name, differences in result.items()}
    return json.dumps({"equal": not any(result.values()), "tables": tables}, indent=1)
