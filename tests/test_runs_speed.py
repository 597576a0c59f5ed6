"""Time to a threshold: exact on exponential decays, censored where it was not reached."""

import numpy as np
import pytest
from claims_tables import RUN
from declared import TABLES
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from gnn_dynamics.runs.speed import (
    LEVELS,
    PAIR_SHARE,
    crossing_time,
    first_below,
    last_loss,
    pair_levels,
    speed_rows,
)

THRESHOLDS = (0.5, 0.1, 0.01)
FLOW, DESCENT = RUN, RUN | {"optimizer": "gd", "lr": 0.1}


def decay(rate: float, optimum: float = 0.0, steps: int = 50, dt: float = 0.1):
    time = dt * np.arange(steps + 1)
    return optimum + np.exp(-rate * time), time


def rows_of(losses, time, key=FLOW, optimum=0.0, norm=1.0, thresholds=THRESHOLDS, status="ok"):
    losses, time = np.asarray(losses, float)[:, None], np.asarray(time, float)[:, None]
    rows = speed_rows(losses, time, [optimum], [norm], thresholds, [key], [status])
    return {(row["threshold_kind"], row["threshold"]): row for row in rows}


def test_flow_time_of_an_exponential_is_exact_between_steps():
    losses, time = decay(rate=3.0, dt=0.17)
    rows = rows_of(losses, time)
    for threshold in THRESHOLDS:
        row = rows["initial", threshold]
        assert row["time_to_threshold"] == pytest.approx(-np.log(threshold) / 3.0, rel=1e-12)
        assert row["steps_to_threshold"] == np.ceil(-np.log(threshold) / 3.0 / 0.17)


def test_descent_counts_the_first_step_at_or_below():
    rows = rows_of([8.0, 4.0, 2.0, 1.0, 0.5], 0.1 * np.arange(5), DESCENT, thresholds=(0.25, 0.1))
    assert rows["initial", 0.25]["steps_to_threshold"] == 2
    assert rows["initial", 0.25]["time_to_threshold"] == pytest.approx(0.2)
    assert rows["initial", 0.1]["steps_to_threshold"] == 4


def test_excess_is_over_the_optimum_of_linear_models_only():
    losses, time = decay(rate=2.0, optimum=0.5)
    linear = rows_of(losses, time, optimum=0.5, norm=1.0)["label_norm", 0.1]
    relu = rows_of(losses, time, RUN | {"activation": "relu"}, optimum=0.5)["label_norm", 0.1]
    entropy = rows_of(losses, time, RUN | {"loss_fn": "cross_entropy"}, optimum=0.5)
    assert linear["loss_reference"] == "optimum" and not linear["censored"]
    assert linear["time_to_threshold"] == pytest.approx(np.log(10) / 2, rel=1e-12)
    assert relu["loss_reference"] == "zero" and relu["censored"]
    assert entropy["label_norm", 0.1]["loss_reference"] == "zero"


def test_a_given_loss_is_reached_whatever_the_optimum():
    losses, time = decay(rate=2.0, optimum=0.3)
    rows = rows_of(losses, time, optimum=0.3, norm=2.0, thresholds=(0.5, 0.1))
    assert rows["loss", 0.5]["time_to_threshold"] == pytest.approx(-np.log(0.7) / 2, rel=0.02)
    assert rows["loss", 0.1]["censored"] and rows["loss", 0.1]["unreachable"]
    assert not any(row["unreachable"] for key, row in rows.items() if key != ("loss", 0.1))
    assert not rows["label_norm", 0.1]["censored"]
    relu = rows_of(losses, time, RUN | {"activation": "relu"}, optimum=0.3)
    assert {kind for kind, _ in relu} == {"initial", "label_norm", "pair"}


def test_unreached_thresholds_are_censored_with_their_end():
    losses, time = decay(rate=0.1, steps=10)
    row = rows_of(losses, time)["initial", 0.01]
    assert row["censored"] and row["time_to_threshold"] is row["steps_to_threshold"] is None
    assert (row["end_time"], row["end_step"], row["status"]) == (pytest.approx(1.0), 10, "ok")


def test_diverged_runs_are_censored_even_after_a_crossing():
    losses = [4.0, 1.0, 0.1, 9.0, 1e300, np.inf, np.nan]
    row = rows_of(losses, np.arange(7), DESCENT, status="diverged")["initial", 0.5]
    assert row["censored"] and row["status"] == "diverged"
    assert row["end_step"] == 4


def test_a_trace_that_stopped_early_is_no_divergence():
    row = rows_of([4.0, 1.0, np.nan], np.arange(3), DESCENT)["initial", 0.5]
    assert (row["steps_to_threshold"], row["end_step"], row["status"]) == (1, 1, "ok")


def test_a_run_that_starts_below_says_so():
    losses, time = decay(rate=1.0)
    row = rows_of(losses, time, norm=10.0)["label_norm", 0.5]
    assert row["started_below"] and row["time_to_threshold"] == 0 == row["steps_to_threshold"]
    assert not rows_of(losses, time)["initial", 0.5]["started_below"]


def test_excess_that_ends_at_or_below_zero_is_crossed_on_a_line():
    assert crossing_time(np.array([0.0, 1.0]), np.array([1.0, -1.0]), 1, 0.5) == 0.25


def test_rows_have_the_columns_of_the_table():
    losses, time = decay(rate=1.0)
    rows = rows_of(losses, time)
    usual = dict.fromkeys(("initial", "label_norm", "loss"), THRESHOLDS)
    kinds = usual | {"pair": pair_levels(0.0)}
    assert set(rows) == {(kind, level) for kind, levels in kinds.items() for level in levels}
    assert all(set(row) == set(TABLES["speed"].types) for row in rows.values())


@profile(deadline=None)
@given(st.floats(0, 0.999))
def test_levels_for_pairs_begin_at_the_own_target_and_are_dense_above_it(share):
    levels = np.array(pair_levels(share))
    assert levels[0] == pytest.approx(share + 0.1 * (1 - share)) and levels[-1] == 1
    assert (np.diff(levels) > 0).all() and set(levels[1:]) <= set(LEVELS)
    excess = levels - share
    assert (excess[1:-1] < 2 * excess[:-2]).all()  # near the own target, too


def test_a_run_is_read_at_its_own_target_and_stops_below_it():
    losses, time = decay(rate=2.0, optimum=0.4, steps=80)
    rows = rows_of(losses, time, optimum=0.4)
    own = min(threshold for kind, threshold in rows if kind == "pair")
    assert rows["pair", own]["time_to_threshold"] == pytest.approx(-np.log(0.06) / 2, rel=0.01)
    relu = rows_of(losses, time, RUN | {"activation": "relu"})
    assert [threshold for kind, threshold in relu if kind == "pair"] == [PAIR_SHARE]
    ends = last_loss(np.array([0.4, 0.0]), np.array([1.0, 1.0]), (0.5, 0.1))
    assert ends == pytest.approx([own, 0.1])


@pytest.mark.parametrize(
    ("losses", "optimum", "message"),
    [
        ([np.nan, 1.0], 0.0, "before its first step"),
        ([1.0, 0.5], np.nan, "optimum"),
    ],
)
def test_bad_traces_are_refused(losses, optimum, message):
    with pytest.raises(ValueError, match=message):
        rows_of(losses, [0.0, 1.0], optimum=optimum)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="of 2 runs"):
        speed_rows(np.ones((3, 1)), np.ones((3, 1)), [0.0], [1.0], [0.5], [RUN, RUN], ["ok", "ok"])


@profile(deadline=None)
@given(
    losses=st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=20),
    threshold=st.floats(1e-3, 0.9),
    scale=st.floats(1e-3, 1e3),
)
def test_time_scales_and_stays_within_its_step(losses, threshold, scale):
    time = np.arange(len(losses), dtype=float)
    row = rows_of(losses, time, thresholds=(threshold,))["initial", threshold]
    other = rows_of(losses, scale * time, thresholds=(threshold,))["initial", threshold]
    assert row["censored"] == (first_below(np.array(losses), threshold * losses[0]) is None)
    if not row["censored"]:
        step = row["steps_to_threshold"]
        assert step - 1 <= row["time_to_threshold"] <= step
        assert other["time_to_threshold"] == pytest.approx(scale * row["time_to_threshold"])
