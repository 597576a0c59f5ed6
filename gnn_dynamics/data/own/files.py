"""The files of a graph by role: their formats, and the tables of nodes and of edges in them."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gnn_dynamics.data.own import edges, formats
from gnn_dynamics.data.own.formats import Network
from gnn_dynamics.data.own.memory import OPENERS
from gnn_dynamics.data.own.table import Table
from gnn_dynamics.data.own.text import read_text
from gnn_dynamics.errors import UserError


def read_torch(path: Path) -> Any:
    """`torch_file.read_torch`, imported for a file of torch only: it takes seconds."""
    from gnn_dynamics.data.own import torch_file

    return torch_file.read_torch(path)


TEXT = (".csv", ".tsv", ".txt", ".edges", ".edgelist", ".cites", ".content")
NETWORKS = (".graphml", ".gexf", ".gml", ".net")
PACKED = (*TEXT, *NETWORKS, ".json", ".mtx")
READERS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(TEXT, read_text),
    ".parquet": formats.read_parquet,
    ".npy": formats.read_npy,
    ".npz": formats.read_npz,
    ".mtx": formats.read_matrix_market,
    **dict.fromkeys((".pt", ".pth"), read_torch),
    **{kind: partial(formats.read_network, kind=kind) for kind in NETWORKS},
    ".json": formats.read_json,
}


def kind_of(path: Path) -> str:
    """The suffix that names the format, in small letters and without that of a compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]] or [""]
    packed = suffixes[-1] in OPENERS and suffixes[0] in PACKED
    return suffixes[0] if packed else suffixes[-1]


def check_files(files: Mapping[str, str | Path]) -> dict[str, Path]:
    """The files by role, as paths; each must exist and have a known format."""
    paths = {role: Path(file) for role, file in files.items()}
    for role, path in paths.items():
        if path.is_dir():
            raise UserError(f"{path} is a folder; name the files in it")
        if not path.is_file():
            raise UserError(f"{path} ({role}) is missing: there is no such file")
        if (kind := kind_of(path)) not in READERS:
            kind = kind or "no suffix"
            raise UserError(f"{path}: {kind} is not a format for {role}; use {', '.join(READERS)}")
    return paths


def read_tables(paths: Mapping[str, Path]) -> tuple[Table, dict[str, Table]]:
    """The table of edges, and the tables of nodes by role; a file has one table in all its roles.

    A first line 0, 1, 2 is a header only if all files agree: then all tables of nodes have the same
    number of rows without it.
    """
    contents = {path: READERS[kind_of(path)](path) for path in dict.fromkeys(paths.values())}
    text = [path for path in contents if kind_of(path) in TEXT]
    if len(text) > 1 and all(contents[path].doubtful for path in text):
        headed = {path: read_text(path, header=True) for path in text}  # as pandas writes all
        counts = {table.rows for path, table in headed.items() if path != paths["graph"]}
        contents |= headed if len(counts) == 1 else {}
    graph = edges.graph_in(paths["graph"], contents[paths["graph"]])
    others = {role: path for role, path in paths.items() if role != "graph"}
    nodes = {path: _node_table(path, contents[path]) for path in dict.fromkeys(others.values())}
    tables = {role: nodes[path] for role, path in others.items()}
    return graph.edges, tables | ({} if graph.nodes is None else {"graph": graph.nodes})


def _node_table(path: Path, content: Any) -> Table:
    """The table of nodes in a file of another role than `graph`."""
    if isinstance(content, Network) and content.nodes is not None:
        return content.nodes
    if isinstance(content, dict):
        return edges.node_table(path, content)
    if kind_of(path) == ".content" and len(content.columns) > 2:  # of Cora: id, words, class
        names = ["id", *[*content.columns][1:-1], "class"]
        content.columns = dict(zip(names, content.columns.values(), strict=True))
    return content
