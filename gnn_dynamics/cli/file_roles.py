"""The role of each path on the command line: edges, nodes, features, labels, split or ids."""

import re
from collections.abc import Sequence
from pathlib import Path

from gnn_dynamics.errors import UserError

ROLES = ("graph", "features", "labels", "split", "nodes", "ids")
# Patterns in a file's name that give its role; a file without a match is the graph.
HINTS = {
    "features": r"feat|attr|(^|[_.-])x([_.-]|$)",
    "labels": r"label|class|target|(^|[_.-])y([_.-]|$)",
    "split": r"split|mask|idx|(^|[_.-])parts?([_.-]|$)",
    "ids": r"(^|[_.-])ids?([_.-]?map)?([_.-]|$)",
    "nodes": r"node|vert|\.content$",
}


def files_by_role(paths: Sequence[str]) -> dict[str, str]:
    """{role: path} from arguments `PATH` or `ROLE=PATH`; a single path is the graph.

    Raises:
        UserError: if two paths have one role, or none is the graph.
    """
    plain = [path.partition("=")[2] or path for path in paths]
    example = " ".join(f"{role}={path}" for role, path in zip(ROLES, plain, strict=False))
    files: dict[str, str] = {}
    for argument in paths:
        role, path = _role(argument, alone=len(paths) == 1)
        if role in files:
            raise UserError(
                f"{files[role]} and {path} both seem to contain the {role}; give the roles:"
                f" {example}"
            )
        files[role] = path
    if "graph" not in files:
        raise UserError(f"no file seems to contain the edges; give the roles: {example}")
    return files


def _role(argument: str, alone: bool) -> tuple[str, str]:
    role, mark, path = argument.partition("=")
    if mark and role in ROLES:
        return role, path
    name = Path(argument).name.lower().replace(".csv", "")
    hints = [role for role, pattern in HINTS.items() if re.search(pattern, name)]
    return "graph" if alone or not hints else hints[0], argument
