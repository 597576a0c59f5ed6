"""A user's graph as named arrays: one .npz file, or the tensors of a PyTorch Geometric file."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from gnn_dynamics.data.own.edges import edges_from_index, edges_from_matrix
from gnn_dynamics.data.own.raw_graph import (
    LABEL_NAMES,
    PARTS,
    Edges,
    Features,
    Labels,
    Pieces,
    as_features,
    one_column,
    place_of,
)
from gnn_dynamics.errors import UserError

EDGE_NAMES = ("edge_index", "edges")
MATRIX_NAMES = ("adjacency", "adj")
FEATURE_NAMES = ("x", "features", "node_features")
WEIGHT_NAMES = ("edge_weight", "weights")
# What numpy raises on a damaged file; MemoryError where its head claims a size beyond all memory.
DAMAGED = (OSError, ValueError, EOFError, AttributeError, MemoryError, zipfile.BadZipFile)


def open_npz(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a .npz file.

    Raises:
        UserError: if it is damaged or holds objects, which could run code.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (
        OSError,
        ValueError,
        EOFError,
        AttributeError,
        MemoryError,
        zipfile.BadZipFile,
    ) as error:
        raise UserError(
            f"{path} is not a file of numpy.savez or scipy.sparse.save_npz without objects"
        ) from error


def is_sparse(arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether the arrays are those of scipy.sparse.save_npz."""
    return {"format", "shape", "data"} <= set(arrays)


def read_sparse(path: Path) -> sparse.csr_array:
    """The matrix that scipy.sparse.save_npz wrote.

    Raises:
        UserError: if its indices do not fit its shape.
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
        UserError: if none of these is in it.
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
    """The first of the `names` that is there, with its array.

    Raises:
        UserError: if none is, listing those that are.
    """
    for name in names:
        if name in arrays:
            return name, arrays[name]
    raise UserError(
        f"{path} has none of the arrays {', '.join(names)} (it has: {', '.join(arrays)})"
    )


def read_npz_graph(path: Path, label_name: str | None) -> Pieces:
    """A .npz as graph: scipy's adjacency, or arrays edge_index or adjacency, x, y, train_mask, ...

    Raises:
        UserError: if the edges cannot be found in it.
    """
    arrays = open_npz(path)
    if is_sparse(arrays):
        return Pieces(edges_from_matrix(read_sparse(path), str(path)))
    return pieces_of(arrays, path, label_name)


def pieces_of(arrays: Mapping[str, Any], path: Path, label_name: str | None) -> Pieces:
    """Pieces from arrays with PyTorch Geometric's names; what has another name is unused.

    Raises:
        UserError: if the edges, or labels of the name asked for, are not there.
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
    return Pieces(
        edges,
        features=as_features(X[1], X[0]) if X else None,
        labels=Labels(one_column(y[1], y[0]), place_of(y[0], "node")) if y else None,
        parts=parts or None,
        unused=[f"array {name}" for name in arrays if name not in used | {"num_nodes"}],
    )


def _edges(arrays: Mapping[str, Any], take) -> Edges:
    if arrays.keys() & set(MATRIX_NAMES):
        what, matrix = take(MATRIX_NAMES)
        return edges_from_matrix(matrix, what)
    what, index = take((*EDGE_NAMES, *MATRIX_NAMES))
    weights = one_column(*take(WEIGHT_NAMES)[::-1]) if arrays.keys() & set(WEIGHT_NAMES) else None
    return edges_from_index(index, what, weights)


def masks(arrays: Mapping[str, Any], what: str) -> dict[str, np.ndarray]:
    """Parts of a split by the names train, val, test or train_mask, ...; {} where there is none.

    Raises:
        UserError: if a part has the wrong shape; `what` names the file.
    """
    found = {}
    for part in PARTS:
        for name in (part, f"{part}_mask"):
            if name in arrays:
                found[part] = one_column(arrays[name], f"{what}, array {name}")
                if name.endswith("_mask"):  # older files store masks as bytes
                    found[part] = found[part].astype(bool)
    return found
