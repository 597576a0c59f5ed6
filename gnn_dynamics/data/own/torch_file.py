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

from gnn_dynamics.data.own.stored import Arrays
from gnn_dynamics.errors import UserError


class _Record:
    """The pickled arguments and attributes of an object."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(state if isinstance(state, dict) else {"state": state})


def _dictionary(*_: Any) -> dict[Any, Any]:
    return {}


GEOMETRIC = {
    name: type(name.rsplit(".", 1)[-1], (_Record,), {})
    for name in (
        "torch_geometric.data.data.Data",
        "torch_geometric.data.data.DataEdgeAttr",
        "torch_geometric.data.data.DataTensorAttr",
        "torch_geometric.data.storage.AttrType",
        "torch_geometric.data.storage.GlobalStorage",
        "torch_sparse.storage.SparseStorage",
        "torch_sparse.tensor.SparseTensor",
    )
}
NUMPY = {
    name: type(name.rsplit(".", 1)[-1], (_Record,), {})
    for name in (
        *(f"numpy.{core}.multiarray.{f}" for core in ("_core", "core") for f in ("_reconstruct",)),
        *(f"numpy.{core}.multiarray.{f}" for core in ("_core", "core") for f in ("scalar",)),
        *("numpy.ndarray", "numpy.dtype", "_codecs.encode", "__builtin__.set", "builtins.set"),
    )
}
STAND_INS = GEOMETRIC | NUMPY | {"collections.defaultdict": _dictionary}
REMEDY = "save its plain tensors instead: torch.save(data.to_dict(), 'graph.pt')"


def read_torch(path: Path) -> Arrays:
    """The tensors of the single graph in a file, by name, as arrays or sparse matrices.

    A `Data` of PyG 1 or 2, data.to_dict(), [data], (data, slices) of one graph, or one tensor,
    whose name is then empty.

    Raises:
        UserError: if the file is damaged, or needs a class that is not loaded; the message names
            the class.
    """
    content = _graph_in(path, _load(path))
    if _is_tensor(content):
        content = {"": content}
    if not isinstance(content, Mapping):
        kind = type(content).__name__
        raise UserError(f"{path} contains no graph but an object of type {kind}; {REMEDY}")
    return {str(name): _array(f"{path}, {name}", value) for name, value in content.items()}


def _load(path: Path) -> Any:
    import torch

    try:
        with _only_stand_ins(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a newer protocol; a relevant one is an error
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(f"{path} {_refusal(str(error))}; {REMEDY}") from error
    except Exception as error:  # a damaged file can raise anything
        line = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"{path} is not a complete file of torch.save ({line})") from error


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


def _is_tensor(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def _graph_in(path: Path, content: Any) -> Any:
    """The one graph, as a mapping of names, in lists, (data, slices) and records.

    Raises:
        UserError: if there are several graphs, or a tuple of tensors without names.
    """
    several = UserError(
        f"{path} contains several graphs; save one: torch.save(data.to_dict(), ...)"
    )
    if isinstance(content, list | tuple) and content and any(map(_is_tensor, content)):
        raise UserError(
            f"{path} contains a {type(content).__name__} of tensors without names; save a"
            " dictionary: torch.save({'edge_index': ..., 'x': ..., 'y': ...}, 'graph.pt')"
        )
    if isinstance(content, tuple) and len(content) >= 2:
        slices = content[1] if isinstance(content[1], Mapping) else {}
        if any(len(ends) > 2 for ends in slices.values() if hasattr(ends, "__len__")):
            raise several
        content = content[0]
    if isinstance(content, list):
        if len(content) != 1:
            raise several
        content = content[0]
    if isinstance(content, _Record):
        content = vars(content).get("_store", content)
        content = vars(content) if isinstance(content, _Record) else content
        content = content.get("_mapping", content) if isinstance(content, Mapping) else content
    return content


def _array(origin: str, value: Any) -> Any:
    """A tensor as an array or a sparse matrix; numbers and text as they are.

    Raises:
        UserError: if the value is a sparse tensor that is damaged.
    """
    import torch

    if isinstance(value, _Record) and "storage" in vars(value):  # torch_sparse.SparseTensor
        value = _sparse_tensor(vars(vars(value)["storage"]))
    if isinstance(value, list) and all(isinstance(x, int | float) for x in value):
        return np.array(value)
    if not isinstance(value, torch.Tensor):
        plain = isinstance(value, int | float | bool | str)
        return np.asarray(value if plain else type(value).__name__)
    try:
        if value.layout is torch.strided:
            value = value.float() if value.dtype in (torch.bfloat16, torch.float16) else value
            return value.resolve_conj().resolve_neg().detach().numpy()
        entries = value.detach().to_sparse_coo().coalesce()
        ends, data = entries.indices().numpy(), entries.values()
        return sparse.coo_array((data.double().numpy(), tuple(ends)), shape=tuple(value.shape))
    except (RuntimeError, TypeError, ValueError) as error:
        line = str(error).splitlines()[0]
        raise UserError(f"{origin} is no tensor that can be read ({line})") from error


def _sparse_tensor(storage: Mapping[str, Any]) -> Any:
    """The torch tensor of what torch_sparse stores."""
    import torch

    col, value = storage["_col"], storage.get("_value")
    row, pointers = storage.get("_row"), storage.get("_rowptr")
    if row is None:
        row = torch.repeat_interleave(torch.arange(len(pointers) - 1), pointers.diff())
    ones = torch.ones(len(col)) if value is None else value
    return torch.sparse_coo_tensor(torch.stack([row, col]), ones, storage["_sparse_sizes"])
