"""Straight and bent decays, an identity that fails, optima in and out of order, ReLU nets."""

import numpy as np
import pandas as pd
import pytest
from claims_tables import RUN, SEEDS, compared, settings, skip_speeds, tables
from table_rows import row

from gnn_dynamics.claims.cells import name_cells
from gnn_dynamics.claims.checks.curves import (
    curve_distances,
    identity,
    optimum_order,
    same_orderings,
    straight_decay,
)

LIMITS = settings("07")["claims"]["07"]["check"]["limits"]
TIMES = np.linspace(0.0, 4.0, 41)


def decay_state(excess) -> str:
    rows = [
        row("training", step=step, time=time, loss=2.0 + value)
        for step, (time, value) in enumerate(zip(TIMES, excess, strict=True))
    ]
    frames = tables(training=rows, optimum=[row("optimum", loss_optimum=2.0)])
    return straight_decay(frames, {}, **LIMITS)["state"].item()


def test_straight_and_bent_decays():
    assert decay_state(np.exp(-2 * TIMES)) == "supports"
    bent = np.where(TIMES < 3, 1.0, np.exp(-6 * (TIMES - 3)))
    assert decay_state(bent) == "refutes"
    assert decay_state((0.05 + TIMES) ** -2.0) == "refutes"  # a power law
    assert decay_state(np.exp(-0.1 * TIMES)) == "undecided"  # hardly falls: no test of a line
    assert decay_state(np.full(41, 1.0)) == "undecided"


def test_digits_below_the_smallest_gap_do_not_bend_a_line():
    assert decay_state(np.maximum(np.exp(-30 * TIMES), 1e-14)) != "refutes"


@pytest.mark.parametrize(
    ("error", "state"), [(3e-16, "supports"), (1e-9, "refutes"), (np.nan, "refutes")]
)
def test_identity_needs_the_rounding_error_only(error, state):
    rows = [row("gradient_terms", term="head", value=1.0, relative_error=error)]
    assert identity(tables(gradient_terms=rows), {}, tolerance=1e-12)["state"].item() == state


@pytest.mark.parametrize(
    ("several", "single", "state", "reason"),
    [
        (1.0, 2.0, "supports", "strictly lower"),
        (2.0, 2.0, "supports", "equal"),
        (2.0, 1.0, "refutes", "higher with skips"),
        (1e-13, 0.0, "vacuous", "both 0"),
    ],
)
def test_order_of_the_optima(several, single, state, reason):
    rows = [
        row("optimum", multiscale=flag, loss_optimum=value, label_norm_sq=10.0)
        for flag, value in ((True, several), (False, single))
    ]
    cells = optimum_order(tables(optimum=rows), {}, tolerance=1e-10)
    assert cells[["state", "reason"]].to_numpy().tolist() == [[state, reason]]


def orderings(linear: float, relu: float | None) -> pd.DataFrame:
    rows = skip_speeds(lambda _: 1.0, lambda _: linear)
    reached = None if relu is None else 1.0
    rows += skip_speeds(lambda _: reached, lambda _: relu, activation="relu")
    return same_orderings(skip_comparisons(rows), ["09"])


@pytest.mark.parametrize("both", [False, True])
def test_an_experiment_of_relu_nets_belongs_to_the_one_beside_it(both):
    name = RUN["experiment"]
    rows = skip_speeds(lambda _: 1.0, lambda _: 2.0)
    beside = {"activation": "relu", "experiment": f"{name}-relu"}
    rows += skip_speeds(lambda _: 1.0, lambda _: 0.5, **beside)
    if both:
        rows += skip_speeds(lambda _: 1.0, lambda _: 3.0, activation="relu")
    cells = same_orderings(skip_comparisons(rows), ["09"])
    assert cells["experiment"].tolist() == [name]
    assert cells["state"].tolist() == ["supports" if both else "refutes"]


def skip_comparisons(rows):
    return compared("09", speed=rows)


def test_linear_and_relu_orderings():
    assert orderings(2.0, 3.0)["state"].tolist() == ["supports"]
    assert orderings(2.0, 0.5)["state"].tolist() == ["refutes"]
    assert orderings(2.0, 1e9)["state"].tolist() == ["supports"]
    assert orderings(2.0, None)["state"].tolist() == ["undecided"]
    assert orderings(2.0, 4.0)["value"].item() == pytest.approx(1.0)


def test_two_kinds_of_random_labels_are_two_cells():
    rows = [
        speed
        for kind in ("linear", "relu")
        for speed in skip_speeds(lambda _: 1.0, lambda _: 2.0, activation=kind)
    ]
    cells = skip_comparisons(rows)
    both = pd.concat([cells.assign(other=kind) for kind in ("permuted", "uniform")])
    assert name_cells(same_orderings(both, ["09"])).is_unique


def test_distance_of_the_curves_is_noted_and_not_judged():
    descent = {"optimizer": "gd", "lr": 0.1}
    rows = [
        row("training", **descent, activation=kind, seed=seed, step=step, loss=loss)
        for kind, factor in (("linear", 1.0), ("relu", 4.0))
        for seed in SEEDS
        for step, loss in enumerate([factor * 3.0, factor * 1.0])
    ]
    cells = curve_distances(tables(training=rows)["training"], {"labels": "true"})
    assert (cells["value"].item(), cells["state"].item()) == (2.0, "noted")
