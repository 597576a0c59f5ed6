"""The format of a file, by its suffix, and its reader."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from gnn_dynamics.data.own import formats
from gnn_dynamics.data.own.text import OPENERS, read_text
from gnn_dynamics.data.own.torch_file import read_torch

TEXT = (".csv", ".tsv", ".txt", ".edges", ".edgelist", ".cites", ".content")
KINDS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(TEXT, read_text),
    ".parquet": formats.read_parquet,
    ".npy": formats.read_npy,
    ".npz": formats.read_npz,
    ".mtx": formats.read_matrix_market,
    **dict.fromkeys((".pt", ".pth"), read_torch),
    **{kind: partial(formats.read_network, kind=kind) for kind in formats.NETWORKS},
    ".json": formats.read_json,
}
PACKED = (*TEXT, *formats.NETWORKS, ".json", ".mtx")


def kind_of(path: Path) -> str:
    """The suffix that names the format, in small letters and without that of a compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]] or [""]
    packed = suffixes[-1] in OPENERS and suffixes[0] in PACKED
    return suffixes[0] if packed else suffixes[-1]


def read_file(path: Path, **options: Any) -> Any:
    """The table, network or arrays in a file."""
    return KINDS[kind_of(path)](path, **options)
