"""Where a configuration's relative paths lead: never out of the folder that the workflow runs in.

The schemas refuse `..` and names that are no plain names; a symbolic link is seen only here. An
absolute path says that it is meant, and is left alone.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gnn_dynamics.errors import UserError


def check_places(
    config: Mapping[str, Any], catalogue: Mapping[str, Mapping[str, Any]], folder: Path
) -> None:
    """Check the folder of the run and the files of the user's own graphs in it.

    `results` itself may be a link to another disk: it is one of the project's own folders.

    Raises:
        UserError: naming the key, its path and where that leads.
    """
    results = folder / "results"
    _stays("run", results / config["run"], results, "choose another name or remove the link")
    for key, path in _own_files(config, catalogue):
        if not path.is_absolute():
            _stays(key, folder / path, folder, "write the absolute path if that is meant")


def _own_files(config: Mapping, catalogue: Mapping) -> Iterator[tuple[str, Path]]:
    for name in config["datasets"]:
        if catalogue[name]["reader"] == "own":
            for role, path in catalogue[name]["files"].items():
                yield f"{name}.files.{role}", Path(path)


def _stays(key: str, path: Path, folder: Path, remedy: str) -> None:
    target = path.resolve()
    if not target.is_relative_to(folder.resolve()):
        raise UserError(
            f"{key}: {path.relative_to(folder)} is a link that leads out of {folder.name}/, to"
            f" {target}; {remedy}"
        )
