"""Runs compared in pairs, summed up for each cell: the rows of `comparisons.parquet`.

Effect and interval are of log2(speed of the claimed faster side / speed of the other), so +1 means
twice as fast, or of a difference of accuracies in points. Where a pair is censored the effect is a
bound towards 0 (`bounded` counts such pairs). The cells show whether an answer hangs on a choice of
the setting (the specification curve); they do not decide the claims that have strata (evidence.py).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.artifacts.parquet import stacked
from gnn_dynamics.artifacts.table import INTEGER, REAL, TEXT, Table, integers, reals, texts
from gnn_dynamics.claims.accuracy import accuracy_pairs
from gnn_dynamics.claims.cells import decide, name_cells
from gnn_dynamics.claims.frames import CELL_KEYS, Tables, select, splits_as_seeds
from gnn_dynamics.claims.pairs import outcomes, pair_runs, term_pairs
from gnn_dynamics.claims.rankings import twin_orders
from gnn_dynamics.claims.statistics import holm, median_intervals, sign_test
from gnn_dynamics.claims.units import LOG2, MEASURES, scales
from gnn_dynamics.config.grid import RUN

SUMMARISED = ("paired_speed", "paired_terms", "paired_accuracy")  # a row for each setting
PAIRED = (*SUMMARISED, "twin_order")
OUTCOMES = {"win": "wins", "loss": "losses", "tie": "ties", "undecided": "undecided"}
HALVES = ("state_half_1", "state_half_2")
REASONS = ("not_reached", "started_below", "edge", "not_finite")
SETTING = (*CELL_KEYS, "measure", "threshold", "threshold_kind")
# Statistics of the pairs; then what the cell is, what decides it, and how.
COMPARISONS = Table(
    keys=("claim", "cell"),
    columns=texts("claim", "cell")
    | reals("effect", "ci_low", "ci_high")
    | integers("pairs", *OUTCOMES.values())
    | reals("p_sign", "p_holm"),
    optional={key: kind for key, kind in RUN.items() if key != "seed"}
    | {"measure": TEXT, "threshold": REAL, "threshold_kind": TEXT, "layer": INTEGER}
    | texts("case", "other")
    | integers("bounded", *REASONS)
    | reals("best_lr", "best_lr_other", "value", "limit")
    | texts("state", "reason", *HALVES),
)


def paired_runs(tables: Tables, settings: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """The pairs of each claim that compares runs, with their outcomes (pairs.py).

    Args:
        tables: speed, training, gradient_terms, and `rankings` of rankings.py.
        settings: config/claims.yaml, read.
    """
    tie = settings["rule"]["comparison"]["tie_log2"]
    return {
        claim: _pairs(tables, entry["check"], tie)
        for claim, entry in settings["claims"].items()
        if entry["check"]["kind"] in PAIRED
    }


def _pairs(tables: Tables, check: Mapping[str, Any], tie_log2: float) -> pd.DataFrame:
    def rows(name: str) -> pd.DataFrame:
        return select(tables[name], check["filter"])

    match check["kind"]:
        case "paired_speed":
            pairs = pair_runs(splits_as_seeds(rows("speed")), check["compare"])
            return outcomes(pairs, tie_log2)
        case "paired_terms":
            return term_pairs(rows("gradient_terms"), tie_log2)
        case "paired_accuracy":
            sides = rows("training"), rows("speed")
            return accuracy_pairs(*sides, tie_log2, **check["limits"])
    return twin_orders(tables["rankings"])


def compare_runs(paired: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> pd.DataFrame:
    """All comparisons that the claims ask for, one row for each claim and cell.

    Returns:
        Columns of COMPARISONS, with SETTING of the side that the claim calls faster, and `other`,
        the compared key's value on the other side, as text. No rows if the tables have no pair.
    """
    rule = settings["rule"]
    checks = {claim: settings["claims"][claim]["check"] for claim in paired}
    frames = [
        summarise(pairs, claim, checks[claim].get("compare"), rule)
        for claim, pairs in paired.items()
        if checks[claim]["kind"] in SUMMARISED
    ]
    return stacked(frames or [pd.DataFrame(columns=list(COMPARISONS.types))])


def summarise(
    pairs: pd.DataFrame, claim: str, compare: str | None, rule: Mapping[str, Any]
) -> pd.DataFrame:
    """One row for each cell of one claim: counts, effect, interval, tests, state.

    rule: of config/claims.yaml.
    """
    absent = [name for name in (*SETTING, "other", "best_lr_a", "best_lr_b") if name not in pairs]
    flags = {name: pairs["outcome"] == outcome for outcome, name in OUTCOMES.items()}
    flags |= {reason: pairs["reason"] == reason for reason in REASONS}
    pairs = pairs.assign(**dict.fromkeys(absent, np.nan), pairs=1, bounded=pairs["bound"], **flags)
    groups = pairs.groupby([*SETTING, "other"], dropna=False)
    cells = groups[["pairs", "bounded", *flags]].sum().astype(int)
    medians = {"effect": "effect", "best_lr": "best_lr_a", "best_lr_other": "best_lr_b"}
    cells = cells.assign(**{name: groups[column].median() for name, column in medians.items()})
    samples = [part for _, part in groups["effect"]]
    cells = cells.reset_index().join(_intervals(samples, rule["comparison"]))
    cells = decide_cells(_tests(cells), rule)
    other = [None if pd.isna(value) else str(value) for value in cells["other"]]
    cell = name_cells(cells, compare)
    return cells.assign(claim=claim, cell=cell, other=pd.Series(other, dtype=object))


def _tests(cells: pd.DataFrame) -> pd.DataFrame:
    """Sign tests, and Holm's adjustment over a claim's cells of one measure."""
    signs = zip(cells["wins"], cells["losses"], strict=True)
    p_sign = np.array([sign_test(int(wins), int(losses)) for wins, losses in signs], float)
    p_holm = np.empty_like(p_sign)
    for family in cells.groupby("measure", dropna=False).indices.values():
        p_holm[family] = holm(p_sign[family])
    return cells.assign(p_sign=p_sign, p_holm=p_holm)


def _intervals(samples: list[pd.Series], rule: Mapping[str, Any]) -> pd.DataFrame:
    """Interval of the median of each cell's decided pairs; null with fewer than two."""
    known = [sample.dropna().to_numpy() for sample in samples]
    ends = np.full((2, len(known)), np.nan)
    for size in {len(sample) for sample in known} - {0, 1}:
        chosen = [i for i, sample in enumerate(known) if len(sample) == size]
        ends[:, chosen] = median_intervals(
            np.stack([known[i] for i in chosen]),
            1 - 2 * rule["direction_error"],
            rule["resamples"],
            rule["random_seed"],
        )
    return pd.DataFrame(ends.T, columns=["ci_low", "ci_high"])


def decide_cells(cells: pd.DataFrame, rule: Mapping[str, Any]) -> pd.DataFrame:
    """Add `state` and `reason`: the first line that applies decides.

    undecided  fewer decided pairs than `minimum_pairs`
    refutes    the interval lies within the margin of its unit around no difference
    supports   interval above 0 and sign test significant, each with error `direction_error`
    refutes    interval below 0 and sign test significant
    undecided  otherwise
    """
    known = cells["pairs"] - cells["undecided"]
    margins = {unit: scale.margin for unit, scale in scales(rule).items()}
    margin = cells["measure"].map(MEASURES).map(margins).astype(float).fillna(margins[LOG2])
    rule = rule["comparison"]
    significant = cells["p_sign"] <= 2 * rule["direction_error"]
    above, below = cells["ci_low"] > 0, cells["ci_high"] < 0
    return decide(
        cells,
        (known < rule["minimum_pairs"], "undecided", "too few pairs"),
        ((cells["ci_low"] > -margin) & (cells["ci_high"] < margin), "refutes", "no difference"),
        (above & significant & (cells["wins"] > cells["losses"]), "supports", "as claimed"),
        (below & significant & (cells["wins"] < cells["losses"]), "refutes", "reversed"),
        otherwise=("undecided", "seeds disagree"),
    )
