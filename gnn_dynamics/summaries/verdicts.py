"""Verdicts in words and marks."""

from collections.abc import Iterable

import pandas as pd

MARKS = {"holds": "✓", "fails": "✗", "mixed": "±", "vacuous": "○", "not tested": "–"}
_VERBS = {  # singular, plural
    "holds": ("holds", "hold"),
    "fails": ("fails", "fail"),
    "mixed": ("is mixed", "are mixed"),
    "vacuous": ("is vacuous", "are vacuous"),
    "not tested": ("is not tested", "are not tested"),
}


def verdict_counts(verdicts: Iterable[str]) -> str:
    """`3 hold, 1 fails, 2 are mixed` for a list of verdicts."""
    counts = pd.Series(list(verdicts), dtype=str).value_counts()
    known = [verdict for verdict in _VERBS if verdict in counts]
    texts = [f"{counts[verdict]} {_VERBS[verdict][int(counts[verdict] > 1)]}" for verdict in known]
    return ", ".join(texts) or "no claim was judged"
