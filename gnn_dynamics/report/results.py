"""The tables and figures of a run, as the report reads them from its folder."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from gnn_dynamics.artifacts.parquet import read_table
from gnn_dynamics.config.grid import KEYS
from gnn_dynamics.config.schema import read_yaml
from gnn_dynamics.errors import UserError
from gnn_dynamics.figures import registry
from gnn_dynamics.figures.shown_rows import read
from gnn_dynamics.summaries import select

# Only these tables are loaded; the report gives the number of rows of all others.
SHOWN = {"graphs", "claims", *(name for figure in registry.FIGURES for name in figure.tables)}

ENDS = [*KEYS, "step", "loss_increases", "status"]
THRESHOLDS = ["threshold", "threshold_kind", "censored", "unreachable", "status", "end_loss"]


@dataclass(frozen=True)
class Results:
    """Tables and figures of a run by name, with its config and provenance.

    tables: the rows that figures show;  counts: the number of rows of every table
    ends: the last record of every run, including runs that no figure shows
    speed: when every run reached its thresholds
    """

    tables: Mapping[str, pd.DataFrame]
    counts: Mapping[str, int]
    figures: Mapping[str, Path]
    config: Mapping[str, Any]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    rulegraph: Path | None = None
    ends: pd.DataFrame | None = None
    speed: pd.DataFrame | None = None


def load_results(
    tables: Iterable[str | Path],
    figures: Iterable[str | Path],
    config: str | Path,
    provenance: Mapping[str, Any],
    rulegraph: str | Path | None = None,
) -> Results:
    """Read the files that exist; the report names those that do not.

    Raises:
        UserError: if a file is damaged, or the config is not a YAML mapping.
    """
    settings = read_yaml(config)
    if not isinstance(settings, Mapping):
        raise UserError(f"{config} is not a YAML mapping; run the workflow again to write it")
    paths = {Path(path).stem: Path(path) for path in tables if Path(path).is_file()}
    training = read_table(paths["training"], columns=ENDS) if "training" in paths else None
    speed = read_table(paths["speed"], columns=[*KEYS, *THRESHOLDS]) if "speed" in paths else None
    return Results(
        tables=read_shown(paths),
        counts={name: pq.read_metadata(path).num_rows for name, path in paths.items()},
        figures={Path(path).stem: Path(path) for path in figures},
        config=settings,
        provenance=provenance,
        rulegraph=Path(rulegraph) if rulegraph else None,
        ends=None if training is None else select.ends(training),
        speed=speed,
    )


def read_shown(paths: Mapping[str, Path]) -> dict[str, pd.DataFrame]:
    """The tables that the report shows, with the rows that figures show.

    Raises:
        UserError: if a file is damaged.
    """
    return {name: read(path) for name, path in paths.items() if name in SHOWN}
