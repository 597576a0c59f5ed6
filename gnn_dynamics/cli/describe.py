"""`gnn-dynamics describe`: the provenance of a result file."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml

from gnn_dynamics.artifacts.pictures import read_provenance
from gnn_dynamics.artifacts.templates import render
from gnn_dynamics.errors import UserError

SUFFIXES = (".parquet", ".png", ".pdf")


def run(arguments: argparse.Namespace) -> int:
    """Print the provenance in a file; returns 0.

    Raises:
        UserError: if the file is missing, damaged, or was not written by this project.
    """
    path = Path(arguments.file)
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
    text = render("gnn_dynamics.cli", "describe.txt.jinja", {**made, "settings": _settings})
    print(json.dumps(made, indent=1) if arguments.json else text)
    return 0


def _settings(config: Mapping[str, Any]) -> str:
    text = yaml.safe_dump(dict(config), sort_keys=True, default_flow_style=None, width=96)
    return indent(text.rstrip("\n") if config else "nothing", "  ")
