"""What was found, as a scientist would write it: sentences made from evidence rows.

Effects are given in their units: 1.4 times sooner, or later; 1.4 points better, or worse. A network
is an aggregation with its activation and, where skips are not what is compared, with or without
skips.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gnn_dynamics.claims.conclusion import join, phrase
from gnn_dynamics.claims.evidence import HALVES, POOLED
from gnn_dynamics.claims.names import name
from gnn_dynamics.claims.units import (
    ABOVE,
    BELOW,
    LOG2,
    MEASURES,
    OPEN,
    POINTS,
    RHO,
    VARIES,
    WITHIN,
)


class Words(NamedTuple):
    """What is said about effects of a unit.

    above, below, within: adverbs of the side that the claim names, of the other, and of neither.
    pattern: of a number with one of the first two. noun, after: of several numbers in a row.
    same: effects that differ by less are called the same.
    """

    above: str
    below: str
    within: str
    pattern: str
    noun: str
    after: str
    same: float

    def without_number(self, finding: str) -> str | None:
        """What is said in place of a number; None if it is one that is said."""
        if finding in WITHIN:
            return self.within
        if finding == VARIES:
            return f"{self.above} on some graphs and {self.below} on others"
        return f"neither clearly {self.above} nor clearly {self.below}" if finding == OPEN else None


WORDS = {
    LOG2: Words(
        above="sooner",
        below="later",
        within="equally soon",
        pattern="{number} times {word}",
        noun="factor",
        after="",
        same=float(np.log2(1.05)),
    ),
    POINTS: Words(
        above="better",
        below="worse",
        within="equally well",
        pattern="{number} points {word}",
        noun="difference",
        after=" points",
        same=0.1,
    ),
    RHO: Words(
        above="in the same order",
        below="in the opposite order",
        within="unrelated",
        pattern="{word} with rank correlation {number}",
        noun="rank correlation",
        after="",
        same=0.01,
    ),
}
NETWORK = ["aggregation", "activation", "multiscale"]
# Measures that are no endpoint, and are reported beside the primary ones of their claim.
BESIDE = ("accuracy", "deep_steps", "validated_steps")
UNTESTED = "No run of this configuration tests it."
MOST_GRAPHS = 2  # whose effects by depth are written out
MOST_NAMED = 5  # graphs of a list


def describe(rows: pd.DataFrame, sentence: str, endpoint: Mapping[str, Any]) -> list[str]:
    """The result of one claim in sentences.

    Args:
        rows: its rows of `evidence.parquet`.
        sentence: with the places {network} and {effect}.
        endpoint: of config/claims.yaml.
    """
    primary = rows[rows["primary"]]
    if primary.empty:
        return [UNTESTED]
    sentences: list[str] = []
    for network, (lead, *rest) in networks(primary).items():
        sentences += _about(network, lead, "" if sentences else sentence)
        sentences += [] if len(sentences) > 2 else _by_depth(rows, lead)
        sentences += _elsewhere(lead, rest)
        for stratum in beside(rows, lead):
            sentences += [*_elsewhere(lead, [stratum]), *_by_depth(rows, stratum)]
    return [*sentences, *_halves(primary), *_setting(primary, endpoint)]


def summary(rows: pd.DataFrame, sentence: str) -> str:
    """The result in one or two sentences: leading strata, first aggregation and activation."""
    strata = networks(rows[rows["primary"]])
    leads = {network: found[0] for network, found in strata.items()}
    kinds = {network: tuple(lead[NETWORK[:2]].iloc[0]) for network, lead in leads.items()}
    sentences: list[str] = []
    for network, lead in leads.items():
        if kinds[network] == next(iter(kinds.values())):
            sentences += _about(network, lead, "" if sentences else sentence)
    return " ".join(sentences)


def _about(network: str, lead: pd.DataFrame, sentence: str) -> list[str]:
    """A network's leading stratum, in a whole sentence or, without one, in brief."""
    if sentence:
        said = f"{sentence.format(network=network, effect=_effect(lead))}."
    else:
        said = f"{network}: {_effect(lead, brief=True)}."
    return [said, *_exceptions(lead), *_missing(lead)]


def beside(rows: pd.DataFrame, lead: pd.DataFrame) -> list[pd.DataFrame]:
    """The strata of the measures BESIDE that belong to a leading one, of all depths together."""
    keys = [*NETWORK, "init"]
    rows = rows[rows["depth"].isna()].merge(lead[keys].drop_duplicates(), on=keys)
    strata = [rows[rows["measure"] == measure] for measure in BESIDE]
    return [stratum for stratum in strata if len(stratum)]


def networks(primary: pd.DataFrame) -> dict[str, list[pd.DataFrame]]:
    """The primary strata of each network, by its name; GCN, linear and skips come first.

    Strata are in the order of MEASURES, then of initialisations; one with a finding leads.
    """
    found, order_of = [], list(MEASURES)
    for key, part in primary.groupby(NETWORK, dropna=False):
        strata = [stratum for _, stratum in part.groupby(["measure", "init"])]
        strata.sort(key=lambda stratum: order_of.index(stratum["measure"].iloc[0]))
        strata.sort(key=lambda stratum: not _decided(stratum))
        aggregation, activation, multiscale = key
        without = not pd.isna(multiscale) and not multiscale
        order = (aggregation != "gcn", aggregation, activation != "linear", without)
        found.append((order, network_name(*key), strata))
    found.sort(key=lambda entry: entry[0])
    return {network: strata for _, network, strata in found}


def _decided(stratum: pd.DataFrame) -> bool:
    return bool((judged(stratum)["finding"] != OPEN).any())


def judged(stratum: pd.DataFrame) -> pd.DataFrame:
    """The rows that decide: pooled ones, or graphs where nothing was pooled."""
    return stratum[stratum["judged"]]


def network_name(aggregation: str, activation: str, multiscale: Any) -> str:
    """`GCN`, `ReLU GIN without skips`."""
    skips = "" if pd.isna(multiscale) else f" {'with' if multiscale else 'without'} skips"
    return f"{'ReLU ' if activation == 'relu' else ''}{name(aggregation)}{skips}"


def factor(row: Any) -> str:
    """`1.4 times sooner`, `1.4 points worse`, or what stands for another finding."""
    words = WORDS[row.unit]
    size = row.effect if row.unit == RHO else abs(row.effect)
    word = words.above if row.finding in ABOVE else words.below
    said = words.pattern.format(number=amount(size, row.unit), word=word)
    return words.without_number(row.finding) or said


def times(effect: float) -> str:
    """An effect (log2) as a factor with two digits, more for large ones."""
    return f"{2**effect:.2g}" if effect < np.log2(99.5) else f"{2**effect:.0f}"


def amount(effect: float, unit: str) -> str:
    """An effect in its unit: a factor, points, or a rank correlation."""
    if unit == LOG2:
        return times(effect)
    return f"{effect:.{1 if unit == POINTS else 2}f}".replace("-", "−")


def interval(low: float, high: float, finding: str, unit: str = LOG2) -> str:
    """`1.3 to 1.6`, of the number that `factor` gives."""
    ends = (-high, -low) if finding in BELOW and unit != RHO else (low, high)
    return " to ".join(amount(end, unit) for end in ends)


def _effect(stratum: pd.DataFrame, brief: bool = False) -> str:
    """The effect in words: pooled with its intervals, or for each graph."""
    pooled = stratum["graph"] == POOLED
    rows = stratum[pooled] if pooled.any() else stratum
    rows = rows[rows["effect"].notna()]
    if rows.empty:
        unit = stratum["unit"].iloc[0]
        why = "too few runs reached it" if unit == LOG2 else "too few runs"
        return f"{WORDS[unit].without_number(OPEN)} ({why})"
    if brief or not pooled.any():
        return _on_graphs(rows)
    row = next(rows.itertuples())
    new = interval(row.prediction_low, row.prediction_high, row.finding, row.unit)
    return f"{factor(row)} (95 % interval {_span(row)}, {row.graphs} graphs; a new graph: {new})"


def _span(row: Any) -> str:
    return interval(row.ci_low, row.ci_high, row.finding, row.unit)


def _on_graphs(rows: pd.DataFrame) -> str:
    """`1.4 times sooner on Cora (1.3 to 1.6) and equally soon on Wine and Digits`."""
    words = []
    for finding, part in rows.groupby("finding", sort=False):
        said = WORDS[part["unit"].iloc[0]].without_number(finding)
        if said and (part["graph"] != POOLED).all():
            words.append(f"{said} on {join([name(graph) for graph in part['graph']])}")
        else:
            words += [f"{_where(row)} ({_span(row)})" for row in part.itertuples()]
    return join(words)


def _by_depth(rows: pd.DataFrame, lead: pd.DataFrame) -> list[str]:
    """`The factor grows with depth: 1.2, 3.2 and 8 at H = 2, 4 and 6.`"""
    keys = [*NETWORK, "measure", "init"]
    depths = rows[rows["depth"].notna() & rows["effect"].notna()].sort_values("depth")
    depths = depths.merge(lead[keys].drop_duplicates(), on=keys)
    pooled = depths[depths["graph"] == POOLED]
    if len(pooled):
        parts = {"": pooled}
    else:
        parts = {f" on {name(graph)}": part for graph, part in depths.groupby("graph")}
    if len(parts) > MOST_GRAPHS:
        return []
    return [_gain(where, part) for where, part in parts.items() if len(part) > 1]


def _gain(where: str, depths: pd.DataFrame) -> str:
    effects, at = depths["effect"], join([f"{depth:g}" for depth in depths["depth"]])
    unit = depths["unit"].iloc[0]
    words = WORDS[unit]
    if effects.max() - effects.min() < words.same:
        return f"The {words.noun}{where} is the same at H = {at}."
    trend = "grows with depth" if effects.is_monotonic_increasing else "changes with depth"
    trend = "falls with depth" if effects.is_monotonic_decreasing else trend
    numbers = join([amount(effect, unit) for effect in effects])
    return f"The {words.noun}{where} {trend}: {numbers}{words.after} at H = {at}."


def _exceptions(lead: pd.DataFrame) -> list[str]:
    """The graphs on the other side of a pooled finding, or on both sides if it depends on them."""
    pooled = lead["graph"] == POOLED
    if not pooled.any():
        return []
    graphs, overall = lead[~pooled], lead.loc[pooled, "finding"].item()
    above, below = (
        _named(graphs.loc[graphs["finding"].isin(side), "graph"].tolist())
        for side in (ABOVE, BELOW)
    )
    if overall == VARIES:
        words = WORDS[lead["unit"].iloc[0]]
        return [f"{words.above.capitalize()} on {above}; {words.below} on {below}."]
    opposite = (below if overall in ABOVE else "") or (above if overall in BELOW else "")
    return [f"It is reversed on {opposite}."] if opposite else []


def _missing(lead: pd.DataFrame) -> list[str]:
    """The graphs on which too few runs got there to be counted, where others count."""
    absent = lead["effect"].isna()
    if not absent.any() or absent.all():
        return []
    return [f"Too few runs reached it on {_named(lead.loc[absent, 'graph'].tolist())}."]


def _named(graphs: Sequence[str]) -> str:
    if len(graphs) > MOST_NAMED:
        return f"{len(graphs)} graphs"
    return join([name(graph) for graph in graphs])


def _elsewhere(lead: pd.DataFrame, rest: Sequence[pd.DataFrame]) -> list[str]:
    """The network's other primary strata: `In steps of Adam: 1.2 times sooner (1.1 to 1.3).`"""
    sentences = []
    for stratum in rest:
        first = stratum.iloc[0]
        where = phrase("measure", first["measure"])
        if first["init"] != lead["init"].iloc[0]:
            where += f" with {phrase('init', first['init'])}"
        sentences.append(f"In {where}: {_effect(stratum, brief=True)}.")
    return sentences


def _where(row: Any) -> str:
    return factor(row) if row.graph == POOLED else f"{factor(row)} on {name(row.graph)}"


def _halves(primary: pd.DataFrame) -> list[str]:
    rows = judged(primary)
    torn = rows[disagree(rows)]
    if torn.empty:
        return []
    names = {
        network_name(row.aggregation, row.activation, row.multiscale) for row in torn.itertuples()
    }
    return [f"Two halves of the seeds give different findings for {join(sorted(names))}."]


def disagree(rows: pd.DataFrame) -> pd.Series:
    """Whether both halves of the seeds give a finding, and not the same."""
    one, other = (rows[half].fillna(OPEN) for half in HALVES)
    return (one != other) & (one != OPEN) & (other != OPEN)


def _setting(primary: pd.DataFrame, endpoint: Mapping[str, Any]) -> list[str]:
    """What the runs have instead of the primary setting."""
    words = []
    for key, values in endpoint["setting"].items():
        found = [value for value in values[1:] if (primary[key] == value).any()]
        words += [phrase(key, value) for value in found]
    return [f"Not in the primary setting: {join(words)}."] if words else []
