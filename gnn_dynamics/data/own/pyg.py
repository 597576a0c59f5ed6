"""A PyTorch Geometric `Data` in a file of torch.save, read without PyTorch Geometric.

torch.load(weights_only=True) builds tensors, containers and the classes on its list of safe names.
While a user's file is read, that list contains only the four names in a pickled `Data`, and each
of them is replaced by an inert record of attributes: a file cannot run code.
"""

import contextlib
import pickle
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gnn_dynamics.data.own.arrays import graph_from_arrays
from gnn_dynamics.data.own.raw_graph import RawGraph
from gnn_dynamics.errors import UserError


class _Record:
    """A record of the pickled attributes of an object."""


STAND_INS = {
    name: type(name.rsplit(".", 1)[-1], (_Record,), {})
    for name in (
        "torch_geometric.data.data.Data",
        "torch_geometric.data.data.DataEdgeAttr",
        "torch_geometric.data.data.DataTensorAttr",
        "torch_geometric.data.storage.GlobalStorage",
    )
}
REMEDY = "save its plain tensors instead: torch.save(data.to_dict(), 'graph.pt')"


def read_torch_graph(path: Path, label_name: str | None) -> RawGraph:
    """A `Data`, the dictionary data.to_dict(), or the data.pt of a data set with one graph.

    Raises:
        UserError: if the file is damaged, or needs a class other than the four; the message names
            the class.
    """
    return graph_from_arrays(_arrays(path, _load(path)), path, label_name)


def _load(path: Path) -> Any:
    import torch

    try:
        with _only_stand_ins(), warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # about a newer protocol; a relevant one is an error below
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(f"{path} {_refusal(str(error))}; {REMEDY}") from error
    except Exception as error:  # a damaged file can raise anything
        raise UserError(f"{path} is not a complete file of torch.save ({error})") from error


@contextlib.contextmanager
def _only_stand_ins() -> Iterator[None]:
    """Within this context, torch's list of safe classes contains the four names and no other."""
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


def _arrays(path: Path, content: Any) -> dict[str, np.ndarray]:
    """The tensors of the single graph in `content`, by name, as arrays."""
    if isinstance(content, tuple) and len(content) >= 2:
        content = _single(path, *content[:2])
    if isinstance(content, _Record):
        storage = vars(content).get("_store")
        content = vars(storage).get("_mapping") if isinstance(storage, _Record) else None
    if not isinstance(content, Mapping):
        raise UserError(f"{path} contains no graph; {REMEDY}")
    return {str(name): _array(value) for name, value in content.items()}


def _single(path: Path, data: Any, slices: Any) -> Any:
    """The graph of an in-memory data set, stored as (data, slices); slices separate its graphs."""
    if slices:
        raise UserError(
            f"{path} contains several graphs; save one: torch.save(data.to_dict(), ...)"
        )
    return data


def _array(value: Any) -> Any:
    import torch

    if not isinstance(value, torch.Tensor):
        return np.asarray(value if isinstance(value, int | float | bool) else str(value))
    dense = value.to_dense() if value.layout is not torch.strided else value
    return dense.resolve_conj().detach().numpy()
