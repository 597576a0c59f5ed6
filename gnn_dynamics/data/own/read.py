"""A user's own graph as a data set: files of many formats to one `Graph` (docs/own-graphs.md).

An entry of the catalogue with `reader: own` names its files by role: `graph` (the edges, and
possibly the rest), `nodes` (one table of everything about them), `features`, `labels`, `split`,
`ids`. No checksum is pinned; the digests of the files are stored in the facts of the graph.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gnn_dynamics.data.adjacency import clean_edges
from gnn_dynamics.data.fetch.checksums import dataset_digest, sha256_of
from gnn_dynamics.data.graph import Content, Graph, graph_of
from gnn_dynamics.data.own import edges, ids, values
from gnn_dynamics.data.own.files import check_files
from gnn_dynamics.data.own.memory import NODE, check_memory, check_size
from gnn_dynamics.data.own.roles import Roles
from gnn_dynamics.data.own.table import MOST, Table, few
from gnn_dynamics.data.splits import split_all, split_per_class
from gnn_dynamics.errors import UserError

FEATURES, LABELS = ("features", "nodes", "graph"), ("labels", "nodes", "graph", "features")


def read_own(
    name: str,
    entry: Mapping[str, Any],
    memory: float | None = None,
    split: Any = None,
    ignore_split: bool = False,
) -> Graph:
    """The graph of an entry with `reader: own`.

    `options` are those of config/datasets.schema.yaml. memory: a limit in bytes (None: what is
    free). split: the option `split` where no file has one. ignore_split: whether that of a file
    is not read. How the files were understood is in the facts `understood` and `unused`.
    """
    paths = check_files(entry["files"])
    check_memory(paths.values(), memory)
    options = {"split": split, **entry.get("options", {})}
    reading = _Reading(paths, options, split, ignore_split)
    content = reading.content(memory)
    digests = {role: sha256_of(path) for role, path in sorted(paths.items())}
    facts = {
        "source_url": f"local files: {', '.join(digests)}",
        "sha256": dataset_digest(digests),
        "unpinned": digests,
        "unused": reading.unused(),
        "understood": reading.notes,
    }
    return graph_of(name, content._replace(facts={**facts, **content.facts}))


class _Reading(Roles):
    """The parts of a graph, found in the tables of its files."""

    def content(self, memory: float | None) -> Content:
        """All parts of the graph."""
        self.facts["weights_ignored"] = edges.weights_of(
            self.edges, self.options.get("weights") == "ignore"
        )
        label = self.find_label() if self.task != "none" else None
        table, names = self.find_features(label)
        nodes = self.find_nodes(table, names)
        n = len(nodes.ids)
        check_size(f"{self.edges.path}: the graph of {n} nodes", NODE * n, memory)
        ends = self.ends(nodes)
        self.note("nodes", f"{n}, {nodes.origin}")
        X, where = self.features(nodes, table, names, ends)
        y, classes = self.labels(nodes, label)
        parts, origin = self.split(nodes, y)
        for word, node in (("first node", 0), ("last node", n - 1)):
            row = X[[node]].toarray()[0] if sparse.issparse(X) else X[node]
            shown = " ".join(f"{value:g}" for value in row[:MOST]) + " ..." * (len(row) > MOST)
            named = f", label {classes[y[node]]}" if classes and y[node] >= 0 else ""
            self.note(word, f"{nodes.ids[node]}, features {shown}{named}")
        self.facts |= {"split": origin, "class_names": classes, "node_names": nodes.names}
        return Content(ends, X, y, parts, self.facts, self.edges.where, where)

    def ends(self, nodes: ids.Nodes) -> tuple[np.ndarray, np.ndarray]:
        """(edges,) the numbers of the nodes at both ends."""
        if (own := self.edges.nodes or len(nodes.ids)) != len(nodes.ids):
            given = f"there are {len(nodes.ids)}, {nodes.origin}"
            raise UserError(f"{self.edges.path} has {own} nodes, but {given}")
        source, target = edges.located(self.edges, nodes)
        if not (source != target).any():
            raise UserError(f"{self.edges.path}: the graph is empty, no edge joins two nodes")
        ends = " and ".join(map(self.edges.called, self.edges.ends))
        self.note("edges", f"{len(source)}" + ("" if self.edges.by_row else f" in {ends}"))
        if not nodes.names and min(source.min(), target.min()) == 1:
            self.note("edges", "node 0 is in none: do ids start at 1? (--first-id 1)")
        return source, target

    def find_label(self) -> tuple[Table, str] | None:
        """The table and the column of the labels; None where no name is usual for labels."""
        option, alone = self.options.get("labels"), "labels" in self.tables
        for table in self.candidates(*LABELS):
            name = option or values.label_name(table, alone, self.task == "regression")
            if name in table.columns:
                return table, name
        if option:
            raise self.missing(f"{option!r} for --labels", LABELS, "give another name")
        return None

    def find_features(self, label: tuple[Table, str] | None) -> tuple[Table | None, list[str]]:
        """The table and the columns of the features; no columns where these are made."""
        for table in self.candidates(*FEATURES, "labels"):
            key = ids.key_of(table, self.fits, self.options.get("ids"))
            name = label[1] if label and label[0] is table else None
            if self.made or (found := values.feature_names(table, key, name)):
                return table, [] if self.made else found
        if self.made:
            return None, []
        remedy = "add a file, or make some: --features identity (one-hot), degree or ones"
        raise self.missing("node features", FEATURES, remedy)

    def fits(self, found: np.ndarray) -> bool:
        """Whether the ids contain all that the edges use."""
        known = ids.nodes_of(found, "")
        located = [known.locate(self.edges.columns[end]) for end in self.edges.ends]
        return not self.edges.by_row and all((part >= 0).all() for part in located)

    def find_nodes(self, main: Table | None, names: Sequence[str]) -> ids.Nodes:
        """The nodes of the file of ids, of the graph's file, of the features, or of the edges."""
        own, start = self.tables.get("graph"), self.options.get("first_id", 0)
        table = self.tables.get("ids") or (own if own is not None and own.key else main)
        if names and main is not None and not main.rows:
            raise UserError(f"{main.path}: the graph is empty (0 nodes)")
        if table is None or not table.rows:
            ends = [ids.as_ids(self.edges.columns[end]) for end in self.edges.ends]
            return ids.nodes_of(pd.unique(np.sort(np.concatenate(ends))), "those of the edges")
        key = ids.key_of(table, self.fits, self.options.get("ids"))
        role = self.role(table)
        key = next(iter(table.columns)) if key is None and role == "ids" else key
        if key is not None:
            found = ids.ids_of(table, key)
            if role == "ids" and "value" in table.columns:  # {id: row} in JSON
                found = found[np.argsort(self.row_numbers(table))]
            return ids.nodes_of(found, f"by {table.called(key)} of {role}")
        rows = pd.RangeIndex(start, start + table.rows)
        return ids.Nodes(rows, f"numbered by the rows of {role}")

    def row_numbers(self, table: Table) -> np.ndarray:
        numbers: np.ndarray = table.use("value")
        if numbers.dtype.kind not in "iu":
            raise UserError(f"{table.path}: the value of each id must be the number of its row")
        return numbers

    def features(
        self, nodes: ids.Nodes, table: Table | None, names: Sequence[str], ends: Any
    ) -> tuple[Any, Callable[[int, int], str]]:
        """X (n, m_x), and where its values are."""
        n = len(nodes.ids)
        if self.made or table is None:
            self.note("features", f"{self.made}, made as requested")
            degrees = np.diff(clean_edges(n, *ends)[0].indptr)[:, None]
            made = {"identity": sparse.eye_array(n, format="csr"), "degree": degrees}
            return made.get(str(self.made), np.ones((n, 1))), "node {}, feature {}".format
        rows = ids.rows_of(table, nodes, self.options.get("ids"))
        if (rows < 0).any():
            raise UserError(f"{table.path} has no row for node {nodes.ids[rows.argmin()]}")
        X, titles = values.matrix(table, names)
        if 0 in X.shape:
            raise UserError(f"{table.path}: the graph is empty, no feature")
        named = few([name or "the matrix" for name in names])
        self.note("features", f"{X.shape[1]}, {named} of {self.role(table)}")
        if len(names) == X.shape[1]:
            self.facts["feature_names"] = [*names]
        values_stored = X.data if sparse.issparse(X) else X
        if X.dtype.kind == "f" and X.dtype.itemsize < 8 and (values_stored % 1 != 0).any():
            self.facts["features_rounded"] = str(X.dtype)
            self.note("features", f"rounded to {X.dtype}: a rank may be full by rounding only")

        def where(node: int, feature: int) -> str:
            name, place = titles[feature]
            return f"{table.where(int(rows[node]), name)}{place} (node {node})"

        return X[rows], where

    def labels(self, nodes: ids.Nodes, label: Any) -> tuple[np.ndarray, list[str]]:
        """(n,) classes or targets, and the names of the classes."""
        if self.task == "none":
            self.note("labels", "none, as requested")
            return np.zeros(len(nodes.ids)), []
        if label is None:
            remedy = "give their name (--labels NAME), add a file, or go without (--no-labels)"
            raise self.missing("labels under a usual name", LABELS[:3], remedy)
        table, name = label
        rows, stored = ids.rows_of(table, nodes, self.options.get("ids")), table.use(name)
        if stored.shape[:1] != (table.rows,):
            raise UserError(f"{table.path}: {stored.shape[0]} labels, but {table.rows} nodes")
        found = stored.toarray()[rows] if sparse.issparse(stored) else stored[rows]
        if (rows < 0).any():  # nodes without a row are unlabelled
            found = np.where(rows < 0, None, found)

        def where(node: int) -> str:
            return f"{table.where(int(rows[node]), name)} (node {node})"

        y, classes, notes = values.encoded(found, where, self.task == "regression")
        if self.task != "regression" and len(classes) < 2:
            reason = f"there is one class only ({classes[0]})" if classes else "no node has a label"
            raise UserError(f"{table.path}: {reason}")
        counts = [f"{c}: {(y == k).sum()}" for k, c in enumerate(classes)]
        held = f" (nodes by class: {few(counts)})" if classes else ", real targets"
        self.note("labels", f"{table.called(name)} of {self.role(table)}{held}", *notes)
        return y, classes

    def split(self, nodes: ids.Nodes, y: np.ndarray) -> tuple[dict[str, np.ndarray], str]:
        """Ascending ids of train, val and test, and the origin of the split in words."""
        tables = self.candidates("split", "nodes", "graph", "features", "labels")
        drawn, alone = self.options.get("split"), "split" in self.tables
        for table in tables if self.task != "none" and not self.ignore_split else []:
            if names := values.split_names(table, alone):
                if drawn != self.default_split:
                    raise UserError(f"{table.path} already has a split; remove the option `split`")
                return self.given_split(table, names, nodes), "as given"
        if drawn is None:
            raise UserError(
                f"{self.edges.path}: there are no training nodes; add a file with the split, or set"
                " the option `split` to all or to {train: 20, val: 30, seed: 0}"
            )
        if drawn == "all":
            return split_all(y), "none, all labelled nodes train"
        return split_per_class(y, **drawn), "drawn: {train} per class".format(**drawn)

    def given_split(
        self, table: Table, names: Sequence[str], nodes: ids.Nodes
    ) -> dict[str, np.ndarray]:
        """Ascending ids of train, val and test, from the columns or lists of a table."""
        option, number = self.options.get("ids"), self.options.get("split_index", 0)
        lists = table.rows != len(nodes.ids) and not ids.key_of(table, lambda _: False, option)
        rows = None if lists else ids.rows_of(table, nodes, option)
        parts, notes = values.given_parts(table, names, rows, nodes, number)
        if not parts["train"].size:
            raise UserError(f"{table.path}: there are no training nodes in the split")
        sizes = ", ".join(f"{len(part)} {name}" for name, part in parts.items())
        self.note("split", f"{few(names)} of {self.role(table)}: {sizes}", *notes)
        return parts
