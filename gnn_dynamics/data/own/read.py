"""A user's own graph as a data set: files of many formats to one `Graph` (docs/own-graphs.md).

An entry of the catalogue with `reader: own` names its files by role: `graph` (the edges, and
possibly the rest), `nodes` (one table of everything about them), `features`, `labels`, `split`,
`ids`. No checksum is pinned; the digests of the files are stored in the facts of the graph.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gnn_dynamics.data.fetch.checksums import dataset_digest, sha256_of
from gnn_dynamics.data.graph import Content, Graph, clean_edges, graph_of
from gnn_dynamics.data.own.edges import graph_in_arrays, located, node_table, weights_of, with_ends
from gnn_dynamics.data.own.formats import Network
from gnn_dynamics.data.own.ids import Nodes, as_ids, ids_of, key_of, nodes_of, rows_of
from gnn_dynamics.data.own.memory import check_memory, check_size
from gnn_dynamics.data.own.registry import KINDS, TEXT, kind_of, read_file
from gnn_dynamics.data.own.table import Table
from gnn_dynamics.data.own.values import (
    drawn_parts,
    encoded,
    feature_names,
    given_parts,
    label_name,
    matrix,
    split_names,
)
from gnn_dynamics.errors import UserError

Ends = tuple[np.ndarray, np.ndarray]
MOST = 8  # names, or values of a node, that a note lists


def check_files(files: Mapping[str, str | Path]) -> dict[str, Path]:
    """The files by role, as paths; each must exist and have a known format."""
    paths = {role: Path(file) for role, file in files.items()}
    for role, path in paths.items():
        if path.is_dir():
            raise UserError(f"{path} is a folder; name the files in it")
        if not path.is_file():
            raise UserError(f"{path} ({role}) is missing: there is no such file")
        if kind_of(path) not in KINDS:
            kind = kind_of(path) or "no suffix"
            raise UserError(f"{path}: {kind} is not a format for {role}; use {', '.join(KINDS)}")
    return paths


def read_own(
    name: str, entry: Mapping[str, Any], memory: float | None = None, split: Any = None
) -> Graph:
    """The graph of an entry with `reader: own`.

    `options` are those of config/datasets.schema.yaml. memory: a limit in bytes (None: what is
    free). split: the option `split` where no file has one. How the files were understood is in the
    facts `understood` and `unused`.
    """
    paths = check_files(entry["files"])
    check_memory(paths.values(), memory)
    reading = _Reading(paths, entry.get("options", {}))
    content = reading.content(memory, split)
    digests = {role: sha256_of(path) for role, path in sorted(paths.items())}
    facts = {
        "source_url": f"local files: {', '.join(digests)}",
        "sha256": dataset_digest(digests),
        "unpinned": digests,
        "unused": reading.unused(),
        "understood": reading.notes,
    }
    return graph_of(name, content._replace(facts={**facts, **content.facts}))


class _Reading:
    """The tables of all files by role, and `notes` on how their parts are understood."""

    def __init__(self, paths: Mapping[str, Path], options: Mapping[str, Any]) -> None:
        self.options, self.notes = options, list[str]()
        contents = {path: read_file(path) for path in dict.fromkeys(paths.values())}
        text = [one for one in contents.values() if isinstance(one, Table) and kind_of(one.path) in TEXT]
        if len(text) > 1 and all(table.doubtful for table in text):  # pandas writes it in each
            headed = {table.path: read_file(table.path, header=True) for table in text}
            counts = {table.rows for path, table in headed.items() if path != paths["graph"]}
            contents |= headed if len(counts) == 1 else {}
        graph = _graph(paths["graph"], contents[paths["graph"]])
        self.edges = with_ends(graph.edges, options.get("ends"))
        nodes = {path: _nodes(path, content) for path, content in contents.items()}
        self.tables = {role: nodes[path] for role, path in paths.items() if role != "graph"}
        if graph.nodes is not None:
            self.tables["graph"] = graph.nodes
        for table in dict.fromkeys((self.edges, *self.tables.values())):
            self.note(self.role(table), *table.notes)

    def note(self, subject: str, *texts: str) -> None:
        self.notes += [f"{subject}: {text}" for text in texts]

    def role(self, table: Table) -> str:
        return next((role for role, one in self.tables.items() if one is table), "graph")

    def unused(self) -> list[str]:
        """The names in the tables that no part of the graph uses."""
        tables = dict.fromkeys((self.edges, *self.tables.values()))
        return [f"{t.noun} {name!r}" for t in tables for name in t.columns if name not in t.used]

    def candidates(self, *roles: str) -> list[Table]:
        """The different tables of the roles; the first alone if there is a file for it."""
        found = [self.tables[role] for role in roles if role in self.tables]
        return found[:1] if roles[0] in self.tables else list(dict.fromkeys(found))

    def content(self, memory: float | None, default_split: Any) -> Content:
        """All parts of the graph."""
        ignored = weights_of(self.edges, self.options.get("weights") == "ignore")
        label = self.find_label()
        table, names = self.find_features(label)
        nodes = self.find_nodes(table)
        check_size(self.edges.path, len(nodes.ids), memory)
        ends = located(self.edges, nodes)
        if not (ends[0] != ends[1]).any():
            raise UserError(f"{self.edges.path}: the graph is empty, no edge joins two different nodes")
        used = "" if self.edges.by_row else f" in {' and '.join(map(self.edges.called, self.edges.ends or ()))}"
        self.note("edges", f"{len(ends[0])}{used}")
        if not nodes.names and min(map(np.min, ends)) == 1:
            self.note("edges", "node 0 is in none, the smallest id is 1; if ids start at 1, say --first-id 1")
        self.note("nodes", f"{len(nodes.ids)}, {nodes.origin}")
        X, where = self.features(nodes, table, names, ends)
        y, classes = self.labels(nodes, label)
        parts, origin = self.split(nodes, y, default_split)
        for word, node in (("first node", 0), ("last node", len(nodes.ids) - 1)):
            row = X[[node]].toarray()[0] if sparse.issparse(X) else X[node]
            shown = f"{nodes.ids[node]}, features {' '.join(f'{v:g}' for v in row[:MOST])}"
            more = " ..." * (len(row) > MOST)
            self.note(word, f"{shown}{more}" + (f", label {classes[y[node]]}" if classes and y[node] >= 0 else ""))
        facts = {"split": origin, "class_names": classes, "weights_ignored": ignored, "node_names": nodes.names}
        return Content(ends, X, y, parts, facts, lambda k: f"{self.edges.path}, {self.edges.unit(k)}", where)

    def find_label(self) -> tuple[Table, str] | None:
        """The table and the column of the labels; None where there are none."""
        tables = self.candidates("labels", "nodes", "graph", "features")
        task, option = self.options.get("task"), self.options.get("labels")
        for table in tables if task != "none" else []:
            name = option if option else label_name(table, "labels" in self.tables, task == "regression")
            if name in table.columns:
                return table, name
        if task != "none":
            listed = "; ".join(f"{table.path} has: {table.listed()}" for table in tables or [self.edges])
            found = f"there is no {option!r}" if option else f"{self.edges.path} has no labels under a usual name"
            raise UserError(
                f"{found} ({listed}); give their name (--labels NAME), add a file with labels, or"
                " check without labels (--no-labels)"
            )
        return None

    def find_features(self, label: tuple[Table, str] | None) -> tuple[Table | None, list[str]]:
        """The table and the columns of the features; no columns where these are made."""
        tables = self.candidates("features", "nodes", "graph", "labels")
        made = self.options.get("features")
        for table in tables:
            key = key_of(table, self.fits, self.options.get("ids"))
            names = feature_names(table, key, label[1] if label and label[0] is table else None)
            if names or made:
                return table, [] if made else names
        if made:
            return None, []
        table = (tables or [self.edges])[0]
        raise UserError(
            f"{table.path} has no node features (it has: {table.listed()}); add a file with"
            " features, or make some: --features identity (one-hot), degree or ones"
        )

    def fits(self, ids: np.ndarray) -> bool:
        """Whether the ids contain all that the edges use."""
        known = nodes_of(ids, "")
        return not self.edges.by_row and all(
            (known.locate(self.edges.columns[end]) >= 0).all() for end in self.edges.ends or ()
        )

    def find_nodes(self, main: Table | None) -> Nodes:
        """The nodes of the file of ids, of the graph's file, of the features, or of the edges."""
        own, first = self.tables.get("graph"), self.options.get("first_id", 0)
        table = self.tables.get("ids") or (own if own is not None and own.key else main)
        if table is None or not table.rows:
            ends = [as_ids(self.edges.columns[end]) for end in self.edges.ends or ()]
            return nodes_of(np.unique(np.concatenate(ends)), "those of the edges")
        role = self.role(table)
        key = key_of(table, self.fits, self.options.get("ids"))
        key = next(iter(table.columns)) if key is None and role == "ids" else key
        if key is None:
            return Nodes(pd.RangeIndex(first, first + table.rows), f"numbered by the rows of {role}")
        return nodes_of(ids_of(table, key), f"{table.called(key)} of {role}")

    def features(
        self, nodes: Nodes, table: Table | None, names: Sequence[str], ends: Ends
    ) -> tuple[Any, Callable[[int, int], str]]:
        """X (n, m_x), and where its values are."""
        n, made = len(nodes.ids), self.options.get("features")
        if made or table is None:
            self.note("features", f"{made}, made as requested")
            if made == "identity":
                return sparse.eye_array(n, format="csr"), "node {}, feature {}".format
            degrees = np.diff(clean_edges(n, *ends)[0].indptr)[:, None]
            return (degrees if made == "degree" else np.ones((n, 1))), "node {}, feature {}".format
        rows = rows_of(table, nodes, self.options.get("ids"))
        if (rows < 0).any():
            raise UserError(f"{table.path} has no row for node {nodes.ids[rows.argmin()]}")
        X, titles = matrix(table, names)
        if not X.size or not X.shape[1]:
            raise UserError(f"{table.path}: the graph is empty ({X.shape[0]} nodes with {X.shape[1]} features)")
        self.note("features", f"{_few(names)} of {self.role(table)}")
        if X.dtype.kind == "f" and X.dtype.itemsize < 8:
            self.note(
                "features",
                f"stored in {X.dtype}, hence rounded: a rank that is full only by a singular value"
                " below 1e-7 of the largest may be full by rounding",
            )

        def where(node: int, feature: int) -> str:
            name, place = titles[feature]
            number = "" if place is None else f", feature {place}"
            return f"{table.cell(int(rows[node]), name)}{number} (node {node})"

        return X[rows], where

    def labels(self, nodes: Nodes, label: tuple[Table, str] | None) -> tuple[np.ndarray, list[str]]:
        """(n,) classes or targets, and the names of the classes."""
        if label is None:
            self.note("labels", "none, as requested")
            return np.zeros(len(nodes.ids)), []
        table, name = label
        rows, values = rows_of(table, nodes, self.options.get("ids")), np.asarray(table.use(name))
        if values.shape[:1] != (table.rows,):
            raise UserError(
                f"{table.path}, {table.called(name)}: {values.shape[0]} labels, but {table.rows} nodes"
            )
        if (rows < 0).any():  # these nodes are unlabelled
            missing = np.full((1, *values.shape[1:]), None if values.dtype.kind in "OU" else np.nan)
            values = np.concatenate([values, missing])
        y, classes, notes = encoded(
            values[rows],
            lambda node: f"{table.cell(int(rows[node]), name)} (node {node})",
            self.options.get("task") == "regression",
        )
        if self.options.get("task") != "regression" and len(classes) < 2:
            reason = f"there is one class only ({classes[0]})" if classes else "no node has a label"
            raise UserError(f"{table.path}: {reason}; -1 and empty mean unlabelled")
        counts = [f"{c}: {int((y == k).sum())}" for k, c in enumerate(classes)]
        held = f" (nodes by class: {_few(counts)})" if classes else ", real targets"
        self.note("labels", f"{table.called(name)} of {self.role(table)}{held}", *notes)
        return y, classes

    def split(self, nodes: Nodes, y: np.ndarray, default: Any) -> tuple[dict[str, np.ndarray], str]:
        """Ascending ids of train, val and test, and the origin of the split in words."""
        tables = self.candidates("split", "nodes", "graph", "features", "labels")
        drawn, option = self.options.get("split"), self.options.get("ids")
        for table in tables if self.options.get("task") != "none" else []:
            if not (names := split_names(table, "split" in self.tables)):
                continue
            if drawn is not None:
                raise UserError(f"{table.path} already has a split; remove the option `split`")
            lists = key_of(table, lambda _: False, option) is None and table.rows != len(nodes.ids)
            rows = None if lists else rows_of(table, nodes, option)
            number = self.options.get("split_index", 0)
            parts, notes = given_parts(table, names, rows, nodes, number)
            if not parts["train"].size:
                raise UserError(f"{table.path}: there are no training nodes in the split")
            sizes = ", ".join(f"{len(ids)} {part}" for part, ids in parts.items())
            self.note("split", f"{_few(names)} of {self.role(table)}: {sizes}", *notes)
            return parts, "as given"
        if (drawn := drawn or default) is None:
            raise UserError(
                f"{self.edges.path}: there are no training nodes; add a file with the split, or set"
                " the option `split` to all or to {train: 20, val: 30, seed: 0}"
            )
        return drawn_parts(y, drawn)


def _graph(path: Path, content: Any) -> Network:
    """The tables of nodes, if any, and of edges in the file of the role `graph`."""
    if isinstance(content, dict):
        return graph_in_arrays(path, content)
    if isinstance(content, Table):
        return Network(None, replace(content, noun="edge column"))
    return content


def _nodes(path: Path, content: Any) -> Table:
    """The table of nodes in a file of another role."""
    if isinstance(content, dict):
        return node_table(path, content)
    if isinstance(content, Network):
        return content.nodes
    if kind_of(path) == ".content":  # id, words, class: the format of Cora and CiteSeer
        names = ["id", *list(content.columns)[1:-1], "class"]
        content.columns = dict(zip(names, content.columns.values(), strict=True))
    return content


def _few(names: Sequence[str]) -> str:
    """The names, the middle ones left out where they are many."""
    if len(names) <= MOST:
        return ", ".join(names)
    return f"{', '.join(names[: MOST - 1])}, ..., {names[-1]} ({len(names)} in all)"
