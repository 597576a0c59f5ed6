"""A table of nodes or edges as a file has it: the form in which every format arrives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.data.own.names import INDEXES, stem
from gnn_dynamics.errors import UserError

MOST = 8  # names, or values of a node, that a message lists


@dataclass(eq=False)
class Table:
    """Values of nodes or edges by name; what a name means is decided later.

    columns   (rows,) numbers (NaN where empty) or text (None where empty); (rows, k), dense or
              sparse; among arrays also lists of other lengths.
    unit      the k-th row in words: "line 3", "node 'a'".
    noun      what a name belongs to: "column", "edge column", "node attribute", "array", ...
    named     False where the names are column 1, column 2, ...
    key, ends     the columns of ids, or of sources and targets, where the format says so.
    by_row    whether the ends are numbers of rows, as in a matrix, whatever the ids.
    nodes     the number of nodes, where a matrix of edges has it.
    doubtful  whether the first row, 0, 1, ..., may be a header.
    order     (n,) the row of each node, -1 where it has none, as soon as the nodes are known.
    notes, used   for the report: how the file was read, and the names that the graph uses.
    """

    path: Path
    columns: dict[str, Any]
    rows: int
    unit: Callable[[int], str]
    noun: str = "column"
    named: bool = True
    key: str | None = None
    ends: tuple[str, ...] = ()
    by_row: bool = False
    nodes: int | None = None
    doubtful: bool = False
    order: Any = None
    notes: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    @property
    def plain(self) -> list[str]:
        """The names but those under which pandas and R keep the order of the rows."""
        return [k for k in self.columns if self.noun == "array" or stem(k) not in INDEXES]

    @property
    def flat(self) -> list[str]:
        """The names with one value in each row."""
        return [name for name, column in self.columns.items() if column.shape == (self.rows,)]

    def use(self, name: str) -> Any:
        """The values under a name, from now on used."""
        self.used.add(name)
        return self.columns[name]

    def at_nodes(self, name: str) -> Any:
        """(n, ...) the values under a name in the order of the nodes, from now on used."""
        return self.use(name)[self.order]

    def called(self, name: str) -> str:
        """A name in words: `column 'f0'`, `array x`, or `column 2` where it has none."""
        noun = self.noun.split()[-1]
        quoted = repr(name) if noun == "column" else name
        return f"{noun} {quoted}".strip() if self.named else name

    def where(self, row: int, name: str | None = None) -> str:
        """The file, line and column of a value, for messages."""
        place = f"{self.path}, {self.unit(row)}"
        return place if name is None else f"{place}, {self.called(name)}"

    def where_node(self, node: int, name: str, inside: str = "") -> str:
        """The place of a value of a node; `inside` says where in a matrix."""
        return f"{self.where(int(self.order[node]), name)}{inside} (node {node})"


def misfit(origin: str, values: Any, reason: str) -> UserError:
    """The error for an array of a wrong type or shape."""
    return UserError(f"{origin} holds {values.dtype} of the shape {values.shape}, {reason}")


def few(names: Sequence[Any]) -> str:
    """The names, the middle ones left out where they are many."""
    texts = [*map(str, names)]
    if len(texts) <= MOST:
        return ", ".join(texts)
    return f"{', '.join(texts[: MOST - 1])}, ..., {texts[-1]} ({len(texts)} in all)"


def tidy(values: Any) -> np.ndarray:
    """Values as numbers (NaN where empty), text (None where empty), or (n, k) numbers."""
    column = pd.Series(values)
    if column.dtype.kind in "biuf":
        return column.to_numpy()
    if all(isinstance(value, int | float) for value in column.dropna()):  # with gaps
        return column.astype(float).to_numpy()
    if _list(column.iloc[0]):
        lists = [_list(value) for value in column]
        if len({len(one) for one in lists}) == 1:
            return np.array(lists)
    text = column.astype(str).str.strip().astype(object)
    return text.where(column.notna(), None).to_numpy()


def _list(value: Any) -> list[float]:
    """The numbers in a list, or in a text such as "[1.0, 0.0]"; empty for anything else."""
    if isinstance(value, str):
        parts = value.strip(" []()").replace(",", " ").split()
        value = parts if len(parts) > 2 or " " in value else []  # 1,5 is a number
    try:
        return [float(x) for x in value]
    except (TypeError, ValueError):
        return []
