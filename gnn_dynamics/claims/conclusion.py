"""From the answers of comparable units, strata or cells, to one verdict.

A unit says yes (it supports the claim), no (it refutes it), neither (no difference, or it depends
on the graph), or nothing (open, vacuous). The words after `holds for` and `depends on` come from
the keys that separate the units.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pandas as pd

from gnn_dynamics.claims.names import name

YES, NO, NEITHER, NOTHING, VACUOUS = "yes", "no", "neither", "nothing", "vacuous"
HOLDS, FOR, DEPENDS, FAILS = "holds", "holds for", "depends on", "fails"
UNDECIDED, NOT_TESTED = "undecided", "not tested"
VERDICTS = (HOLDS, FOR, DEPENDS, FAILS, VACUOUS, UNDECIDED, NOT_TESTED)
MOST_KEYS = 3  # that words may name
MOST_LISTED = 4

KEY_NAMES = {  # what separates best comes first
    "multiscale": "skip connections",
    "aggregation": "the aggregation",
    "activation": "the activation",
    "measure": "the measure",
    "init": "the initialisation",
    "nodes": "the nodes that carry the loss",
    "depth": "depth",
    "dataset": "the graph",
    "labels": "the labels",
    "other": "the other side",
    "loss_fn": "the loss",
    "optimizer": "the optimizer",
    "width": "width",
    "features": "the features",
    "case": "the case",
}
_PHRASES: dict[str, dict[object, str]] = {  # of values that are no name by themselves
    "init": {"default": "the default initialisation", "xavier": "Glorot's initialisation"},
    "multiscale": {True: "networks with skips", False: "networks without skips"},
    "measure": {
        "flow_time": "flow time",
        "scaled_flow_time": "scaled flow time",
        "gd_steps": "steps of gradient descent",
        "adam_steps": "steps of Adam",
        "deep_accuracy": "test accuracy, deep with skips against shallow without",
        "accuracy": "test accuracy at the same depth",
        "deep_steps": "steps to the same training loss, deep with skips against shallow without",
        "validated_steps": "steps to the same training loss at the same depth",
        "twin_order": "the order of architectures",
    },
}


def conclude(units: pd.DataFrame, quantifier: str, sides: tuple[str, str]) -> tuple[str, str]:
    """(verdict, the words that complete it) for units with their keys and a column `answer`.

    holds       all that answer say yes
    holds for   some say yes, and none no
    depends on  some say yes and some no; or none says yes, but it depends on the graph
    fails       none says yes; for a statement about `every` case: one says no
    vacuous     every unit is
    undecided   none answers
    not tested  there is none

    sides: what yes and no mean, such as (`faster`, `slower`).
    """
    answers = units["answer"]
    yes, no, neither = (units[answers == kind] for kind in (YES, NO, NEITHER))
    if not len(yes) + len(no) + len(neither):
        return _unanswered(answers), ""
    if quantifier == "every" and len(no):
        return FAILS, ""
    if len(yes) and len(no):
        return DEPENDS, _factor(yes, no, sides)
    if len(yes) and len(neither):
        return FOR, _listed(yes, separating(yes, neither))
    if len(yes):
        return HOLDS, ""
    varies = not len(no) and "varies" in neither and bool(neither["varies"].any())
    return (DEPENDS, KEY_NAMES["dataset"]) if varies else (FAILS, "")


def _unanswered(answers: pd.Series) -> str:
    if answers.empty:
        return NOT_TESTED
    return VACUOUS if (answers == VACUOUS).all() else UNDECIDED


def separating(one: pd.DataFrame, other: pd.DataFrame) -> tuple[str, ...]:
    """The fewest keys, MOST_KEYS at most, whose values are never the same on both sides; or ()."""
    both = pd.concat([one, other])
    keys = [key for key in KEY_NAMES if key in both and both[key].nunique(dropna=False) > 1]
    values = both[keys].astype(object).where(both[keys].notna(), None)
    first, second = values.iloc[: len(one)], values.iloc[len(one) :]
    for count in range(1, MOST_KEYS + 1):
        for chosen in combinations(keys, count):
            if not _combinations(first, chosen) & _combinations(second, chosen):
                return chosen
    return ()


def _combinations(units: pd.DataFrame, keys: Sequence[str]) -> set[tuple[object, ...]]:
    return set(units[list(keys)].itertuples(index=False, name=None))


def _factor(yes: pd.DataFrame, no: pd.DataFrame, sides: tuple[str, str]) -> str:
    """`the aggregation: faster for GCN, slower for GIN`."""
    keys = separating(yes, no)
    if not keys:
        return "more than one choice"
    factor = join([KEY_NAMES[key] for key in keys])
    if len(keys) > 1:
        return factor
    words = [_listed(units, keys) for units in (yes, no)]
    return f"{factor}: {sides[0]} for {words[0]}, {sides[1]} for {words[1]}"


def _listed(units: pd.DataFrame, keys: Sequence[str]) -> str:
    found = units[list(keys)].drop_duplicates().sort_values(list(keys))
    if not keys or len(found) > MOST_LISTED:
        return "some settings"
    rows = found.to_dict("records")
    return join([", ".join(phrase(key, row[key]) for key in keys) for row in rows])


def phrase(key: str, value: Any) -> str:
    """A value of a key in words: `GCN`, `networks with skips`, `H = 4`."""
    if key in ("depth", "width"):
        return f"{'H' if key == 'depth' else key} = {value:g}"
    return _PHRASES.get(key, {}).get(value) or name(value)


def join(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`; with semicolons where a word has commas itself."""
    comma = "; " if any(", " in word for word in words) else ", "
    return f"{comma.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
