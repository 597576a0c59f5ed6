"""What was found, as a scientist would write it: sentences made from evidence rows.

Effects are given in their units: 1.4 times sooner, or later; 1.4 points better, or worse. A network
is an aggregation with its activation and, where skips are not what is compared, with or without
skips.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from gnn_dynamics.claims.conclusion import join, phrase
from gnn_dynamics.claims.evidence import POOLED
from gnn_dynamics.claims.names import name
from gnn_dynamics.claims.strata import NETWORK, beside, disagree, judged, network_name, networks
from gnn_dynamics.claims.units import ABOVE, BELOW, LOG2, OPEN, VARIES
from gnn_dynamics.claims.words import WORDS, amount, factor, interval

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
    # Else 1000 times later would be read as flow time, in which it may be sooner.
    measure = lead["measure"].iloc[0]
    where = f", in {phrase('measure', measure)}" if measure == "scaled_flow_time" else ""
    if sentence:
        said = f"{sentence.format(network=network, effect=_effect(lead))}{where}."
    else:
        said = f"{network}{where}: {_effect(lead, brief=True)}."
    return [said, *_exceptions(lead), *_missing(lead)]


def _effect(stratum: pd.DataFrame, brief: bool = False) -> str:
    """The effect in words: pooled with its intervals, or for each graph."""
    pooled = stratum["graph"] == POOLED
    rows = stratum[pooled] if pooled.any() else stratum
    rows = rows[rows["effect"].notna()]
    if rows.empty:
        return f"{WORDS[stratum['unit'].iloc[0]].without_number(OPEN)} ({_why_open(stratum)})"
    if brief or not pooled.any():
        return _on_graphs(rows)
    row = next(rows.itertuples())
    new = interval(row.prediction_low, row.prediction_high, row.finding, row.unit)
    return f"{factor(row)} (95 % interval {_span(row)}, {row.graphs} graphs; a new graph: {new})"


def _span(row: Any) -> str:
    return interval(row.ci_low, row.ci_high, row.finding, row.unit)


def _why_open(stratum: pd.DataFrame) -> str:
    if stratum["edge"].sum() > stratum["undecided"].sum() / 2:
        return "the best rate is the smallest or largest that was tried"
    return "too few runs reached it" if stratum["unit"].iloc[0] == LOG2 else "too few runs"


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
    """For example: The factor grows with depth: 1.2, 3.2 and 8 at H = 2, 4 and 6."""
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
    """The graphs on the other side of a pooled finding; those on both sides if it has none."""
    pooled = lead["graph"] == POOLED
    if not pooled.any():
        return []
    graphs, overall = lead[~pooled], lead.loc[pooled, "finding"].item()
    words = WORDS[lead["unit"].iloc[0]]
    above, below = (
        _named(graphs.loc[graphs["finding"].isin(side), "graph"].tolist())
        for side in (ABOVE, BELOW)
    )
    if overall in (VARIES, OPEN):
        sides = ((words.above, above), (words.below, below))
        said = "; ".join(f"{word} on {named}" for word, named in sides if named)
        return [_sentence(said)] if said else []
    opposite = (below if overall in ABOVE else "") or (above if overall in BELOW else "")
    return [f"It is reversed on {opposite}."] if opposite else []


def _missing(lead: pd.DataFrame) -> list[str]:
    """The graphs that are not counted, and why, where others are."""
    absent = lead["effect"].isna()
    if not absent.any() or absent.all():
        return []
    reasons: dict[str, list[str]] = {}
    for graph, part in lead[absent].groupby("graph", sort=False):
        reasons.setdefault(_why_open(part), []).append(str(graph))
    return [_sentence(f"{why} on {_named(graphs)}") for why, graphs in reasons.items()]


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _named(graphs: Sequence[str]) -> str:
    if len(graphs) > MOST_NAMED:
        return f"{len(graphs)} graphs"
    return join([name(graph) for graph in graphs])


def _elsewhere(lead: pd.DataFrame, rest: Sequence[pd.DataFrame]) -> list[str]:
    """The network's other primary strata: In steps of Adam: 1.2 times sooner (1.1 to 1.3)."""
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


def _setting(primary: pd.DataFrame, endpoint: Mapping[str, Any]) -> list[str]:
    """What the runs have instead of the primary setting."""
    words = []
    for key, values in endpoint["setting"].items():
        found = [value for value in values[1:] if (primary[key] == value).any()]
        words += [phrase(key, value) for value in found]
    return [f"Not in the primary setting: {join(words)}."] if words else []
