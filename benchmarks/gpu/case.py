"""What all sections share: device, graphs, and the rows of the table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from benchmarks.synthetic import random_graph
from gnn_dynamics.data.checks import checked
from gnn_dynamics.data.formats.planetoid import read_planetoid
from gnn_dynamics.data.graph import Graph, graph_of
from gnn_dynamics.errors import UserError

# Nodes, directed edges, features, their non-zero entries, training nodes, classes.
SHAPES = {
    "cora": (2708, 10556, 1433, 49216, 140, 7),
    "citeseer": (3327, 9104, 3703, 105165, 120, 6),
    "small": (300, 1200, 60, 1500, 40, 4),
}


@dataclass(frozen=True)
class Setting:
    """What the command was asked for.

    device: cpu or cuda;  small: fewer models and steps;  mirror: folder of official files, or None
    """

    device: str
    small: bool = False
    mirror: Path | None = None

    @property
    def on_gpu(self) -> bool:
        return self.device == "cuda"

    def graph(self, name: str) -> Graph:
        """Cora or CiteSeer from the mirror; without one a random graph, whose name says so."""
        if self.mirror is not None:
            return mirrored(name, self.mirror)
        return shaped("small" if self.small else name)


@cache
def mirrored(name: str, mirror: Path) -> Graph:
    """A graph of Planetoid from its official files.

    Raises:
        UserError: where the mirror lacks a file.
    """
    folder = mirror / "planetoid" / "data"
    if not folder.is_dir():
        raise UserError(f"--mirror: {folder} is no folder; it must hold ind.{name}.x and so on.")
    return checked(graph_of(name, read_planetoid({"options": {"stem": f"ind.{name}"}}, folder)))


@cache
def shaped(shape: str) -> Graph:
    """A random graph with the sizes of SHAPES; row-normalised features are positive, as Cora's."""
    n, edges, m_x, entries, labelled, classes = SHAPES[shape]

    def features(n: int, m_x: int, rng: np.random.Generator) -> sp.csr_array:
        return sp.random_array((n, m_x), density=entries / (n * m_x), rng=rng, format="csr")

    graph = random_graph(n, edges, m_x, labelled, classes, features)
    name = f"random graph of {shape}'s shape" if shape != "small" else "small random graph"
    return replace(graph, name=name)


@dataclass(frozen=True)
class Row:
    """One line of the table.

    value: a measured number in `unit`, None for a check without one
    share_of_roof: least time that the products and copies need over the time taken
    ratio_to_pyg: time of plain PyG on the same device for one model over the time for one model
    state: ok, failed, or "needs cuda"
    """

    section: str
    case: str
    graph: str = ""
    value: float | None = None
    unit: str = ""
    share_of_roof: float | None = None
    ratio_to_pyg: float | None = None
    state: str = "ok"
    note: str = ""


Measure = Callable[[], dict[str, Any]]  # fields of a Row, or an error


@dataclass(frozen=True)
class Item:
    """One row that is still to be measured; `gpu_only`: what a CPU cannot do."""

    case: str
    measure: Measure
    graph: str = ""
    gpu_only: bool = False


Section = Callable[[Setting], Iterator[Item]]


def measured(section: str, setting: Setting, item: Item) -> Row:
    """The row of an item. One that fails is reported, so that the others can be measured."""
    base = Row(section, item.case, item.graph)
    if item.gpu_only and not setting.on_gpu:
        return replace(base, state="needs cuda")
    try:
        return replace(base, **item.measure())
    except Exception as error:
        return failed(base, f"{type(error).__name__}: {error}")


def failed(row: Row, reason: str) -> Row:
    return replace(row, state="failed", note=" ".join(reason.split())[:500])


def check(value: float, limit: float, unit: str) -> dict[str, Any]:
    """Fields of a row whose value must not exceed `limit`; NaN exceeds it."""
    state = "ok" if value <= limit else "failed"
    return {"value": value, "unit": unit, "state": state, "note": f"at most {limit:g}"}


def synchronize(setting: Setting) -> None:
    if setting.on_gpu:
        torch.cuda.synchronize()
