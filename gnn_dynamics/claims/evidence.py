"""Strata of comparable pairs, an effect for each graph, graphs pooled.

The graph is the unit. In a stratum (STRATUM) each graph has an effect, the mean over seeds: of
log2(time of the other side / time of the side that the claim calls faster), of a difference in
accuracy, or of a rank correlation (units.py). From `minimum_graphs` graphs on they are pooled by a
random-effects model; fewer stand each for itself. Strata are never pooled. config/claims.yaml
defines the endpoint (`rule`, `endpoint`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.artifacts.table import FLAG, INTEGER, REAL, TEXT, Table, integers, reals, texts
from gnn_dynamics.claims.frames import select
from gnn_dynamics.claims.pooling import mean_with_interval, pool
from gnn_dynamics.claims.units import ABOVE, BELOW, MEASURES, OPEN, Scale, scales

POOLED = "pooled"
# `multiscale` is null where skips are what is compared; `depth` is null for all depths together.
STRATUM = ("aggregation", "activation", "measure", "init", "multiscale", "depth")
HALVES = ("finding_half_1", "finding_half_2")
COUNTS = ("pairs", "undecided", "bounded", "started_below", "edge")
EVIDENCE = Table(
    keys=("claim", *STRATUM, "graph"),
    columns=texts("claim", "aggregation", "activation", "measure", "init")
    | {"multiscale": FLAG, "depth": INTEGER}
    | texts("graph")
    | reals("effect", "se", "ci_low", "ci_high", "prediction_low", "prediction_high", "tau", "i2")
    | integers("graphs", "seeds")
    | texts("finding"),
    optional={"primary": FLAG, "judged": FLAG}
    | integers(*COUNTS)
    | texts("unit", "features", "nodes")
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
        paired: pairs of each claim with a primary measure, with their outcomes
            (`comparisons.paired_runs`).
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
    checks = {claim: settings["claims"][claim]["check"] for claim in paired}
    rows = [
        {"claim": claim, **row}
        for claim, pairs in paired.items()
        if "primary" in checks[claim]
        for row in _claim_rows(pairs, checks[claim], settings["rule"])
    ]
    pandas = {INTEGER: "Int64", FLAG: "boolean", REAL: float, TEXT: object}
    types = {name: pandas[kind] for name, kind in EVIDENCE.types.items() if name not in HALVES}
    return pd.DataFrame(rows, columns=list(types)).astype(types)


def _claim_rows(
    pairs: pd.DataFrame, check: Mapping[str, Any], rule: Rule
) -> Iterator[dict[str, Any]]:
    endpoint, of_unit = rule["endpoint"], scales(rule)
    setting = {**endpoint["setting"], **check.get("setting", {})}
    pairs = primary_setting(pairs, check.get("compare"), {**endpoint, "setting": setting})
    whole = pairs.assign(depth=pd.NA)
    for frame in (whole, pairs[pairs["depth"].notna()]):
        for key, stratum in frame.groupby(list(STRATUM), dropna=False):
            about = dict(zip(STRATUM, key, strict=True))
            scale = of_unit[MEASURES[about["measure"]]]
            chosen = [select(stratum, filters) for filters in check["primary"]]
            primary = pd.isna(about["depth"]) and any(len(rows) for rows in chosen)
            for row in stratum_rows(stratum, endpoint, scale):
                judged = primary and row["judged"]
                yield {**about, **row, "unit": scale.unit, "primary": primary, "judged": judged}


def primary_setting(pairs: pd.DataFrame, compare: str | None, endpoint: Rule) -> pd.DataFrame:
    """Pairs in the primary setting, with the endpoint's names of measures.

    Where experiments overlap, the first in the order of their names counts.
    """
    rows = [
        in_setting(select(pairs, runs), endpoint).assign(measure=name)
        for name, runs in endpoint["measures"].items()
    ]
    chosen = pd.concat(rows).sort_values("experiment", kind="stable")
    chosen = chosen.drop_duplicates([*STRATUM, "dataset", "seed", "other"])
    return chosen.assign(multiscale=pd.NA) if compare == "multiscale" else chosen


def in_setting(rows: pd.DataFrame, endpoint: Rule) -> pd.DataFrame:
    """Rows of the primary initialisations; of each key the first listed value that any has."""
    rows = rows[rows["init"].isin(endpoint["inits"])]
    for key, values in endpoint["setting"].items():
        present = [value for value in values if (rows[key] == value).any()]
        rows = rows[rows[key].isin(present[:1])]
    return rows


def stratum_rows(stratum: pd.DataFrame, endpoint: Rule, scale: Scale) -> list[dict[str, Any]]:
    """A row for each graph of a stratum, and the pooled one where there are enough of them."""
    graphs = [
        {"graph": name, **_graph(pairs, endpoint, scale)}
        for name, pairs in stratum.groupby("dataset")
    ]
    known = [row for row in graphs if not np.isnan(row["effect"])]
    rows = [{**row, **_setting(stratum), "graphs": 1} for row in graphs]
    if len(known) < endpoint["minimum_graphs"]:
        return [{**row, "judged": True} for row in rows]
    effects, errors = (np.array([row[name] for row in known]) for name in ("effect", "se"))
    pooled = asdict(pool(effects, scale.weighing(errors), endpoint["confidence"]))
    counts = {name: sum(row[name] for row in graphs) for name in COUNTS}
    sides = [sum(row["finding"] in side for row in known) for side in (ABOVE, BELOW)]
    both = min(sides) >= endpoint["smallest_minority"] * len(known)
    pooled |= {"graph": POOLED, "graphs": len(known), "seeds": max(row["seeds"] for row in known)}
    pooled |= {"finding": scale.finding(pooled, both), "judged": True, **_setting(stratum)}
    return [*({**row, "judged": False} for row in rows), scale.clipped(pooled | counts)]


def _setting(stratum: pd.DataFrame) -> dict[str, Any]:
    return {key: stratum[key].iloc[0] for key in ("features", "nodes", "width")} | {
        "other": ", ".join(sorted({str(value) for value in stratum["other"]}))
    }


def _graph(pairs: pd.DataFrame, endpoint: Rule, scale: Scale) -> dict[str, Any]:
    """Effect and finding of one graph; null and `not enough evidence` where too little is known."""
    seeds = pairs.groupby("seed")["effect"].mean().dropna().to_numpy()
    undecided = int((pairs["outcome"] == "undecided").sum())
    counts = {
        "seeds": len(seeds),
        "pairs": len(pairs),
        "undecided": undecided,
        "bounded": int(pairs["bound"].sum()),
        **{reason: int((pairs["reason"] == reason).sum()) for reason in ("started_below", "edge")},
    }
    known = len(seeds) >= endpoint["minimum_seeds"]
    if not known or undecided > endpoint["maximum_undecided"] * len(pairs):
        return counts | {"effect": np.nan, "finding": OPEN}
    options = scale.smallest_error, endpoint["confidence"]
    names = ("effect", "se", "ci_low", "ci_high")
    row = dict(zip(names, mean_with_interval(seeds, *options), strict=True))
    return scale.clipped(counts | row | {"finding": scale.finding(row)})
