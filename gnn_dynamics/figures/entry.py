"""What is known about a figure, and how to draw it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Frame: TypeAlias = pd.DataFrame | None


@dataclass(frozen=True)
class Entry:
    """A figure, drawn from `tables` in this order and `options` (figures/__init__.py).

    stem: the name of its files
    see: how to read the figure; true for any result
    category, label, shows: where Snakemake's report lists it, and as what
    experiments, optimizer: the runs whose settings its caption in Snakemake's report lists
    """

    stem: str
    title: str
    see: str
    tables: tuple[str, ...]
    module: str
    category: str
    label: str
    shows: str
    options: Mapping[str, Any] = field(default_factory=dict)
    experiments: tuple[str, ...] = ()
    optimizer: str = ""

    def arguments(self, tables: Mapping[str, Frame]) -> list[Frame]:
        """The figure's tables in order; None for those that are absent."""
        return [tables.get(name) for name in self.tables]

    def draw(self, *tables: Frame) -> "Figure":
        """The picture, which states what is missing where there are no rows to show."""
        # Here, since Snakemake reads the entries at every start and draws nothing.
        from gnn_dynamics.figures import style

        with style.context():
            rows = self._shown(tables)
            if len(rows[0]):
                return self._module.draw(*rows)
            return style.missing_figure(*self._module.MISSING)

    def measured(self, *tables: Frame) -> list[str]:
        """The numbers behind the picture, in sentences; none where there are no rows."""
        rows = self._shown(tables)
        return self._module.measured(*rows) if len(rows[0]) else []

    def sentences(self, tables: Mapping[str, Frame]) -> list[str]:
        """What is measured in the figure; nothing where a table is absent."""
        arguments = self.arguments(tables)
        return [] if any(table is None for table in arguments) else self.measured(*arguments)

    @property
    def path(self) -> str:
        """The file of the module, below the folder that holds the package."""
        return f"gnn_dynamics/figures/{self.module}.py"

    @property
    def _module(self) -> Any:
        return import_module(f"gnn_dynamics.figures.{self.module}")

    def _shown(self, tables: Sequence[Frame]) -> tuple:
        """What the figure shows of its tables; an absent table is an empty one."""
        given = [pd.DataFrame() if table is None else table for table in tables]
        shown = getattr(self._module, "shown", lambda *tables: tables)
        return shown(*given, **self.options)
