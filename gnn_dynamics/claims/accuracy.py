"""Test accuracy of networks with and without skip connections, as pairs that share seed and split.

A side is a model on one graph. Its learning rate is the one whose runs have the highest mean, over
seeds and splits, of their best validation accuracy; the smaller of two equal ones. A run's test
accuracy is that at the first step with its best validation accuracy. Four measures:

    deep_accuracy    with skips and at least `deep` layers, less `shallow` layers without, in points
    accuracy         with skips, less without at the same depth, in points
    deep_steps, validated_steps    the same sides by their steps to 0.1 log m_y, at the same rates
"""

import numpy as np
import pandas as pd

from gnn_dynamics.claims.frames import by_run, splits_as_seeds
from gnn_dynamics.claims.pair_target import PAIR
from gnn_dynamics.claims.pairs import outcomes
from gnn_dynamics.config.grid import KEYS

SIDE = [key for key in KEYS if key not in ("seed", "lr")]
COLUMNS = ["accuracy_val", "accuracy_test"]


def accuracy_pairs(
    training: pd.DataFrame, speed: pd.DataFrame, tie_log2: float, *, deep: float, shallow: float
) -> pd.DataFrame:
    """Pairs of all four measures, with the columns of `pairs.outcomes`.

    Args:
        training: rows of `training.parquet`; those without accuracy are left out.
        speed: rows of `speed.parquet`.
        tie_log2: log2 ratios of steps up to this are ties.
        deep: smallest depth of the side with skip connections in `deep_accuracy`.
        shallow: depth of its other side.
    """
    sides = with_steps(chosen_by_validation(training), speed)
    skip, plain = (sides[sides["multiscale"] == flag] for flag in (True, False))
    few = plain[plain["depth"] == shallow].drop(columns="depth")
    few = few.assign(other=f"no skip, H = {shallow:g}")
    frames = [
        _compared(skip[skip["depth"] >= deep], few, "deep_accuracy", "deep_steps", tie_log2),
        _compared(skip, plain.assign(other="no skip"), "accuracy", "validated_steps", tie_log2),
    ]
    return pd.concat(frames, ignore_index=True)


def chosen_by_validation(training: pd.DataFrame) -> pd.DataFrame:
    """One row for each run at its side's best rate, at the run's best validation step.

    `edge`: the best rate is the smallest or the largest of several, so that a wider grid may have a
    better one.
    """
    rows = training.reindex(columns=[*KEYS, "step", *COLUMNS]).dropna(subset=COLUMNS)
    rows = splits_as_seeds(rows).sort_values("step", ignore_index=True)
    rows = rows.loc[by_run(rows)["accuracy_val"].idxmax()]  # the first of equal ones
    rates = rows.groupby([*SIDE, "lr"])["accuracy_val"].mean().round(12).reset_index()
    lowest, highest = (rates.groupby(SIDE)["lr"].transform(end) for end in ("min", "max"))
    rates["edge"] = (lowest < highest) & ((rates["lr"] == lowest) | (rates["lr"] == highest))
    best = rates.sort_values(["accuracy_val", "lr"], ascending=[False, True])
    best = best.drop_duplicates(SIDE).drop(columns="accuracy_val")
    return rows.merge(best, on=[*SIDE, "lr"])


def with_steps(sides: pd.DataFrame, speed: pd.DataFrame) -> pd.DataFrame:
    """Add the steps to the loss that all sides share: hit, end and unreachable as in pairs.py."""
    rows = splits_as_seeds(speed[speed["threshold_kind"] == PAIR])
    columns = {"steps_to_threshold": "hit", "end_step": "end", "unreachable": "unreachable"}
    rows = rows[[*KEYS, *columns]].rename(columns=columns)
    sides = sides.merge(rows, on=list(KEYS), how="left", validate="one_to_one")
    return sides.astype({"hit": float, "end": float}).fillna({"unreachable": False})


def _compared(
    a: pd.DataFrame, b: pd.DataFrame, accuracy: str, steps: str, tie_log2: float
) -> pd.DataFrame:
    """Both measures of side a, with skips, against side b."""
    shared = [key for key in KEYS if key in b and key not in ("multiscale", "lr")]
    b = b.drop(columns="multiscale")
    pairs = a.merge(b, on=shared, suffixes=("_a", "_b"), validate="many_to_one")
    pairs = pairs.assign(threshold_kind=PAIR)
    edge = pairs["edge_a"] | pairs["edge_b"]
    effect = 100 * (pairs["accuracy_test_a"] - pairs["accuracy_test_b"])
    points = pairs.assign(
        measure=accuracy,
        effect=effect,
        outcome=np.select([effect > 0, effect < 0], ["win", "loss"], "tie"),
        bound=False,
        reason=np.where(edge, "edge", ""),
    )
    # The rates were not chosen by steps: no wider grid would change which steps are compared.
    times = outcomes(pairs.assign(measure=steps, edge_a=False, edge_b=False), tie_log2)
    return pd.concat([points, times], ignore_index=True)
