"""Extraction of expected files from an untrusted zip archive."""

import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from gnn_dynamics.data.fetch.checksums import check_sha256
from gnn_dynamics.errors import UserError

CHUNK = 1 << 18  # bytes
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
    try:
        with zipfile.ZipFile(archive) as opened:
            _refuse_unsafe(opened.infolist(), top, source)
            _refuse_bomb(opened, [f"{top}/{name}" for name in members], archive, source)
            for name, expected in members.items():
                _extract(opened, f"{top}/{name}", _part(folder, name), source)
                check_sha256(_part(folder, name), expected, f"{name} in {source}", "deleted")
        for name in members:
            _part(folder, name).replace(folder / name)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
        raise UserError(f"{source} is not a sound zip archive ({error})") from error
    finally:
        for name in members:
            _part(folder, name).unlink(missing_ok=True)


def _refuse_unsafe(infos: Iterable[zipfile.ZipInfo], top: str, source: str) -> None:
    for info in infos:
        # zipfile truncates names at a NUL and replaces the system's separator by a slash.
        name = info.orig_filename
        path = PurePosixPath(name)
        outside = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name
        if outside or path.parts[:1] != (top,) or "\0" in name:
            raise UserError(f"{source}: refused, its member {name!r} is outside {top}/")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise UserError(f"{source}: refused, its member {name!r} is a link or a device")


def _refuse_bomb(opened: zipfile.ZipFile, names: list[str], archive: Path, source: str) -> None:
    """Declared sizes are a bound: zipfile stops reading there and then reports a wrong checksum."""
    size = sum(info.file_size for info in opened.infolist() if info.filename in names)
    if size > MAX_RATIO * archive.stat().st_size:
        raise UserError(f"{source}: refused, it would expand to {size} bytes: a zip bomb")


def _part(folder: Path, name: str) -> Path:
    return folder / f"{name}.part"


def _extract(opened: zipfile.ZipFile, member: str, part: Path, source: str) -> None:
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        with opened.open(member) as content, part.open("wb") as file:
            shutil.copyfileobj(content, file, CHUNK)
    except KeyError:
        raise UserError(f"{source} lacks the member {member}") from None
