"""The claims about speed: strata of comparable pairs, an effect for each graph, graphs pooled.

The graph is the unit. In a stratum (STRATUM) each graph has an effect, the mean over seeds of
log2(time of the other side / time of the side that the claim calls faster). From `minimum_graphs`
graphs on they are pooled by a random-effects model; fewer stand each for itself. Strata are never
pooled. config/claims.yaml defines the endpoint (`rule`, `endpoint`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.artifacts.table import FLAG, INTEGER, REAL, TEXT, Table, integers, reals, texts
from gnn_dynamics.claims.frames import select
from gnn_dynamics.claims.pair_target import PAIR
from gnn_dynamics.claims.pooling import mean_with_interval, pool

POOLED = "pooled"
# `multiscale` is null where skips are what is compared; `depth` is null for all depths together.
STRATUM = ("aggregation", "activation", "measure", "init", "multiscale", "depth")
MEASURES = ("flow_time", "scaled_flow_time", "gd_steps", "adam_steps")
HALVES = ("finding_half_1", "finding_half_2")
FASTER, SLOWER, EQUAL = "faster", "slower", "no difference"
VARIES, OPEN = "depends on the graph", "not enough evidence"
EVIDENCE = Table(
    keys=("claim", *STRATUM, "graph"),
    columns=texts("claim", "aggregation", "activation", "measure", "init")
    | {"multiscale": FLAG, "depth": INTEGER}
    | texts("graph")
    | reals("effect", "se", "ci_low", "ci_high", "prediction_low", "prediction_high", "tau", "i2")
    | integers("graphs", "seeds")
    | texts("finding"),
    optional={"primary": FLAG, "judged": FLAG}
    | integers("pairs", "undecided", "bounded", "started_below")
    | texts("features", "nodes")
    | integers("width")
    | texts("other", *HALVES),
)

Rule = Mapping[str, Any]
Paired = Mapping[str, pd.DataFrame]


def gather_evidence(
    paired: Paired, settings: Mapping[str, Any], halves: Sequence[set[int]]
) -> pd.DataFrame:
    """The rows of `evidence.parquet`, with the findings on two disjoint halves of the seeds.

    Args:
        paired: pairs of each claim about speed, with their outcomes (`comparisons.paired_runs`).
        settings: config/claims.yaml, read.
        halves: seeds of the two halves.

    Returns:
        Columns of EVIDENCE. A row is a graph in a stratum, or `pooled`; `judged` rows of primary
        strata decide the verdict. Rows with a depth repeat the stratum for that depth alone.
    """
    table = _evidence(paired, settings)
    keys = list(EVIDENCE.keys)
    for name, seeds in zip(HALVES, halves, strict=True):
        part = {claim: pairs[pairs["seed"].isin(seeds)] for claim, pairs in paired.items()}
        half = _evidence(part, settings)[[*keys, "finding"]].rename(columns={"finding": name})
        table = table.merge(half, on=keys, how="left")
    return table


def _evidence(paired: Paired, settings: Mapping[str, Any]) -> pd.DataFrame:
    endpoint, ratio = settings["rule"]["endpoint"], settings["rule"]["comparison"]["smallest_ratio"]
    checks = {claim: settings["claims"][claim]["check"] for claim in paired}
    rows = [
        {"claim": claim, **row}
        for claim, pairs in paired.items()
        if checks[claim]["kind"] == "paired_speed"
        for row in _claim_rows(pairs, checks[claim], endpoint, np.log2(ratio))
    ]
    pandas = {INTEGER: "Int64", FLAG: "boolean", REAL: float, TEXT: object}
    types = {name: pandas[kind] for name, kind in EVIDENCE.types.items() if name not in HALVES}
    return pd.DataFrame(rows, columns=list(types)).astype(types)


def _claim_rows(
    pairs: pd.DataFrame, check: Mapping[str, Any], endpoint: Rule, margin: float
) -> Iterator[dict[str, Any]]:
    setting = {**endpoint["setting"], **check.get("setting", {})}
    pairs = primary_setting(pairs, check["compare"], {**endpoint, "setting": setting})
    whole = pairs.assign(depth=pd.NA)
    for frame in (whole, pairs):
        for key, stratum in frame.groupby(list(STRATUM), dropna=False):
            about = dict(zip(STRATUM, key, strict=True))
            chosen = [select(stratum, filters) for filters in check["primary"]]
            primary = pd.isna(about["depth"]) and any(len(rows) for rows in chosen)
            for row in stratum_rows(stratum, endpoint, margin):
                yield {**about, **row, "primary": primary, "judged": primary and row["judged"]}


def primary_setting(pairs: pd.DataFrame, compare: str, endpoint: Rule) -> pd.DataFrame:
    """Pairs at the common target in the primary setting, with the endpoint's names of measures.

    For each measure and key of `setting`, the pairs with the first listed value that any of them
    has. Where experiments overlap, the first in the order of their names counts.
    """
    pairs = pairs[(pairs["threshold_kind"] == PAIR) & pairs["init"].isin(endpoint["inits"])]
    frames = [pairs[:0]]
    for name, runs in endpoint["measures"].items():
        rows = select(pairs, runs).assign(measure=name)
        for key, values in endpoint["setting"].items():
            present = [value for value in values if (rows[key] == value).any()]
            rows = rows[rows[key].isin(present[:1])]
        frames.append(rows)
    chosen = pd.concat(frames).sort_values("experiment", kind="stable")
    unit = [*STRATUM, "dataset", "seed", "other"]
    chosen = chosen.drop_duplicates(unit)
    return chosen.assign(multiscale=pd.NA) if compare == "multiscale" else chosen


def stratum_rows(stratum: pd.DataFrame, endpoint: Rule, margin: float) -> list[dict[str, Any]]:
    """A row for each graph of a stratum, and the pooled one where there are enough of them."""
    graphs = [
        {"graph": name, **_graph(pairs, endpoint, margin)}
        for name, pairs in stratum.groupby("dataset")
    ]
    known = [row for row in graphs if not np.isnan(row["effect"])]
    rows = [{**row, **_setting(stratum), "graphs": 1} for row in graphs]
    if len(known) < endpoint["minimum_graphs"]:
        return [{**row, "judged": True} for row in rows]
    effects, errors = (np.array([row[name] for row in known]) for name in ("effect", "se"))
    pooled = asdict(pool(effects, errors, endpoint["confidence"]))
    counts = {
        name: sum(row[name] for row in graphs)
        for name in ("pairs", "undecided", "bounded", "started_below")
    }
    sides = [sum(row["finding"] == side for row in known) for side in (FASTER, SLOWER)]
    both = min(sides) >= endpoint["smallest_minority"] * len(known)
    pooled |= {"graph": POOLED, "graphs": len(known), "seeds": max(row["seeds"] for row in known)}
    pooled |= {"finding": finding(pooled, margin, both), "judged": True, **_setting(stratum)}
    return [*({**row, "judged": False} for row in rows), pooled | counts]


def _setting(stratum: pd.DataFrame) -> dict[str, Any]:
    return {key: stratum[key].iloc[0] for key in ("features", "nodes", "width")} | {
        "other": ", ".join(sorted({str(value) for value in stratum["other"]}))
    }


def _graph(pairs: pd.DataFrame, endpoint: Rule, margin: float) -> dict[str, Any]:
    """Effect and finding of one graph; null and `not enough evidence` where too little is known."""
    seeds = pairs.groupby("seed")["log2_ratio"].mean().dropna().to_numpy()
    undecided = int((pairs["outcome"] == "undecided").sum())
    counts = {
        "seeds": len(seeds),
        "pairs": len(pairs),
        "undecided": undecided,
        "bounded": int(pairs["bound"].sum()),
        "started_below": int((pairs["reason"] == "started_below").sum()),
    }
    known = len(seeds) >= endpoint["minimum_seeds"]
    if not known or undecided > endpoint["maximum_undecided"] * len(pairs):
        return counts | {"effect": np.nan, "finding": OPEN}
    options = endpoint["smallest_error"], endpoint["confidence"]
    names = ("effect", "se", "ci_low", "ci_high")
    row = dict(zip(names, mean_with_interval(seeds, *options), strict=True))
    return counts | row | {"finding": finding(row, margin)}


def finding(row: Mapping[str, float], margin: float, both_sides: bool = False) -> str:
    """What an interval says, for a margin (log2) within which nothing counts as a difference.

    both_sides: enough graphs are faster and enough are slower, each by its own interval. The answer
    depends on the graph then, if the prediction interval reaches beyond the margin on both sides.
    """
    if both_sides and row["prediction_low"] < -margin and row["prediction_high"] > margin:
        return VARIES
    if row["ci_low"] > margin:
        return FASTER
    if row["ci_high"] < -margin:
        return SLOWER
    if -margin < row["ci_low"] and row["ci_high"] < margin:
        return EQUAL
    return OPEN
