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
from gnn_dynamics.claims.comparisons import COMPARISONS, HALVES, PAIRED, compare_runs
from gnn_dynamics.claims.frames import Tables

CHECKS: dict[str, Callable[..., pd.DataFrame]] = {
    "bound_ratio": bounds.bound_ratio,
    "graph_condition": conditions.graph_condition,
    "lambda_kept": conditions.lambda_kept,
    "lambda_guaranteed": conditions.lambda_guaranteed,
    "straight_decay": curves.straight_decay,
    "identity": curves.identity,
    "optimum_order": curves.optimum_order,
}
KINDS = (*PAIRED, *CHECKS)


def claim_cells(tables: Tables, paired: Tables, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Every cell of every claim, with the columns of COMPARISONS but HALVES.

    Args:
        tables: frames by name: bounds, graph_condition, time_condition, gradient_terms, training,
            optimum. Empty frames are fine.
        paired: of `comparisons.paired_runs`.
        settings: config/claims.yaml, read.
    """
    compared = compare_runs(paired, settings)
    frames = [compared.assign(value=compared["effect"], limit=0.0)]
    for claim, entry in settings["claims"].items():
        check = entry["check"]
        if check["kind"] in CHECKS:
            cells = CHECKS[check["kind"]](tables, check["filter"], **check["limits"])
            frames.append(cells.assign(claim=claim, cell=name_cells(cells)))
    return stacked(frames).reindex(columns=[c for c in COMPARISONS.types if c not in HALVES])


def claim_cells_by_half(
    tables: Tables, paired: Tables, settings: Mapping[str, Any]
) -> pd.DataFrame:
    """`claim_cells`, with each cell's state on two disjoint halves of the seeds (HALVES).

    Null where a half has no such cell, as for tables without seeds in which nothing is random.
    """
    cells = claim_cells(tables, paired, settings)
    for name, seeds in zip(HALVES, seed_halves({**tables, **paired}), strict=True):
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
