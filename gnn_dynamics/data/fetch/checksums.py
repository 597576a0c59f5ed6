"""SHA-256 of files, and whether the files of a data set are the ones in the catalogue."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gnn_dynamics.errors import UserError

# Without it the files of its folder are fetched again, those only that are damaged.
MANIFEST = "manifest.json"


def sha256_of(path: str | Path) -> str:
    """SHA-256 of a file, hexadecimal, in constant memory."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def dataset_digest(digests: Mapping[str, str]) -> str:
    """One digest for a data set: SHA-256 of its files' digests, sorted, one a line."""
    lines = "".join(f"{digest}\n" for digest in sorted(digests.values()))
    return hashlib.sha256(lines.encode()).hexdigest()


def intact(path: Path, expected: str | None) -> bool:
    """Whether a file is there and has its checksum; one without a pinned checksum need only be."""
    return path.is_file() and (expected is None or sha256_of(path) == expected)


def check_files(entry: Mapping[str, Any], folder: str | Path) -> dict[str, str]:
    """Digests of all files of an entry, observed in `folder`.

    Raises:
        UserError: if a file is absent or has another checksum than the catalogue says.
    """
    embedded = entry.get("reader") == "embedded"
    remedy = "install scikit-learn anew" if embedded else f"delete {Path(folder, MANIFEST)}"
    return {name: _check(Path(folder, name), pin, remedy) for name, pin in entry["files"].items()}


def _check(path: Path, expected: str | None, remedy: str) -> str:
    remedy += " and type the same command again"
    if not path.is_file():
        raise UserError(f"{path} is missing; {remedy}")
    found = sha256_of(path)
    if expected not in (None, found):
        raise UserError(f"{path} is damaged: its SHA-256 is {found}, expected {expected}; {remedy}")
    return found


def facts_of_files(entry: Mapping[str, Any], folder: str | Path) -> dict[str, Any]:
    """Where a data set comes from and what its files are, for `Graph.facts`; checks the files.

    `unpinned` lists the observed digests of files for which the catalogue has no checksum.
    """
    digests = check_files(entry, folder)
    return {
        "source_url": entry["source_url"],
        "sha256": dataset_digest(digests),
        "directed_source": entry["directed"],
        "unpinned": {name: digests[name] for name, pin in entry["files"].items() if pin is None},
    }
