"""A user's own graph as a data set: files of many formats to one `Graph` (docs/own-graphs.md).

An entry of the catalogue with `reader: own` names its files by role: `graph` (the edges, and
possibly the rest), `nodes` (one table of everything about them), `features`, `labels`, `split`,
`ids`. No checksum is pinned; the digests of the files are stored in the facts of the graph.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gnn_dynamics.data.fetch.checksums import dataset_digest, sha256_of
from gnn_dynamics.data.graph import Content, Graph, clean_edges, graph_of
from gnn_dynamics.data.own.edges import ids_in, located, weights_of
from gnn_dynamics.data.own.features import feature_names, matrix
from gnn_dynamics.data.own.files import Files, check_files, read_files
from gnn_dynamics.data.own.ids import Nodes, ids_of, key_of, rows_of
from gnn_dynamics.data.own.labels import encoded, find_labels
from gnn_dynamics.data.own.memory import check_memory, check_nodes
from gnn_dynamics.data.own.split import drawn_parts, find_split, given_parts
from gnn_dynamics.data.own.table import Table
from gnn_dynamics.errors import UserError

MOST = 8  # names, or values of a node, that a note lists
PRECISE = 8  # bytes of a number that is not rounded to single precision


def read_own(
    name: str, entry: Mapping[str, Any], memory: float | None = None, split: Any = None
) -> Graph:
    """The graph of an entry with `reader: own`.

    `options` are those of config/datasets.schema.yaml. memory: a limit in bytes (None: what is
    free). split: the option `split` where no file has one. How the files were understood is in the
    facts `understood` and `unused`.

    Raises:
        UserError: if a file cannot be used; the message names the file and the line or node.
    """
    paths, options = check_files(entry["files"]), dict(entry.get("options", {}))
    check_memory(paths.values(), memory)
    reading = _Reading(read_files(paths, options), options)
    content = reading.content(memory, split)
    digests = {role: sha256_of(path) for role, path in sorted(paths.items())}
    facts = {
        "source_url": f"local files: {', '.join(digests)}",
        "sha256": dataset_digest(digests),
        "unpinned": digests,
        "unused": reading.files.unused(),
        "understood": [*reading.files.notes(), *reading.notes],
    }
    return graph_of(name, content._replace(facts={**facts, **content.facts}))


class _Reading:
    """The parts of the graph, found one after the other in its tables; `notes` says how."""

    def __init__(self, files: Files, options: Mapping[str, Any]) -> None:
        self.files, self.options = files, options
        self.notes: list[str] = []

    def content(self, memory: float | None, split: Any) -> Content:
        """All parts. `memory` and `split` are those of `read_own`."""
        files, options = self.files, self.options
        ignored = weights_of(files.edges, options.get("weights") == "ignore")
        label = self.find_label()
        main, names = self.find_features(label)
        nodes = self.nodes(main)
        check_nodes(nodes.n, memory)
        ends = located(files.edges, nodes)
        if not (ends[0] != ends[1]).any():
            raise UserError(f"{files.edges.path}: the graph is empty, no edge joins two different nodes")
        self.describe_nodes(nodes, ends)
        X, where, titles = self.features(nodes, main, names, ends)
        y, classes = self.labels(nodes, label)
        parts, origin = self.split(nodes, y, split)
        self.describe_ends(nodes, X, titles, classes, y)
        facts = {
            "split": origin,
            "class_names": classes,
            "weights_ignored": ignored,
            "node_names": nodes.names,
            "feature_names": titles,
        }
        return Content(ends, X, y, parts, facts, files.edges.where, where)

    def find_label(self) -> tuple[Table, str] | None:
        """The table and the column of the labels; None without labels, or where none is found."""
        if self.options.get("task") == "none":
            return None
        return find_labels(
            self.files.candidates("labels", "nodes", "graph", "features"),
            self.options.get("labels"),
            alone="labels" in self.files.tables,
            regression=self.options.get("task") == "regression",
        )

    def find_features(self, label: tuple[Table, str] | None) -> tuple[Table | None, list[str]]:
        """The table and the columns of the features; no columns where these are made.

        Raises:
            UserError: if there are none, and none are to be made.
        """
        tables = self.files.candidates("features", "nodes", "graph", "labels")
        if self.options.get("features"):
            return (tables[0] if tables else None), []
        for table in tables:
            key = key_of(table, self.fits, self.options.get("ids"))
            name = label[1] if label and label[0] is table else None
            if names := feature_names(table, key, name):
                return table, names
        table = tables[0] if tables else self.files.edges
        raise UserError(
            f"{table.path} has no node features (it has: {table.listed()}); add a file with"
            " features, or make some: --features identity (one-hot), degree or ones"
        )

    def fits(self, ids: np.ndarray) -> bool:
        """Whether the ids contain all that the edges use."""
        edges = self.files.edges
        return not edges.by_row and bool(
            (Nodes(len(ids), pd.Index(ids), "").locate(ids_in(edges)) >= 0).all()
        )

    def nodes(self, main: Table | None) -> Nodes:
        """The nodes: those of the file of ids, of the graph's file, of the features, of the edges.

        Raises:
            UserError: if there is none, or an id is missing or repeated.
        """
        own = self.files.tables.get("graph")
        table = self.files.tables.get("ids") or (own if own is not None and own.key else main)
        first = self.options.get("first_id", 0)
        if table is None or not len(table.frame):
            if table is not None and table is not own:
                raise UserError(f"{table.path}: the graph is empty (0 nodes)")
            ids, origin = ids_in(self.files.edges), "the ids in the edges"
        else:
            role = self.files.role(table)
            key = key_of(table, self.fits, self.options.get("ids"))
            key = table.names[0] if key is None and role == "ids" else key
            if key is None:
                return Nodes(len(table.frame), None, f"the rows of {role}", first)
            ids, origin = ids_of(table, key), f"{table.called(key)} of {role}"
        if ids.dtype != object and np.array_equal(np.sort(ids), np.arange(len(ids))):
            return Nodes(len(ids), None, origin)
        return Nodes(len(ids), pd.Index(ids), origin)

    def features(
        self,
        nodes: Nodes,
        table: Table | None,
        names: list[str],
        ends: tuple[np.ndarray, np.ndarray],
    ) -> tuple[Any, Callable[[int, int], str], list[str]]:
        """X (n, m_x), where its values are, and the names of the features."""
        made, n = self.options.get("features"), nodes.n
        if made or table is None:
            self.notes.append(f"features: {made}, made as requested")
            degrees = np.diff(clean_edges(n, *ends)[0].indptr)[:, None]
            made_of = {"identity": sparse.eye_array(n, format="csr"), "degree": degrees}
            X = made_of.get(made, np.ones((n, 1)))
            return X, "made features: node {}, feature {}".format, [made] * (X.shape[1] == 1)
        rows = rows_of(table, nodes, self.options.get("ids"))
        if (rows < 0).any():
            lost = int(np.flatnonzero(rows < 0)[0])
            name = nodes.names[lost] if nodes.names else lost
            raise UserError(f"{table.path} has no row for node {name}")
        X, titles = matrix(table, names)
        single = [name if k is None else f"{name}[{k}]" for name, k in titles]
        self.notes.append(f"features: {_few(single if table.noun != 'array' else names)} of {self.files.role(table)}")
        if not X.shape[1]:
            raise UserError(f"{table.path}: the graph is empty ({nodes.n} nodes with 0 features)")
        if X.dtype.kind == "f" and X.dtype.itemsize < PRECISE:
            self.notes.append(
                f"features are stored in {X.dtype}, so they are rounded, and a rank that is full"
                " only by a singular value below 1e-7 of the largest may be full by rounding"
            )

        def where(node: int, feature: int) -> str:
            name, k = titles[feature]
            number = "" if k is None else f", feature {k}"
            return f"{table.cell(int(rows[node]), name)}{number} (node {node})"

        return X[rows], where, single

    def labels(
        self, nodes: Nodes, label: tuple[Table, str] | None
    ) -> tuple[np.ndarray, list[str]]:
        """(n,) classes or targets, and the names of the classes."""
        if self.options.get("task") == "none":
            self.notes.append("labels: none, as requested")
            return np.zeros(nodes.n), []
        if label is None:
            table = (self.files.candidates("labels", "nodes", "graph") or [self.files.edges])[0]
            raise UserError(
                f"{table.path} has no labels under a usual name (it has: {table.listed()}); give"
                " their name (--labels NAME), add a file with labels, or check without labels"
                " (--no-labels)"
            )
        table, name = label
        rows = rows_of(table, nodes, self.options.get("ids"))
        values = np.asarray(table.use(name))
        if values.shape[:1] != (len(table.frame),):
            raise UserError(f"{table.path}, {table.called(name)}: {len(values)} labels, but {nodes.n} nodes")
        absent = None if values.dtype == object else np.nan
        if (rows < 0).any():
            values = np.where(rows >= 0, values[rows], absent)
        else:
            values = values[rows]

        def where(node: int) -> str:
            return f"{table.cell(int(rows[node]), name)} (node {node})"

        y, classes, notes = encoded(values, where, self.options.get("task"), str(table.path))
        counts = np.bincount(y[y >= 0]) if classes else []
        held = [f"{c}: {k} nodes" for c, k in zip(classes, counts, strict=True)]
        self.notes.append(
            f"labels: {table.called(name)} of {self.files.role(table)}"
            + (f" ({_few(held)})" if held else ", real targets")
        )
        self.notes += [f"labels: {note}" for note in notes]
        return y, classes

    def split(
        self, nodes: Nodes, y: np.ndarray, default: Any
    ) -> tuple[dict[str, np.ndarray], str]:
        """Ascending ids of train, val and test, and the origin of the split in words.

        Raises:
            UserError: if there is no training node, no split, or two splits.
        """
        tables = self.files.candidates("split", "nodes", "graph", "features", "labels")
        alone, drawn = "split" in self.files.tables, self.options.get("split")
        for table in tables if self.options.get("task") != "none" else []:
            if names := find_split(table, alone):
                if drawn is not None:
                    raise UserError(f"{table.path} already has a split; remove the option `split`")
                listed = key_of(table, lambda _: True, None) is None and len(table.frame) != nodes.n
                rows = None if listed else rows_of(table, nodes, self.options.get("ids"))
                masks, notes = given_parts(table, names, rows, nodes, self.options.get("split_index", 0))
                parts = {part: np.flatnonzero(mask) for part, mask in masks.items()}
                if not parts["train"].size:
                    raise UserError(f"{table.path}: there are no training nodes in the split")
                sizes = ", ".join(f"{len(ids)} {part}" for part, ids in parts.items())
                self.notes.append(f"split: {_few(names)} of {self.files.role(table)}: {sizes}")
                self.notes += [f"split: {note}" for note in notes]
                return parts, "as given"
        if drawn is None and default is None:
            raise UserError(
                f"{self.files.edges.path}: there are no training nodes; add a file with the split,"
                " or set the option `split` to all or to {train: 20, val: 30, seed: 0}"
            )
        return drawn_parts(y, drawn or default)

    def describe_nodes(self, nodes: Nodes, ends: tuple[np.ndarray, np.ndarray]) -> None:
        """Note the columns of the edges and the order of the nodes."""
        edges, n = self.files.edges, nodes.n
        pair = "" if edges.by_row else f" in {' and '.join(map(edges.called, edges.ends or ()))}"
        self.notes.append(f"edges: {len(ends[0])}{pair}")
        self.notes.append(f"nodes: {n}, in the order of {nodes.origin}")
        smallest = min(end.min() for end in ends)
        if nodes.ids is None and not nodes.first and smallest == 1:
            self.notes.append(
                "node 0 is in no edge, and the smallest id is 1: if ids start at 1, say --first-id 1"
            )

    def describe_ends(
        self, nodes: Nodes, X: Any, titles: list[str], classes: list[str], y: np.ndarray
    ) -> None:
        """Note the first and the last node with its features and label."""
        for word, node in (("first", 0), ("last", nodes.n - 1)):
            row = X[[node]].toarray()[0] if sparse.issparse(X) else X[node]
            values = [f"{v:g}" for v in row[:MOST]] + ["..."] * (len(row) > MOST)
            label = f", label {classes[y[node]]}" if classes and y[node] >= 0 else ""
            name = nodes.names[node] if nodes.names else node
            self.notes.append(f"{word} node {name}: features {' '.join(values)}{label}")


def _few(names: list[str]) -> str:
    """The names, the middle ones left out where they are many."""
    if len(names) <= MOST:
        return ", ".join(names)
    return f"{', '.join(names[: MOST - 1])}, ..., {names[-1]} ({len(names)} in all)"
