"""The files of a graph by role, each as tables of nodes and edges by the reader of its format."""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnn_dynamics.data.own.arrays import graph_tables, node_table
from gnn_dynamics.data.own.edges import with_ends
from gnn_dynamics.data.own.networks import Network, read_json, read_network
from gnn_dynamics.data.own.stored import read_matrix_market, read_npy, read_npz, read_parquet
from gnn_dynamics.data.own.table import Table
from gnn_dynamics.data.own.text import OPENERS, read_text, settle_headers
from gnn_dynamics.data.own.torch_file import read_torch
from gnn_dynamics.errors import UserError

TEXT = (".csv", ".tsv", ".txt", ".edges", ".edgelist", ".cites", ".content")
NETWORKS = (".graphml", ".gexf", ".gml", ".net")
READERS: dict[str, Callable[[Path], Any]] = {
    **dict.fromkeys(TEXT, read_text),
    ".parquet": read_parquet,
    **dict.fromkeys((".npy",), read_npy),
    **dict.fromkeys((".npz",), read_npz),
    **dict.fromkeys((".pt", ".pth"), read_torch),
    **dict.fromkeys(NETWORKS, read_network),
    **dict.fromkeys((".json",), read_json),
    **dict.fromkeys((".mtx",), read_matrix_market),
}
PACKED = (*TEXT, *NETWORKS, ".json", ".mtx")


def kind_of(path: Path) -> str:
    """The suffix that names the format, in small letters and without that of a compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]] or [""]
    unpacked = suffixes[0] if suffixes[-1] in OPENERS and suffixes[0] in PACKED else None
    return unpacked or suffixes[-1]


def check_files(files: Mapping[str, str | Path]) -> dict[str, Path]:
    """The files by role, as paths.

    Raises:
        UserError: if a file is missing, is a folder, or has an unknown format.
    """
    paths = {role: Path(file) for role, file in files.items()}
    for role, path in paths.items():
        if path.is_dir():
            raise UserError(f"{path} is a folder; name the files in it")
        if not path.is_file():
            raise UserError(f"{path} ({role}) is missing: there is no such file")
        if kind_of(path) not in READERS:
            raise UserError(
                f"{path}: {kind_of(path) or 'no suffix'} is not a format for {role}; use one of"
                f" {', '.join(READERS)} (text also as {', '.join(OPENERS)})"
            )
    return paths


@dataclass(frozen=True)
class Files:
    """The table of edges, and the tables of nodes by role; `graph` is the one beside the edges."""

    edges: Table
    tables: dict[str, Table]

    def candidates(self, *roles: str) -> list[Table]:
        """The different tables of some roles, in their order; the first alone if it has a file."""
        found = [self.tables[role] for role in roles if role in self.tables]
        return found[:1] if roles[0] in self.tables else list(dict.fromkeys(found))

    def role(self, table: Table) -> str:
        """The first role of a table."""
        return next((role for role, one in self.tables.items() if one is table), "graph")

    def notes(self) -> Iterator[str]:
        """How the tables were read."""
        for table in dict.fromkeys((self.edges, *self.tables.values())):
            yield from (f"{self.role(table)}: {note}" for note in table.notes)

    def unused(self) -> list[str]:
        """The names in the tables that no part of the graph uses."""
        tables = dict.fromkeys(self.tables.values())
        return [
            *self.edges.unused(),
            *(name for table in tables for name in table.unused()),
        ]


def read_files(paths: Mapping[str, Path], options: Mapping[str, Any]) -> Files:
    """Read all files.

    Raises:
        UserError: if one of them is damaged, or has no edges where it should.
    """
    contents = {path: READERS[kind_of(path)](path) for path in dict.fromkeys(paths.values())}
    own, edges = _graph(paths["graph"], contents[paths["graph"]])
    others = {role: path for role, path in paths.items() if role != "graph"}
    nodes = {path: _nodes(path, contents[path]) for path in dict.fromkeys(others.values())}
    settle_headers(edges, [*nodes.values()], options.get("header"))
    tables = {role: nodes[path] for role, path in others.items()}
    if own is not None:
        tables["graph"] = own
    return Files(with_ends(edges, options.get("ends")), tables)


def _graph(path: Path, content: Any) -> Network:
    """The tables of nodes, if any, and of edges in the file of the role `graph`."""
    if isinstance(content, dict):
        return graph_tables(path, content)
    if isinstance(content, Network):
        return content
    content.noun = "edge column"
    return Network(None, content)


def _nodes(path: Path, content: Any) -> Table:
    """The table of nodes in a file of another role."""
    if isinstance(content, dict):
        return node_table(path, content)
    if isinstance(content, Network):
        return content.nodes
    if kind_of(path) == ".content":  # id, words, class: the format of Cora and CiteSeer
        content.frame.columns = ["id", *content.frame.columns[1:-1], "class"]
    return content


def is_prepared(path: Path) -> bool:
    """Whether a file is a prepared graph of the workflow, by its member `about`."""
    return zipfile.is_zipfile(path) and "about.npy" in zipfile.ZipFile(path).namelist()
