"""A table of nodes or edges as a file has it: the form in which every format arrives.

A column is known by its name; what it means is decided in ids.py, edges.py, features.py, labels.py
and split.py, which mark the columns that they use.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gnn_dynamics.errors import UserError


@dataclass(eq=False)
class Table:
    """Rows of nodes or edges, and how to locate them in their file.

    frame     one column for each name; numbers (NaN where empty), truth values, or text (None).
    arrays    what is no column: matrices (rows, k), dense or sparse, and lists of nodes.
    unit      the k-th row in words: "line 3", "node 'a'".
    noun      what a name belongs to: "column", "attribute", "array", with "edge" or "node" before.
    named     False where the names are column 1, column 2, ...
    key       the column of node ids, where the format says so.
    ends      the columns of sources and targets, where the format says so.
    by_row    whether the ends are numbers of rows, as in a matrix, whatever the ids.
    index     columns that only repeat the order of the rows, unless the edges use them as ids.
    doubtful  whether the first row, 0, 1, ..., may be a header.
    notes     how the file was read, for the report.
    """

    path: Path
    frame: pd.DataFrame
    unit: Callable[[int], str]
    noun: str = "column"
    arrays: dict[str, Any] = field(default_factory=dict)
    named: bool = True
    key: str | None = None
    ends: tuple[str, str] | None = None
    by_row: bool = False
    index: tuple[str, ...] = ()
    doubtful: bool = False
    notes: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    @property
    def names(self) -> list[str]:
        """The names of columns and arrays, in their order."""
        return [*self.frame, *self.arrays]

    def where(self, row: int) -> str:
        """The file and line, or node, of a row, for messages."""
        return f"{self.path}, {self.unit(int(self.frame.index[row]))}"

    def cell(self, row: int, name: str) -> str:
        """The file, line and column of a value, for messages."""
        named = self.called(name)
        if self.noun == "array":
            return f"{self.path}, {named}, {self.unit(row)}"
        return f"{self.where(row)}, {named}"

    def called(self, name: str) -> str:
        """A column in words: `column 'f0'`, `array x`, or `column 2` where it has no name."""
        noun = self.noun.split()[-1]
        return f"{noun} {name!r}" if self.named and noun == "column" else f"{noun} {name}".replace("column column", "column").strip()

    def use(self, name: str) -> Any:
        """The values under a name, from now on used."""
        self.used.add(name)
        if name in self.arrays:
            return self.arrays[name]
        column = self.frame[name]
        values = column.to_numpy()
        return np.where(column.isna(), None, values) if values.dtype == object else values

    def unused(self) -> Iterator[str]:
        """The names that no part of the graph uses, in words."""
        for name in self.names:
            if name not in self.used:
                yield f"{self.noun} {name!r}"

    def listed(self) -> str:
        """All names, for messages."""
        return ", ".join(self.names) or "none"


def numbers(values: Any, origin: str) -> Any:
    """`values` as an array of numbers, or a sparse matrix of them.

    Raises:
        UserError: if they are text, objects or complex numbers. `origin` begins the message.
    """
    array = values if sparse.issparse(values) else np.asarray(values)
    if array.dtype.kind not in "buif":
        raise UserError(f"{origin} holds {array.dtype}, not numbers")
    return array


def tidy(values: Any) -> np.ndarray:
    """A list of values as numbers (NaN where empty), truth values, text with None, or (n, k)."""
    lists = [value for value in values if isinstance(value, list | tuple | np.ndarray)]
    if lists:
        sizes = {len(value) for value in lists}
        if len(lists) == len(values) and len(sizes) == 1 and sizes != {0}:
            return np.array([list(value) for value in values])
        return np.array([str(value) for value in values], dtype=object)
    column = pd.Series(values, dtype=object).infer_objects()
    if column.dtype.kind in "biuf":
        return column.to_numpy()
    known = column.notna()
    if known.any() and all(isinstance(value, int | float) for value in column[known]):
        return column.astype(float).to_numpy()
    return column.astype(str).where(known, None).to_numpy(dtype=object)


def table_of(path: Path, columns: dict[str, Any], unit: Callable[[int], str], **more: Any) -> Table:
    """A table from lists of values; those of k numbers in each row become matrices."""
    tidied = {name: tidy(values) for name, values in columns.items()}
    frame = pd.DataFrame({name: values for name, values in tidied.items() if values.ndim == 1})
    blocks = {name: values for name, values in tidied.items() if values.ndim == 2}
    if blocks and frame.empty:
        frame = pd.DataFrame(index=range(len(next(iter(blocks.values())))))
    return Table(path, frame, unit, arrays=blocks, **more)
