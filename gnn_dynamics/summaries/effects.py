"""Effects of the accelerations, as several figures summarise them: which cells count, and medians.

An effect is log2(time of the other side / time of the side that the claim calls faster).
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from gnn_dynamics.summaries import select

GRAPH = ["dataset", "aggregation"]
ACCELERATIONS = {"09": "skip connections", "10": "depth", "11": "true labels"}
# The theorems' setting comes first: squared loss, the nodes of the public split.
FIRST = {"loss_fn": ("squared",), "nodes": ("train",)}


def judged(
    comparisons: pd.DataFrame | None, claims: Sequence[str], measures: Sequence[str]
) -> pd.DataFrame:
    """Cells of linear networks with enough decided pairs, for or against the claim.

    Cells whose seeds disagree are kept: small effects look like that, and a median without them
    would be biased away from 0.
    """
    if comparisons is None or comparisons.empty:
        return pd.DataFrame()
    rows = comparisons[comparisons["claim"].isin(claims) & comparisons["measure"].isin(measures)]
    rows = rows[rows["activation"] == "linear"]
    return rows[rows["state"].isin(["supports", "refutes"]) | (rows["reason"] == "seeds disagree")]


def medians(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """For each of `by`: medians over cells of effect, ci_low and ci_high, and number of cells.

    `bounded` is the share of decided pairs in which one run ended before it reached the threshold.
    Its end time is used, so that the effect is a lower bound.
    """
    decided = rows["pairs"] - rows["undecided"]
    grouped = rows.assign(decided=decided).groupby(list(by), sort=True)
    sums = grouped[["bounded", "decided"]].sum()
    summary = grouped[["effect", "ci_low", "ci_high"]].median()
    share = sums["bounded"] / sums["decided"]
    return summary.assign(cells=grouped.size(), bounded=share).reset_index()


def fix(cells: pd.DataFrame, free: Sequence[str]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """`select.fix` in the theorems' setting, at the width that most cells have."""
    widths = cells["width"].value_counts().sort_index()  # of equally many, the smaller
    first = {**FIRST, "width": widths.sort_values(ascending=False, kind="stable").index.tolist()}
    return select.fix(cells, free, first)


def with_ends(row: Any) -> str:
    """`+0.53 (0.21 to 0.80)` for a row of `medians`."""
    return f"{row.effect:+.2f} ({row.ci_low:.2f} to {row.ci_high:.2f})".replace("-", "−")
