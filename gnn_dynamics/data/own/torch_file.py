"""Files of torch.save: a PyTorch Geometric `Data`, a dictionary of tensors, or one tensor.

torch.load(weights_only=True) builds tensors, containers and the classes on its list of safe names.
While a user's file is read, that list contains only the names below, and each of them is replaced
by an inert record of its arguments and attributes: a file cannot run code.
"""

import contextlib
import pickle
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from gnn_dynamics.data.own.formats import Arrays, line_of, sparse_rows
from gnn_dynamics.errors import UserError


class _Record:
    """The pickled attributes of an object."""

    def __init__(self, *arguments: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(state if isinstance(state, dict) else {})


def _dictionary(*_: Any) -> dict[Any, Any]:
    return {}


STAND_INS: dict[str, Any] = {
    name: type(name.rsplit(".", 1)[-1], (_Record,), {})
    for name in (
        *(f"torch_geometric.data.data.{name}" for name in ("Data", "DataEdgeAttr", "DataTensorAttr")),
        *(f"torch_geometric.data.storage.{name}" for name in ("AttrType", "GlobalStorage")),
        *("torch_sparse.tensor.SparseTensor", "torch_sparse.storage.SparseStorage"),
        *(f"numpy.{core}.multiarray._reconstruct" for core in ("core", "_core")),
        *(f"numpy.{core}.multiarray.scalar" for core in ("core", "_core")),
        *("numpy.ndarray", "numpy.dtype", "_codecs.encode", "__builtin__.set", "builtins.set"),
    )
} | {"collections.defaultdict": _dictionary}
REMEDY = "save its plain tensors instead: torch.save(data.to_dict(), 'graph.pt')"


def read_torch(path: Path) -> Arrays:
    """The tensors of the single graph in a file as arrays, or as sparse matrices.

    A `Data` of PyG 1 or 2, data.to_dict(), [data], (data, slices) of one graph, or one tensor.
    """
    import torch

    content = _graph_in(path, _load(path))
    if isinstance(content, torch.Tensor):
        content = {"": content}
    if not isinstance(content, Mapping):
        kind = type(content).__name__
        raise UserError(f"{path} contains no graph but an object of type {kind}; {REMEDY}")
    return {str(name): _array(path, value) for name, value in content.items()}


def _load(path: Path) -> Any:
    import torch

    try:
        with _only_stand_ins(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a newer protocol; a relevant one is an error
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(f"{path} {_refusal(str(error))}; {REMEDY}") from error
    except Exception as error:  # a damaged file can raise anything
        raise UserError(f"{path} is not a complete file of torch.save ({line_of(error)})") from error


@contextlib.contextmanager
def _only_stand_ins() -> Iterator[None]:
    """Within this context, torch's list of safe classes contains the stand-ins and no other."""
    from torch import serialization

    before = serialization.get_safe_globals()
    serialization.clear_safe_globals()
    try:
        with serialization.safe_globals([(record, name) for name, record in STAND_INS.items()]):
            yield
    finally:
        serialization.add_safe_globals(before)


def _refusal(message: str) -> str:
    """The reason of torch's refusal, with the class that its message names."""
    match = re.search(r"(?:GLOBAL|global|class|function)\s+`?([A-Za-z_][\w.]*\.\w+)", message)
    if match:
        return f"names {match[1]}, which is not loaded, because that could run code"
    if match := re.search(r"Unsupported operand (\d+)", message):
        return f"is a pickle of a newer protocol (opcode {match[1]}), which cannot be read"
    return "is not a file of plain tensors"


def _graph_in(path: Path, content: Any) -> Any:
    """The one graph in lists, (data, slices) and records, as a mapping of names."""
    import torch

    if isinstance(content, list | tuple) and any(isinstance(x, torch.Tensor) for x in content):
        raise UserError(
            f"{path} contains a {type(content).__name__} of tensors without names; save a"
            " dictionary: torch.save({'edge_index': ..., 'x': ..., 'y': ...}, 'graph.pt')"
        )
    slices = content[1] if isinstance(content, tuple) and len(content) > 1 else None
    ends = list(slices.values()) if isinstance(slices, Mapping) else []
    if any(len(part) > 2 for part in ends if isinstance(part, torch.Tensor)) or (isinstance(content, list) and len(content) > 1):
        raise UserError(f"{path} contains several graphs; save one: torch.save(data.to_dict(), ...)")
    content = content[0] if isinstance(content, list | tuple) and content else content
    for inner in ("_store", "_mapping"):  # PyG 2; the attributes of PyG 1 are the tensors
        content = vars(content) if isinstance(content, _Record) else content
        content = content.get(inner, content) if isinstance(content, Mapping) else content
    return content


def _array(path: Path, value: Any) -> Any:
    """A tensor as an array or a sparse matrix; of other values the number, or their type."""
    import torch

    if isinstance(value, _Record) and isinstance(vars(value).get("storage"), _Record):
        parts = vars(vars(value)["storage"])  # of torch_sparse
        row, col, weights = (parts.get(name) for name in ("_row", "_col", "_value"))
        csr = (np.ones(len(col)) if weights is None else weights.numpy(), col.numpy())
        if row is None:
            csr = (*csr, parts["_rowptr"].numpy())
        else:
            csr = (csr[0], (row.numpy(), csr[1]))
        return sparse_rows(path, lambda: sparse.csr_array(csr, shape=parts["_sparse_sizes"]))
    if isinstance(value, int | float) or not isinstance(value, torch.Tensor):
        return np.asarray(value if isinstance(value, int | float) else type(value).__name__)
    value = value.detach().resolve_conj().resolve_neg()
    if value.dtype in (torch.bfloat16, torch.float16):
        value = value.float()
    if value.layout is torch.strided:
        return value.numpy()

    def entries() -> Any:
        coo = value.to_sparse_coo().coalesce()
        return sparse.coo_array((coo.values().numpy(), tuple(coo.indices().numpy())), shape=coo.shape)

    return sparse_rows(path, entries)
