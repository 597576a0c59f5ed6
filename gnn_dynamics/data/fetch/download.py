"""Download of a data set's official files, from their addresses or from a mirror.

A file gets its final name when it is complete and has the checksum of the catalogue. Intact files
are not fetched again; damaged ones are.
"""

import csv
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from gnn_dynamics.data.fetch.archive import extract_members
from gnn_dynamics.data.fetch.checksums import check_files, check_sha256, intact
from gnn_dynamics.data.fetch.transfer import Unavailable, fetch
from gnn_dynamics.errors import UserError

Pins = Mapping[str, str | None]  # name -> SHA-256, None where it is unknown

VARIABLE = "GNN_DYNAMICS_MIRROR"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mirror:
    """A folder or web address with official files under the paths of its urlmap.tsv.

    Each line of `urlmap.tsv` maps a top folder to an official base address; the rest of a path is
    the same for both. A file may be compressed, with `.xz` after its official name.

    `root` is a folder, or an address without a trailing slash; rows are (folder, base).
    """

    root: Path | str
    rows: tuple[tuple[str, str], ...] = ()

    def sources(self, url: str) -> list[Path | str]:
        """Where the file of an official address may be, plain before compressed."""
        paths = [
            folder + url.removeprefix(base)
            for folder, base in self.rows
            if url.startswith(base + "/")
        ]
        return [self.source(path + suffix) for path in paths for suffix in ("", ".xz")]

    def source(self, path: str) -> Path | str:
        """The folder or address of a path of the mirror."""
        return self.root / path if isinstance(self.root, Path) else f"{self.root}/{path}"


def find_mirror(setting: str | None) -> Mirror | None:
    """The mirror in the environment variable, else in the setting; None without either.

    Raises:
        UserError: if it has no readable `urlmap.tsv`.
    """
    name = os.environ.get(VARIABLE) or setting
    if not name:
        return None
    root = _root(str(name))
    try:
        with TemporaryDirectory() as folder:
            copy = Path(folder, "urlmap.tsv.part")
            fetch(Mirror(root).source("urlmap.tsv"), copy)
            text = copy.read_text(encoding="utf-8")
    except Unavailable as error:
        raise UserError(
            f"mirror {name}: cannot read its urlmap.tsv ({error}); set `mirror` in the config or"
            f" {VARIABLE} to a folder or address that has one, or unset it"
        ) from error
    _, *lines = csv.reader(text.splitlines(), delimiter="\t")
    return Mirror(root, tuple((folder, base.rstrip("/")) for folder, base in lines))


def _root(name: str) -> Path | str:
    parts = urlsplit(name)
    if parts.scheme in ("http", "https"):
        return name.rstrip("/")
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else Path(name).expanduser()


def fetch_dataset(
    entry: Mapping[str, Any], folder: str | Path, mirror: str | None = None
) -> dict[str, str]:
    """Fetch all files of a catalogue entry to `folder`; returns {name: SHA-256}.

    `mirror` is a folder or address with an `urlmap.tsv`; GNN_DYNAMICS_MIRROR overrides it. With a
    mirror, nothing is fetched from other addresses. The files of embedded data sets are part of
    scikit-learn and are only checked.

    Raises:
        UserError: if a file cannot be fetched (the message names the file, its address and the
            mirror), has a wrong checksum (the message gives both), or is a user's own.
    """
    if entry["reader"] == "own":
        raise UserError("a user's own files are not fetched; prepare_graph reads them in place")
    if entry["reader"] == "embedded":
        return check_files(entry, folder)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    absent = {n: pin for n, pin in entry["files"].items() if not intact(folder / n, pin)}
    for name in absent:
        if (folder / name).exists():
            log.info("%s is damaged; fetching it again", folder / name)
    if absent:
        fetch_all = _fetch_archive if entry["reader"] == "ogb" else _fetch_files
        fetch_all(entry["source_url"], folder, absent, find_mirror(mirror))
    return check_files(entry, folder)


def _fetch_files(base: str, folder: Path, pins: Pins, mirror: Mirror | None) -> None:
    for name, pin in pins.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        accept = partial(_rename_if_intact, target=target, expected=pin)
        _obtain(f"{base}/{name}", folder / f"{name}.part", mirror, accept)


def _rename_if_intact(part: Path, source: str, target: Path, expected: str | None) -> None:
    check_sha256(part, expected, f"{target.name} from {source}", "deleted")
    part.replace(target)


def _fetch_archive(url: str, folder: Path, pins: Pins, mirror: Mirror | None) -> None:
    """OGB: the archive `arxiv.zip` contains one folder `arxiv`; the archive is deleted."""
    archive = PurePosixPath(url)
    part = folder / f"{archive.name}.part"
    accept = partial(extract_members, folder=folder, top=archive.stem, members=pins)
    _obtain(url, part, mirror, accept)
    part.unlink()


def _obtain(url: str, part: Path, mirror: Mirror | None, accept: Callable[..., None]) -> None:
    """Fetch a file to `part` from the first source that has it, then call `accept`.

    A resumed download that is not accepted is fetched once more, from its beginning.
    """
    sources: list[Path | str] = [url] if mirror is None else mirror.sources(url)
    reasons = []
    for source in sources:
        resumed = part.exists()
        try:
            fetch(source, part)
        except Unavailable as reason:
            reasons.append(str(reason))
            continue
        try:
            return accept(part, source=str(source))
        except UserError:
            part.unlink(missing_ok=True)
            if not resumed:
                raise
        log.info("%s: the resumed download is damaged; fetching the whole file", source)
        return _obtain(url, part, mirror, accept)
    raise UserError(_unavailable(url, mirror, reasons))


def _unavailable(url: str, mirror: Mirror | None, reasons: list[str]) -> str:
    name = PurePosixPath(url).name
    if mirror is None:
        return (
            f"cannot fetch {name}: {'; '.join(reasons)}. Without a network, set `mirror` in the"
            f" config or {VARIABLE} to a folder or address with the official files"
        )
    why = "; ".join(reasons) or "its urlmap.tsv has no line for this address"
    return (
        f"cannot fetch {name} from the mirror {mirror.root}: {why}. Its official address is {url};"
        f" add it to the mirror, or unset `mirror` and {VARIABLE} to fetch it from there"
    )
