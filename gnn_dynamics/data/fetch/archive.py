"""Extraction of expected files from an untrusted zip archive."""

import shutil
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from gnn_dynamics.data.fetch.checksums import check_sha256
from gnn_dynamics.errors import UserError

MAX_RATIO = 100  # extracted to archive size; about 1 for OGB, whose members are compressed files


def extract_members(
    archive: Path, folder: Path, top: str, members: Mapping[str, str | None], source: str
) -> None:
    """Extract `top/<member>` to `folder/<member>` for all members, or nothing at all.

    `members` maps names to SHA-256, or to None where it is unknown. Other files of the archive are
    not extracted. `source` is the address of the archive, for messages.

    Raises:
        UserError: if the archive is damaged, contains a link or a path outside `top`, declares a
            size beyond MAX_RATIO, lacks an expected member, or a member has a wrong checksum.
    """
    extracted = folder / f"{top}.part"
    try:
        with zipfile.ZipFile(archive) as opened:
            _refuse_unsafe(opened, top, source)
            wanted = [f"{top}/{name}" for name in members]
            _refuse_bomb(opened, wanted, archive.stat().st_size, source)
            opened.extractall(extracted, wanted)
        for name, expected in members.items():
            check_sha256(extracted / top / name, expected, f"{name} in {source}", "deleted")
        for name in members:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (extracted / top / name).replace(folder / name)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
        raise UserError(f"{source} is not a sound zip archive ({error})") from error
    finally:
        shutil.rmtree(extracted, ignore_errors=True)


def _refuse_unsafe(opened: zipfile.ZipFile, top: str, source: str) -> None:
    for info in opened.infolist():
        # zipfile truncates names at a NUL and replaces the system's separator by a slash.
        name = info.orig_filename
        path = PurePosixPath(name)
        outside = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name
        if outside or path.parts[:1] != (top,) or "\0" in name:
            raise UserError(f"{source}: refused, its member {name!r} is outside {top}/")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise UserError(f"{source}: refused, its member {name!r} is a link or a device")


def _refuse_bomb(opened: zipfile.ZipFile, wanted: list[str], packed: int, source: str) -> None:
    """Declared sizes are a bound: zipfile stops reading there and then reports a wrong checksum."""
    sizes = {info.filename: info.file_size for info in opened.infolist()}
    for name in wanted:
        if name not in sizes:
            raise UserError(f"{source} lacks the member {name}")
    size = sum(sizes[name] for name in wanted)
    if size > MAX_RATIO * packed:
        raise UserError(f"{source}: refused, it would expand to {size} bytes: a zip bomb")
