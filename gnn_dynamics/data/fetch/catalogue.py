"""The catalogue of data sets, config/datasets.yaml: where files come from and what they must be.

Its schema, config/datasets.schema.yaml, is strict. Cheap to import: the workflow reads the
catalogue while it is parsed.
"""

import csv
import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from gnn_dynamics.config.schema import read_yaml, schema_problems
from gnn_dynamics.errors import UserError


def load_catalogue(path: str | Path) -> dict[str, dict[str, Any]]:
    """All data sets by name. OGB's entries get their `source_url` from the ogb package.

    The schema lies beside the catalogue: `datasets.yaml`, `datasets.schema.yaml`.

    Raises:
        UserError: naming every wrong key and what is allowed there.
    """
    try:
        entries = read_yaml(path)
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"cannot read the catalogue {path}: {error}") from error
    problems = schema_problems(entries, read_yaml(Path(path).with_suffix(".schema.yaml")))
    if problems:
        raise UserError("\n  ".join([f"{path}: wrong catalogue:", *problems]))
    return {name: _with_source(entry) for name, entry in entries.items()}


def find_entry(catalogue: Mapping[str, dict[str, Any]], name: str) -> dict[str, Any]:
    """The entry of one data set.

    Raises:
        UserError: if the catalogue has no such name, listing the names that it has.
    """
    if name not in catalogue:
        raise UserError(f"there is no dataset {name!r} (allowed: {', '.join(sorted(catalogue))})")
    return catalogue[name]


def _with_source(entry: dict[str, Any]) -> dict[str, Any]:
    if entry["reader"] != "ogb":
        return entry
    return {**entry, "source_url": ogb_metadata(entry["options"]["name"])["url"]}


@cache
def ogb_metadata(name: str) -> dict[str, str]:
    """What the ogb package says of a data set: url, split, task type, ...; all values are text.

    Read from its table without importing ogb, which starts a network thread when imported.

    Raises:
        UserError: if ogb knows no data set of that name, listing those of the same kind.
    """
    kind = {"ogbn": "nodeproppred", "ogbg": "graphproppred"}.get(name.split("-")[0], "")
    table = package_folder("ogb") / kind / "master.csv"
    if not table.is_file():
        raise UserError(f"dataset {name!r}: names of OGB start with ogbn- or ogbg-")
    with table.open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    if name not in head:
        raise UserError(f"OGB has no dataset {name!r} (there are: {', '.join(head[1:])})")
    column = head.index(name)
    return {row[0]: row[column] for row in rows}


def package_folder(package: str) -> Path:
    """Folder of an installed package, found without importing it."""
    return Path(*importlib.util.find_spec(package).submodule_search_locations)
