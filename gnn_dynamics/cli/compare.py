"""`gnn-dynamics compare`: are the tables of two result folders equal within tolerances?"""

import argparse
import json
from pathlib import Path

from gnn_dynamics.artifacts.parquet import read_table
from gnn_dynamics.cli.differences import Difference, Tolerance, table_differences
from gnn_dynamics.errors import UserError
from gnn_dynamics.tables import table_of

Found = dict[str, list[Difference]]


def run(arguments: argparse.Namespace) -> int:
    """Compare two folders and print what differs; 0 if nothing does, else 1.

    Raises:
        UserError: if a folder has no tables, or one of them is damaged.
    """
    tolerance = Tolerance(arguments.rtol, arguments.atol, arguments.noise)
    a, b = _tables(arguments.run_a), _tables(arguments.run_b)
    found = {name: _compared(a, b, name, tolerance) for name in sorted({*a, *b})}
    differ = any(found.values())
    print(_as_json(found) if arguments.json else _report(found, tolerance))
    return 1 if differ else 0


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


def _compared(
    a: dict[str, Path], b: dict[str, Path], name: str, tolerance: Tolerance
) -> list[Difference]:
    if name not in a or name not in b:
        presence = ("present", "absent") if name in a else ("absent", "present")
        return [Difference("(table)", 0, "the whole table", *presence)]
    declared = table_of(a[name])
    keys = declared.keys if declared else ()
    return table_differences(read_table(a[name]), read_table(b[name]), keys, tolerance)


def _report(found: Found, tolerance: Tolerance) -> str:
    lines = [line for name, differences in found.items() for line in _lines(name, differences)]
    equal = [name for name, differences in found.items() if not differences]
    limits = f"rtol {tolerance.rtol:g}, atol {tolerance.atol:g}, noise {tolerance.noise:g}"
    if equal:
        lines.append(f"equal within {limits}: {', '.join(equal)}")
    share = len(found) - len(equal)
    lines.append(f"{share} of {len(found)} tables differ" if share else "The runs are equal.")
    return "\n".join(lines)


def _lines(name: str, differences: list[Difference]) -> list[str]:
    lines = [f"{name}:"] if differences else []
    for one in differences:
        sizes = (
            "" if one.absolute is None else f", by {one.absolute:.3g} ({one.relative:.2g} of it)"
        )
        what = "rows, the first" if one.column == "(rows)" else "cells, the worst"
        count = f"{one.cells} {what} at " if one.cells else ""
        lines.append(f"  {one.column}: {count}{one.where}: {one.a} and {one.b}{sizes}")
    return lines


def _as_json(found: Found) -> str:
    content = {name: [one.as_dict() for one in differences] for name, differences in found.items()}
    return json.dumps({"equal": not any(found.values()), "tables": content}, indent=1)
