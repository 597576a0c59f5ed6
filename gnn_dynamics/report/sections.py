"""Turn tables and pictures into the values that the template shows."""

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from gnn_dynamics.claims.conclusion import phrase
from gnn_dynamics.claims.evidence import POOLED
from gnn_dynamics.claims.names import MARKS, name, verdict_counts
from gnn_dynamics.claims.strata import judged, networks
from gnn_dynamics.claims.units import FASTER
from gnn_dynamics.claims.words import amount, interval
from gnn_dynamics.figures import registry
from gnn_dynamics.report.glossary import TABLES
from gnn_dynamics.summaries import select

Tables = Mapping[str, pd.DataFrame]
FIGURES = [figure.stem for figure in registry.FIGURES]
UNSTEADY = 0.05  # share of steps at which the loss rose; rounding errors grow in runs above it
MOST_ROWS = 300  # shown per claim; the tables contain all rows
CELL_COLUMNS = (
    *("cell", "state", "reason", "effect", "ci_low", "ci_high", "value", "limit"),
    *("pairs", "wins", "losses", "ties", "undecided", "p_sign", "p_holm"),
)
STATES = ("refutes", "undecided", "supports", "vacuous", "noted")  # in the order of the rows


def headline(tables: Tables) -> list[str]:
    """A sentence or two for each claim about speed, then all verdicts counted."""
    claims = tables.get("claims")
    if claims is None or claims.empty:
        return ["No claims were judged, because the table of claims is missing or empty."]
    counted = f"Of {len(claims)} claims, {verdict_counts(claims['verdict'])}."
    known = claims["summary"].dropna() if "summary" in claims else []
    return [*(text for text in known if text), counted]


def every_case(tables: Tables) -> str:
    """Numbers of the claims that one counterexample refutes: `01, 02 and 14`."""
    claims = tables.get("claims")
    if claims is None or "quantifier" not in claims:
        return ""
    names = sorted(claims.loc[claims["quantifier"] == "every", "claim"])
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def claim_rows(tables: Tables) -> list[dict[str, Any]]:
    """A row of the table of claims for each claim, with its mark, links, strata and cells."""
    claims = tables.get("claims")
    if claims is None:
        return []
    comparisons = tables.get("comparisons", pd.DataFrame(columns=["claim"]))
    evidence = tables.get("evidence", pd.DataFrame(columns=["claim"]))
    return [
        {
            **row,
            "mark": MARKS.get(row["verdict"], ""),
            "style": str(row["verdict"]).replace(" ", "-"),
            "refuting": [part for part in (row["where_it_fails"] or "").split("; ") if part],
            "strata": strata_rows(evidence[evidence["claim"] == row["claim"]]),
            **_links(row["evidence"]),
            **_cells(comparisons, row["claim"]),
        }
        for row in claims.sort_values("claim").to_dict("records")
    ]


def strata_rows(evidence: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of evidence that decide a claim, with effects as factors; the leading ones first."""
    if evidence.empty:
        return []
    rows = []
    for network, strata in networks(evidence[evidence["primary"].astype(bool)]).items():
        for row in pd.concat(map(judged, strata)).itertuples():
            setting = f"{phrase('measure', row.measure)}, {phrase('init', row.init)}"
            graph = f"all {row.graphs}" if row.graph == POOLED else name(row.graph)
            rows.append({"network": network, "setting": setting, "graph": graph, **_factors(row)})
    return rows


def _factors(row: Any) -> dict[str, str]:
    """Effect and intervals of a row of evidence as factors; empty where there is none."""

    def span(low: float, high: float) -> str:
        return "" if pd.isna(low) else interval(low, high, FASTER, row.unit)

    return {
        "factor": "" if pd.isna(row.effect) else amount(row.effect, row.unit),
        "interval": span(row.ci_low, row.ci_high),
        "new": span(row.prediction_low, row.prediction_high),
        "finding": row.finding,
    }


def _links(evidence: str) -> dict[str, Any]:
    """Figures and tables named in a claim's evidence: `fig4_training_speed.png, speed.parquet`."""
    files = [Path(name) for name in re.split(r"[,\s]+", evidence) if name]
    figures = [file.stem for file in files if file.suffix == ".png" and file.stem in FIGURES]
    tables = [file.stem for file in files if file.suffix == ".parquet" and file.stem in TABLES]
    return {"figure_links": {stem: short_name(stem) for stem in figures}, "table_links": tables}


def short_name(stem: str) -> str:
    """`Figure 4` for fig4_training_speed, `bound tightness` for bound_tightness."""
    figure = re.match(r"fig(\d+)_", stem)
    return f"Figure {figure[1]}" if figure else stem.replace("_", " ")


def _cells(comparisons: pd.DataFrame, claim: str) -> dict[str, Any]:
    """The cells of a claim, refuting ones first; only columns that have a value."""
    cells = comparisons[comparisons["claim"] == claim]
    if "state" in cells:
        rank = cells["state"].map({state: i for i, state in enumerate(STATES)})
        cells = cells.assign(rank=rank).sort_values(["rank", "cell"], kind="stable")
    columns = [c for c in CELL_COLUMNS if c in cells and cells[c].notna().any()]
    shown = cells[columns].head(MOST_ROWS).astype(object)
    rows = list(shown.itertuples(index=False, name=None)) if columns else []
    return {"columns": columns, "rows": rows, "cell_count": len(cells)}


def figure_rows(paths: Mapping[str, Path], tables: Tables) -> list[dict[str, Any]]:
    """Every figure with its caption; `image` is None where a figure has no file."""
    appendix = sorted(stem for stem in paths if stem.startswith("appendix_"))
    entries = [registry.entry(stem) for stem in [*FIGURES, *appendix]]
    return [
        {
            "entry": entry,
            "image": picture(paths.get(entry.stem)),
            "absent": [name for name in entry.tables if name not in tables],
            "measured": entry.measured(tables),
        }
        for entry in entries
    ]


def picture(path: Path | None) -> str | None:
    """A PNG file as the source of an image inside the page; None if there is no file."""
    if path is None or not path.is_file():
        return None
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def unsteady_runs(ends: pd.DataFrame | None) -> str:
    """A sentence with the number of runs in each experiment whose loss often rose; else empty.

    Only runs that did not diverge count. Rounding errors decide the curves of unsteady runs.
    """
    if ends is None:
        return ""
    ends = ends[(ends["status"] == "ok") & (ends["step"] > 0)]
    unsteady = ends[ends["loss_increases"] > UNSTEADY * ends["step"]]
    if unsteady.empty:
        return ""
    counts = unsteady.groupby("experiment").size()
    experiments = ", ".join(f"{name}: {count:,}" for name, count in counts.items())
    return (
        f"In {len(unsteady):,} of {select.plural(len(ends), 'run')} that did not diverge, the loss"
        f" rose in more than {100 * UNSTEADY:.0f} % of the steps ({experiments})."
    )


def number(value: Any) -> str:
    """A measured number with three digits, a count in full, a null as nothing, text unchanged."""
    if pd.isna(value):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
