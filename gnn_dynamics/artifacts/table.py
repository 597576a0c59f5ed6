"""What a table is: its columns, their types, and the keys that identify a row.

Whoever makes a table declares it beside the code that fills it. Types are declared since a part may
have no rows, or only nulls in a column, and must still fit the other parts. Keys and kinds go into
the metadata of the file, so that a reader needs no declaration.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

TEXT, INTEGER, REAL, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
INTEGERS = pa.list_(INTEGER)

# Kinds of real columns that `gnn-dynamics compare` treats by a tolerance of their own.
NOISE = "noise"  # a rounding error: only its size is reproducible
SINGULAR = "singular value"  # its error is about eps times `sigma_max` of the row
SINGULAR_SQUARED = "squared singular value"
CLEAR_GAP = "gap"  # the denominator is a rounding error: only a small gap means something


@dataclass(frozen=True)
class Table:
    """Declaration of a table.

    keys: names of the columns that identify a row, in the order in which rows are sorted.
    columns: types of the columns that every row has, keys included, in the order of the file.
    optional: types of columns that are null where a row lacks them; they come after `columns`.
    kinds: kinds of columns that differ from plain numbers (NOISE, SINGULAR, ...).
    """

    keys: tuple[str, ...] = ()
    columns: Mapping[str, pa.DataType] = field(default_factory=dict)
    optional: Mapping[str, pa.DataType] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)

    @property
    def types(self) -> dict[str, pa.DataType]:
        """Types of all declared columns, the required ones first."""
        return {**self.columns, **self.optional}


def reals(*names: str) -> dict[str, pa.DataType]:
    """Columns of float64."""
    return dict.fromkeys(names, REAL)


def integers(*names: str) -> dict[str, pa.DataType]:
    """Columns of int64."""
    return dict.fromkeys(names, INTEGER)


def texts(*names: str) -> dict[str, pa.DataType]:
    """Columns of text."""
    return dict.fromkeys(names, TEXT)
