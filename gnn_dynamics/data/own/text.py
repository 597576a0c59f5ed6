"""Tables in text files, read by pandas; here it is found how: separator, header, comments, ..."""

import bz2
import csv
import gzip
import io
import lzma
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.data.own.names import ENDS, IDS, INDEXES, LABELS, stem
from gnn_dynamics.data.own.table import Table, tidy
from gnn_dynamics.errors import UserError

OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
SEPARATORS = ("\t", ";", ",", "|", " ")
SAMPLE = 2**20  # characters from which the form of a file is found
COMMENT = re.compile(rb"(?m)^[ \t]*[#%].*\n?")
HEADERS = IDS | INDEXES | set(LABELS) | {name for pair in ENDS for name in pair}
Fields = Sequence[str]


def open_file(path: Path) -> Any:
    """A file opened for reading bytes, unpacked if its name ends in .gz, .bz2 or .xz."""
    return OPENERS.get(path.suffix.lower(), open)(path, "rb")


def read_text(path: Path, header: bool | None = None) -> Table:
    """A table; `header` says whether the first line is one, where it could be a row as well."""
    try:
        with open_file(path) as file:
            data = _utf8(file.read())
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise UserError(f"{path} cannot be unpacked ({error})") from error
    comments = len(COMMENT.findall(data)) if data.lstrip()[:1] in (b"#", b"%") else 0
    data = (COMMENT.sub(b"", data) if comments else data).rstrip(b"\n ")
    leading = len(data) - len(data := data.lstrip(b"\n"))
    sample = data[:SAMPLE].decode("utf-8", errors="replace").split("\n")
    if not data or b"\0" in data[:SAMPLE]:
        raise UserError(f"{path} is empty, or no text")
    separator = _separator(sample[: -1 if len(data) > SAMPLE else None])
    if separator == " ":
        data = re.sub(rb"(?m)^ | $", b"", re.sub(rb"[ \t]+", b" ", data))
    rows = [_fields(line, separator) for line in sample if line.strip()]
    counts = [len(row) for row in rows[1:]]
    shifted = len(rows[0]) > 1 and counts.count(len(rows[0]) + 1) > len(counts) / 2
    titles = [""] * shifted + rows[0]  # R gives the names of rows no title
    numbered = [str(k) for k in range(len(titles))]
    found = _is_header(titles, rows[1:])
    headed = bool(header if found is None else found)

    def line(number: int) -> str:
        """A line of `data`, by its number in the file itself."""
        with open_file(path) as file:
            kept = [k for k, text in enumerate(file, 1) if not (comments and COMMENT.match(text))]
        return f"line {kept[number + leading]}"

    _check_widths(path, data, separator, len(titles), shifted, line)
    decimal = separator != "," and any(re.fullmatch(r"[+-]?\d+,\d+", x) for row in rows for x in row)
    columns = _columns(path, data, separator, len(titles), headed, "," if decimal else ".")
    notes = [f"{comments} lines of comments skipped"] * bool(comments) + ["decimal commas"] * decimal
    if found is None:
        notes.append(f"the first line {','.join(titles)} is read as a {'header' if headed else 'row'}")
    names = _distinct(titles) if headed else [f"column {k + 1}" for k in range(len(titles))]
    table = Table(path, dict(zip(names, columns, strict=True)), len(columns[0]), line)
    table.unit = lambda row: line(row + headed)
    table.named, table.doubtful, table.notes = headed, titles == numbered, notes
    return table


def _utf8(data: bytes) -> bytes:
    """The text in UTF-8, with newlines of one byte and without a byte order mark."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", errors="replace").encode()
    return data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _fields(line: str, separator: str) -> list[str]:
    if separator == " " and '"' not in line:
        return line.split()
    try:
        reader = csv.reader([line.strip(" ")], delimiter=separator, skipinitialspace=True)
        return [field.strip() for field in next(reader, [])]
    except csv.Error:  # a field of a hundred thousand letters
        return line.split(separator)


def _separator(lines: Fields) -> str:
    """The one that splits most lines into as many fields as the first; a comma for one column."""
    full = [line for line in lines if line.strip()]
    shares = {}
    for separator in SEPARATORS:
        counts = np.array([len(_fields(line, separator)) for line in full])
        rest = counts[1:] if len(counts) > 1 else counts
        alike = max(np.mean(rest == counts[0]), np.mean(rest == counts[0] + 1))
        shares[separator] = alike if counts[0] > 1 else 0
    best = max(SEPARATORS, key=shares.__getitem__)
    return best if shares[best] > 0.5 else ","


def _is_header(titles: Fields, rows: Sequence[Fields]) -> bool | None:
    """Whether the first line is a header; None where 0, 1, 2 may be either."""
    numeric = [field for field in titles if _is_number(field)]
    counted = numeric == [str(k) for k in range(len(numeric))]
    if len(numeric) < len(titles):
        if any(stem(field) in HEADERS for field in titles):
            return True
        below = {field for row in rows for field in row if field}
        return (not numeric or (counted and len(numeric) > 1)) and not below.intersection(titles)
    full = [row for row in rows if len(row) == len(titles)]
    written = (all("." in x or not _is_number(x) for x in c) for c in zip(*full, strict=True))
    if counted and (len(titles) > 3 or any(written)):  # below it, numbers with points, or text
        return True
    return None if counted else False


def _is_number(field: str) -> bool:
    try:
        return bool(float(field.replace(",", ".")) + 1)
    except ValueError:
        return False


def _distinct(names: Fields) -> list[str]:
    """The names with a number where one repeats, as pandas does: f, f.1, f.2."""
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        result.append(f"{name}.{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return result


def _check_widths(
    path: Path, data: bytes, separator: str, width: int, shifted: bool, line: Callable[[int], str]
) -> None:
    """Check that every line has as many fields as the first; pandas would fill short ones."""
    if data.count(separator.encode()) + shifted == (width - 1) * (data.count(b"\n") + 1):
        return
    for number, text in enumerate(data.decode("utf-8", errors="replace").split("\n")):
        count = len(_fields(text, separator)) + (shifted and number == 0)
        if count not in (0, width):
            raise UserError(
                f"{path}, {line(number)}: it has {count} fields, {line(0)} has {width}"
            )


def _columns(
    path: Path, data: bytes, separator: str, width: int, headed: bool, decimal: str
) -> list[np.ndarray]:
    try:
        frame = pd.read_csv(
            io.BytesIO(data),
            sep=separator,
            decimal=decimal,
            header=None,
            names=range(width),
            index_col=False,
            skiprows=int(headed),
            skip_blank_lines=False,
            skipinitialspace=True,
            low_memory=False,
            float_precision="round_trip",
        )
    except ValueError as error:  # of pandas' parser, or of a decoder
        raise UserError(f"{path} is no table in UTF-8 ({str(error).splitlines()[0]})") from error
    full = np.flatnonzero(frame.notna().any(axis=1))
    return [tidy(frame[k].iloc[: full.max(initial=-1) + 1]) for k in range(width)]
