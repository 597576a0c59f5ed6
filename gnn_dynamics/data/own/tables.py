"""A user's table, CSV or Parquet, column by column, with the line of every value.

In text files the separator is the first of comma, semicolon, tab and space in the first line. The
first line is a header, unless all its fields are numbers other than 0, 1, 2, 3, ...
"""

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from gnn_dynamics.errors import UserError

SEPARATORS = ",;\t "
KINDS = {"integer": pa.int64(), "real": pa.float64(), "text": pa.string()}
# The columns of whole numbers are node ids.
IN_WORDS = {
    "int64": "a whole number (node ids are 0, 1, 2, ...)",
    "double": "a number",
    "string": "text",
}
# A first column of these names holds the node of each row; pandas writes its index without a name.
NODE_NAMES = ("node", "node_id", "id", "index", "", "unnamed: 0")

Kinds = Callable[[Sequence[str]], Sequence[str]]
# The table, its names, whether it has a header, and the line of its first row (None for Parquet).
Content = tuple[pa.Table, tuple[str, ...], bool, int | None]
Reader = Callable[[Path, Kinds], Content]


@dataclass(frozen=True)
class Table:
    """Columns (rows,): int64, float64 with NaN where empty, or objects of text and None.

    headed: whether the file has a header. first_line: the line of the first row, None for Parquet.
    """

    path: Path
    names: tuple[str, ...]
    columns: tuple[np.ndarray, ...]
    headed: bool
    first_line: int | None

    @property
    def rows(self) -> int:
        return len(self.columns[0])

    def where(self, row: int) -> str:
        """The file and line of a row, for messages."""
        if self.first_line is None:
            return f"{self.path}, row {row}"
        return f"{self.path}, line {row + self.first_line}"

    def cell(self, row: int, column: int) -> str:
        """The file, line and column of a value, for messages."""
        return f"{self.where(row)}, {column_name(self.names[column])}"


def column_name(name: str) -> str:
    """The name of a column in a message."""
    return name if re.fullmatch(r"column \d+", name) else f"column {name!r}"


def node_column(names: Sequence[str]) -> int | None:
    """Position of the column with the node of each row; None if rows are in order of nodes."""
    return 0 if names[0].strip().lower() in NODE_NAMES and len(names) > 1 else None


def read_table(path: Path, kinds: Kinds) -> Table:
    """Read a table; `kinds` gives the kind of each column from all names.

    A kind is "integer", "real" or "text".

    Raises:
        UserError: if a value is not of its kind, a row has another number of fields, or a whole
            number is missing; the message names the file and line.
    """
    reader: Reader = _read_parquet if path.suffix == ".parquet" else _read_text
    arrow, names, headed, first_line = reader(path, kinds)
    arrow = _without_empty_end(arrow)
    columns = tuple(column.to_numpy() for column in arrow.columns)
    table = Table(path, names, columns, headed, first_line)
    for position, kind in enumerate(kinds(names)):
        column = arrow.column(position)
        if kind == "integer" and column.null_count:
            row = int(np.flatnonzero(column.is_null().to_numpy())[0])
            raise UserError(f"{table.cell(row, position)} is empty; node ids are 0, 1, 2, ...")
    return table


def _without_empty_end(table: pa.Table) -> pa.Table:
    """The table without empty lines at its end."""
    end = len(table)
    while end and all(column[end - 1].as_py() is None for column in table.columns):
        end -= 1
    return table.slice(0, end)


def _read_text(path: Path, kinds: Kinds) -> Content:
    names, separator, headed = _head(path)
    keys = [str(position) for position in range(len(names))]
    types = dict(zip(keys, (KINDS[kind] for kind in kinds(names)), strict=True))
    try:
        table = pyarrow.csv.read_csv(
            path,
            # With several threads, messages lack the row.
            pyarrow.csv.ReadOptions(use_threads=False, column_names=keys, skip_rows=int(headed)),
            # An empty line is a row, so that rows have the numbers of their lines.
            pyarrow.csv.ParseOptions(delimiter=separator, ignore_empty_lines=False),
            pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=True),
        )
    except pa.ArrowInvalid as error:
        raise UserError(_explained(path, names, str(error))) from error
    return table, names, headed, 1 + int(headed)


def _head(path: Path) -> tuple[tuple[str, ...], str, bool]:
    """The names, the separator, and whether there is a header, from the first line."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        line = file.readline().rstrip("\r\n")
    if not line.strip():
        raise UserError(f"{path} is empty, or its first line is empty")
    separator = next((mark for mark in SEPARATORS if mark in line), ",")
    fields = next(csv.reader([line], delimiter=separator))
    numbered = fields == [str(k) for k in range(len(fields))] and len(fields) > 3  # as pandas does
    if all(map(_is_number, fields)) and not numbered:
        return tuple(f"column {k + 1}" for k in range(len(fields))), separator, False
    return tuple(field.strip() for field in fields), separator, True


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _explained(path: Path, names: Sequence[str], message: str) -> str:
    """Arrow's message about a malformed line, with the line and the column by name."""
    if match := re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", message):
        line, expected, got = match.groups()
        return f"{path}, line {line}: it has {got} fields, line 1 has {expected}"
    pattern = r"column #(\d+): Row #(\d+): CSV conversion error to (\w+): invalid value '(.*)'"
    if match := re.search(pattern, message):
        column, line, kind, value = match.groups()
        return (
            f"{path}, line {line}, {column_name(names[int(column)])}: {value!r} is not"
            f" {IN_WORDS.get(kind, kind)}"
        )
    return f"{path} cannot be read: {message}"


def _read_parquet(path: Path, kinds: Kinds) -> Content:
    try:
        table = pq.read_table(path, partitioning=None)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path} is not a complete Parquet file ({error})") from error
    names = tuple(table.column_names)
    if not names:
        raise UserError(f"{path} has no columns")
    pairs = zip(names, kinds(names), strict=True)
    columns = [_cast(path, name, table.column(name), KINDS[kind]) for name, kind in pairs]
    return pa.table(columns, names=list(map(str, range(len(names))))), names, True, None


def _cast(path: Path, name: str, column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    try:
        return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UserError(
            f"{path}, {column_name(name)}: not {IN_WORDS[str(kind)]} in every row ({error})"
        ) from error
