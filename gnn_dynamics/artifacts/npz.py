"""The file of a prepared graph: arrays, and a small JSON member `about` with its name and facts.

Members are read one by one, so that the name and the checksum of a graph cost no memory.
"""

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from gnn_dynamics.artifacts.files import complete_or_absent, to_json
from gnn_dynamics.errors import UserError

FORMAT = 1
# Raised by numpy for a damaged .npz; MemoryError where a header gives a size beyond all memory.
DAMAGED = (
    *(OSError, ValueError, TypeError, KeyError, AttributeError, EOFError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)


def write_prepared(
    arrays: Mapping[str, np.ndarray], about: Mapping[str, Any], path: str | Path
) -> None:
    """Write the arrays and `about` atomically; the same content gives the same bytes everywhere.

    The file is not compressed, because compressors differ between machines.
    """
    text = to_json({**about, "format": FORMAT}).encode()
    members: dict[str, Any] = {**arrays, "about": np.frombuffer(text, dtype=np.uint8)}
    with complete_or_absent(path) as partial:
        np.savez(partial, **members)


@contextmanager
def open_prepared(path: str | Path) -> Iterator[tuple[dict[str, Any], Mapping[str, np.ndarray]]]:
    """`about` and the arrays of a prepared graph; an array is read when it is asked for.

    Raises:
        UserError: if the file is absent, damaged, or of another version of the format; also where
            the block that uses the arrays finds one of them missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(file["about"].tobytes())
            if about.pop("format") != FORMAT:
                raise ValueError("another version of the format")
            yield about, file
    except DAMAGED as error:
        raise UserError(
            f"{path} is not a complete prepared graph ({error}); delete it and type the same"
            " command again"
        ) from error


def read_about(path: str | Path) -> dict[str, Any]:
    """name, task, classes, features_count and facts of a prepared graph, without its arrays.

    Raises:
        UserError: if the file is absent, cut short, or of another version of the format.
    """
    with open_prepared(path) as (about, _):
        return about
