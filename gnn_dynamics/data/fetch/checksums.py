"""SHA-256 of files, and comparison of a data set's files with the catalogue."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gnn_dynamics.data.fetch.catalogue import package_folder
from gnn_dynamics.errors import UserError

# When it is deleted, the job fetches the damaged files of its folder again.
MANIFEST = "manifest.json"


def sha256_of(path: str | Path) -> str:
    """SHA-256 of a file, hexadecimal, in constant memory."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def dataset_digest(digests: Mapping[str, str]) -> str:
    """One digest for a data set: the SHA-256 of its files' digests, sorted, one per line."""
    lines = "".join(f"{digest}\n" for digest in sorted(digests.values()))
    return hashlib.sha256(lines.encode()).hexdigest()


def intact(path: Path, expected: str | None) -> bool:
    """Whether a file exists and, where a checksum is pinned, has that checksum."""
    return path.is_file() and (expected is None or sha256_of(path) == expected)


def check_files(entry: Mapping[str, Any], folder: str | Path) -> dict[str, str]:
    """The digest of each file of an entry, in `folder`, or in scikit-learn if it is embedded.

    Raises:
        UserError: if a file is absent or its checksum differs from the catalogue's.
    """
    remedy = f"delete {Path(folder, MANIFEST)}"
    if entry["reader"] == "embedded":
        folder, remedy = package_folder("sklearn") / "datasets" / "data", "reinstall scikit-learn"
    remedy += " and type the same command again"
    digests = {}
    for name, pin in entry["files"].items():
        path = Path(folder, name)
        if not path.is_file():
            raise UserError(f"{path} is missing; {remedy}")
        digests[name] = check_sha256(path, pin, f"{path} is damaged", remedy)
    return digests


def check_sha256(path: Path, expected: str | None, subject: str, remedy: str) -> str:
    """The SHA-256 of a file; `expected` is None where it is unknown.

    Raises:
        UserError: if it is not the expected one. `subject` begins and `remedy` ends the message.
    """
    digest = sha256_of(path)
    if expected not in (None, digest):
        raise UserError(f"{subject}: its SHA-256 is {digest}, expected {expected}; {remedy}")
    return digest


def facts_of_files(entry: Mapping[str, Any], folder: str | Path) -> dict[str, Any]:
    """Entries of `Graph.facts` on the source and the checksums of a data set; checks the files.

    `unpinned` contains the digests of files for which the catalogue has no checksum.
    """
    digests = check_files(entry, folder)
    return {
        "source_url": entry["source_url"],
        "sha256": dataset_digest(digests),
        "directed_source": entry["directed"],
        "unpinned": {name: digests[name] for name, pin in entry["files"].items() if pin is None},
    }
