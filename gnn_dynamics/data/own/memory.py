"""Estimates of the memory that reading a user's files needs, from their sizes."""

import math
import zipfile
from collections.abc import Iterable
from pathlib import Path

from gnn_dynamics.errors import UserError

GB = 1e9
# Peak memory per byte of stored numbers, measured and rounded up: the numbers exist as read, as one
# matrix and as CSR; those of tables also as columns.
ARRAYS, TABLES = 5, 7
# Peak memory per byte of text: networkx keeps every value as an object.
TEXT = {".graphml": 22, ".gml": 14}
NODE = 200  # bytes for each node, whatever its features
SAMPLE = 2**20  # bytes of a text table in which fields are counted
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def check_memory(paths: Iterable[Path], budget: float | None) -> None:
    """Check that the files can be read within `budget` bytes (None: the free memory).

    Raises:
        UserError: if not; the message names the largest file, the estimate and the budget.
    """
    needs = {path: needed(path) for path in paths}
    largest, total = max(needs, key=needs.__getitem__), sum(needs.values())
    limit = available_memory() if budget is None else budget
    if total > limit:
        raise UserError(
            f"{largest} ({largest.stat().st_size / GB:.3g} GB) is too large: reading needs about"
            f" {total / GB:.3g} GB of memory, but {limit / GB:.3g} GB are allowed; use a machine"
            " with more memory, raise the limit (--memory), or store features as a sparse matrix"
            " (scipy.sparse.save_npz)"
        )


def check_size(path: Path, n: int, budget: float | None = None) -> None:
    """Check that vectors of n nodes fit into `budget` bytes (None: the free memory)."""
    limit = available_memory() if budget is None else budget
    if NODE * n > limit:
        raise UserError(
            f"{path}: {n} nodes need about {NODE * n / GB:.3g} GB of memory, but"
            f" {limit / GB:.3g} GB are allowed; raise the limit (--memory)"
        )


def needed(path: Path) -> float:
    """An upper estimate of the bytes of memory for reading a file; 0 for a damaged Parquet file."""
    size = path.stat().st_size
    if path.suffix in TEXT:
        return float(TEXT[path.suffix] * size)
    if path.suffix == ".parquet":
        return TABLES * _parquet_bytes(path)
    if path.suffix in (".npz", ".pt"):
        return ARRAYS * _unpacked_bytes(path)
    if path.suffix == ".npy":
        return float(ARRAYS * size)
    return TABLES * _table_bytes(path, size)


def _unpacked_bytes(path: Path) -> float:
    try:
        with zipfile.ZipFile(path) as archive:
            return float(sum(member.file_size for member in archive.infolist()))
    except zipfile.BadZipFile:
        return float(path.stat().st_size)


def _parquet_bytes(path: Path) -> float:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path)
    except pa.ArrowInvalid:
        return 0.0  # the reader reports the damage
    return 8.0 * metadata.num_rows * metadata.num_columns


def _table_bytes(path: Path, size: int) -> float:
    """Eight bytes for each field of a text table, extrapolated from its first lines."""
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    fields = sum(head.count(mark) for mark in (b",", b";", b"\t", b" ", b"\n"))
    return max(8.0 * fields * size / max(1, len(head)), float(size))


def available_memory() -> float:
    """Free bytes of this machine or container, whichever is less; infinite where unknown."""
    return min(_meminfo(), *(_number(Path(file)) for file in LIMITS))


def _meminfo() -> float:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return math.inf
    free = [line.split()[1] for line in lines if line.startswith("MemAvailable")]
    return 1024.0 * float(free[0]) if free else math.inf


def _number(path: Path) -> float:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return math.inf
    return float(text) if text.isdecimal() else math.inf
