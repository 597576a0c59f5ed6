"""What is known about a figure, and how to draw it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from gnn_dynamics.summaries.select import HOW_TO_GET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Frame: TypeAlias = pd.DataFrame | None


@dataclass(frozen=True)
class Entry:
    """A figure, drawn from `tables` in this order and `options` (figures/__init__.py).

    stem: the name of its files
    see: how to read the figure; true for any result
    missing, remedy: what it states where there are no rows, and how to get them
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
    missing: str = ""
    remedy: str = HOW_TO_GET
    options: Mapping[str, Any] = field(default_factory=dict)
    experiments: tuple[str, ...] = ()
    optimizer: str = ""

    def draw(self, tables: Mapping[str, Frame]) -> "Figure":
        """The picture, which states what is missing where there are no rows to show."""
        # Here, since Snakemake reads the entries at every start and draws nothing.
        from gnn_dynamics.figures import style

        with style.context():
            rows = self._shown(tables)
            if len(rows[0]):
                return self._module.draw(*rows)
            return style.missing_figure(self.missing, self.remedy)

    def measured(self, tables: Mapping[str, Frame]) -> list[str]:
        """The numbers behind the picture, in sentences; none without rows or without a table."""
        if any(tables.get(name) is None for name in self.tables):
            return []
        rows = self._shown(tables)
        return self._module.measured(*rows) if len(rows[0]) else []

    @property
    def path(self) -> str:
        """The file of the module, below the folder that holds the package."""
        return f"gnn_dynamics/figures/{self.module}.py"

    @property
    def _module(self) -> Any:
        return import_module(f"gnn_dynamics.figures.{self.module}")

    def _shown(self, tables: Mapping[str, Frame]) -> tuple:
        """What the figure shows of its tables; an absent table is an empty one."""
        given = (tables.get(name) for name in self.tables)
        frames = [pd.DataFrame() if table is None else table for table in given]
        shown = getattr(self._module, "shown", lambda *frames: frames)
        return shown(*frames, **self.options)
