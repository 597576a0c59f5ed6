"""From cells to verdicts: the rows of `claims.parquet`, with statements made from the numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.artifacts.table import FLAG, Table, integers, texts
from gnn_dynamics.claims.cells import STATES
from gnn_dynamics.claims.comparisons import HALVES

MEASURE_NAMES = {
    "flow_time": "Flow time",
    "best_lr_steps": "Steps at the best learning rate",
    "equal_lr_steps": "Steps at equal learning rate",
    "head_to_layer_terms": "Head terms over layer terms",
}

CLAIMS = Table(
    keys=("claim",),
    columns=texts("claim", "statement", "source", "statistic", "verdict", "where_it_fails")
    | texts("evidence"),
    optional=texts("title", "assertion")
    | integers("cells", "supports", "refutes", "undecided", "vacuous")
    | {"seeds_agree": FLAG},
)


def judge(cells: pd.DataFrame, settings: Mapping[str, Any]) -> pd.DataFrame:
    """One row for each claim of the settings, in their order.

    Args:
        cells: `comparisons.parquet`, from `evidence.claim_cells_by_half`.
        settings: config/claims.yaml, read.

    Returns:
        The columns of `claims.parquet`, and title, assertion (what the paper claims, in our
        words), quantifier (`every` case or the `typical` one), cells, supports, refutes, undecided,
        vacuous, seeds_agree (null where the halves of the seeds decide nothing).
    """
    rule = settings["rule"]["verdict"]
    rows = [
        {"claim": claim, **_judged(cells[cells["claim"] == claim], entry, rule)}
        for claim, entry in settings["claims"].items()
    ]
    return pd.DataFrame(rows).astype({"seeds_agree": "boolean"})


def _judged(
    cells: pd.DataFrame, entry: Mapping[str, Any], rule: Mapping[str, Any]
) -> dict[str, Any]:
    counts = count_states(cells["state"])
    agree = seeds_agree(cells, entry["quantifier"], rule)
    result = "mixed" if agree is False else verdict(counts, entry["quantifier"], rule)
    sentences = statement(cells, entry, counts)
    if agree is False:
        sentences.append("Two halves of the seeds give different verdicts.")
    elif result == "mixed" and not counts["refutes"]:
        sentences.append("Too few cells are decided.")
    return {
        **{key: entry[key] for key in ("title", "assertion", "quantifier")},
        "statement": " ".join(sentences),
        "source": f"{entry['source']} ({entry['wording']})",
        "statistic": entry["statistic"].format(**entry["check"].get("limits", {})),
        "verdict": result,
        "where_it_fails": where_it_fails(cells),
        "evidence": ", ".join(entry["evidence"]),
        "cells": sum(counts.values()),
        **counts,
        "seeds_agree": agree,
    }


def count_states(states: pd.Series) -> dict[str, int]:
    """How many cells are in each of STATES; cells that are only noted are not counted."""
    return {state: int((states == state).sum()) for state in STATES}


def verdict(counts: Mapping[str, int], quantifier: str, rule: Mapping[str, Any]) -> str:
    """The verdict that follows from the numbers of cells in each state.

    not tested  no cell, or none that decides
    vacuous     no cell but vacuous ones
    fails       of the decided cells, at least the share `fails_share` refutes; for a statement
                about every case (a theorem) that share is 0: one counterexample suffices
    holds       no decided cell refutes
    mixed       otherwise, and where fewer than `minimum_decided_share` of the cells that are not
                vacuous are decided
    """
    decided = counts["supports"] + counts["refutes"]
    if not decided:
        return "vacuous" if counts["vacuous"] and not counts["undecided"] else "not tested"
    if decided < rule["minimum_decided_share"] * (decided + counts["undecided"]):
        return "mixed"
    if counts["refutes"] and counts["refutes"] >= rule["fails_share"][quantifier] * decided:
        return "fails"
    return "mixed" if counts["refutes"] else "holds"


def seeds_agree(cells: pd.DataFrame, quantifier: str, rule: Mapping[str, Any]) -> bool | None:
    """Whether both halves of the seeds give the same verdict; None where one decides nothing.

    A half may decide fewer cells than all seeds do, so `minimum_decided_share` does not apply. A
    half whose cells are all vacuous decides nothing, since it may have few runs.
    """
    lenient = {**rule, "minimum_decided_share": 0.0}
    verdicts = {verdict(count_states(cells[half]), quantifier, lenient) for half in HALVES}
    return None if verdicts & {"not tested", "vacuous"} else len(verdicts) == 1


def statement(
    cells: pd.DataFrame, entry: Mapping[str, Any], counts: Mapping[str, int]
) -> list[str]:
    """The result in sentences made from the table."""
    judged = cells[cells["state"].isin(STATES)]
    noted = cells[cells["state"] == "noted"]["value"]
    sentences = [_counted(counts, len(noted))]
    sentences += [
        _measure_sentence(name, judged[judged["measure"] == measure])
        for measure, name in MEASURE_NAMES.items()
        if (judged["measure"] == measure).any()
    ]
    values = judged[judged["state"] != "vacuous"]["value"].dropna()
    if len(values) and "finding" in entry:
        numbers = {"lowest": values.min(), "median": values.median(), "highest": values.max()}
        sentences.append(entry["finding"].format(**numbers))
    ratios = noted.dropna()
    if len(ratios) and "noted" in entry:
        numbers = {"median": 2 ** ratios.median(), "highest": 2 ** ratios.max()}
        sentences.append(entry["noted"].format(**numbers))
    return sentences


def _counted(counts: Mapping[str, int], noted: int) -> str:
    if not sum(counts.values()):
        return "No run of this configuration tests it."
    decided = counts["supports"] + counts["refutes"]
    rest = [f"{counts[s]} {s}" for s in ("undecided", "vacuous") if counts[s]]
    rest += [f"{noted} noted and not judged"] if noted else []
    aside = f", {' and '.join(rest)}" if rest else ""
    return f"Supported in {counts['supports']} of {decided} decided cells{aside}."


def _measure_sentence(name: str, cells: pd.DataFrame) -> str:
    """`Flow time: 12 as claimed, 3 reversed; median factor 2.1 (0.8 to 5.3).`"""
    reasons = cells["reason"].value_counts(sort=False).sort_index()
    outcomes = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    factors = np.exp2(cells["effect"].dropna())
    if not len(factors):
        return f"{name}: {outcomes}."
    censored = int(cells["bounded"].sum())
    bound = f", {censored} pairs as bounds only" if censored else ""
    span = f"{factors.min():.3g} to {factors.max():.3g}"
    return f"{name}: {outcomes}; median factor {factors.median():.3g} ({span}{bound})."


def where_it_fails(cells: pd.DataFrame) -> str:
    """Every refuting cell with its reason and number; empty where there is none."""
    words = []
    for row in cells[cells["state"] == "refutes"].itertuples():
        number = f"{row.value:.3g}" if pd.isna(row.effect) else f"factor {2**row.effect:.3g}"
        words.append(f"{row.cell} ({row.reason}: {number})")
    return "; ".join(words)
