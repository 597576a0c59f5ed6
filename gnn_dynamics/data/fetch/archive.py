"""Taking known files out of a zip archive that is not trusted."""

import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from gnn_dynamics.data.fetch.checksums import sha256_of
from gnn_dynamics.errors import UserError

CHUNK = 1 << 18  # bytes
MOST = 100  # times the archive's size; OGB's members are compressed themselves and take about once


def extract_members(
    archive: Path, folder: Path, top: str, members: Mapping[str, str | None], source: str
) -> None:
    """Extract `top/<member>` to `folder/<member>` for all members, or nothing at all.

    `members` maps names to SHA-256, or to None where none is known; other files of the archive
    stay in it. `source` is where the archive came from, for messages.

    Raises:
        UserError: if the archive is damaged, has a member that would land outside its folder or is
            a link, declares more than it can hold, lacks an expected member, or one has another
            checksum.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            _refuse_unsafe(opened.infolist(), top, source)
            _refuse_bomb(opened, [f"{top}/{name}" for name in members], archive, source)
            for name, expected in members.items():
                _extract(opened, f"{top}/{name}", _part(folder, name), source)
                _check(_part(folder, name), name, expected, source)
        for name in members:
            _part(folder, name).replace(folder / name)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
        raise UserError(f"{source} is not a sound zip archive ({error})") from error
    finally:
        for name in members:
            _part(folder, name).unlink(missing_ok=True)


def _refuse_unsafe(infos: Iterable[zipfile.ZipInfo], top: str, source: str) -> None:
    for info in infos:
        # zipfile cuts names at a NUL and turns the system's separator into a slash.
        name = info.orig_filename
        path = PurePosixPath(name)
        outside = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name
        if outside or path.parts[:1] != (top,) or "\0" in name:
            raise UserError(f"{source}: refused, its member {name!r} lies outside {top}/")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise UserError(f"{source}: refused, its member {name!r} is a link or a device")


def _refuse_bomb(opened: zipfile.ZipFile, names: list[str], archive: Path, source: str) -> None:
    """Declared sizes are a bound: zipfile reads no further, and then finds the checksum wrong."""
    size = sum(info.file_size for info in opened.infolist() if info.filename in names)
    if size > MOST * archive.stat().st_size:
        raise UserError(f"{source}: refused, {size} bytes would come out of it: a zip bomb")


def _part(folder: Path, name: str) -> Path:
    return folder / f"{name}.part"


def _extract(opened: zipfile.ZipFile, member: str, part: Path, source: str) -> None:
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        with opened.open(member) as content, part.open("wb") as file:
            shutil.copyfileobj(content, file, CHUNK)
    except KeyError:
        raise UserError(f"{source} lacks the member {member}") from None


def _check(part: Path, name: str, expected: str | None, source: str) -> None:
    found = sha256_of(part)
    if expected not in (None, found):
        raise UserError(f"{name} in {source}: its SHA-256 is {found}, expected {expected}; deleted")
