"""Parquet, and arrays and matrices that numpy and scipy have written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import io, sparse

from gnn_dynamics.artifacts.npz import DAMAGED
from gnn_dynamics.data.own.table import Table, table_of
from gnn_dynamics.data.own.text import open_file
from gnn_dynamics.errors import UserError

PIECES = ("data", "indices", "indptr", "shape")
Arrays = dict[str, Any]


def read_parquet(path: Path) -> Table:
    """The columns; an index that pandas kept without a name is known by the file's metadata.

    Raises:
        UserError: if the file is damaged.
    """
    try:
        stored = pq.read_table(path, partitioning=None)
        lists = {
            name
            for name, kind in zip(stored.column_names, stored.schema.types, strict=True)
            if pa.types.is_nested(kind)
        }
        columns = {
            name: column.to_pylist() if name in lists else _column(column)
            for name, column in zip(stored.column_names, stored.columns, strict=True)
        }
        kept = (stored.schema.pandas_metadata or {}).get("index_columns", [])
    except (pa.ArrowException, OSError, ValueError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a complete Parquet file ({_line(error)})") from error
    index = tuple(name for name in kept if isinstance(name, str) and name.startswith("__index"))
    return table_of(path, columns, "row {}".format, index=index)


def _column(column: pa.ChunkedArray) -> Any:
    if pa.types.is_dictionary(column.type):  # a pandas category
        column = column.cast(column.type.value_type)
    return column.to_pandas()


def _line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def read_npy(path: Path) -> Arrays:
    """The array of a .npy file, under an empty name.

    Raises:
        UserError: if it is damaged or contains objects, which could run code.
    """
    try:
        return {"": np.load(path, allow_pickle=False)}
    except DAMAGED as error:  # a damaged header may give any size
        raise UserError(
            f"{path} is not an array of numbers or text of numpy.save; save text by"
            " array.astype(str)"
        ) from error


def read_npz(path: Path) -> Arrays:
    """The arrays of a .npz file; a matrix of scipy.sparse.save_npz has an empty name.

    Raises:
        UserError: if it is damaged, or contains objects, which could run code.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            names = file.files
            if {"format", "shape", "data"} <= set(names):
                return {"": _checked(path, sparse.load_npz(path))}
            arrays = {}
            for name in names:
                arrays[name] = file[name]
    except DAMAGED as error:
        kept = f"; array {name!r} needs array.astype(str)" if "allow_pickle" in str(error) else ""
        raise UserError(
            f"{path} is not a complete file of numpy.savez or scipy.sparse.save_npz without"
            f" objects{kept}"
        ) from error
    return _with_matrices(path, arrays)


def _with_matrices(path: Path, arrays: Mapping[str, np.ndarray]) -> Arrays:
    """The arrays, with a sparse matrix for the pieces that begin alike: adj_data, adj_indices."""
    result: Arrays = dict(arrays)
    for name in arrays:
        stem, mark = name.removesuffix("data"), name[-5:-4]
        pieces = [stem + piece for piece in PIECES]
        if name.endswith("data") and mark in ("_", ".") and set(pieces) <= set(arrays):
            data, indices, indptr, shape = (result.pop(piece) for piece in pieces)
            result[stem[:-1]] = _matrix(path, (data, indices, indptr), shape)
    return result


def _matrix(path: Path, csr: tuple[np.ndarray, ...], shape: np.ndarray) -> sparse.csr_array:
    try:
        return _checked(path, sparse.csr_array(csr, shape=tuple(shape.tolist())))
    except DAMAGED as error:
        raise UserError(f"{path} is not a complete sparse matrix of scipy ({error})") from error


def _checked(path: Path, matrix: Any) -> sparse.csr_array:
    """The matrix as CSR.

    Raises:
        UserError: if an array is missing, or the indices exceed the shape.
    """
    try:
        rows = sparse.csr_array(matrix)
        rows.check_format(full_check=True)
    except (*DAMAGED, NotImplementedError) as error:
        raise UserError(f"{path} is not a complete sparse matrix of scipy ({error})") from error
    return rows


def read_matrix_market(path: Path) -> Arrays:
    """A matrix in the format of Matrix Market, under an empty name.

    Raises:
        UserError: if the file is malformed.
    """
    try:
        with open_file(path) as file:
            matrix = io.mmread(file)
        return {"": _checked(path, matrix) if sparse.issparse(matrix) else matrix}
    except (*DAMAGED, OverflowError) as error:
        raise UserError(f"{path} is no file of Matrix Market ({_line(error)})") from error
