"""The files of a graph by role, as tables, and what is understood of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gnn_dynamics.data.own import edges
from gnn_dynamics.data.own.files import node_table_of, read_files
from gnn_dynamics.data.own.table import Table
from gnn_dynamics.errors import UserError


class Roles:
    """The tables by role, `notes` on how they are understood, and `facts` for the graph."""

    def __init__(
        self, paths: Mapping[str, Path], options: Mapping[str, Any], split: Any, ignore_split: bool
    ) -> None:
        self.options, self.default_split, self.ignore_split = options, split, ignore_split
        self.task, self.made = options.get("task"), options.get("features")
        self.notes: list[str] = []
        self.facts: dict[str, Any] = {}
        contents = read_files(paths)
        graph = edges.graph_in(paths["graph"], contents[paths["graph"]])
        self.edges = edges.with_ends(graph.edges, options.get("ends"))
        others = {role: path for role, path in paths.items() if role != "graph"}
        nodes = {
            path: node_table_of(path, contents[path]) for path in dict.fromkeys(others.values())
        }
        self.tables = {role: nodes[path] for role, path in others.items()}
        self.tables |= {"graph": graph.nodes} if graph.nodes is not None else {}
        for table in dict.fromkeys((self.edges, *self.tables.values())):
            self.note(self.role(table), *table.notes)

    def note(self, subject: str, *texts: str) -> None:
        self.notes += [f"{subject}: {text}" for text in texts]

    def role(self, table: Table) -> str:
        return next((role for role, one in self.tables.items() if one is table), "graph")

    def unused(self) -> list[str]:
        """The names in the tables that no part of the graph uses."""
        self.edges.noun = "edge column"
        tables = dict.fromkeys((*self.tables.values(), self.edges))
        return [f"{t.noun} {name!r}" for t in tables for name in t.columns if name not in t.used]

    def candidates(self, *roles: str) -> list[Table]:
        """The different tables of the roles; the first alone if there is a file for it."""
        found = [self.tables[role] for role in roles if role in self.tables]
        return found[:1] if roles[0] in self.tables else [*dict.fromkeys(found)]

    def missing(self, what: str, roles: Sequence[str], remedy: str) -> UserError:
        """The error for a part of the graph that no table of the roles has."""
        table = (self.candidates(*roles) or [self.edges])[0]
        listed = ", ".join(table.columns)
        return UserError(f"{table.path} has no {what} (it has: {listed}); {remedy}")
