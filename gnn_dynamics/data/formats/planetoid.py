"""Cora, CiteSeer and PubMed in the original files of Planetoid (Yang, Cohen, Salakhutdinov 2016).

`ind.<name>.{x,tx,allx}` are pickled sparse features, `{y,ty,ally}` one-hot labels, `graph` lists of
neighbours, `test.index` text. The pickles are from Python 2 and need six globals. The unpickler
knows only these six, and the first of them becomes an inert record, so a file cannot run code.
"""

import pickle
from collections import defaultdict
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy._core.multiarray import _reconstruct
from scipy import sparse

from gnn_dynamics.data.fetch.checksums import facts_of_files
from gnn_dynamics.data.graph import UNLABELLED, Graph, clean_edges, node_features
from gnn_dynamics.errors import UserError

VALIDATION = 500  # nodes after the training set, as in the paper and in every library


class _Matrix:
    """A record of the pickled attributes of a scipy matrix."""


ALLOWED = {
    ("scipy.sparse.csr", "csr_matrix"): _Matrix,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("collections", "defaultdict"): defaultdict,
    ("__builtin__", "list"): list,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"refused: {module}.{name}")
        return ALLOWED[module, name]


def read_pickle(path: str | Path) -> Any:
    """A CSR array, an array of numbers, or the dictionary of neighbour lists.

    Raises:
        UserError: if the file is not such a pickle, or needs another global than the six; the
            message names it.
    """
    try:
        with Path(path).open("rb") as file:
            content = _Unpickler(file, encoding="latin1").load()
        if isinstance(content, _Matrix):
            return _csr(**vars(content))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except Exception as error:  # a damaged pickle can raise anything
        raise UserError(f"{path} is not a file of Planetoid ({error})") from error
    if isinstance(content, np.ndarray) and content.dtype.hasobject:
        raise UserError(f"{path} is not a file of Planetoid (an array of objects)")
    return content


def _csr(
    data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, _shape: Any, **_: Any
) -> sparse.csr_array:
    matrix = sparse.csr_array((data, indices, indptr), shape=tuple(map(int, _shape)))
    matrix.check_format(full_check=True)
    return matrix


def read_planetoid(name: str, entry: Mapping[str, Any], folder: str | Path) -> Graph:
    """Assemble the files by one formula, which needs no special case for CiteSeer.

    n = len(graph); X[:len(allx)] = allx, X[test.index] = tx, and the labels likewise. The first
    len(y) nodes are for training, the next 500 for validation. The rows of tx are in the order of
    test.index. Nodes in neither (15 in CiteSeer) keep zero features and the label -1.

    Raises:
        UserError: if a file is absent, damaged or not of the expected kind.
    """
    facts = facts_of_files(entry, folder)
    stem = entry["options"]["stem"]
    read = {part: read_pickle(Path(folder, f"{stem}.{part}")) for part in ("graph", "y", "ally")}
    read |= {part: read_pickle(Path(folder, f"{stem}.{part}")) for part in ("ty", "allx", "tx")}
    test = np.loadtxt(Path(folder, f"{stem}.test.index"), dtype=np.int64, ndmin=1)
    n, known = len(read["graph"]), len(read["ally"])
    adjacency, counts = clean_edges(n, *_entries(read["graph"]))
    labels = np.full(n, UNLABELLED, dtype=np.int64)
    labels[:known] = _classes(read["ally"])
    labels[test] = _classes(read["ty"])
    return Graph(
        name=name,
        adjacency=adjacency,
        features=_features(n, read["allx"], read["tx"], test),
        labels=labels,
        train=np.arange(len(read["y"])),
        val=np.arange(len(read["y"]), min(len(read["y"]) + VALIDATION, known)),
        test=np.sort(test),
        graph_index=None,
        task="classification",
        classes=read["ally"].shape[1],
        facts=facts | counts | {"split": "public split of Planetoid"},
    )


def _entries(neighbours: Mapping[int, list[int]]) -> tuple[np.ndarray, np.ndarray]:
    source = np.repeat(list(neighbours), [len(row) for row in neighbours.values()])
    return source, np.fromiter(chain(*neighbours.values()), dtype=np.int64)


def _classes(one_hot: np.ndarray) -> np.ndarray:
    """Class of each row; -1 for a row of zeros, for which argmax alone would return 0."""
    return np.where(one_hot.any(axis=1), one_hot.argmax(axis=1), UNLABELLED)


def _features(
    n: int, allx: sparse.csr_array, tx: sparse.csr_array, test: np.ndarray
) -> sparse.csr_array:
    first, last = allx.tocoo(), tx.tocoo()
    rows = np.concatenate([first.coords[0], test[last.coords[0]]])
    columns = np.concatenate([first.coords[1], last.coords[1]])
    values = np.concatenate([first.data, last.data])
    return node_features(sparse.coo_array((values, (rows, columns)), shape=(n, allx.shape[1])))
