"""A user's own graph as a data set: files of many formats to one `Graph` (docs/own-graphs.md).

An entry of the catalogue with `reader: own` names its files by role: `graph` (the edges, and
possibly the rest), `nodes` (one table of everything about them), `features`, `labels`, `split`,
`ids`. No checksum is pinned; the digests of the files are stored in the facts of the graph.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gnn_dynamics.data.adjacency import clean_edges
from gnn_dynamics.data.fetch.checksums import dataset_digest, sha256_of
from gnn_dynamics.data.graph import Content, Graph, graph_of
from gnn_dynamics.data.own import edges, values
from gnn_dynamics.data.own.files import check_files, read_tables
from gnn_dynamics.data.own.memory import NODE, check_memory, check_size
from gnn_dynamics.data.own.nodes import Nodes, ids_in, key_of, nodes_of, nodes_of_edges, rows_of
from gnn_dynamics.data.own.table import MOST, Table, few
from gnn_dynamics.data.splits import split_all, split_per_class
from gnn_dynamics.errors import UserError

FEATURES = ("features", "nodes", "graph", "labels")
LABELS = ("labels", "nodes", "graph", "features")
SPLIT = ("split", "nodes", "graph", "features", "labels")


def read_own(
    name: str,
    entry: Mapping[str, Any],
    memory: float | None = None,
    split: Any = None,
    ignore_split: bool = False,
) -> Graph:
    """The graph of an entry with `reader: own`.

    `options` are those of config/datasets.schema.yaml. memory: a limit in bytes (None: what is
    free). split: the option `split` where neither a file nor the entry has one. ignore_split:
    whether that of a file is not read. How the files were understood is in the facts `understood`
    and `unused`.
    """
    paths = check_files(entry["files"])
    check_memory(paths.values(), memory)
    reading = _Reading(paths, entry.get("options", {}))
    content = reading.content(memory, split, ignore_split)
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
    """The parts of a graph, found in the tables of its files by role.

    notes: how they are understood. facts: of the graph. nodes: first those of the edges, then all.
    """

    def __init__(self, paths: Mapping[str, Path], options: Mapping[str, Any]) -> None:
        self.options, self.task, self.made = options, options.get("task"), options.get("features")
        self.notes: list[str] = []
        self.facts: dict[str, Any] = {}
        stored, self.tables = read_tables(paths)
        self.edges = edges.with_ends(stored, options.get("ends"))
        for table in dict.fromkeys((self.edges, *self.tables.values())):
            self.note(self.role(table), *table.notes)
        self.know(nodes_of_edges(self.edges))

    def content(self, memory: float | None, default_split: Any, ignore_split: bool) -> Content:
        """All parts of the graph."""
        ignored = edges.weights_of(self.edges, self.options.get("weights") == "ignore")
        label = self.find_label()
        table, names = self.find_features(label)
        self.know(self.find_nodes(table, bool(names)))
        n = len(self.nodes.ids)
        check_size(f"{self.edges.path}: the graph of {n} nodes", NODE * n, memory)
        ends = self.ends()
        self.note("nodes", f"{n}, {self.nodes.origin}")
        made = table is None or not names
        X, where = self.made_features(ends) if made else self.features(table, names)
        y, classes = self.labels(label)
        parts, origin = self.split(y, default_split, ignore_split)
        for word, node in (("first node", 0), ("last node", n - 1)):
            row = X[[node]].toarray()[0] if sparse.issparse(X) else X[node]
            shown = " ".join(f"{value:g}" for value in row[:MOST]) + " ..." * (len(row) > MOST)
            named = f", label {classes[y[node]]}" if classes and y[node] >= 0 else ""
            self.note(word, f"{self.nodes.ids[node]}, features {shown}{named}")
        self.facts |= {"weights_ignored": ignored, "split": origin, "class_names": classes}
        self.facts["node_names"] = self.nodes.names
        return Content(ends, X, y, parts, self.facts, self.edges.where, where)

    def note(self, subject: str, *texts: str) -> None:
        self.notes += [f"{subject}: {text}" for text in texts]

    def role(self, table: Table) -> str:
        return next((role for role, one in self.tables.items() if one is table), "graph")

    def unused(self) -> list[str]:
        """The names in the tables that no part of the graph uses."""
        self.edges.noun = "edge column"
        tables = dict.fromkeys((*self.tables.values(), self.edges))
        return [f"{t.noun} {name!r}" for t in tables for name in t.columns if name not in t.used]

    def know(self, nodes: Nodes) -> None:
        """Set the nodes, and find the columns of their ids."""
        self.nodes = nodes
        for table in self.tables.values():
            table.key = key_of(table, nodes, self.options.get("ids"))

    def candidates(self, roles: Sequence[str]) -> list[Table]:
        """The different tables of the roles; the first alone if there is a file for it."""
        found = [self.tables[role] for role in roles if role in self.tables]
        return found[:1] if roles[0] in self.tables else [*dict.fromkeys(found)]

    def find(self, roles: Sequence[str], names_in: Callable[[Table], Any]) -> Any:
        """The first table of the roles in which `names_in` finds something, and that."""
        found = ((table, names_in(table)) for table in self.candidates(roles))
        return next((pair for pair in found if pair[1] not in (None, [])), None)

    def missing(self, what: str, roles: Sequence[str], remedy: str) -> UserError:
        """The error for a part of the graph that no table of the roles has."""
        table = (self.candidates(roles[:3]) or [self.edges])[0]
        listed = ", ".join(table.columns)
        return UserError(f"{table.path} has no {what} (it has: {listed}); {remedy}")

    def find_label(self) -> tuple[Table, str] | None:
        """The table and the column of the labels; None without any."""
        if self.task == "none":
            return None
        option, only = self.options.get("labels"), "labels" in self.tables
        regression = self.task == "regression"
        return self.find(LABELS, lambda table: values.label_name(table, option, only, regression))

    def find_features(self, label: tuple[Table, str] | None) -> tuple[Table | None, list[str]]:
        """The table and the columns of the features; no columns where these are made."""
        names = {label[0]: label[1]} if label else {}
        if self.made:
            return next(iter(self.candidates(FEATURES)), None), []
        found = self.find(FEATURES, lambda table: values.feature_names(table, names.get(table)))
        if found is None:
            remedy = "add a file, or make some: --features identity (one-hot), degree or ones"
            raise self.missing("node features", FEATURES, remedy)
        return found

    def find_nodes(self, main: Table | None, required: bool) -> Nodes:
        """The nodes of the file of ids, of the graph's file, of the features, or of the edges."""
        own, start = self.tables.get("graph"), self.options.get("first_id", 0)
        table = self.tables.get("ids") or (own if own is not None and own.key is not None else main)
        if required and main is not None and not main.rows:
            raise UserError(f"{main.path}: the graph is empty (0 nodes)")
        if table is None or not table.rows:
            return self.nodes
        role = self.role(table)
        key = next(iter(table.columns)) if table.key is None and role == "ids" else table.key
        if key is None:
            rows = pd.RangeIndex(start, start + table.rows)
            return Nodes(rows, f"numbered by the rows of {role}")
        found = ids_in(table, key)
        if role == "ids" and "value" in table.columns:  # {id: row} in JSON
            numbers = table.use("value")
            if numbers.dtype.kind not in "iu":
                raise UserError(f"{table.path}: the value of each id must be the number of its row")
            found = found[np.argsort(numbers)]
        return nodes_of(found, f"by {table.called(key)} of {role}")

    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """(edges,) the numbers of the nodes at both ends."""
        n = len(self.nodes.ids)
        if self.edges.nodes not in (None, n):
            given = f"{self.edges.nodes} nodes, but there are {n}, {self.nodes.origin}"
            raise UserError(f"{self.edges.path} has {given}")
        source, target = edges.located(self.edges, self.nodes, self.options.get("first_id", 0))
        if not (source != target).any():
            raise UserError(f"{self.edges.path}: the graph is empty, no edge joins two nodes")
        ends = " and ".join(map(self.edges.called, self.edges.ends))
        self.note("edges", f"{len(source)}" + ("" if self.edges.by_row else f" in {ends}"))
        if not self.nodes.names and min(source.min(), target.min()) == 1:
            self.note("edges", "node 0 is in none: do ids start at 1? (--first-id 1)")
        return source, target

    def made_features(self, ends: Any) -> tuple[Any, Callable[[int, int], str]]:
        """X (n, m_x) of a graph without features, and where its values are."""
        n = len(self.nodes.ids)
        self.note("features", f"{self.made}, made as requested")
        degrees = np.diff(clean_edges(n, *ends)[0].indptr)[:, None]
        made = {"identity": sparse.eye_array(n, format="csr"), "degree": degrees}
        return made.get(str(self.made), np.ones((n, 1))), "node {}, feature {}".format

    def features(self, table: Any, names: Sequence[str]) -> tuple[Any, Callable[[int, int], str]]:
        """X (n, m_x), and where its values are."""
        table.order = rows_of(table, self.nodes)
        if (table.order < 0).any():
            absent = self.nodes.ids[table.order.argmin()]
            raise UserError(f"{table.path} has no row for node {absent}")
        X, titles = values.matrix(table, names)
        if 0 in X.shape:
            raise UserError(f"{table.path}: the graph is empty, no feature")
        named = few([name or "the matrix" for name in names])
        self.note("features", f"{X.shape[1]}, {named} of {self.role(table)}")
        if len(names) == X.shape[1]:
            self.facts["feature_names"] = [*names]
        stored = X.data if sparse.issparse(X) else X
        if X.dtype.kind == "f" and X.dtype.itemsize < 8 and (stored % 1 != 0).any():
            self.facts["features_rounded"] = str(X.dtype)
            self.note("features", f"rounded to {X.dtype}: a rank may be full by rounding only")
        return X, lambda node, k: table.where_node(node, titles[k][0], titles[k][1])

    def labels(self, label: tuple[Table, str] | None) -> tuple[np.ndarray, list[str]]:
        """(n,) classes or targets, and the names of the classes."""
        if self.task == "none":
            self.note("labels", "none, as requested")
            return np.zeros(len(self.nodes.ids)), []
        if label is None:
            option = self.options.get("labels")
            what = f"{option!r} for labels" if option else "labels under a usual name"
            remedy = "give their name (--labels NAME), add a file, or go without (--no-labels)"
            raise self.missing(what, LABELS, remedy)
        table, name = label
        table.order = rows_of(table, self.nodes)
        y, classes, notes = values.labels(table, name, self.task == "regression")
        if self.task != "regression" and len(classes) < 2:
            reason = f"there is one class only ({classes[0]})" if classes else "no node has a label"
            raise UserError(f"{table.path}: {reason}")
        counts = [f"{c}: {(y == k).sum()}" for k, c in enumerate(classes)]
        held = f" (nodes by class: {few(counts)})" if classes else ", real targets"
        self.note("labels", f"{table.called(name)} of {self.role(table)}{held}", *notes)
        return y, classes

    def split(self, y: np.ndarray, default: Any, ignore: bool) -> tuple[dict[str, np.ndarray], str]:
        """Ascending numbers of the nodes of train, val and test, and their origin in words."""
        drawn, only = self.options.get("split"), "split" in self.tables
        read = self.task != "none" and not ignore
        if found := read and self.find(SPLIT, lambda table: values.split_names(table, only)):
            if drawn is not None:
                raise UserError(f"{found[0].path} already has a split; remove the option `split`")
            return self.given_split(*found), "as given"
        if (drawn := default if drawn is None else drawn) is None:
            raise UserError(
                f"{self.edges.path}: there are no training nodes; add a file with the split, or set"
                " the option `split` to all or to {train: 20, val: 30, seed: 0}"
            )
        if drawn == "all":
            return split_all(y), "none, all labelled nodes train"
        return split_per_class(y, **drawn), "drawn: {train} per class".format(**drawn)

    def given_split(self, table: Table, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Ascending numbers of the nodes of each part, from the columns or lists of a table."""
        n, number = len(self.nodes.ids), self.options.get("split_index", 0)
        table.order = rows_of(table, self.nodes) if table.key is not None else np.arange(n)
        parts, notes = values.split_parts(table, names, self.nodes, number)
        if not parts["train"].size:
            raise UserError(f"{table.path}: there are no training nodes in the split")
        sizes = ", ".join(f"{len(part)} {name}" for name, part in parts.items())
        self.note("split", f"{few(names)} of {self.role(table)}: {sizes}", *notes)
        return parts
