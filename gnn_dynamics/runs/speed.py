"""When does a run reach a threshold: the rows of `speed.parquet`.

Speed is read at thresholds on the excess L - L* or on the loss, relative to L(0) or ||Y||_F^2:

    initial      L - L* <= threshold * L(0)
    label_norm   L - L* <= threshold * ||Y||_F^2, the squared loss of zero outputs; for other losses
                 their loss of zero outputs, log m_y for the mean cross-entropy
    loss         L      <= threshold * ||Y||_F^2

The first alone would measure how fast a large random initial output decays; the second is the same
for every model of the data. Both ask how fast a model gets to its L*: where one of two
models has the lower L*, it must reduce the loss further. The third asks when a given training loss
is reached, which may lie below L*.

    pair         L      <= threshold * ||Y||_F^2, at the thresholds of `pair_levels`

serves the comparison of two models at one training loss that both can reach. The lowest of these
thresholds is a model's own target; the target of a pair is the larger of the two own ones
(claims/pair_target.py).

L* is known for linear models with the squared loss (equation 6). For other losses, whose infimum
is unknown or not attained, and for ReLU, whose optimum is unknown, the reference is 0, and the
column `loss_reference` is `zero` instead of `optimum`. There `loss` would repeat `label_norm` and
has no rows, and `pair` has the one threshold that every such model has.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.interpolate import KroghInterpolator

from gnn_dynamics.models.losses import zero_output_loss

Key = Mapping[str, Any]  # the key columns of a run
Kind = tuple[float, float, Sequence[float]]  # reference of the excess, scale, thresholds

PAIR_SHARE = 0.1  # of ||Y||^2 - L*, above L*: what is left to learn at the target of a pair
STEP = 0.95  # ratio of ||Y||^2 - L at neighbouring levels
LEVELS = (*(1 - (1 - PAIR_SHARE) * STEP**k for k in range(45)), 1.0)


def speed_rows(
    loss_trace: np.ndarray,
    time: np.ndarray,
    loss_optimum: np.ndarray,
    label_norm_sq: np.ndarray,
    thresholds: Sequence[float],
    keys: Sequence[Key],
    status: Sequence[str],
    curvature: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """One row for each run, threshold and kind of threshold.

    Gradient descent and Adam reach a threshold at the first step at or below it. For the flow
    (`optimizer: flow`) the time within that step is interpolated (`crossing_time`). A run that
    starts at or below the threshold gets time 0 and `started_below`. A diverged run is censored
    even if it passed the threshold before.

    Args:
        loss_trace: losses after every step (steps + 1, K). The trace of a run ends at its last
            finite value, which may come early.
        time: sums of step sizes (steps + 1, K).
        loss_optimum: L* (K,), read for linear models with the squared loss only.
        label_norm_sq: ||Y||_F^2 (K,), or log m_y for the cross-entropy.
        thresholds: fractions, each above 0.
        keys: for each run its key columns, `optimizer`, `loss_fn` and `activation` among them.
        status: `ok` or `diverged` for each run.
        curvature: largest eigenvalue of the Hessian at the start (K,), if it is known.

    Raises:
        ValueError: if the shapes disagree, or a first loss or an optimum in use is not finite.
    """
    loss_trace, time = np.asarray(loss_trace, float), np.asarray(time, float)
    _check((loss_trace, time), (loss_optimum, label_norm_sq), keys)
    rows: list[dict[str, Any]] = []
    for k, key in enumerate(keys):
        steps = np.logical_and.accumulate(np.isfinite(loss_trace[:, k]))
        trace = loss_trace[steps, k], time[steps, k]
        scales = float(loss_trace[0, k]), float(label_norm_sq[k])
        lowest = float(loss_optimum[k]) if has_optimum(key) else 0.0
        kinds = _kinds(key, scales, lowest, thresholds)
        about = {**key, "lambda_start": None if curvature is None else float(curvature[k])}
        rows += [about | row for row in _rows(trace, kinds, key, status[k], lowest)]
    return rows


def has_optimum(key: Key) -> bool:
    """Whether the excess of a run is taken over L*; otherwise over 0."""
    return bool(key["loss_fn"] == "squared" and key["activation"] == "linear")


def references(
    optimum: pd.DataFrame | None, keys: Sequence[Key], Y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """loss_optimum and label_norm_sq of `speed_rows`, for runs with one loss function.

    L* (K,), 0 where it is unknown; the loss (K,) of zero outputs: ||Y||_F^2, log m_y for the
    cross-entropy.

    Args:
        optimum: rows of optimum.parquet; None where no run has a known L*.
        keys: for each run its key columns.
        Y: targets (K, m_y, nbar).

    Raises:
        ValueError: if a run has a known L*, but `optimum` lacks it.
    """
    lowest = [_optimum(optimum, key) if has_optimum(key) else 0.0 for key in keys]
    return np.array(lowest), zero_output_loss(keys[0]["loss_fn"], torch.from_numpy(Y)).numpy(
        force=True
    )


def _optimum(optimum: pd.DataFrame | None, key: Key) -> float:
    if optimum is None:
        raise ValueError("linear models with the squared loss need the rows of optimum.parquet")
    names = ("aggregation", "features", "nodes", "multiscale", "depth", "labels", "seed")
    cell = np.logical_and.reduce([optimum[name] == key[name] for name in names])
    (value,) = optimum.loc[cell, "loss_optimum"]
    return float(value)


def pair_levels(share: float) -> list[float]:
    """Losses, as shares of ||Y||^2, at which a run with L* = `share` of ||Y||^2 is read for pairs.

    The own target, L* + 0.1 (||Y||^2 - L*), and the LEVELS above it. These are the same for all
    runs and so dense that the time at any loss between two of them is known within 1 %.
    """
    own = share + PAIR_SHARE * (1 - share)
    return [own, *(level for level in LEVELS if level > own)]


def last_loss(
    loss_optimum: np.ndarray, label_norm_sq: np.ndarray, thresholds: Sequence[float]
) -> np.ndarray:
    """The loss (K,) at which a run has passed all its thresholds above L*."""
    own = loss_optimum + PAIR_SHARE * (label_norm_sq - loss_optimum)
    return np.minimum(own, loss_optimum + min(thresholds) * label_norm_sq)


def _kinds(
    key: Key, scales: tuple[float, float], optimum: float, thresholds: Sequence[float]
) -> dict[str, Kind]:
    """The kinds of thresholds that the run has. `optimum` is 0 where it is unknown."""
    known, (start, norm) = has_optimum(key), scales
    kinds: dict[str, Kind] = {
        "initial": (optimum, start, thresholds),
        "label_norm": (optimum, norm, thresholds),
        "pair": (0.0, norm, pair_levels(optimum / norm) if known else [PAIR_SHARE]),
    }
    return kinds | {"loss": (0.0, norm, thresholds)} if known else kinds


def _check(
    traces: tuple[np.ndarray, np.ndarray],
    references: tuple[np.ndarray, np.ndarray],
    keys: Sequence[Key],
) -> None:
    (loss_trace, time), (loss_optimum, _) = traces, references
    runs = {len(keys), *(trace.shape[1] for trace in traces), *map(np.size, references)}
    if len(runs) > 1 or len(loss_trace) != len(time):
        raise ValueError(f"traces {loss_trace.shape} and {time.shape} of {len(keys)} runs")
    if not np.isfinite(loss_trace[0]).all():
        raise ValueError("the loss of a run is not finite before its first step")
    known = [value for value, key in zip(loss_optimum, keys, strict=True) if has_optimum(key)]
    if not np.isfinite(known).all():
        raise ValueError("the optimum of a linear model with the squared loss is not finite")


def _rows(
    trace: tuple[np.ndarray, np.ndarray],
    kinds: Mapping[str, Kind],
    key: Key,
    state: str,
    lowest: float,
) -> Iterator[dict[str, Any]]:
    losses, times = trace
    for kind, (reference, scale, thresholds) in kinds.items():
        excess = losses - reference
        for threshold in thresholds:
            target = threshold * scale
            step = None if state == "diverged" else first_below(excess, target)
            reached = None if step is None else float(times[step])
            if step and key["optimizer"] == "flow":
                reached = crossing_time(times, excess, step, target)
            yield {
                "threshold": float(threshold),
                "threshold_kind": kind,
                "time_to_threshold": reached,
                "steps_to_threshold": step,
                "censored": step is None,
                "end_time": float(times[-1]),
                "end_step": len(times) - 1,
                "end_loss": float(losses[-1]),
                "started_below": step == 0,
                "unreachable": reference + target < lowest,
                "loss_reference": "optimum" if has_optimum(key) else "zero",
                "status": state,
            }


def first_below(excess: np.ndarray, target: float) -> int | None:
    """The first step at which the excess is at or below `target`, None if it never is."""
    below = np.flatnonzero(excess <= target)
    return int(below[0]) if below.size else None


def crossing_time(times: np.ndarray, excess: np.ndarray, step: int, target: float) -> float:
    """Time between `step - 1` and `step` at which the excess passes `target`.

    Time as a cubic in log(excess) through the four nearest steps, which has the order of the
    integrators; linear where that leaves the interval, or where the excess is not positive.
    """
    moved = np.flatnonzero(np.diff(times, prepend=-np.inf) > 0)  # without steps that failed
    i = int(np.searchsorted(moved, step))
    window = moved[max(i - 2, 0) : i + 2]
    (before, after), (above, below) = times[moved[i - 1 : i + 1]], excess[moved[i - 1 : i + 1]]
    if below <= 0:
        return float(before + (above - target) / (above - below) * (after - before))
    logs = np.log(excess[window[excess[window] > 0]] / target)
    linear = float(before + np.log(above / target) / np.log(above / below) * (after - before))
    if len(logs) < 3 or (np.diff(logs) >= 0).any():
        return linear
    cubic = float(KroghInterpolator(logs, times[window[: len(logs)]])(0.0))
    return cubic if before <= cubic <= after else linear
