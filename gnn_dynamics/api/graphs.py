"""Graphs from the catalogue, from files or from arrays, and the paper's matrices of a graph."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gnn_dynamics.api.project import check_settings, config_file
from gnn_dynamics.config.choices import suggest
from gnn_dynamics.data.checks import checked
from gnn_dynamics.data.fetch.catalogue import load_catalogue
from gnn_dynamics.data.fetch.download import fetch_dataset
from gnn_dynamics.data.graph import Content, Graph, graph_of, load_graph
from gnn_dynamics.data.own.files import check_files
from gnn_dynamics.data.own.memory import GB, available_memory, check_memory
from gnn_dynamics.data.own.read import read_own
from gnn_dynamics.data.readers import read_dataset
from gnn_dynamics.data.splits import split_all
from gnn_dynamics.errors import UserError
from gnn_dynamics.problem import problem
from gnn_dynamics.problem.aggregations import AGGREGATIONS
from gnn_dynamics.problem.features import FEATURES
from gnn_dynamics.problem.problem import Problem

IN_PLACE = ("embedded", "own")  # readers of files that nobody fetches


def load_dataset(name: str, folder: str | Path = "data/raw", mirror: str | None = None) -> Graph:
    """A data set of config/datasets.yaml, with its default split.

    Args:
        name: such as "wine", "cora" or "ogbn-arxiv".
        folder: official files are fetched to `folder/name`, once, and compared with their SHA-256.
            Embedded data sets need none.
        mirror: folder or address to fetch from; the variable GNN_DYNAMICS_MIRROR overrides it.

    Raises:
        UserError: for an unknown name, or a file that cannot be fetched or is damaged.

    Source: docs/data.md has the reference of each data set.

    Examples:
        >>> wine = load_dataset("wine")
        >>> wine.features.shape, wine.classes, len(wine.train)
        ((178, 13), 3, 10)
    """
    catalogue = load_catalogue(config_file("datasets.yaml"))
    if name not in catalogue:
        raise UserError(f"there is no dataset {name!r}{suggest(name, sorted(catalogue))}")
    entry = catalogue[name]
    if entry["reader"] in IN_PLACE:
        return read_dataset(name, entry, None)
    fetch_dataset(entry, Path(folder, name), mirror)
    return read_dataset(name, entry, Path(folder, name))


def read_graph(
    files: str | Path | Mapping[str, str | Path],
    options: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    memory_gb: float | None = None,
    ignore_split: bool = False,
) -> Graph:
    r"""Your own graph, or a prepared graph of the workflow (`data/prepared/*.npz`).

    Args:
        files: one path, or paths by role: graph, nodes, features, labels, split, ids. Formats:
            CSV, Parquet, NumPy, PyTorch, GraphML and others, see docs/own-graphs.md.
        options: how to read them, `options` of an entry with `reader: own`. Without a split in the
            files or here, every labelled node trains.
        name: of the graph; default: that of its file.
        memory_gb: limit in 10^9 bytes; default: what is free.
        ignore_split: whether a split in the files is not read.

    Raises:
        UserError: naming the file, and the line or node, that cannot be read, or the wrong option.

    Examples:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     edges, nodes = Path(folder, "edges.csv"), Path(folder, "nodes.csv")
        ...     _ = edges.write_text("source,target\na,b\nb,c\n")
        ...     _ = nodes.write_text("id,x1,x2,label\na,1,0,red\nb,0,1,blue\nc,1,1,red\n")
        ...     graph = read_graph({"graph": edges, "nodes": nodes}, name="path")
        >>> graph.n, graph.features.shape, graph.labels.tolist()
        (3, (3, 2), [1, 0, 1])
    """
    paths = check_files(files if isinstance(files, Mapping) else {"graph": files})
    options = options or {}
    check_settings("read_graph", options, "datasets.schema.yaml", "own/properties/options")
    memory = available_memory() if memory_gb is None else memory_gb * GB
    return read_paths(paths, options, name or name_of(paths), memory, ignore_split)


def read_paths(
    paths: Mapping[str, Path],
    options: Mapping[str, Any],
    name: str,
    memory: float,
    ignore_split: bool,
) -> Graph:
    """`read_graph` of files that exist, with checked options and a limit in bytes."""
    check_memory(paths.values(), memory)
    if len(paths) == 1 and is_prepared(paths["graph"]):
        return load_graph(paths["graph"])
    entry = {"reader": "own", "files": paths, "options": options}
    return checked(read_own(name, entry, memory, split="all", ignore_split=ignore_split))


def is_prepared(path: Path) -> bool:
    """Whether a file is a prepared graph of the workflow, by its member `about`."""
    return zipfile.is_zipfile(path) and "about.npy" in zipfile.ZipFile(path).namelist()


def name_of(paths: Mapping[str, Path]) -> str:
    """The name of a graph after its file."""
    return paths["graph"].name.partition(".")[0]


def make_graph(
    edges: Any,
    features: Any,
    labels: Any,
    train: Any = None,
    val: Any = (),
    test: Any = (),
    *,
    name: str = "graph",
) -> Graph:
    """A graph from arrays, such as those of PyTorch Geometric.

    Directions, loops and repeated edges are dropped; `facts` counts them.

    Args:
        edges: (2, edges) node ids from 0, each edge in one direction or both.
        features: (n, m_x) dense or SciPy sparse. Rows are nodes.
        labels: (n,) integers are classes, -1 where unknown; reals are targets of a regression.
        train: ids, or a mask (n,), of the nodes that train. Default: every labelled node.
        val: the same of the nodes for validation.
        test: the same of the nodes for the test.
        name: fills the column `dataset` of tables.

    Raises:
        UserError: if shapes, ids, labels or parts do not fit together.

    Examples:
        >>> features = [[1, 0], [0, 1], [1, 1], [2, 0]]
        >>> graph = make_graph([[0, 1, 2], [1, 2, 3]], features, [0, 1, 1, 0])
        >>> graph.n, graph.classes, graph.train.tolist()
        (4, 2, [0, 1, 2, 3])
    """
    ends, y = np.asarray(edges), np.asarray(labels)
    if ends.ndim != 2 or len(ends) != 2:
        raise UserError(f"edges: the shape must be (2, edges), not {ends.shape}")
    parts = {"train": train, "val": val, "test": test}
    ids = {part: _ids(given) for part, given in parts.items() if given is not None}
    X = features if hasattr(features, "tocsr") else np.asarray(features, dtype=np.float64)
    facts = {"source_url": None, "sha256": None}
    y = y.astype(np.float64 if y.dtype.kind == "f" else np.int64)
    return checked(graph_of(name, Content((ends[0], ends[1]), X, y, split_all(y) | ids, facts)))


def _ids(part: Any) -> np.ndarray:
    """Ascending ids of a list of ids or a mask."""
    given = np.asarray(part)
    return np.flatnonzero(given) if given.dtype == bool else np.sort(given.astype(np.int64))


def build_problem(
    graph: Graph, aggregation: str = "gcn", features: str = "raw", nodes: str = "train"
) -> Problem:
    """The paper's matrices: S (n, n), X^T (n, m_x) and R (n, nbar), with nbar labels.

    Args:
        graph: of any of the functions above.
        aggregation: gcn D^-1/2 (A+I) D^-1/2, gin A+I, rw (A+I) D^-1, or an own `file.py:function`.
        features: raw; row (absolute values of each row sum to 1); standard (mean 0, variance 1);
            pca-<r> (r principal components); or an own `file.py:function` (docs/extend.md).
        nodes: the set I: train, all (every labelled node), or train-<k> (of official split k).

    Raises:
        UserError: for an unknown name, an own function that does not fit, or an empty set I.

    Source: Xu et al. 2021, arXiv 2105.04550, section 2.

    Examples:
        >>> problem = build_problem(load_dataset("wine"), features="standard", nodes="all")
        >>> problem.S.shape, problem.X.shape, problem.R.shape, problem.m_y
        ((178, 178), (178, 13), (178, 178), 3)
    """
    AGGREGATIONS.refresh(aggregation)
    FEATURES.refresh(features)
    return problem.build_problem(graph, aggregation, features, nodes)
