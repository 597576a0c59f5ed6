"""A user's graph as named arrays: a .npz file, or the tensors of a PyTorch Geometric file."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from gnn_dynamics.artifacts.npz import DAMAGED
from gnn_dynamics.data.own.edges import edges_from_index, edges_from_matrix
from gnn_dynamics.data.own.raw_graph import (
    LABEL_NAMES,
    PARTS,
    Edges,
    Features,
    Labels,
    RawGraph,
    as_features,
    one_column,
    where_in,
)
from gnn_dynamics.errors import UserError

EDGE_NAMES = ("edge_index", "edges")
MATRIX_NAMES = ("adjacency", "adj")
FEATURE_NAMES = ("x", "features", "node_features")
WEIGHT_NAMES = ("edge_weight", "weights")


def open_npz(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a .npz file.

    Raises:
        UserError: if it is damaged or contains objects, which could run code.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except DAMAGED as error:
        raise UserError(
            f"{path} is not a complete file of numpy.savez or scipy.sparse.save_npz without objects"
        ) from error


def is_sparse(arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether the arrays are those of scipy.sparse.save_npz."""
    return {"format", "shape", "data"} <= set(arrays)


def read_sparse(path: Path) -> sparse.csr_array:
    """The matrix in a file of scipy.sparse.save_npz.

    Raises:
        UserError: if an array is missing, or the indices exceed the shape.
    """
    try:
        matrix = sparse.csr_array(sparse.load_npz(path))
        matrix.check_format(full_check=True)
    except (ValueError, KeyError, NotImplementedError) as error:
        raise UserError(f"{path} is not a complete sparse matrix of scipy ({error})") from error
    return matrix


def matrix_in(path: Path) -> Features:
    """Features from a .npz: a scipy sparse matrix, the array `x`, or the only array.

    Raises:
        UserError: if it contains none of these.
    """
    arrays = open_npz(path)
    if is_sparse(arrays):
        return Features(read_sparse(path), lambda i, k: f"{path}, node {i}, feature {k}")
    only = tuple(arrays) if len(arrays) == 1 else ()
    name, X = named_array(arrays, (*FEATURE_NAMES, *only), path)
    return as_features(X, f"{path}, array {name}")


def named_array(
    arrays: Mapping[str, Any], names: Sequence[str], path: Path | str
) -> tuple[str, Any]:
    """The first of the `names` in `arrays`, with its array.

    Raises:
        UserError: if there is none; the message lists the arrays that exist.
    """
    for name in names:
        if name in arrays:
            return name, arrays[name]
    raise UserError(
        f"{path} has none of the arrays {', '.join(names)} (it has: {', '.join(arrays)})"
    )


def read_npz_graph(path: Path, label_name: str | None) -> RawGraph:
    """A .npz as graph: scipy's adjacency, or arrays edge_index or adjacency, x, y, train_mask, ...

    Raises:
        UserError: if it contains no edges under these names.
    """
    arrays = open_npz(path)
    if is_sparse(arrays):
        return RawGraph(edges_from_matrix(read_sparse(path), str(path)))
    return graph_from_arrays(arrays, path, label_name)


def graph_from_arrays(arrays: Mapping[str, Any], path: Path, label_name: str | None) -> RawGraph:
    """A graph from arrays with PyTorch Geometric's names; other arrays are unused.

    Raises:
        UserError: if there are no edges, or no labels under `label_name`.
    """
    used: set[str] = set()
    labels = (label_name,) if label_name else LABEL_NAMES

    def take(names: Sequence[str]) -> tuple[str, Any]:
        name, value = named_array(arrays, names, path)
        used.add(name)
        return f"{path}, array {name}", value

    edges = _edges(arrays, take)
    X = take(FEATURE_NAMES) if arrays.keys() & set(FEATURE_NAMES) else None
    y = take(labels) if label_name or arrays.keys() & set(labels) else None
    parts = masks(arrays, str(path))
    used |= {name for part in PARTS for name in (part, f"{part}_mask")}
    return RawGraph(
        edges,
        features=as_features(X[1], X[0]) if X else None,
        labels=Labels(one_column(y[1], y[0]), where_in(y[0], "node")) if y else None,
        parts=parts or None,
        unused=[f"array {name}" for name in arrays if name not in used | {"num_nodes"}],
    )


def _edges(arrays: Mapping[str, Any], take: Callable[[Sequence[str]], tuple[str, Any]]) -> Edges:
    if arrays.keys() & set(MATRIX_NAMES):
        origin, matrix = take(MATRIX_NAMES)
        return edges_from_matrix(matrix, origin)
    origin, index = take((*EDGE_NAMES, *MATRIX_NAMES))
    weights = one_column(*take(WEIGHT_NAMES)[::-1]) if arrays.keys() & set(WEIGHT_NAMES) else None
    return edges_from_index(index, origin, weights)


def masks(arrays: Mapping[str, Any], origin: str) -> dict[str, np.ndarray]:
    """Parts of a split by the names train, val, test or train_mask, ...; {} where there are none.

    Raises:
        UserError: if a part has the wrong shape. `origin` names the file.
    """
    parts = {}
    for part in PARTS:
        for name in (part, f"{part}_mask"):
            if name in arrays:
                parts[part] = one_column(arrays[name], f"{origin}, array {name}")
                if name.endswith("_mask"):  # older files store masks as bytes
                    parts[part] = parts[part].astype(bool)
    return parts
