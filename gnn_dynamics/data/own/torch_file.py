"""Files of torch.save: a PyTorch Geometric `Data`, a dictionary of tensors, or one tensor.

torch.load(weights_only=True) builds tensors, containers and the classes on its list of safe names.
While a user's file is read, that list contains only the names below, and each of them is replaced
by an inert record of its attributes: a file cannot run code.
"""

import contextlib
import pickle
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import serialization

from gnn_dynamics.data.own.formats import Arrays, reading, sparse_rows
from gnn_dynamics.errors import UserError


class _Record:
    """The pickled attributes of an object."""

    def __init__(self, *arguments: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(state if isinstance(state, dict) else {})


GEOMETRIC: tuple[str, ...] = ("data.Data", "data.DataEdgeAttr", "data.DataTensorAttr")
GEOMETRIC += ("storage.AttrType", "storage.GlobalStorage")
MULTIARRAY = ("core.multiarray._reconstruct", "core.multiarray.scalar")
INERT = [
    *(f"torch_geometric.data.{name}" for name in GEOMETRIC),
    *(f"numpy.{mark}{name}" for name in MULTIARRAY for mark in ("", "_")),
    *("numpy.ndarray", "numpy.dtype", "_codecs.encode", "__builtin__.set", "builtins.set"),
]
STAND_INS: dict[str, Any] = {name: type(name.split(".")[-1], (_Record,), {}) for name in INERT}
STAND_INS["collections.defaultdict"] = lambda *_: {}
REMEDY = "save its plain tensors instead: torch.save(data.to_dict(), 'graph.pt')"


def read_torch(path: Path) -> Arrays:
    """The tensors of the single graph in a file as arrays, or as sparse matrices.

    A `Data` of PyG 1 or 2, data.to_dict(), [data], (data, slices) of one graph, or one tensor.
    """
    content = _graph_in(path, _load(path))
    if isinstance(content, torch.Tensor):
        content = {"": content}
    if not isinstance(content, Mapping):
        kind = type(content).__name__
        raise UserError(f"{path} contains no graph but an object of type {kind}; {REMEDY}")
    return {str(k): _array(path, value) for k, value in content.items() if value is not None}


def _load(path: Path) -> Any:
    with reading(path, "a complete file of torch.save"), _only_stand_ins():
        try:
            with warnings.catch_warnings(action="ignore"):  # about a newer protocol
                return torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise UserError(f"{path} {_refusal(str(error))}; {REMEDY}") from error


@contextlib.contextmanager
def _only_stand_ins() -> Iterator[None]:
    """Within this context, torch's list of safe classes contains the stand-ins and no other."""
    before = serialization.get_safe_globals()
    serialization.clear_safe_globals()
    try:
        with serialization.safe_globals([(record, name) for name, record in STAND_INS.items()]):
            yield
    finally:
        serialization.add_safe_globals(before)


def _refusal(message: str) -> str:
    """The reason of torch's refusal, with the class that its message names."""
    if match := re.search(r"(?:GLOBAL|class|function)\s+`?([A-Za-z_][\w.]*\.\w+)", message):
        return f"names {match[1]}, which is not loaded, because that could run code"
    newer = "Unsupported operand" in message
    return f"is {'a pickle of a newer protocol' if newer else 'not a file of plain tensors'}"


def _graph_in(path: Path, content: Any) -> Any:
    """The one graph in lists, (data, slices) and records, as a mapping of names."""
    several = isinstance(content, list | tuple)
    if several and any(isinstance(part, torch.Tensor) for part in content):
        raise UserError(
            f"{path} contains a {type(content).__name__} of tensors without names; save a"
            " dictionary: torch.save({'edge_index': ..., 'x': ..., 'y': ...}, 'graph.pt')"
        )
    slices = content[1] if isinstance(content, tuple) and len(content) > 1 else {}
    ends = slices.values() if isinstance(slices, Mapping) else ()
    graphs = len(content) if isinstance(content, list) else 1
    if graphs > 1 or any(len(end) > 2 for end in ends if isinstance(end, torch.Tensor)):
        raise UserError(f"{path} contains several graphs; save one: torch.save(data.to_dict(), ..)")
    content = content[0] if several and content else content
    for inner in ("_store", "_mapping"):  # of PyG 2; the attributes of PyG 1 are the tensors
        content = vars(content) if isinstance(content, _Record) else content
        content = content.get(inner, content) if isinstance(content, Mapping) else content
    return content


def _array(path: Path, value: Any) -> Any:
    """A tensor as an array or a sparse matrix; of other values the number, or their type."""
    if not isinstance(value, torch.Tensor):
        return np.asarray(value if isinstance(value, int | float) else type(value).__name__)
    value = value.detach().resolve_conj().resolve_neg()
    value = value.float() if value.dtype in (torch.bfloat16, torch.float16) else value
    return value.numpy() if value.layout is torch.strided else sparse_rows(path, _coo, value)


def _coo(value: torch.Tensor) -> sparse.coo_array:
    coo = value.to_sparse_coo().coalesce()
    return sparse.coo_array((coo.values().numpy(), tuple(coo.indices().numpy())), tuple(coo.shape))
