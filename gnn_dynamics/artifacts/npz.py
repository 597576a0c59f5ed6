"""The file of a prepared graph: arrays, and a small JSON member `about` with its name and facts.

Members are read one by one, so that the name and the checksum of a graph cost no memory.
"""

import json
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from gnn_dynamics.artifacts.files import complete_or_absent, temporary_file, to_json
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


LOCAL_HEADER = struct.Struct("<26xHH")  # of a member of a zip archive: its last two lengths
NPY_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def mapped_array(path: str | Path, name: str) -> np.memmap:
    """An array of an .npz file, memory-mapped: it is read when it is used, in parts.

    A member that is stored is mapped in place. A compressed one is first unpacked to a temporary
    file. Checksums of the archive are compared for compressed members only.

    Raises:
        UserError: if the temporary folder has too little room.
        Exception: one of DAMAGED, if the file is damaged or has no such array of numbers.
    """
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo(f"{name}.npy")
        if member.compress_type == zipfile.ZIP_STORED:
            file: BinaryIO = Path(path).open("rb")  # noqa: SIM115, the mapping keeps it
            file.seek(member.header_offset)
            file.seek(sum(LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))), 1)
        else:
            file = temporary_file(member.file_size, f"the values of {name} in {path}")
            with archive.open(member) as packed:
                shutil.copyfileobj(packed, file)
            file.seek(0)
    with file:
        shape, fortran, dtype = NPY_HEADERS[np.lib.format.read_magic(file)](file)
        if dtype.hasobject:
            raise ValueError(f"{name} is an array of objects")
        order: Literal["C", "F"] = "F" if fortran else "C"
        return np.memmap(file, dtype, "r", file.tell(), shape, order)
