"""Verdicts in words and marks."""

from collections.abc import Iterable

import pandas as pd

MARKS = {
    "holds": "✓",
    "holds for": "✓",
    "depends on": "±",
    "fails": "✗",
    "vacuous": "○",
    "not tested": "–",
}
_VERBS = {  # singular, plural
    "holds": ("holds", "hold"),
    "holds for": ("holds in part", "hold in part"),
    "depends on": ("depends on the setting", "depend on the setting"),
    "fails": ("fails", "fail"),
    "vacuous": ("is vacuous", "are vacuous"),
    "not tested": ("is not tested", "are not tested"),
}


def verdict_counts(verdicts: Iterable[str]) -> str:
    """`3 hold, 1 fails, 2 depend on the setting` for a list of verdicts."""
    counts = pd.Series(list(verdicts), dtype=str).value_counts()
    known = [verdict for verdict in _VERBS if verdict in counts]
    texts = [f"{counts[verdict]} {_VERBS[verdict][int(counts[verdict] > 1)]}" for verdict in known]
    return ", ".join(texts) or "no claim was judged"


def in_words(verdict: str, scope: str | None) -> str:
    """`holds for GCN`, `depends on the graph`, or the verdict alone."""
    return f"{verdict} {scope}" if scope else verdict
