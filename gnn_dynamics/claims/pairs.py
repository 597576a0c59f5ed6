"""Pairs of runs that differ in one key and share the seed: which reached the threshold first?

Four measures of speed (docs/claims.md):

    flow_time         time of the gradient flow
    scaled_flow_time  the same in units of 1 / lambda_max at the start: free of the features' scale
    best_lr_steps     steps of an optimizer at each model's best learning rate of its grid
    equal_lr_steps    steps of an optimizer at one learning rate for both models

A measured frame has the keys, `measure`, `hit` (null if not reached), `end`, `best_lr`, `edge`: the
best rate is at the grid's edge, so that the hit is only a bound on the true best, and
`unreachable`: the threshold lies below L*.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.artifacts.parquet import stacked
from gnn_dynamics.claims.frames import by_run
from gnn_dynamics.claims.pair_target import PAIR, at_common_target
from gnn_dynamics.config.grid import KEYS

SPEED_KEYS = (*KEYS, "threshold", "threshold_kind")
# What identifies a pair, without the compared column.
PAIR_KEYS = (*SPEED_KEYS, "measure")
VALUES = ("hit", "end", "best_lr", "edge", "unreachable")


def measured(speed: pd.DataFrame) -> pd.DataFrame:
    """The measures of every run of `speed.parquet`: the first two of flows, else the others."""
    flow = speed[speed["optimizer"] == "flow"]
    descent = speed[speed["optimizer"] != "flow"]
    times = _as_measured(flow, "flow_time", "time_to_threshold", "end_time")
    scale = flow["lambda_start"]
    scaled = times.assign(
        measure="scaled_flow_time", hit=times["hit"] * scale, end=times["end"] * scale
    )
    scaled = scaled[(flow["threshold_kind"] == PAIR) & scale.notna()]
    steps = _as_measured(descent, "equal_lr_steps", "steps_to_threshold", "end_step")
    model = [key for key in SPEED_KEYS if key != "lr"]
    several = descent.groupby(model)["lr"].transform("nunique") > 1
    return stacked([times, scaled, best_rates(descent[several]), steps])


def _as_measured(frame: pd.DataFrame, measure: str, hit: str, end: str) -> pd.DataFrame:
    columns = {"hit": frame[hit].astype(float), "end": frame[end].astype(float)}
    constant = {"measure": measure, "best_lr": frame["lr"], "edge": False}
    return frame[[*SPEED_KEYS, "unreachable"]].assign(**columns, **constant)


def best_rates(descent: pd.DataFrame) -> pd.DataFrame:
    """Fewest steps over the learning rates of each model.

    A model that no rate brings to the threshold has its best rate where the loss ends lowest, and
    ends with the shortest of its runs that did not diverge. The best is interior, not at the
    grid's edge, if a rate attains it that is neither the smallest nor the largest tried.
    """
    model = [key for key in SPEED_KEYS if key != "lr"]
    rates = descent.groupby(model)["lr"]
    low, high = rates.transform("min"), rates.transform("max")
    diverged = descent["status"] == "diverged"
    frame = descent.assign(
        hit=descent["steps_to_threshold"].astype(float),
        edge=(descent["lr"] == low) | (descent["lr"] == high),
        loss=descent["end_loss"].mask(diverged, np.inf),
        ok_end=descent["end_step"].where(~diverged),
    )
    frame["tied_edge"] = frame["edge"] & frame["hit"].notna()
    best = frame.sort_values(["hit", "tied_edge", "loss", "lr"]).drop_duplicates(model)
    ends = frame.groupby(model).agg(end=("ok_end", "min"), longest=("end_step", "max"))
    best = best.merge(ends.reset_index(), on=model, validate="one_to_one")
    end = best["end"].fillna(best["longest"]).astype(float)
    best = best.assign(end=end, best_lr=best["lr"], lr=np.nan, measure="best_lr_steps")
    return best[[*PAIR_KEYS, *VALUES]]


def pair_runs(speed: pd.DataFrame, compare: str) -> pd.DataFrame:
    """Join each run of `speed.parquet` with its partner, which differs in `compare` alone.

    Side `a` is the one that the claim calls faster: with skip connections, the deeper of two depths
    next to each other in their experiment, the true labels.

    Returns:
        The pair keys (with side a's value of `compare`), `other` (side b's value), and the values
        of both sides with the suffixes _a and _b.
    """
    frames = [_join(speed[:0], compare, None, None)]
    for _, part in speed.groupby("experiment"):
        frames += [_join(part, compare, *sides) for sides in _sides(part, compare)]
    return stacked(frames)


def _join(speed: pd.DataFrame, compare: str, first: Any, second: Any) -> pd.DataFrame:
    sides = speed[speed[compare] == first], speed[speed[compare] == second]
    a, b = map(measured, at_common_target(*sides, compare))
    b = b.drop(columns=compare).assign(other=second)
    rest = [key for key in PAIR_KEYS if key != compare]
    return a.merge(b, on=rest, suffixes=("_a", "_b"), validate="one_to_one")


def _sides(frame: pd.DataFrame, compare: str) -> list[tuple[Any, Any]]:
    values = sorted(frame[compare].unique().tolist())
    if compare == "multiscale":
        return [(True, False)]
    if compare == "labels":
        return [("true", kind) for kind in values if kind != "true"]
    return list(zip(values[1:], values, strict=False))


def outcomes(pairs: pd.DataFrame, tie_log2: float) -> pd.DataFrame:
    """Decide for each pair whether side a won, lost or tied, or why that is undecided.

    `effect` is log2(hit_b / hit_a), positive where a is faster. A side that did not reach the
    threshold is slower only if its own end exceeds the other's hit. Its end time is then used,
    which underestimates the effect (`bound`). A side whose L* is above the threshold never reaches
    it, however long it runs: where the other did, it is slower, and its end time is used, or the
    other's hit if that is later. Nothing is imputed: other pairs are undecided, since

        not_reached    neither reached it, or one ended before the other reached it
        started_below  a run met the threshold before its first step: nothing was trained
        edge           the slower side's best rate is at its grid's edge: a wider one may reverse it

    Returns:
        `pairs` with the columns outcome, effect, bound and reason.
    """
    a, b = pairs["hit_a"], pairs["hit_b"]
    flags = ("unreachable_a", "unreachable_b", "edge_a", "edge_b")
    never_a, never_b, edge_a, edge_b = (pairs[name].astype(bool) for name in flags)
    later_a, later_b = a.isna() & b.notna(), b.isna() & a.notna()
    known = (
        (a.notna() & b.notna())
        | later_b & (never_b | (pairs["end_b"] > a))
        | later_a & (never_a | (pairs["end_a"] > b))
    )
    started = (a == 0) | (b == 0)
    usable = known & ~started
    near_a = a.fillna(np.fmax(pairs["end_a"], b)).where(usable)
    near_b = b.fillna(np.fmax(pairs["end_b"], a)).where(usable)
    ratio = np.log2(near_b) - np.log2(near_a)
    edge = (edge_b & ~never_b & (ratio >= -tie_log2)) | (edge_a & ~never_a & (ratio <= tie_log2))
    doubts = {"started_below": started, "not_reached": ~known, "edge": edge}
    slower = {"win": later_b & never_b, "loss": later_a & never_a}
    decided = _decided(pairs, ratio, tie_log2, doubts, slower)
    return decided.assign(bound=(later_a | later_b) & (decided["outcome"] != "undecided"))


def _decided(
    pairs: pd.DataFrame,
    ratio: pd.Series,
    tie_log2: float,
    doubts: Mapping[str, pd.Series],
    certain: Mapping[str, pd.Series] | None = None,
) -> pd.DataFrame:
    """Add the outcome of each pair by `ratio`; `doubts` are the reasons that leave it undecided.

    certain: outcomes of the pairs that are decided whatever the ratio.
    """
    certain = certain or {}
    signs = {"win": ratio > tie_log2, "loss": ratio < -tie_log2}
    outcomes = ["undecided"] * len(doubts) + [*certain, *signs]
    outcome = np.select([*doubts.values(), *certain.values(), *signs.values()], outcomes, "tie")
    reason = np.select(list(doubts.values()), list(doubts), "")
    known = ratio.where(outcome != "undecided")
    return pairs.assign(outcome=outcome, reason=reason, effect=known)


def term_pairs(gradient_terms: pd.DataFrame, tie_log2: float) -> pd.DataFrame:
    """The head terms of dL/dt compared with its layer terms (Theorem 3), as pairs of each run.

    `effect` is the median over the recorded steps of log2(sum of heads / sum of layers); a run
    in which it is not finite is undecided.
    """
    sums = by_run(gradient_terms, "step", "term")["value"].sum()
    sums = sums.unstack("term").reindex(columns=["head", "layer"])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log2(sums["head"]) - np.log2(sums["layer"])
    runs = ratio.groupby(level=list(KEYS), dropna=False).median().rename("effect").reset_index()
    doubts = {"not_finite": ~np.isfinite(runs["effect"])}
    decided = _decided(runs, runs["effect"], tie_log2, doubts)
    return decided.assign(bound=False, measure="head_to_layer_terms")
