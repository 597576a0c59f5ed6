"""From evidence and cells to verdicts in words: the rows of `claims.parquet`."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gnn_dynamics.artifacts.table import FLAG, Table, integers, texts
from gnn_dynamics.claims import evidence as found
from gnn_dynamics.claims.cells import STATES
from gnn_dynamics.claims.comparisons import HALVES
from gnn_dynamics.claims.conclusion import (
    NEITHER,
    NO,
    NOT_TESTED,
    NOTHING,
    UNDECIDED,
    VACUOUS,
    YES,
    conclude,
    phrase,
)
from gnn_dynamics.claims.names import name
from gnn_dynamics.claims.sentences import UNTESTED, describe, summary
from gnn_dynamics.claims.strata import disagree
from gnn_dynamics.claims.units import ABOVE, BELOW, FINDINGS, MEASURES, OPEN, VARIES, WITHIN
from gnn_dynamics.claims.words import factor

CLAIMS = Table(
    keys=("claim",),
    columns=texts("claim", "statement", "source", "statistic", "verdict", "where_it_fails")
    | texts("evidence"),
    optional=texts("title", "assertion", "origin", "scope", "summary")
    | integers("cells", "supports", "refutes", "undecided", "vacuous")
    | {"seeds_agree": FLAG},
)
ANSWERS = {
    **dict.fromkeys(ABOVE, YES),
    **dict.fromkeys(BELOW, NO),
    **dict.fromkeys((*WITHIN, VARIES), NEITHER),
    OPEN: NOTHING,
    "supports": YES,
    "refutes": NO,
    "undecided": NOTHING,
    "vacuous": VACUOUS,
}


def judge(cells: pd.DataFrame, evidence: pd.DataFrame, settings: Mapping[str, Any]) -> pd.DataFrame:
    """One row for each claim of the settings, in their order.

    Args:
        cells: `comparisons.parquet`.
        evidence: `evidence.parquet`.
        settings: config/claims.yaml, read.

    Returns:
        The columns of `claims.parquet`: `scope` completes the verdicts `holds for` and `depends
        on`, and `summary` is the statement of a claim with a sentence in one or two sentences.
        These claims are judged by the strata of the endpoint, all others by their cells; `cells`,
        supports, refutes, undecided and vacuous count these units. seeds_agree is null where a half
        of the seeds decides nothing.
    """
    rows = []
    for claim, entry in settings["claims"].items():
        if "sentence" in entry:
            rows_of = evidence[evidence["claim"] == claim]
            judged = _by_strata(rows_of, entry, settings["rule"]["endpoint"])
        else:
            judged = _by_cells(cells[cells["claim"] == claim], entry)
        rows.append({"claim": claim, **_words(entry), **judged})
    return pd.DataFrame(rows).astype({"seeds_agree": "boolean"})


def _words(entry: Mapping[str, Any]) -> dict[str, str]:
    return {
        **{key: entry[key] for key in ("title", "assertion", "source", "origin", "quantifier")},
        "statistic": entry["statistic"].format(**entry["check"].get("limits", {})),
        "evidence": ", ".join(entry["evidence"]),
    }


# Claims that are judged by evidence --------------------------------------------------------------


def _by_strata(
    rows: pd.DataFrame, entry: Mapping[str, Any], endpoint: Mapping[str, Any]
) -> dict[str, Any]:
    units = rows[rows["judged"]].assign(dataset=rows["graph"], varies=rows["finding"] == VARIES)
    units["answer"] = units["finding"].map(ANSWERS)
    unit = MEASURES[entry["check"]["primary"][0]["measure"][0]]
    verdict, scope = conclude(units, entry["quantifier"], FINDINGS[unit][:2])
    slower = rows[rows["primary"] & rows["finding"].isin(BELOW)]
    known = (units[list(found.HALVES)] != OPEN) & units[list(found.HALVES)].notna()
    agree = not disagree(units).any() if known.all(axis=1).any() else None
    return {
        "statement": " ".join(describe(rows, entry["sentence"], endpoint)),
        "summary": summary(rows, entry["sentence"]),
        "verdict": verdict,
        "scope": scope,
        "where_it_fails": "; ".join(_slower(row) for row in slower.itertuples()),
        **_counts(units["answer"]),
        "seeds_agree": agree,
    }


def _slower(row: Any) -> str:
    """`Actor: GCN, linear, flow time, the default initialisation (1.3 times later)`."""
    keys = ["aggregation", "activation", "measure", "init"]
    keys += [] if pd.isna(row.multiscale) else ["multiscale"]
    words = ", ".join(phrase(key, getattr(row, key)) for key in keys)
    return f"{name(row.graph)}: {words} ({factor(row)})"


def _counts(answers: pd.Series) -> dict[str, int]:
    kinds = {"supports": YES, "refutes": NO, "undecided": NOTHING, "vacuous": VACUOUS}
    return {"cells": len(answers)} | {
        column: int((answers == kind).sum()) for column, kind in kinds.items()
    }


# Other claims ------------------------------------------------------------------------------------


def _by_cells(cells: pd.DataFrame, entry: Mapping[str, Any]) -> dict[str, Any]:
    judged = cells[cells["state"].isin(STATES)]
    verdict, scope = _verdict(judged, "state", entry["quantifier"])
    halves = [_verdict(judged, half, entry["quantifier"])[0] for half in HALVES]
    tested = not {NOT_TESTED, UNDECIDED, VACUOUS} & set(halves)
    agree = halves[0] == halves[1] if tested else None
    counts = _counts(judged["state"].map(ANSWERS))
    statement = _statement(cells, entry, counts)
    if agree is False:
        statement.append("Two halves of the seeds give different verdicts.")
    return {
        "statement": " ".join(statement),
        "verdict": verdict,
        "scope": scope,
        "where_it_fails": where_it_fails(cells),
        **counts,
        "seeds_agree": agree,
    }


def _verdict(cells: pd.DataFrame, state: str, quantifier: str) -> tuple[str, str]:
    """As `conclude`; what is typical is undecided if most cells that could decide it do not."""
    units = cells.assign(answer=cells[state].map(ANSWERS).fillna(NOTHING))
    counts = _counts(units["answer"])
    if quantifier == "typical" and counts["undecided"] > counts["supports"] + counts["refutes"]:
        return UNDECIDED, ""
    return conclude(units, quantifier, ("holds", "fails"))


def _statement(
    cells: pd.DataFrame, entry: Mapping[str, Any], counts: Mapping[str, int]
) -> list[str]:
    """The result in sentences made from the table."""
    if not counts["cells"]:
        return [UNTESTED]
    decided = counts["supports"] + counts["refutes"]
    sentences = [f"It holds in {counts['supports']} of {decided} settings that decide it."]
    if counts["undecided"] > decided:
        sentences.append(f"{counts['undecided']} settings decide nothing.")
    values = cells[cells["state"].isin(STATES) & (cells["state"] != VACUOUS)]["value"].dropna()
    if len(values) and "finding" in entry:
        numbers = {"lowest": values.min(), "median": values.median(), "highest": values.max()}
        sentences.append(entry["finding"].format(**numbers))
    return sentences


def where_it_fails(cells: pd.DataFrame) -> str:
    """Every refuting cell with its reason and number; empty where there is none."""
    words = []
    for row in cells[cells["state"] == "refutes"].itertuples():
        number = f"{row.value:.3g}" if pd.isna(row.effect) else f"factor {2**row.effect:.3g}"
        words.append(f"{row.cell} ({row.reason}: {number})")
    return "; ".join(words)
