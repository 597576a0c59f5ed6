"""Runs compared in pairs, summed up for each cell: the rows of `comparisons.parquet`.

Effect and interval are of log2(speed of the claimed faster side / speed of the other), so +1 means
twice as fast. Where a pair is censored the effect is a bound towards 0 (`bounded` counts such
pairs). How a cell is decided stands in `decide_cells`, with thresholds from config/claims.yaml.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.claims.cells import CELL_KEYS, decide, name_cells
from gnn_dynamics.claims.pairs import measured, outcomes, pair_runs, select, term_pairs
from gnn_dynamics.claims.statistics import holm, median_intervals, sign_test

OUTCOMES = {"win": "wins", "loss": "losses", "tie": "ties", "undecided": "undecided"}
REASONS = ("not_reached", "started_below", "edge", "not_finite")
STATISTICS = (
    *("effect", "ci_low", "ci_high", "pairs", *OUTCOMES.values(), "p_sign", "p_holm"),
    *("bounded", *REASONS, "best_lr", "best_lr_other", "state", "reason"),
)
PLACE = (*CELL_KEYS, "measure", "threshold", "threshold_kind")


def compare_runs(
    speed: pd.DataFrame, gradient_terms: pd.DataFrame, settings: Mapping[str, Any]
) -> pd.DataFrame:
    """All comparisons that the claims ask for, one row for each claim and cell.

    Args:
        speed: `speed.parquet`.
        gradient_terms: `gradient_terms.parquet`.
        settings: from `settings.load_claims`.

    Returns:
        Columns claim, cell, PLACE (of the claimed faster side), `other` (the compared key's value
        on the other side, as text) and STATISTICS. No rows if the tables hold no pair.
    """
    rule = settings["rule"]["comparison"]
    speeds = measured(speed)
    frames = []
    for claim, entry in settings["claims"].items():
        check = entry["check"]
        if check["kind"] == "paired_speed":
            pairs = pair_runs(select(speeds, check["filter"]), check["compare"])
            pairs = outcomes(pairs, rule["tie_log2"])
        elif check["kind"] == "paired_terms":
            pairs = term_pairs(select(gradient_terms, check["filter"]), rule["tie_log2"])
        else:
            continue
        frames.append(summarise(pairs, claim, check.get("compare"), rule))
    return pd.concat([f for f in frames if len(f)] or frames, ignore_index=True)


def summarise(
    pairs: pd.DataFrame, claim: str, compare: str | None, rule: Mapping[str, Any]
) -> pd.DataFrame:
    """One row for each cell of one claim: counts, effect, interval, tests, state."""
    absent = [name for name in (*PLACE, "other", "best_lr_a", "best_lr_b") if name not in pairs]
    groups = pairs.assign(**dict.fromkeys(absent, np.nan)).groupby(
        [*PLACE, "other"], dropna=False, sort=True
    )
    cells = _counts(pairs, groups)
    cells = cells.join(_effects([sample for _, sample in groups["log2_ratio"]], rule))
    cells = decide_cells(_tests(cells, rule), rule)
    cells = cells.assign(claim=claim, cell=name_cells(cells, compare))
    said = [None if pd.isna(value) else str(value) for value in cells["other"]]
    cells["other"] = pd.Series(said, dtype=object)
    return cells[["claim", "cell", *PLACE, "other", *STATISTICS]]


def _counts(pairs: pd.DataFrame, groups: Any) -> pd.DataFrame:
    """Keys of the cells, numbers of pairs by outcome and reason, medians of the best rates."""
    cells = groups.size().rename("pairs").reset_index()
    number = groups.ngroup()
    for outcome, name in OUTCOMES.items():
        cells[name] = (pairs["outcome"] == outcome).groupby(number).sum().to_numpy(int)
    for reason in REASONS:
        cells[reason] = (pairs["reason"] == reason).groupby(number).sum().to_numpy(int)
    return cells.assign(
        bounded=groups["bound"].sum().to_numpy(int),
        best_lr=groups["best_lr_a"].median().to_numpy(),
        best_lr_other=groups["best_lr_b"].median().to_numpy(),
    )


def _tests(cells: pd.DataFrame, rule: Mapping[str, Any]) -> pd.DataFrame:
    """Sign tests, adjusted by Holm within each family of one claim's cells."""
    signs = zip(cells["wins"], cells["losses"], strict=True)
    p_sign = np.array([sign_test(int(wins), int(losses)) for wins, losses in signs], float)
    p_holm = np.empty_like(p_sign)
    for family in cells.groupby(rule["holm_family"], dropna=False).indices.values():
        p_holm[family] = holm(p_sign[family])
    return cells.assign(p_sign=p_sign, p_holm=p_holm)


def _effects(samples: list[pd.Series], rule: Mapping[str, Any]) -> pd.DataFrame:
    """Median and interval of each cell's decided pairs; null with no pair, or fewer than two."""
    known = [sample.dropna().to_numpy() for sample in samples]
    effect = np.array([np.median(sample) if len(sample) else np.nan for sample in known])
    low, high = np.full(len(known), np.nan), np.full(len(known), np.nan)
    sizes = np.array([len(sample) for sample in known])
    for size in np.unique(sizes[sizes >= 2]):
        chosen = np.flatnonzero(sizes == size)
        low[chosen], high[chosen] = median_intervals(
            np.stack([known[i] for i in chosen]),
            1 - 2 * rule["direction_error"],
            rule["resamples"],
            rule["random_seed"],
        )
    return pd.DataFrame({"effect": effect, "ci_low": low, "ci_high": high})


def decide_cells(cells: pd.DataFrame, rule: Mapping[str, Any]) -> pd.DataFrame:
    """Add `state` and `reason`: the first line that applies decides.

    noted      fewer pairs than `minimum_pairs`: runs that were made for something else
    undecided  too large a share of pairs undecided, or fewer decided ones than `minimum_pairs`
    refutes    the interval lies within `smallest_ratio` of no difference: no effect worth the name
    supports   interval above 0 and sign test significant, both at `direction_error` a side
    refutes    interval below 0 and sign test significant
    undecided  otherwise
    """
    known = cells["pairs"] - cells["undecided"]
    margin = np.log2(rule["smallest_ratio"])
    significant = cells[rule["p_value"]] <= 2 * rule["direction_error"]
    above, below = cells["ci_low"] > 0, cells["ci_high"] < 0
    return decide(
        cells,
        (cells["pairs"] < rule["minimum_pairs"], "noted", "too few seeds to compare"),
        (
            cells["undecided"] > rule["maximum_undecided_share"] * cells["pairs"],
            "undecided",
            "too many undecided pairs",
        ),
        (known < rule["minimum_pairs"], "undecided", "too few pairs"),
        ((cells["ci_low"] > -margin) & (cells["ci_high"] < margin), "refutes", "no difference"),
        (above & significant & (cells["wins"] > cells["losses"]), "supports", "as claimed"),
        (below & significant & (cells["wins"] < cells["losses"]), "refutes", "reversed"),
        otherwise=("undecided", "seeds disagree"),
    )
