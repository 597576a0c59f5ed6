"""Data sets of the Open Graph Benchmark (Hu et al. 2020, arXiv 2005.00687).

Metadata and the reader of raw files come from the ogb package. Its loaders are not used: they ask
questions on the terminal, cannot read their own cache with a current torch, and treat a missing
feature file as a graph without features.
"""

import contextlib
import io
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gnn_dynamics.data.fetch.catalogue import ogb_metadata
from gnn_dynamics.data.fetch.checksums import facts_of_files
from gnn_dynamics.data.graph import UNLABELLED, Graph, clean_edges, node_features
from gnn_dynamics.errors import UserError

NODE_LABELS, GRAPH_LABELS = "node-label.csv.gz", "graph-label.csv.gz"


def read_ogb(name: str, entry: Mapping[str, Any], folder: str | Path) -> Graph:
    """A node-level graph, or the union of all graphs of a graph-level data set.

    `options.features` selects the node features: `numbers`, the stored values; `atom-codes`, the
    stored codes, one-hot encoded with the categories of OGB's AtomEncoder; `edge-means`, the mean
    of the features of a node's edges, as in OGB's examples for ogbn-proteins.
    `options.label_column` selects one of several binary tasks.

    Raises:
        UserError: if a file is absent or damaged, or the kind of task is not supported.
    """
    facts = facts_of_files(entry, folder)
    raw, options = Path(folder, "raw"), entry["options"]
    meta = ogb_metadata(options["name"])
    classes = _classes(name, meta, options)
    graphs = read_raw(raw)
    sizes = [graph["num_nodes"] for graph in graphs]
    source, target = _union(graphs, sizes)
    adjacency, counts = clean_edges(sum(sizes), source, target)
    X = FEATURES[options["features"]](name, graphs, source, target)
    index = np.repeat(np.arange(len(sizes)), sizes) if (raw / GRAPH_LABELS).exists() else None
    return Graph(
        name=name,
        adjacency=adjacency,
        features=node_features(X),
        labels=_labels(raw, classes, options),
        **_split(Path(folder, "split", meta["split"])),
        graph_index=index,
        task="classification" if classes > 1 else "regression",
        classes=classes,
        facts=facts | counts | _choices(meta, options),
    )


def _classes(name: str, meta: Mapping[str, str], options: Mapping[str, Any]) -> int:
    """Number of classes; 1 for regression."""
    kind = meta["task type"]
    if "classification" not in kind and kind != "regression":
        raise UserError(
            f"dataset {name}: its task in OGB is {kind!r}; only classification and regression are"
            " supported"
        )
    if meta["num tasks"] != "1" and "label_column" not in options:
        raise UserError(
            f"dataset {name} has {meta['num tasks']} tasks; options.label_column in the catalogue"
            " must choose one of them"
        )
    return 1 if kind == "regression" else int(meta["num classes"])


@contextlib.contextmanager
def _quiet_ogb() -> Iterator[None]:
    """Within this context, importing ogb starts no network thread and its reader prints nothing.

    ogb works without the package `outdated`, which starts the thread; None in sys.modules makes
    its import fail.
    """
    before = {key: sys.modules[key] for key in ("outdated",) if key in sys.modules}
    sys.modules["outdated"] = None  # type: ignore[assignment]  # documented, but not typed
    silence = io.StringIO()
    try:
        with contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
            yield
    finally:
        del sys.modules["outdated"]
        sys.modules.update(before)


def read_raw(raw: Path) -> list[dict[str, Any]]:
    """The graphs in OGB's raw csv files, by ogb's reader.

    Inverse edges are not added here, because `clean_edges` makes every graph symmetric.
    """
    with _quiet_ogb():
        from ogb.io.read_graph_raw import read_csv_graph_raw

        return read_csv_graph_raw(str(raw), add_inverse_edge=False)


def _union(graphs: list[dict[str, Any]], sizes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Edges of the disjoint union: the node ids of a graph follow those of the graph before."""
    offsets = np.cumsum([0, *sizes[:-1]])
    lengths = [graph["edge_index"].shape[1] for graph in graphs]
    edges = np.concatenate([graph["edge_index"] for graph in graphs], axis=1)
    source, target = edges + np.repeat(offsets, lengths)
    return source, target


def _stack(name: str, graphs: list[dict[str, Any]], kind: str) -> np.ndarray:
    if any(graph[kind] is None for graph in graphs):
        raise UserError(f"dataset {name} has no {kind}")
    return np.concatenate([graph[kind] for graph in graphs])


def _numbers(name: str, graphs: list, _source: np.ndarray, _target: np.ndarray) -> np.ndarray:
    X = _stack(name, graphs, "node_feat")
    if np.issubdtype(X.dtype, np.integer):
        raise UserError(
            f"dataset {name}: its features are category codes; set features: atom-codes"
        )
    return X


def _atoms(name: str, graphs: list, _source: np.ndarray, _target: np.ndarray) -> sparse.csr_array:
    with _quiet_ogb():
        from ogb.utils.features import get_atom_feature_dims

    return one_hot(_stack(name, graphs, "node_feat"), get_atom_feature_dims())


def one_hot(codes: np.ndarray, categories: list[int]) -> sparse.csr_array:
    """One-hot features (n, sum of categories) of codes (n, c), with c ones in each row.

    Raises:
        UserError: if a code is not one of its categories, naming the node.
    """
    wrong = np.argwhere((codes < 0) | (codes >= np.array(categories)))
    if len(wrong):
        node, column = wrong[0]
        raise UserError(
            f"node {node}, feature {column}: code {codes[node, column]} is not one of the"
            f" {categories[column]} categories"
        )
    columns = codes + np.cumsum([0, *categories[:-1]])
    pointers = np.arange(0, codes.size + 1, codes.shape[1])
    values = (np.ones(codes.size), columns.ravel(), pointers)
    return sparse.csr_array(values, shape=(len(codes), sum(categories)))


def _edge_means(name: str, graphs: list, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    E = _stack(name, graphs, "edge_feat")  # (edges, features), each edge stored once
    n = sum(graph["num_nodes"] for graph in graphs)
    ends = np.concatenate([source, target])
    degree = np.maximum(np.bincount(ends, minlength=n), 1)
    sums = [np.bincount(ends, np.tile(column, 2), minlength=n) for column in E.T]
    return np.stack(sums, axis=1) / degree[:, None]


FEATURES = {"numbers": _numbers, "atom-codes": _atoms, "edge-means": _edge_means}


def _labels(raw: Path, classes: int, options: Mapping[str, Any]) -> np.ndarray:
    (path,) = [raw / name for name in (NODE_LABELS, GRAPH_LABELS) if (raw / name).exists()]
    y = pd.read_csv(path, header=None).to_numpy(np.float64)[:, options.get("label_column", 0)]
    return y if classes == 1 else np.where(np.isfinite(y), y, UNLABELLED).astype(np.int64)


def _choices(meta: Mapping[str, str], options: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of `Graph.facts`: the split, the kind of node features and the task."""
    facts = {"split": f"official: {meta['split']}", "node_features": options["features"]}
    if "label_column" in options:
        facts["label"] = f"task {options['label_column']} of {meta['num tasks']}"
    return facts


def _split(folder: Path) -> dict[str, np.ndarray]:
    files = {"train": "train.csv.gz", "val": "valid.csv.gz", "test": "test.csv.gz"}
    tables = {part: pd.read_csv(folder / file, header=None) for part, file in files.items()}
    return {part: np.sort(table[0].to_numpy(np.int64)) for part, table in tables.items()}
