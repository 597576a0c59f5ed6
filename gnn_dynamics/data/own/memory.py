"""Estimates of the memory that reading a user's files needs, from their sizes."""

import bz2
import gzip
import lzma
import math
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from gnn_dynamics.errors import UserError

OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
GB = 1e9
# Peak memory per stored byte, measured and rounded up: of arrays, as read, as a matrix and as CSR;
# of tables, also as columns; of other text, as objects of Python.
ARRAYS, TABLES, OBJECTS = 5, 7, 22
TEXT = (".graphml", ".gml", ".gexf", ".net", ".json")
NODE = 200  # bytes for each node, whatever its features
SAMPLE = 2**20  # bytes of a text table in which fields are counted
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def open_file(path: Path) -> Any:
    """A file opened for reading bytes, unpacked if its name ends in .gz, .bz2 or .xz."""
    return OPENERS.get(path.suffix.lower(), open)(path, "rb")


def check_memory(paths: Iterable[Path], budget: float | None) -> None:
    """Check that the files can be read within `budget` bytes (None: the free memory)."""
    needs = {path: needed(path) for path in paths}
    largest = max(needs, key=needs.__getitem__)
    check_size(f"{largest} ({largest.stat().st_size / GB:.3g} GB)", sum(needs.values()), budget)


def check_size(what: str, need: float, budget: float | None = None) -> None:
    """Check that `need` bytes fit into `budget` (None: the free memory)."""
    limit = available_memory() if budget is None else budget
    if need > limit:
        raise UserError(
            f"{what} is too large: reading needs about {need / GB:.3g} GB of memory, but"
            f" {limit / GB:.3g} GB are allowed; use a machine with more memory, raise the limit"
            " (--memory), or store features as a sparse matrix (scipy.sparse.save_npz)"
        )


def needed(path: Path) -> float:
    """An upper estimate of the bytes of memory for reading a file; 0 if it is damaged."""
    try:
        with open_file(path) as file:
            head = file.read(SAMPLE)
            size, limit = len(head), available_memory()
            while file.read(SAMPLE) and size < limit:  # a packed file is unpacked to be measured
                size = file.tell()
        if {suffix.lower() for suffix in path.suffixes} & {*TEXT}:
            return float(OBJECTS * size)
        if path.suffix == ".parquet":
            stored = pq.read_metadata(path)
            return 8.0 * TABLES * stored.num_rows * stored.num_columns
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return float(ARRAYS * sum(member.file_size for member in archive.infolist()))
    except (OSError, EOFError, ValueError, lzma.LZMAError, zipfile.BadZipFile):
        return 0.0  # the reader reports the damage
    if path.suffix == ".npy":
        return float(ARRAYS * size)
    fields = sum(head.count(mark) for mark in (b",", b";", b"\t", b" ", b"\n"))
    return TABLES * max(8.0 * fields * size / max(1, len(head)), float(size))


def available_memory() -> float:
    """Free bytes of this machine or container, whichever is less; infinite where unknown."""
    lines = _text("/proc/meminfo").splitlines()
    free = [1024.0 * float(line.split()[1]) for line in lines if line.startswith("MemAvailable")]
    limits = [float(text) for text in map(_text, LIMITS) if text.isdecimal()]
    return min([math.inf, *free, *limits])


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return ""
