"""Tables in text files: CSV, TSV, columns of blanks; comments, headers, compression.

pyarrow splits the lines and converts the numbers; here it is decided how.
"""

import bz2
import csv
import gzip
import lzma
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from gnn_dynamics.data.own.names import ENDS, IDS, INDEXES, LABELS, stem
from gnn_dynamics.data.own.table import Table
from gnn_dynamics.errors import UserError

OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
SEPARATORS = ("\t", ";", ",", "|", None)  # None: blanks
SAMPLE = 2**20  # bytes from which the form of a file is found
NULLS = ["", "nan", "NaN", "-nan", "NA", "N/A", "null", "NULL", "None", "<NA>"]
DECIMAL_COMMA = r"\s*[+-]?\d+,\d+\s*"
HEADERS = IDS | INDEXES | set(LABELS) | {name for pair in ENDS for name in pair}


def open_file(path: Path) -> Any:
    """A file opened for reading bytes, unpacked if its name ends in .gz, .bz2 or .xz."""
    return OPENERS.get(path.suffix.lower(), open)(path, "rb")


def read_text(path: Path) -> Table:
    """A table; its first line is a header if it looks like one beside the others.

    Raises:
        UserError: if it is empty, is no text, or a line has another number of fields.
    """
    with open_file(path) as file:
        data = _utf8(path, file.read())
    comments = _comments(data)
    if comments:
        data = re.sub(rb"(?m)^[ \t]*[#%].*\n?", b"", data)
    lines = _sample(path, data)
    separator = _separator(lines)
    if separator is None:
        data = re.sub(rb"(?m)^ | $", b"", re.sub(rb"[ \t]+", b" ", data))
    rows = [_fields(line, separator) for line in lines if line.strip()]
    titles = _with_index(rows)
    header = _is_header(titles, rows[1:])
    names = titles if header else [f"column {k + 1}" for k in range(len(titles))]
    skipped = lines.index(next(line for line in lines if line.strip())) + (header is True)
    decimal = separator != "," and any(
        re.fullmatch(DECIMAL_COMMA, field) for row in rows[1:] for field in row
    )

    def line(row: int) -> int:
        return _with_comments(row + 1 + skipped, comments)

    columns = _split(path, data, separator or " ", names, skipped, line)
    table = _table(path, _distinct(names), columns, decimal, lambda row: f"line {line(row)}")
    table.named, table.doubtful = bool(header), header is None
    table.index = tuple(name for name in table.frame if stem(name) in INDEXES)
    if comments:
        table.notes.append(f"{len(comments)} lines of comments skipped")
    return table


def _utf8(path: Path, data: bytes) -> bytes:
    """The text in UTF-8, with newlines of one byte and without a byte order mark."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", errors="replace").encode()
    if b"\0" in data[:SAMPLE]:
        raise UserError(f"{path} is no text: it contains zero bytes")
    return data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _comments(data: bytes) -> list[int]:
    """The numbers of the lines that begin with # or %, if the first one does; from 0."""
    if data.lstrip()[:1] not in (b"#", b"%"):
        return []
    found, line, end = [], 0, 0
    for match in re.finditer(rb"(?m)^[ \t]*[#%].*$", data):
        line += data.count(b"\n", end, match.start())
        end = match.start()
        found.append(line)
    return found


def _with_comments(line: int, comments: Sequence[int]) -> int:
    """The number of a line in the file, from its number among those that are no comments."""
    kept = [comment - k for k, comment in enumerate(comments)]
    return line + bisect_right(kept, line - 1)


def _sample(path: Path, data: bytes) -> list[str]:
    head = data[:SAMPLE]
    if len(data) > SAMPLE and b"\n" in head:
        head = head[: head.rindex(b"\n")]
    lines = head.decode("utf-8", errors="replace").split("\n")
    if not any(map(str.strip, lines)):
        raise UserError(f"{path} is empty")
    return lines


def _fields(line: str, separator: str | None) -> list[str]:
    if separator is None and '"' not in line:
        return line.split()
    reader = csv.reader([line.strip(" ")], delimiter=separator or " ", skipinitialspace=True)
    return [field.strip() for field in next(reader, [])]


def _separator(lines: Sequence[str]) -> str | None:
    """The one that splits most lines into as many fields as the first; a comma for one column."""
    best, most = ",", 0.5
    full = [line for line in lines if line.strip()]
    for separator in SEPARATORS:
        counts = np.array([len(_fields(line, separator)) for line in full])
        if counts[0] < 2:
            continue
        rest = counts[1:] if len(counts) > 1 else counts
        share = max(np.mean(rest == counts[0]), np.mean(rest == counts[0] + 1))
        if share > most:
            best, most = separator, share
    return best


def _with_index(rows: Sequence[Sequence[str]]) -> list[str]:
    """The fields of the first line; with an empty one before where R writes names of rows."""
    counts = [len(row) for row in rows[1:]]
    shifted = len(rows[0]) > 1 and counts.count(len(rows[0]) + 1) > len(counts) / 2
    return ["", *rows[0]] if shifted else list(rows[0])


def _is_header(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> bool | None:
    """Whether the first line is a header; None where 0, 1, 2 may be either."""
    numeric = [field for field in titles if _is_number(field)]
    counted = numeric == [str(k) for k in range(len(numeric))]
    if len(numeric) < len(titles):
        if any(stem(field) in HEADERS for field in titles):
            return True
        below = {field for row in rows for field in row if field}
        return (not numeric or (counted and len(numeric) > 1)) and not below.intersection(titles)
    if not counted:
        return False
    written = [row for row in rows if len(row) == len(titles)]
    for k in range(len(titles)):
        if written and all("." in row[k] or not _is_number(row[k]) for row in written):
            return True  # numbers with a point, or text, below a whole number
    return True if len(titles) > 3 else None


def _is_number(field: str) -> bool:
    try:
        float(field.replace(",", "."))
    except ValueError:
        return False
    return True


def _distinct(names: Sequence[str]) -> list[str]:
    """The names with a number where one repeats, as pandas does: f, f.1, f.2."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, -1) + 1
        result.append(f"{name}.{seen[name]}" if seen[name] else name)
    return result


def _split(
    path: Path,
    data: bytes,
    separator: str,
    names: Sequence[str],
    skipped: int,
    line: Callable[[int], int],
) -> pa.Table:
    """The fields as text, by the number of their column; empty lines at the end are left out."""
    keys = [str(k) for k in range(len(names))]
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            # With several threads, messages lack the row.
            pyarrow.csv.ReadOptions(use_threads=False, column_names=keys, skip_rows=skipped),
            # An empty line is a row, so that rows have the numbers of their lines.
            pyarrow.csv.ParseOptions(delimiter=separator, ignore_empty_lines=False),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(keys, pa.string()),
                null_values=NULLS,
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        if match := re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", str(error)):
            row = int(match[1]) - 1 - skipped
            message = f"{path}, line {line(row)}: it has {match[3]} fields, line {line(-1)} has"
            raise UserError(f"{message} {match[2]}") from error
        if re.search(r"Empty CSV", str(error)):
            return pa.table({key: pa.array([], pa.string()) for key in keys})
        raise UserError(f"{path} is no table in UTF-8: {str(error).splitlines()[0]}") from error
    end = len(table)
    while end and all(column[end - 1].as_py() is None for column in table.columns):
        end -= 1
    return table.slice(0, end)


def _table(
    path: Path, names: Sequence[str], text: pa.Table, decimal: bool, unit: Callable[[int], str]
) -> Table:
    columns: dict[str, np.ndarray] = {}
    lists: dict[str, np.ndarray] = {}
    commas = []
    for name, column in zip(names, text.columns, strict=True):
        values = _typed(column)
        if decimal and values.dtype == object:
            pointed = _typed(pc.replace_substring(column, ",", "."))
            if pointed.dtype != object:
                commas.append(name)
                values = pointed
        block = _block(values) if values.dtype == object else None
        if block is None:
            columns[name] = values
        else:
            lists[name] = block
    table = Table(path, pd.DataFrame(columns, index=range(len(text))), unit, arrays=lists)
    if commas:
        table.notes.append(f"decimal commas in {', '.join(commas)}")
    return table


def _typed(column: pa.ChunkedArray) -> np.ndarray:
    """A column of text as int64, float64 (NaN where empty), truth values, or text (None)."""
    for attempt in (column, pc.utf8_trim_whitespace(column)):
        for kind in (pa.int64(), pa.uint64(), pa.float64(), pa.bool_()):
            try:
                values = attempt.cast(kind)
            except pa.ArrowInvalid:
                continue
            if pa.types.is_integer(kind) or not values.null_count:
                return values.to_numpy()
            return values.cast(pa.float64()).to_numpy()
    return attempt.to_numpy()


def _block(values: np.ndarray) -> np.ndarray | None:
    """(rows, k) where every text is a list of k numbers, such as "[1.0, 0.0]"; else None."""
    if not len(values) or values[0] is None or not re.search(r"\d[\s,;]+[-\d.]", values[0]):
        return None
    try:
        lists = [[float(x) for x in re.split(r"[\s,;]+", text.strip(" []()"))] for text in values]
        return np.array(lists)
    except (ValueError, AttributeError):  # text, None, or lists of several lengths
        return None


def settle_headers(edges: Table, nodes: Sequence[Table], option: str | None) -> None:
    """Decide whether the first lines 0, 1, ... are headers; the tables lose those that are.

    The counts of rows decide, then the habit of pandas: either all of its files have such a header
    or none. A doubtful line of edges only is an edge.

    Raises:
        UserError: if a table of nodes stays doubtful.
    """
    sure = {len(table.frame) for table in nodes if not table.doubtful}
    text = [table for table in (edges, *nodes) if table.noun.endswith("column")]
    alike = len(text) > 1 and all(table.doubtful for table in text)
    above = False
    for table in (*nodes, edges):
        if not table.doubtful:
            continue
        n = len(table.frame)
        header = {"yes": True, "no": False}.get(option or "", None)
        if header is None and table is not edges and {n, n - 1} & sure:
            header = n not in sure
        if header is None:
            header = above if table is edges else alike or None
        if header is None:
            raise UserError(
                f"{table.path}: the first line may be a header or a row; choose by --header yes or"
                " --header no"
            )
        above = above or header
        first = ",".join(str(value) for value in table.frame.iloc[0])
        table.notes.append(f"the first line {first} is read as a {'header' if header else 'row'}")
        if header:
            table.frame = table.frame.iloc[1:].set_axis([*map(str, range(table.frame.shape[1]))], axis=1)
            table.named = True
