"""Tables in text files, read by pandas; here it is found how: separator, header, comments, ..."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.data.own.formats import reading
from gnn_dynamics.data.own.memory import open_file
from gnn_dynamics.data.own.names import IDS, INDEXES, LABELS, PAIRS, stem
from gnn_dynamics.data.own.table import Table, tidy
from gnn_dynamics.errors import UserError

SEPARATORS = ("\t", ";", ",", "|", " ")
SAMPLE = 2**20  # characters from which the form of a file is found
COMMENT = re.compile(rb"(?m)^[ \t]*[#%].*\n?")
PANDAS: dict[str, Any] = {
    "header": None,
    "index_col": False,
    "skip_blank_lines": False,
    "low_memory": False,
}
PANDAS |= {"skipinitialspace": True, "float_precision": "round_trip"}
HEADERS = {"name", *IDS, *INDEXES, *LABELS, *sum(PAIRS, ())}
Fields = Sequence[str]


def read_text(path: Path, header: bool = False) -> Table:
    """A table; `header` says whether the first line is one, where it could be a row as well."""
    data, comments, leading = _content(path)
    sample = data[:SAMPLE].decode("utf-8", errors="replace").split("\n")
    full = [line for line in sample[: -1 if len(data) > SAMPLE else None] if line.strip()]
    if not full or "\0" in full[0]:
        raise UserError(f"{path} is empty, or no text")
    separator = _separator(full)
    if separator == " ":
        data = re.sub(rb"(?m)^ | $", b"", re.sub(rb"[ \t]+", b" ", data))
    titles, *rows = [_fields(line, separator) for line in full]
    counts = [len(row) for row in rows]
    shifted = len(titles) > 1 and counts.count(len(titles) + 1) > len(counts) / 2
    titles = ["", *titles] if shifted else titles  # R gives the names of rows no title
    found = _is_header(titles, rows)
    headed = header if found is None else found

    def line(number: int) -> str:
        """A line of `data`, by its number in the file itself."""
        lines = enumerate(_lines(path).split(b"\n"), 1)
        kept = [k for k, text in lines if not (comments and COMMENT.match(text))]
        return f"line {kept[number + leading]}"

    marks = (len(titles) - 1) * (data.count(b"\n") + 1)  # pandas would fill short lines
    if data.count(separator.encode()) + shifted != marks:
        for number, text in enumerate(data.decode("utf-8", errors="replace").split("\n")):
            count = len(_fields(text, separator)) + (shifted and number == 0)
            if count not in (0, len(titles)):
                wrong = f"it has {count} fields, {line(0)} has {len(titles)}"
                raise UserError(f"{path}, {line(number)}: {wrong}")
    comma = re.compile(r"[+-]?\d+,\d+")
    decimal = any(comma.fullmatch(x) for row in rows for x in row)
    form = {"sep": separator, "decimal": "," if decimal else ".", "skiprows": int(headed)}
    with reading(path, "a table in UTF-8"):
        frame = pd.read_csv(io.BytesIO(data), names=range(len(titles)), **form, **PANDAS)
    end = np.flatnonzero(frame.notna().any(axis=1)).max(initial=-1) + 1  # without empty lines
    columns = [tidy(frame[k].iloc[:end]) for k in frame]
    names = titles if headed else [f"column {k + 1}" for k in range(len(titles))]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{path} has several columns {twice!r}; give each a name of its own")
    named = dict(zip(names, columns, strict=True))
    table = Table(path, named, len(columns[0]), lambda row: line(row + headed), named=headed)
    table.doubtful = titles == [str(k) for k in range(len(titles))]
    notes = {
        f"{comments} lines of comments skipped": comments,
        "decimal commas": decimal,
        f"its first line is read as a {'header' if headed else 'row'}": found is None,
    }
    table.notes += [note for note, holds in notes.items() if holds]
    return table


def _lines(path: Path) -> bytes:
    """The text in UTF-8 with plain newlines."""
    with reading(path, "a complete file"), open_file(path) as file:
        data = file.read()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", errors="replace").encode()
    return data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _content(path: Path) -> tuple[bytes, int, int]:
    """The text without comments, the number of comments, and of empty lines before it."""
    data = _lines(path)
    comments = len(COMMENT.findall(data)) if data.lstrip()[:1] in (b"#", b"%") else 0
    data = (COMMENT.sub(b"", data) if comments else data).rstrip(b"\n ")
    return data.lstrip(b"\n"), comments, len(data) - len(data.lstrip(b"\n"))


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

    def share(separator: str) -> float:
        width, *rest = [len(_fields(line, separator)) for line in lines]
        counts = np.array(rest or [width])
        return max(np.mean(counts == width), np.mean(counts == width + 1)) if width > 1 else 0

    best = max(SEPARATORS, key=share)
    return best if share(best) > 0.5 else ","


def _is_header(titles: Fields, rows: Sequence[Fields]) -> bool | None:
    """Whether the first line is a header; None where 0, 1, 2 may be either."""
    numeric = [field for field in titles if _is_number(field)]
    counted = numeric == [str(k) for k in range(len(numeric))]
    if len(numeric) < len(titles):
        below = {field for row in rows for field in row if field}
        words = not below & {*titles} and (not numeric or (counted and len(numeric) > 1))
        names = len(titles) == 1 and len(below) == len(rows) > 1  # one column of different texts
        return (words and not names) or any(stem(field) in HEADERS for field in titles)
    full = [row for row in rows if len(row) == len(titles)]
    columns = zip(*full, strict=True)  # below a header are numbers with points, or text
    named = any(all("." in x or not _is_number(x) for x in column) for column in columns)
    return False if not counted else (named or len(titles) > 3) or None


def _is_number(field: str) -> bool:
    try:
        return bool(float(field.replace(",", ".")) + 1)
    except ValueError:
        return False
