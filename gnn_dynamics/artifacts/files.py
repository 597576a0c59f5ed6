"""Writing files so that they are complete or absent.

A file is written under a temporary name in its folder and renamed when it is complete.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


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


def write_text(text: str, path: str | Path) -> None:
    """Write a text file (UTF-8, as given) atomically."""
    with complete_or_absent(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="")


def to_json(value: Any) -> str:
    """JSON with sorted keys, so that equal content gives equal bytes."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
