"""Put the report together: one HTML page with its style and pictures inside."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from gnn_dynamics.errors import UserError
from gnn_dynamics.figures import registry
from gnn_dynamics.figures.shown_rows import read
from gnn_dynamics.report import sections
from gnn_dynamics.report.differences import CLOSE, curve_table, differences, percent
from gnn_dynamics.report.glossary import TERMS, Explainer
from gnn_dynamics.report.health import read_ends, restless_runs
from gnn_dynamics.summaries import paper_curves

# Held in memory; of the other tables the report only says how many rows they have.
SHOWN = {"graphs", "claims", *(name for figure in registry.FIGURES for name in figure.tables)}


@dataclass(frozen=True)
class Results:
    """What a run has left: tables and figures by name, with the config and what made them.

    tables: the rows that figures show;  ends: the last record of every run
    """

    tables: Mapping[str, pd.DataFrame]
    counts: Mapping[str, int | None]
    figures: Mapping[str, Path]
    config: Mapping[str, Any]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    rulegraph: Path | None = None
    ends: pd.DataFrame | None = None


def load_results(
    tables: Iterable[str | Path],
    figures: Iterable[str | Path],
    config: str | Path,
    provenance: Mapping[str, Any],
    rulegraph: str | Path | None = None,
) -> Results:
    """Read what is there; a table or figure that is not is named in the report.

    Raises:
        UserError: if a file is damaged, or the config is not a YAML mapping.
    """
    paths = {Path(path).stem: Path(path) for path in tables if Path(path).is_file()}
    shown = {name: read(path) for name, path in paths.items() if name in SHOWN}
    counts = {name: pq.read_metadata(path).num_rows for name, path in paths.items()}
    settings = yaml.safe_load(Path(config).read_text(encoding="utf-8"))
    if not isinstance(settings, Mapping):
        raise UserError(f"{config} is not a YAML mapping; run the workflow again to write it")
    pictures = {Path(path).stem: Path(path) for path in figures}
    graph = Path(rulegraph) if rulegraph else None
    ends = read_ends(paths["training"]) if "training" in paths else None
    return Results(shown, counts, pictures, settings, provenance, graph, ends)


def build_report(results: Results) -> str:
    """The report as HTML: autoescaped, self-contained, without scripts or requests."""
    environment = Environment(
        loader=PackageLoader("gnn_dynamics.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["explain"] = Explainer()
    environment.filters["percent"] = percent
    return environment.get_template("template.html").render(_context(results))


def _context(results: Results) -> dict[str, Any]:
    tables = results.tables
    deviation = paper_curves.deviation(tables.get("training"))
    graphs = tables.get("graphs")
    graph = results.rulegraph
    return {
        "css": files("gnn_dynamics.report").joinpath("style.css").read_text(encoding="utf-8"),
        "run": results.config.get("run", "?"),
        "datasets": sections.names([] if graphs is None else list(graphs["dataset"])),
        "headline": sections.headline(tables),
        "claims": sections.claim_rows(tables),
        "verdicts": sections.VERDICTS,
        "every_case": sections.every_case(tables),
        "marks": sections.MARKS,
        "most_rows": sections.MOST_ROWS,
        "columns": sections.COLUMN_WORDS,
        "differences": differences(tables, deviation),
        "curves": curve_table(deviation).to_dict("records"),
        "close": CLOSE,
        "figures": sections.figure_rows(results.figures, tables),
        "graphs": sections.dataset_rows(graphs),
        "tables": sections.table_rows(results.counts),
        "restless": restless_runs(results.ends),
        "config": yaml.safe_dump(dict(results.config), sort_keys=False, width=78),
        "provenance": results.provenance,
        "rulegraph": sections.data_uri(graph) if graph and graph.is_file() else None,
        "terms": sorted(TERMS, key=lambda term: term.name.lower()),
    }
