"""Small result tables with known answers, for the tests of the claims."""

from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from table_rows import OPTIMUM, RUN, frame, row

from gnn_dynamics.claims.claim_cells import claim_cells_by_half, seed_halves
from gnn_dynamics.claims.comparisons import compare_runs, paired_runs
from gnn_dynamics.claims.evidence import gather_evidence
from gnn_dynamics.claims.pair_target import PAIR
from gnn_dynamics.claims.rankings import rankings
from gnn_dynamics.claims.verdicts import judge
from gnn_dynamics.config.schema import read_checked
from gnn_dynamics.theory.time_condition import with_infima

__all__ = ["OPTIMUM", "RUN"]
CLAIMS = Path(__file__).resolve().parents[1] / "config" / "claims.yaml"
SEEDS = range(10)
TABLES = (
    *("speed", "gradient_terms", "bounds", "graph_condition", "time_condition"),
    *("training", "optimum", "graphs"),
)


def settings(*claims: str) -> dict[str, Any]:
    """The rule and the claims as the project judges them, or some of the claims."""
    loaded = read_checked(CLAIMS)
    chosen = {c: entry for c, entry in loaded["claims"].items() if not claims or c in claims}
    return {**loaded, "claims": chosen}


def speed_row(hit: float | None = None, end: float = 100.0, **changes: Any) -> dict[str, Any]:
    """A row of speed.parquet; `hit` is a time for the flow and a step otherwise."""
    hit = np.nan if hit is None else hit
    reached = {"time_to_threshold": hit, "steps_to_threshold": hit, "censored": bool(np.isnan(hit))}
    ended = {"end_time": end, "end_step": end, "end_loss": 1.0, "started_below": hit == 0}
    return row("speed", **reached | ended | changes)


def skip_speeds(
    with_skip: Callable, without_skip: Callable, seeds: Iterable[int] = SEEDS, **changes: Any
) -> list[dict[str, Any]]:
    """Rows of both models; the functions give the hit for a seed."""
    sides = {True: with_skip, False: without_skip}
    return [
        speed_row(hit(seed), **changes, multiscale=multiscale, seed=seed)
        for multiscale, hit in sides.items()
        for seed in seeds
    ]


def tables(**rows: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    """All tables that claims read, typed and empty but for the rows given, with lambda's infima."""
    frames = {name: frame(name, rows.get(name, [])) for name in TABLES}
    frames["time_condition"] = with_infima(frames["time_condition"])
    return frames | {"rankings": rankings(frames, settings()["rule"])}


def graph_speeds(
    effects: dict[str, float | None], noise: float = 0.1, seeds: Iterable[int] = SEEDS, **changes
) -> list[dict[str, Any]]:
    """Rows at the common target: on each graph skips are 2^effect times as fast, None: no run ends.

    The seeds scatter around the effect by `noise`, with the mean that was put in.
    """
    rows, seeds = [], list(seeds)
    scatter = np.linspace(-1.5, 1.5, len(seeds)) * noise
    for graph, effect in effects.items():
        late = [None if effect is None else 2.0 ** (effect + extra) for extra in scatter]
        hits = dict(zip(seeds, late, strict=True))
        rows += skip_speeds(
            lambda seed, hits=hits: hits[seed] and 1.0,
            hits.get,
            seeds,
            dataset=graph,
            threshold_kind=PAIR,
            **changes,
        )
    return rows


def made_up_pairs(
    graphs: Iterable[str],
    effect: Callable[..., float],
    compare: str,
    depths: Iterable[int],
    **lists,
) -> pd.DataFrame:
    """Pairs with outcomes as `paired_runs` gives them, with effects by `effect(graph, **keys)`.

    lists: further keys with their values; each seed scatters by 0.1.
    """
    lists = {"aggregation": ("gcn", "gin"), "multiscale": (True, False), **lists}
    lists |= {"multiscale": (True,)} if compare == "multiscale" else {}
    rows = []
    for graph, depth, seed, *values in product(graphs, depths, range(5), *lists.values()):
        keys = {"depth": depth, **dict(zip(lists, values, strict=True))}
        ratio = effect(graph, **keys) + 0.1 * (seed - 2)
        rows.append(RUN | keys | {"dataset": graph, "seed": seed, "effect": ratio})
    other = {"multiscale": False, "depth": 1, "labels": "permuted"}[compare]
    decided = {"outcome": "win", "bound": False, "reason": "", "other": other}
    measured = {"measure": "flow_time", "threshold": 0.1, "threshold_kind": PAIR}
    fixed = {key: value for key, value in (decided | measured).items() if key not in lists}
    return pd.DataFrame(rows).assign(**fixed)


def compared(*claims: str, **rows: list[dict[str, Any]]) -> pd.DataFrame:
    """comparisons.parquet of the claims that compare runs."""
    frames, chosen = tables(**rows), settings(*claims)
    return compare_runs(paired_runs(frames, chosen), chosen)


def everything_judged(
    *claims: str, **rows: list[dict[str, Any]]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """comparisons, evidence and claims of some claims for the rows given."""
    chosen, frames = settings(*claims), tables(**rows)
    paired = paired_runs(frames, chosen)
    cells = claim_cells_by_half(frames, paired, chosen)
    evidence = gather_evidence(paired, chosen, seed_halves({**frames, **paired}))
    return cells, evidence, judge(cells, evidence, chosen)


def judged(*claims: str, **rows: list[dict[str, Any]]) -> pd.DataFrame:
    """claims.parquet of some claims for the rows given, indexed by claim."""
    return everything_judged(*claims, **rows)[2].set_index("claim")
