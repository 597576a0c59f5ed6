"""Put the report together: one HTML page that contains its style, script, pictures and tables."""

import base64
import hashlib
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pandas as pd
import yaml
from markupsafe import Markup

from gnn_dynamics.artifacts.templates import render
from gnn_dynamics.claims.names import MARKS, name
from gnn_dynamics.report import glossary, sections
from gnn_dynamics.report.claim_pages import claim_pages
from gnn_dynamics.report.differences import CLOSE, curve_table, differences, percent
from gnn_dynamics.report.formulas import typeset
from gnn_dynamics.report.grids import as_json
from gnn_dynamics.report.results import Results
from gnn_dynamics.summaries import select
from gnn_dynamics.summaries.arrivals import arrivals, at_the_cap
from gnn_dynamics.summaries.paper_curves import deviation

PARTS = ("template.html", "claim.html", "methods.html", "macros.html")  # the first has the others


def build_report(results: Results) -> str:
    """The report as HTML: autoescaped, self-contained, without requests.

    Its one script draws the tables; the policy of the page allows no other, by its SHA-256.
    """
    return render(
        "gnn_dynamics.report",
        PARTS[0],
        _context(results),
        json=as_json,
        math=typeset,
        named=name,
        number=sections.number,
        percent=percent,
        plural=select.plural,
    )


def _context(results: Results) -> dict[str, Any]:
    tables = results.tables
    from_paper = deviation(tables.get("training"))
    figures = sections.figure_rows(results.figures, tables)
    pages = claim_pages(tables)
    shown = {"claims", *(stem for page in pages for stem in page["figures"])}
    script = _file("grid.js")
    return {
        "css": _file("style.css"),
        "script": Markup(script),
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "run": results.config.get("run", "?"),
        "glossary": glossary,
        "marks": MARKS,
        "headline": sections.headline(tables),
        "every_case": sections.every_case(tables),
        "pages": pages,
        "differences": differences(tables, from_paper),
        "curves": curve_table(from_paper).to_dict("records"),
        "close": CLOSE,
        "figures": figures,
        "others": [stem for stem in figures if stem not in shown],
        "graphs": tables["graphs"].astype(object).to_dict("records") if "graphs" in tables else [],
        "counts": results.counts,
        "arrivals": _rows(arrivals, results.speed),
        "at_the_cap": _rows(at_the_cap, results.speed),
        "unsteady": sections.unsteady_runs(results.ends),
        "config": yaml.safe_dump(dict(results.config), sort_keys=False, width=78),
        "provenance": results.provenance,
        "rulegraph": sections.picture(results.rulegraph),
    }


def _rows(summary: Callable, table: pd.DataFrame | None) -> list[dict]:
    return [] if table is None else summary(table).astype(object).to_dict("records")


def _file(name: str) -> str:
    return files("gnn_dynamics.report").joinpath(name).read_text(encoding="utf-8")
