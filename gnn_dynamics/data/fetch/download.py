"""Fetching a data set's official files, from their addresses or from a mirror.

A file has its final name only when it is complete and has the checksum of the catalogue. What is
there already and intact is not fetched again; what is damaged is.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from gnn_dynamics.data.fetch.archive import extract_members
from gnn_dynamics.data.fetch.catalogue import package_folder
from gnn_dynamics.data.fetch.checksums import check_files, intact, sha256_of
from gnn_dynamics.data.fetch.mirror import VARIABLE, Mirror, find_mirror
from gnn_dynamics.data.fetch.transfer import NotThere, bring
from gnn_dynamics.errors import UserError

log = logging.getLogger(__name__)


def fetch_dataset(
    entry: Mapping[str, Any], folder: str | Path, mirror: str | None = None
) -> dict[str, str]:
    """Make all files of a catalogue entry present in `folder`; their names and SHA-256.

    `mirror` is a folder or address with an `urlmap.tsv`; GNN_DYNAMICS_MIRROR wins over it. With a
    mirror, nothing is fetched from anywhere else. Embedded data sets need no files: theirs lie
    inside scikit-learn and are only checked.

    Raises:
        UserError: naming the file, its address and the mirror, if it cannot be had; or its
            expected and found checksum, if it is not the right one; or for a user's own files.
    """
    if entry["reader"] == "own":
        raise UserError("a user's own files are not fetched; prepare_graph reads them in place")
    if entry["reader"] == "embedded":
        return check_files(entry, package_folder("sklearn") / "datasets" / "data")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    damaged = [name for name, pin in entry["files"].items() if not intact(folder / name, pin)]
    for name in damaged:
        if (folder / name).exists():
            log.info("%s is damaged; fetching it again", folder / name)
    if damaged:
        fetch = _fetch_archive if entry["reader"] == "ogb" else _fetch_files
        fetch(entry, folder, damaged, find_mirror(mirror))
    return check_files(entry, folder)


def _fetch_files(entry: Mapping, folder: Path, names: list[str], mirror: Mirror | None) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        accept = partial(_name_if_right, target=folder / name, expected=entry["files"][name])
        _obtain(f"{entry['source_url']}/{name}", folder / f"{name}.part", mirror, accept)


def _fetch_archive(entry: Mapping, folder: Path, names: list[str], mirror: Mirror | None) -> None:
    """OGB: the archive `arxiv.zip` holds one folder `arxiv`; it is not kept."""
    archive = PurePosixPath(entry["source_url"])
    members = {name: entry["files"][name] for name in names}
    accept = partial(_extract, folder=folder, top=archive.stem, members=members)
    _obtain(entry["source_url"], folder / f"{archive.name}.part", mirror, accept)


def _name_if_right(part: Path, source: str, target: Path, expected: str | None) -> None:
    found = sha256_of(part)
    if expected not in (None, found):
        raise UserError(
            f"{target.name} from {source}: its SHA-256 is {found}, expected {expected}; deleted"
        )
    part.replace(target)


def _extract(part: Path, source: str, folder: Path, top: str, members: Mapping) -> None:
    extract_members(part, folder, top, members, source)
    part.unlink()


def _obtain(
    url: str, part: Path, mirror: Mirror | None, accept: Callable[[Path, str], None]
) -> None:
    """Bring a file to `part` and have it accepted, from the first place that has it.

    What was put together from two downloads and is wrong is fetched once more, whole.
    """
    places = [url] if mirror is None else mirror.places(url)
    reasons = []
    for place in places:
        begun = part.exists()
        try:
            bring(place, part)
        except NotThere as reason:
            reasons.append(str(reason))
            continue
        try:
            return accept(part, str(place))
        except UserError:
            part.unlink(missing_ok=True)
            if not begun:
                raise
        log.info("%s: the rest did not fit what was there; fetching all of it", place)
        return _obtain(url, part, mirror, accept)
    raise UserError(_cannot_be_had(url, mirror, reasons))


def _cannot_be_had(url: str, mirror: Mirror | None, reasons: list[str]) -> str:
    name = PurePosixPath(url).name
    if mirror is None:
        return (
            f"cannot fetch {name}: {'; '.join(reasons)}. Without a network, set `mirror` in the"
            f" config or {VARIABLE} to a folder or address that holds the official files"
        )
    why = "; ".join(reasons) or "its urlmap.tsv has no line for this address"
    return (
        f"cannot fetch {name} from the mirror {mirror.root}: {why}. Its official address is {url};"
        f" add it to the mirror, or unset `mirror` and {VARIABLE} to fetch it from there"
    )
