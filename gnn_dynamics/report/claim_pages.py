"""A page of the report for each claim: answer, figures, numbers and method."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from gnn_dynamics.claims.conclusion import join, phrase
from gnn_dynamics.claims.evidence import POOLED
from gnn_dynamics.claims.names import MARKS, name
from gnn_dynamics.claims.strata import judged, networks
from gnn_dynamics.claims.units import FASTER, FINDINGS, LOG2, POINTS, RHO
from gnn_dynamics.claims.words import amount, interval
from gnn_dynamics.figures import registry
from gnn_dynamics.figures.settings_curve import KEYS
from gnn_dynamics.report.glossary import TABLES, TITLES
from gnn_dynamics.report.grids import Grid, grid
from gnn_dynamics.summaries import select

Tables = Mapping[str, pd.DataFrame]
FIGURES = [figure.stem for figure in registry.FIGURES]
STATES = ("refutes", "undecided", "supports", "vacuous", "noted")  # in the order of the rows
BARS = {  # what an interval has to be above and below, by the rule of config/claims.yaml
    LOG2: ("1.05 times", "1 / 1.05"),
    POINTS: ("1 point", "−1"),
    RHO: ("0.5", "−0.5"),
}
EFFECTS = {LOG2: "Times sooner", POINTS: "Points better", RHO: "Rank correlation"}
_EFFECTS = ["effect", "ci_low", "ci_high", "prediction_low", "prediction_high"]


def claim_pages(tables: Tables) -> list[dict[str, Any]]:
    """What the page of each claim shows; those with a summary, which answer first, come first."""
    claims = tables.get("claims")
    if claims is None:
        return []
    comparisons = tables.get("comparisons", pd.DataFrame(columns=["claim"]))
    evidence = tables.get("evidence", pd.DataFrame(columns=["claim"]))
    rows = claims.assign(answers=claims["summary"].notna() if "summary" in claims else False)
    rows = rows.sort_values(["answers", "claim"], ascending=[False, True])
    drawn: set[str] = set()
    return [
        _page(
            row,
            evidence[evidence["claim"] == row["claim"]],
            comparisons[comparisons["claim"] == row["claim"]],
            drawn,
        )
        for row in rows.to_dict("records")
    ]


def _page(
    row: dict[str, Any], evidence: pd.DataFrame, cells: pd.DataFrame, drawn: set[str]
) -> dict[str, Any]:
    """The page of one claim. A figure is on the first page that needs it; `drawn` collects them."""
    files = [Path(text) for text in re.split(r"[,\s]+", row["evidence"]) if text]
    figures = [file.stem for file in files if file.suffix == ".png" and file.stem in FIGURES]
    here = [stem for stem in figures if stem not in drawn]
    drawn.update(here)
    return {
        **dict.fromkeys(("title", "assertion", "origin", "scope"), ""),
        **row,
        "mark": MARKS.get(row["verdict"], ""),
        "style": str(row["verdict"]).replace(" ", "-"),
        "figures": here,
        "elsewhere": {stem: short_name(stem) for stem in figures if stem not in here},
        "tables": [f.stem for f in files if f.suffix == ".parquet" and f.stem in TABLES],
        "effect": EFFECTS[_unit(evidence)],
        "strata": strata_rows(evidence),
        "graphs": graph_grid(evidence),
        "cells": cell_grid(cells),
        "refuting": int((cells["state"] == "refutes").sum()) if "state" in cells else 0,
        "method": [_measured(row["statistic"]), *_method(row, evidence, cells)],
    }


def short_name(stem: str) -> str:
    """`Figure 4` for fig4_training_speed, `bound tightness` for bound_tightness."""
    figure = re.match(r"fig(\d+)_", stem)
    return f"Figure {figure[1]}" if figure else stem.replace("_", " ")


def _unit(evidence: pd.DataFrame) -> str:
    """The unit of what decides a claim; other measures of it may have another."""
    primary = _primary(evidence)
    return str(primary["unit"].iloc[0]) if len(primary) else LOG2


def _primary(evidence: pd.DataFrame) -> pd.DataFrame:
    """The rows of primary strata; a claim without evidence has no columns either."""
    return evidence[evidence["primary"].astype(bool)] if len(evidence) else evidence


# The numbers --------------------------------------------------------------------------------------


def strata_rows(evidence: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of evidence that decide a claim, in their units; the leading ones first."""
    if evidence.empty:
        return []
    rows = []
    for network, strata in networks(_primary(evidence)).items():
        for row in pd.concat(map(judged, strata)).itertuples():
            setting = f"{phrase('measure', row.measure)}, {phrase('init', row.init)}"
            graph = f"all {row.graphs}" if row.graph == POOLED else name(row.graph)
            rows.append({"network": network, "setting": setting, "graph": graph, **_factors(row)})
    return rows


def _factors(row: Any) -> dict[str, str]:
    """Effect and intervals of a row of evidence in its unit; empty where there is none."""

    def span(low: float, high: float) -> str:
        return "" if pd.isna(low) else interval(low, high, FASTER, row.unit)

    return {
        "factor": "" if pd.isna(row.effect) else amount(row.effect, row.unit),
        "interval": span(row.ci_low, row.ci_high),
        "new": span(row.prediction_low, row.prediction_high),
        "finding": row.finding,
    }


def graph_grid(evidence: pd.DataFrame) -> Grid | None:
    """Every row of a claim's evidence; those that decide it and all graphs together come first."""
    if evidence.empty:
        return None
    single, other = evidence["graph"] != POOLED, ~evidence["primary"].astype(bool)
    rows = evidence.assign(single=single, other_=other)
    rows = rows.sort_values(["other_", "single"], kind="stable")
    primary = rows["primary"].map({True: "yes", False: "no"})
    graph = rows["graph"].replace(POOLED, "all graphs")
    return grid(_in_words(rows.assign(primary=primary, graph=graph)), TITLES)


def cell_grid(cells: pd.DataFrame) -> Grid | None:
    """Every setting of a claim, refuting ones first."""
    if cells.empty:
        return None
    if "state" in cells:
        rank = cells["state"].map({state: i for i, state in enumerate(STATES)})
        cells = cells.assign(rank=rank).sort_values(["rank", "cell"], kind="stable")
    return grid(_in_words(cells), TITLES)


def _in_words(rows: pd.DataFrame) -> pd.DataFrame:
    """Log2 ratios as factors, and the names of measures and thresholds."""
    units = rows["unit"] if "unit" in rows else pd.Series(LOG2, rows.index)
    ends = rows[[key for key in _EFFECTS if key in rows]].astype(float)
    factors = {key: (2**column).where(units == LOG2, column) for key, column in ends.items()}
    words = {
        key: rows[key].map(lambda value, key=key: _word(key, value), na_action="ignore")
        for key in ("measure", "threshold_kind")
        if key in rows
    }
    return rows.assign(**factors, **words)


def _word(key: str, value: str) -> str:
    known = KEYS[key]
    return (known.get(value) if isinstance(known, dict) else None) or phrase(key, value)


# The method ---------------------------------------------------------------------------------------


def _measured(statistic: str) -> str:
    return f"{statistic[:1].upper()}{statistic[1:]}."


def _method(row: Mapping[str, Any], evidence: pd.DataFrame, cells: pd.DataFrame) -> list[str]:
    """Which runs were compared, and how they were judged."""
    primary = _primary(evidence)
    if len(primary):
        return [_setting(primary), _pooling(primary)]
    if cells.empty:
        return []
    graphs = cells["dataset"].dropna().unique() if "dataset" in cells else []
    every = row.get("quantifier") == "every"
    where = f" on {join([name(graph) for graph in graphs])}" if len(graphs) else ""
    return [
        f"It was tested in {select.plural(len(cells), 'setting')}{where}, each with all its seeds.",
        "It is a statement about every case, so one counterexample refutes it."
        if every
        else "It holds if every setting that decides it supports it.",
    ]


def _setting(primary: pd.DataFrame) -> str:
    """The runs of the primary strata in words."""
    inits = [phrase("init", init) for init in _distinct(primary, "init")]
    words = [name(value) for key in ("features", "nodes") for value in _distinct(primary, key)]
    words += [f"width {width:g}" for width in _distinct(primary, "width")]
    words += [join(inits), f"{select.plural(int(primary['seeds'].max()), 'seed')} each"]
    return f"Runs that are compared share the seed. They have {', '.join(words)}."


def _distinct(rows: pd.DataFrame, key: str) -> Iterable[Any]:
    return select.ordered(rows[key], key) if key in rows else ()


def _pooling(primary: pd.DataFrame) -> str:
    unit = _unit(primary)
    (above, below), findings = BARS[unit], FINDINGS[unit]
    said = f"“{findings.above}” if the 95 % interval lies above {above}"
    said += f" and “{findings.below}” if below {below}"
    pooled = primary.loc[primary["graph"] == POOLED, "graphs"]
    if pooled.empty:
        return f"The graphs are too few to be pooled. Each stands for itself: it is called {said}."
    counts = sorted({int(count) for count in pooled})
    count = f"{counts[0]} to {counts[-1]} graphs" if len(counts) > 1 else f"{counts[0]} graphs"
    return f"The effects of {count} are pooled by a random-effects model. They are called {said}."
