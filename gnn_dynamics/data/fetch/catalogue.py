"""The catalogue of data sets, config/datasets.yaml: addresses and checksums of their files.

Its schema, config/datasets.schema.yaml, is strict. The workflow reads the catalogue while it is
parsed, so this module imports no heavy package.
"""

import csv
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from gnn_dynamics.config.schema import read_checked
from gnn_dynamics.errors import UserError


def load_catalogue(path: str | Path) -> dict[str, dict[str, Any]]:
    """All data sets by name. Entries of OGB get their `source_url` from the ogb package.

    The schema is the file `datasets.schema.yaml` beside `datasets.yaml`.

    Raises:
        UserError: naming every wrong key and the allowed values.
    """
    try:
        entries = read_checked(path)
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"cannot read the catalogue {path}: {error}") from error
    for entry in entries.values():
        if entry["reader"] == "ogb":
            entry["source_url"] = ogb_metadata(entry["options"]["name"])["url"]
    return entries


@cache
def ogb_metadata(name: str) -> dict[str, str]:
    """The row of a data set in ogb's table: url, split, task type, ...; all values are text.

    The table is read without importing ogb, whose import starts a network thread.

    Raises:
        UserError: if ogb has no data set of that name; the message lists those of the same kind.
    """
    kind = {"ogbn": "nodeproppred", "ogbg": "graphproppred"}.get(name.split("-")[0], "")
    table = package_folder("ogb") / kind / "master.csv"
    if not table.is_file():
        raise UserError(f"dataset {name!r}: names in OGB start with ogbn- or ogbg-")
    with table.open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    if name not in head:
        raise UserError(f"OGB has no dataset {name!r} (there are: {', '.join(head[1:])})")
    column = head.index(name)
    return {row[0]: row[column] for row in rows}


def package_folder(package: str) -> Path:
    """Folder of an installed package, without importing it.

    Raises:
        ModuleNotFoundError: if it is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the package {package} is not installed", name=package)
    return Path(spec.origin).parent
