"""Writing files so that they are complete or absent.

A file is written under a temporary name in its folder and renamed when it is complete.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path
from typing import Any

import numpy as np

from gnn_dynamics.errors import UserError

IN_MEMORY = 2**28  # bytes of a scratch array; larger ones are in a temporary file


@contextmanager
def complete_or_absent(path: str | Path) -> Iterator[Path]:
    """A temporary name beside `path`, renamed to it when the block ends without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays: matplotlib chooses the format by it. The number keeps two writers apart.
    partial = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def remove_partials(path: str | Path) -> None:
    """Remove the partial files of killed writers of `path`; a writer that still runs fails."""
    path = Path(path)
    name = re.compile(rf"\.{re.escape(path.stem)}\.\d+{re.escape(path.suffix)}")
    for other in path.parent.iterdir() if path.parent.is_dir() else ():
        if name.fullmatch(other.name):
            other.unlink(missing_ok=True)


def temporary_file(size: float, content: str) -> BufferedRandom:
    """An open file in the temporary folder (TMPDIR), for `size` bytes; deleted when it is closed.

    Raises:
        UserError: if that folder has too little room; `content` is what takes it, a plural.
    """
    folder = Path(tempfile.gettempdir())
    free = shutil.disk_usage(folder).free
    if size > free:
        raise UserError(
            f"{folder} has {free / 1e9:.1f} GB of free space, and {content} take"
            f" {size / 1e9:.1f} GB; set TMPDIR to a folder with more."
        )
    return tempfile.TemporaryFile(dir=folder)


def scratch_array(count: int, dtype: type, content: str) -> np.ndarray:
    """An array (count,) without values, in memory or, if it is large, in a temporary file.

    Raises:
        UserError: as `temporary_file`.
    """
    size = count * np.dtype(dtype).itemsize
    if size <= IN_MEMORY:
        return np.empty(count, dtype)
    with temporary_file(size, content) as file:
        return np.memmap(file, dtype, "r+", shape=(count,))


def write_text(text: str, path: str | Path) -> None:
    """Write a text file (UTF-8, as given) atomically."""
    with complete_or_absent(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="")


def to_json(value: Any) -> str:
    """JSON with sorted keys, so that equal content gives equal bytes."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
