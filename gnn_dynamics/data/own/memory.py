"""How much memory a user's files will need, estimated from their sizes before they are read."""

import math
import zipfile
from collections.abc import Iterable
from pathlib import Path

from gnn_dynamics.errors import UserError

GB = 1e9
# Bytes of memory at the peak for each byte of stored numbers, measured and rounded up: as read, as
# one matrix, as CSR; tables are read by columns before that.
ARRAYS, TABLES = 5, 7
# Bytes of memory for each byte of text: networkx keeps every value as an object.
TEXT = {".graphml": 22, ".gml": 14}
SAMPLE = 2**20  # bytes of a text table that are looked at
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def check_memory(paths: Iterable[Path], budget: float | None) -> None:
    """Whether files of these sizes can be read within `budget` bytes (None: what is free).

    Raises:
        UserError: if not, naming the largest file, its estimate and the budget.
    """
    needs = {path: needed(path) for path in paths}
    largest, total = max(needs, key=needs.get), sum(needs.values())
    limit = available_memory() if budget is None else budget
    if total > limit:
        raise UserError(
            f"{largest} ({largest.stat().st_size / GB:.3g} GB) is too large: reading needs about"
            f" {total / GB:.3g} GB of memory, {limit / GB:.3g} GB are allowed; use a machine with"
            " more memory, raise the limit (--memory), or store features as a sparse matrix"
            " (scipy.sparse.save_npz)"
        )


def needed(path: Path) -> float:
    """Bytes of memory for reading a file, an estimate on the safe side; 0 if it is unreadable."""
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
        return 0.0  # not Parquet: the reader says so
    return 8.0 * metadata.num_rows * metadata.num_columns


def _table_bytes(path: Path, size: int) -> float:
    """Eight bytes for each field of a text table, counted at its head."""
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    fields = sum(head.count(mark) for mark in (b",", b";", b"\t", b" ", b"\n"))
    return max(8.0 * fields * size / max(1, len(head)), float(size))


def available_memory() -> float:
    """Bytes that are free on this machine, and to this container; infinite where it is unknown."""
    limits = [_meminfo(), *(_number(Path(file)) for file in LIMITS)]
    return min(limits)


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
