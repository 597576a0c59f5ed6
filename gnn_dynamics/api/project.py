"""The files of the project's folder `config/`, which lie beside the package."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gnn_dynamics.config.schema import read_yaml, schema_problems
from gnn_dynamics.errors import UserError

ROOT = Path(__file__).resolve().parents[2]


def config_file(name: str) -> Path:
    """The path of a file of `config/`.

    Raises:
        UserError: if the package is installed without the project.
    """
    path = ROOT / "config" / name
    if not path.is_file():
        raise UserError(f"{path} is missing; install the project by `pip install -e .`")
    return path


def check_settings(caller: str, settings: Mapping[str, Any], schema: str, definition: str) -> None:
    """Check the arguments of `caller` against `$defs/{definition}` of a schema in `config/`.

    Raises:
        UserError: naming every wrong argument and the allowed values.
    """
    definitions = read_yaml(config_file(schema))["$defs"]
    rules = {"$defs": definitions, "$ref": f"#/$defs/{definition}"}
    if problems := schema_problems(settings, rules):
        raise UserError("\n  ".join([f"{caller}:", *problems]))
