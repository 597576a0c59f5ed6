"""Put the report together: one HTML page that contains its style and its pictures."""

from importlib.resources import files
from typing import Any

import yaml

from gnn_dynamics.artifacts.templates import render
from gnn_dynamics.report import glossary, sections
from gnn_dynamics.report.differences import CLOSE, curve_table, differences, percent
from gnn_dynamics.report.results import Results
from gnn_dynamics.summaries import select
from gnn_dynamics.summaries.names import name
from gnn_dynamics.summaries.paper_curves import deviation


def build_report(results: Results) -> str:
    """The report as HTML: autoescaped, self-contained, without scripts or requests."""
    return render(
        "gnn_dynamics.report",
        "template.html",
        _context(results),
        explain=glossary.Explainer(),
        named=name,
        number=sections.number,
        percent=percent,
        plural=select.plural,
    )


def _context(results: Results) -> dict[str, Any]:
    tables = results.tables
    from_paper = deviation(tables.get("training"))
    return {
        "css": files("gnn_dynamics.report").joinpath("style.css").read_text(encoding="utf-8"),
        "run": results.config.get("run", "?"),
        "glossary": glossary,
        "marks": sections.MARKS,
        "most_rows": sections.MOST_ROWS,
        "headline": sections.headline(tables),
        "every_case": sections.every_case(tables),
        "claims": sections.claim_rows(tables),
        "differences": differences(tables, from_paper),
        "curves": curve_table(from_paper).to_dict("records"),
        "close": CLOSE,
        "figures": sections.figure_rows(results.figures, tables),
        "graphs": tables["graphs"].astype(object).to_dict("records") if "graphs" in tables else [],
        "counts": results.counts,
        "unsteady": sections.unsteady_runs(results.ends),
        "config": yaml.safe_dump(dict(results.config), sort_keys=False, width=78),
        "provenance": results.provenance,
        "rulegraph": sections.picture(results.rulegraph),
    }
