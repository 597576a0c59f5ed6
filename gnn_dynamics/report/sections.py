"""From tables to what the template shows: claims with their rows, figures, datasets, methods."""

import base64
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from gnn_dynamics.figures import registry
from gnn_dynamics.summaries import names as display
from gnn_dynamics.summaries import select
from gnn_dynamics.summaries.verdicts import MARKS, verdict_counts

MOST_ROWS = 300  # shown per claim; the tables hold the rest
ROW_COLUMNS = (
    *("cell", "state", "reason", "effect", "ci_low", "ci_high", "value", "limit"),
    *("pairs", "wins", "losses", "ties", "undecided", "p_sign", "p_holm"),
)
STATES = ("refutes", "undecided", "supports", "vacuous", "noted")
VERDICTS = {
    "holds": "every cell that could be decided supports the claim",
    "fails": "one counterexample to a statement about every case, or nearly all decided cells of"
    " any other statement, speak against it",
    "mixed": "decided cells disagree, or too few could be decided",
    "vacuous": "nothing contradicts it, but what it guarantees is 0",
    "not tested": "no run of this configuration decides it",
}
COLUMN_WORDS = {
    "cell": "graph, aggregation, features, labelled nodes (train or all), network, depth H; then"
    " what trained it: initialisation, loss, optimizer (flow; gd, gradient descent; adam),"
    " learning rate lr, labels, experiment of the configuration; then the threshold and what it is"
    " a share of: initial, the excess loss at the start; label_norm, ‖Y‖², for the excess loss;"
    " loss, ‖Y‖², for the loss itself",
    "state": "refutes, supports, undecided, vacuous, or noted: too few runs to judge, or made to"
    " inform only",
    "reason": "why it has this state",
    "effect": "log2 of how many times faster, median over pairs of runs that share the seed; ci_low"
    " and ci_high: its 90 % interval by bootstrap",
    "value": "the measured number that is judged; limit: what it is judged against",
    "pairs": "how many pairs there are = wins (the side that should be faster was) + losses + ties"
    " + undecided (a run did not get there)",
    "p_sign": "sign test over the pairs, which the state depends on; p_holm: the same made larger"
    " for the number of cells that were tested, for information",
}
TABLE_WORDS = {
    "graphs": "one row for each dataset: its size and where it comes from",
    "graph_condition": "singular values of the propagated features",
    "optimum": "the lowest possible loss L*",
    "alignment": "how much of the labels lies in the leading directions of the features",
    "training": "loss and gradient along every run",
    "time_condition": "λ of every layer along training",
    "gradient_terms": "every term of the loss decrease (Theorem 3)",
    "speed": "when each run reached each threshold",
    "bounds": "bounds and rates along every gradient flow",
    "guarantees": "guaranteed and measured time of each flow to a small gap",
    "descent_limits": "the largest learning rate that keeps a flow's bound",
    "negative_results": "statements that fail, with the numbers that refute them",
    "negative_curves": "the curves of the problems that show these statements fail",
    "comparisons": "the cells of every claim",
    "claims": "the verdicts",
}


def number(value: Any) -> str:
    """Three digits for a measured number, nothing for a null, words as they are."""
    if value is None or value is pd.NA or value != value:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def claim_rows(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """One dictionary for each claim: verdict, words, links, and the cells behind it."""
    claims, cells = tables.get("claims"), tables.get("comparisons")
    if claims is None:
        return []
    return [
        {
            **{str(key): value for key, value in row.items()},
            "mark": MARKS.get(row["verdict"], ""),
            "style": str(row["verdict"]).replace(" ", "-"),
            **_failures(row["where_it_fails"]),
            **_links(row["evidence"]),
            **_cells(cells, row["claim"]),
        }
        for row in claims.sort_values("claim").to_dict("records")
    ]


def _failures(text: str | None) -> dict[str, Any]:
    parts = [part.strip() for part in (text or "").split(";") if part.strip()]
    said = select.plural(len(parts), "cell")
    return {"failures": parts[:MOST_ROWS], "failures_said": said, "failure_count": len(parts)}


def _links(evidence: str) -> dict[str, Any]:
    """Figures and tables named in a claim's evidence: `fig4_training_speed.png, speed.parquet`."""
    files = [Path(name) for name in re.split(r"[,\s]+", evidence) if name]
    stems = {figure.stem for figure in registry.FIGURES}
    figures = [file.stem for file in files if file.suffix == ".png" and file.stem in stems]
    tables = [file.stem for file in files if file.suffix == ".parquet"]
    return {
        "figure_links": {stem: short_name(stem) for stem in figures},
        "table_links": [name for name in tables if name in TABLE_WORDS],
    }


def short_name(stem: str) -> str:
    """`Figure 4` for fig4_training_speed, `bound tightness` for bound_tightness."""
    figure = re.match(r"fig(\d+)_", stem)
    return f"Figure {figure[1]}" if figure else stem.replace("_", " ")


def _cells(cells: pd.DataFrame | None, claim: str) -> dict[str, Any]:
    """The claim's cells, those that speak against it first."""
    if cells is None or cells.empty:
        return {"columns": [], "rows": [], "cell_count": 0, "cells_said": "no cells"}
    own = cells[cells["claim"] == claim]
    if "state" in own:
        rank = own["state"].map({state: i for i, state in enumerate(STATES)})
        own = own.assign(rank=rank).sort_values(["rank", "cell"], kind="stable")
    columns = [c for c in ROW_COLUMNS if c in own and own[c].notna().any()]
    shown = own[columns].head(MOST_ROWS).astype(object)
    rows = [[number(value) for value in row] for row in shown.itertuples(index=False, name=None)]
    return {
        "columns": columns,
        "rows": rows,
        "cell_count": len(own),
        "cells_said": select.plural(len(own), "cell"),
    }


def every_case(tables: Mapping[str, pd.DataFrame]) -> str:
    """Numbers of the claims that one counterexample refutes: `01, 02 and 14`."""
    claims = tables.get("claims")
    if claims is None or "quantifier" not in claims:
        return ""
    return joined(sorted(claims.loc[claims["quantifier"] == "every", "claim"]))


def headline(tables: Mapping[str, pd.DataFrame]) -> str:
    """`Of 14 claims 5 hold, 2 fail, ...`, or that none was judged."""
    claims = tables.get("claims")
    if claims is None or claims.empty:
        return "No claims were judged: the table of claims is missing or empty."
    return f"Of {len(claims)} claims {verdict_counts(claims['verdict'])}."


def figure_rows(
    paths: Mapping[str, Path], tables: Mapping[str, pd.DataFrame]
) -> list[dict[str, Any]]:
    """Every figure with its caption; one that has no file says so."""
    stems = [figure.stem for figure in registry.FIGURES]
    stems += sorted(stem for stem in paths if stem.startswith("appendix_"))
    return [_figure(registry.entry(stem), paths.get(stem), tables) for stem in stems]


def _figure(entry: registry.Entry, path: Path | None, tables: Mapping) -> dict[str, Any]:
    found = path is not None and path.is_file()
    absent = [name for name in entry.tables if tables.get(name) is None]
    return {
        "stem": entry.stem,
        "title": entry.title,
        "see": entry.see,
        "image": data_uri(path) if found else None,
        "absent": absent,
        "tables": entry.tables,
        "measured": entry.sentences(tables),
    }


def data_uri(path: Path) -> str:
    """A picture as text, to stand inside the page."""
    kind = {".png": "image/png", ".svg": "image/svg+xml"}[path.suffix]
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def dataset_rows(graphs: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Sizes and origin of each dataset."""
    if graphs is None:
        return []
    rows = graphs.astype(object).to_dict("records")
    return [{key: number(value) for key, value in row.items()} for row in rows]


def table_rows(counts: Mapping[str, int | None]) -> list[dict[str, Any]]:
    """Every table with its number of rows; None if the file is not there."""
    return [
        {"name": name, "words": words, "count": counts.get(name)}
        for name, words in TABLE_WORDS.items()
    ]


def names(datasets: Sequence[str]) -> str:
    """`Cora, CiteSeer and PubMed`."""
    return joined([display.name(dataset) for dataset in datasets])


def joined(said: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)
