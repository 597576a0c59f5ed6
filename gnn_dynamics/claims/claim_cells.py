"""The cells of all claims in one table, `comparisons.parquet`, with their states by half the seeds.

A claim's `check` in config/claims.yaml names one of the kinds below, the rows that it reads
(`filter`) and the thresholds (`limits`: the keyword arguments of the kind's function).
"""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from gnn_dynamics.artifacts.parquet import stacked
from gnn_dynamics.claims.cells import name_cells
from gnn_dynamics.claims.checks import bounds, conditions, curves
from gnn_dynamics.claims.comparisons import COMPARISONS, HALVES, compare_runs
from gnn_dynamics.claims.frames import Tables

CHECKS: dict[str, Callable[..., pd.DataFrame]] = {
    "bound_ratio": bounds.bound_ratio,
    "layer_bounds": bounds.layer_bounds,
    "graph_condition": conditions.graph_condition,
    "lambda_kept": conditions.lambda_kept,
    "lambda_guaranteed": conditions.lambda_guaranteed,
    "straight_decay": curves.straight_decay,
    "identity": curves.identity,
    "optimum_order": curves.optimum_order,
}
PAIRED = ("paired_speed", "paired_terms")
KINDS = (*PAIRED, *CHECKS, "same_orderings")


def claim_cells(tables: Tables, paired: Tables, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Every cell of every claim, with the columns of COMPARISONS but HALVES.

    Args:
        tables: frames by name: bounds, graph_condition, time_condition, gradient_terms, training,
            optimum, counterexamples (case, ratio). Empty frames are fine.
        paired: of `comparisons.paired_runs`.
        settings: config/claims.yaml, read.
    """
    compared = compare_runs(paired, settings)
    frames = [compared.assign(value=compared["effect"], limit=0.0)]
    for claim, entry in settings["claims"].items():
        cells = _check(tables, entry["check"], compared)
        frames += [frame.assign(claim=claim, cell=name_cells(frame)) for frame in cells]
    return stacked(frames).reindex(columns=[c for c in COMPARISONS.types if c not in HALVES])


def _check(tables: Tables, check: Mapping[str, Any], compared: pd.DataFrame) -> list[pd.DataFrame]:
    """Cells of one claim, unless they are among those `compared` in pairs."""
    kind, filters = check["kind"], check["filter"]
    if kind in CHECKS:
        return [CHECKS[kind](tables, filters, **check.get("limits", {}))]
    if kind == "same_orderings":
        noted = curves.curve_distances(tables["training"], filters)
        return [curves.same_orderings(compared, check["claims"]), noted]
    return []


def claim_cells_by_half(
    tables: Tables, paired: Tables, settings: Mapping[str, Any]
) -> pd.DataFrame:
    """`claim_cells`, with each cell's state on two disjoint halves of the seeds (HALVES).

    Null where a half has no such cell, as for tables without seeds in which nothing is random.
    """
    cells = claim_cells(tables, paired, settings)
    for name, seeds in zip(HALVES, seed_halves(tables), strict=True):
        chosen, pairs = (_of_seeds(frames, seeds) for frames in (tables, paired))
        half = claim_cells(chosen, pairs, settings).rename(columns={"state": name})
        cells = cells.merge(half[["claim", "cell", name]], on=["claim", "cell"], how="left")
    return cells


def _of_seeds(frames: Tables, seeds: set[int]) -> Tables:
    return {
        name: frame[frame["seed"].isin(seeds)] if "seed" in frame else frame[:0]
        for name, frame in frames.items()
    }


def seed_halves(tables: Tables) -> tuple[set[int], set[int]]:
    """All seeds of all tables, assigned to the halves in turn."""
    seeds = sorted(
        {int(s) for frame in tables.values() if "seed" in frame for s in frame["seed"].unique()}
    )
    return set(seeds[::2]), set(seeds[1::2])
