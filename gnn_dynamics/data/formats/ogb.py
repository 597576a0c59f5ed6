"""Data sets of the Open Graph Benchmark (Hu et al. 2020, arXiv 2005.00687).

Metadata and categories come from the files of the ogb package, which is not imported: its import
starts a network thread, and its loaders ask questions on the terminal, cannot read their own cache
with a current torch, and treat a missing feature file as a graph without features.
"""

import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gnn_dynamics.artifacts.npz import DAMAGED, mapped_array
from gnn_dynamics.data.fetch.catalogue import ogb_metadata, package_folder
from gnn_dynamics.data.graph import UNLABELLED, Content
from gnn_dynamics.errors import UserError

SPLIT = {"train": "train.csv.gz", "val": "valid.csv.gz", "test": "test.csv.gz"}


def read_ogb(entry: Mapping[str, Any], folder: Path) -> Content:
    """A node-level graph, or the disjoint union of all graphs of a graph-level data set.

    `options.features` selects the node features: `numbers`, the stored values; `atom-codes`, the
    stored codes, one-hot encoded with the categories of OGB's AtomEncoder; `edge-means`, the mean
    of the features of a node's edges, as in OGB's examples for ogbn-proteins.
    `options.label_column` selects one of several binary tasks.

    Raises:
        UserError: if the kind of task, or of features, is not supported, or data.npz is damaged.
    """
    options = entry["options"]
    meta = ogb_metadata(options["name"])
    classes = _classes(meta, options)
    arrays = (_arrays if meta["binary"] == "True" else _tables)(folder / "raw", options)
    y = arrays["labels"].astype(np.float64)[:, options.get("label_column", 0)]
    parts = {part: _table(folder / "split" / meta["split"] / file) for part, file in SPLIT.items()}
    facts = {"split": f"official: {meta['split']}", "node_features": options["features"]}
    if "label_column" in options:
        facts["label"] = f"task {options['label_column']} of {meta['num tasks']}"
    labels = y if classes == 1 else np.where(np.isfinite(y), y, UNLABELLED).astype(np.int64)
    return Content(
        **arrays | {"labels": labels},
        parts={part: np.sort(ids[:, 0]) for part, ids in parts.items()},
        facts=facts,
        classes=classes,
    )


def _tables(raw: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Edges, X, labels (n or graphs, tasks) and graph_index from the tables of small data sets."""
    sizes, lengths = (_table(raw / f"num-{kind}-list.csv.gz")[:, 0] for kind in ("node", "edge"))
    # The node ids of a graph follow those of the graph before.
    source, target = _table(raw / "edge.csv.gz").T + np.repeat(sizes.cumsum() - sizes, lengths)
    pooled = (raw / "graph-label.csv.gz").exists()
    return {
        "edges": (source, target),
        "X": _features(raw, options, np.concatenate([source, target]), int(sizes.sum())),
        "labels": _table(raw / f"{'graph' if pooled else 'node'}-label.csv.gz"),
        "graph_index": np.repeat(np.arange(len(sizes)), sizes) if pooled else None,
    }


def _arrays(raw: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """The same of one large graph from its .npz files; edges and X stay there."""
    data, labels = raw / "data.npz", raw / "node-label.npz"
    try:
        source, target = mapped_array(data, "edge_index")
        X = mapped_array(data, "node_feat")
        with np.load(labels, allow_pickle=False) as file:
            y = file["node_label"]
    except DAMAGED as error:
        raise UserError(f"{data} and {labels} are not files of OGB ({error})") from error
    if options["features"] != "numbers" or not np.issubdtype(X.dtype, np.floating):
        raise UserError(
            f"dataset {options['name']}: its features are {X.dtype} numbers; of data.npz, only real"
            " numbers are supported, with features: numbers"
        )
    return {"edges": (source, target), "X": X, "labels": y}


def _table(path: Path) -> np.ndarray:
    return pd.read_csv(path, header=None).to_numpy()


def _classes(meta: Mapping[str, str], options: Mapping[str, Any]) -> int:
    """Number of classes; 1 for regression."""
    name, kind = options["name"], meta["task type"]
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


def _features(
    raw: Path, options: Mapping[str, Any], ends: np.ndarray, n: int
) -> np.ndarray | sparse.csr_array:
    """X (n, m_x) of edges with the `ends` (2 edges,); real numbers are float32, as in OGB."""
    name, choice = options["name"], options["features"]
    path = raw / ("edge-feat.csv.gz" if choice == "edge-means" else "node-feat.csv.gz")
    if not path.exists():
        raise UserError(f"dataset {name} has no {path.name}, which features: {choice} needs")
    values = _table(path)
    if choice == "atom-codes":
        module = runpy.run_path(str(package_folder("ogb") / "utils" / "features.py"))
        return one_hot(values, module["get_atom_feature_dims"]())
    if choice == "numbers" and np.issubdtype(values.dtype, np.integer):
        raise UserError(
            f"dataset {name}: its features are category codes; set features: atom-codes"
        )
    values = values.astype(np.float32)
    if choice == "numbers":
        return values
    degree = np.maximum(np.bincount(ends, minlength=n), 1)
    sums = [np.bincount(ends, np.tile(column, 2), minlength=n) for column in values.T]
    return np.stack(sums, axis=1) / degree[:, None]


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
