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

from gnn_dynamics.data.graph import UNLABELLED, Content
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


def read_planetoid(entry: Mapping[str, Any], folder: Path) -> Content:
    """Assemble the files by one formula, which needs no special case for CiteSeer.

    n = len(graph); X[:len(allx)] = allx, X[test.index] = tx, and the labels likewise. The first
    len(y) nodes are for training, the next 500 for validation. The rows of tx are in the order of
    test.index. Nodes in neither (15 in CiteSeer) keep zero features and the label -1.

    Raises:
        UserError: if a file is not of the expected kind.
    """
    stem = entry["options"]["stem"]
    names = ("graph", "y", "ally", "ty", "allx", "tx")
    contents = [read_pickle(folder / f"{stem}.{name}") for name in names]
    neighbours, y, ally, ty, allx, tx = contents
    test = np.loadtxt(folder / f"{stem}.test.index", dtype=np.int64, ndmin=1)
    n, known = len(neighbours), len(ally)
    rows, stacked = np.concatenate([np.arange(known), test]), sparse.vstack([allx, tx]).tocoo()
    entries = (stacked.data, (rows[stacked.coords[0]], stacked.coords[1]))
    one_hot = np.concatenate([ally, ty])
    labels = np.full(n, UNLABELLED, dtype=np.int64)
    # argmax alone would return 0 for a row of zeros.
    labels[rows] = np.where(one_hot.any(axis=1), one_hot.argmax(axis=1), UNLABELLED)
    source = np.repeat(list(neighbours), [len(row) for row in neighbours.values()])
    target = np.fromiter(chain(*neighbours.values()), dtype=np.int64)
    val = np.arange(len(y), min(len(y) + VALIDATION, known))
    return Content(
        edges=(source, target),
        X=sparse.coo_array(entries, shape=(n, allx.shape[1])),
        labels=labels,
        parts={"train": np.arange(len(y)), "val": val, "test": np.sort(test)},
        facts={"split": "public split of Planetoid"},
        classes=ally.shape[1],
    )
