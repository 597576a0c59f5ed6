"""`gnn-dynamics describe`: the provenance of a result file."""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from gnn_dynamics.artifacts.pictures import read_provenance
from gnn_dynamics.errors import UserError

SUFFIXES = (".parquet", ".png", ".pdf")


def run(arguments: argparse.Namespace) -> int:
    """Print the provenance in a file; returns 0.

    Raises:
        UserError: if the file is missing, damaged, or was not written by this project.
    """
    made = provenance_of(Path(arguments.file))
    print(json.dumps(made, indent=1) if arguments.json else "\n".join(_lines(made)))
    return 0


def provenance_of(path: Path) -> dict[str, Any]:
    """The provenance in a .parquet, .png or .pdf file.

    Raises:
        UserError: if there is none.
    """
    if path.suffix not in SUFFIXES:
        raise UserError(f"{path} is not a {', '.join(SUFFIXES)} file")
    if not path.is_file():
        raise UserError(f"{path} is missing: there is no such file")
    try:
        made = read_provenance(path)
    except (OSError, ValueError) as error:  # from Pillow, pyarrow and json
        raise UserError(f"{path} is not a complete {path.suffix[1:]} file ({error})") from error
    if not made:
        raise UserError(f"{path} contains no provenance; this project did not write it")
    return made


def _lines(made: Mapping[str, Any]) -> Iterator[str]:
    at = "".join(f", {key} {value}" for key, value in made["wildcards"].items())
    yield f"made by    {made['rule']}{at}"
    yield f"version    {made['workflow']} {made['workflow_version']}, code {made['code']}"
    yield f"precision  {made['precision']}"
    yield f"device     {made['device']}"
    yield f"inputs     {made['inputs_hash']}"
    packages = ", ".join(f"{name} {version}" for name, version in made["packages"].items())
    yield f"packages   Python {made['python']}, {packages}"
    yield "data (SHA-256)"
    yield from (f"  {name}  {digest}" for name, digest in made["datasets"].items())
    yield f"config (hash {made['config_hash']})"
    yield from _indented(made["config"])
    for step in made.get("made_from", ()):
        yield f"made from  {step['rule']}, code {step['code']}, config"
        yield from _indented(step["config"])


def _indented(config: Mapping[str, Any]) -> Iterator[str]:
    if not config:
        yield "  nothing"
        return
    text = yaml.safe_dump(dict(config), sort_keys=True, default_flow_style=None, width=96)
    yield from (f"  {line}" for line in text.splitlines())
