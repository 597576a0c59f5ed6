"""Two models are compared at one training loss that both can reach."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_rows import RUN

from gnn_dynamics.claims.pair_target import PAIR, at_common_target
from gnn_dynamics.claims.pairs import outcomes, pair_runs
from gnn_dynamics.runs.speed import first_below, speed_rows

NORM = 30.0
TIMES = np.linspace(0, 12, 601)


def curve(optimum: float, *rates: float) -> np.ndarray:
    """A loss that falls from NORM to `optimum` times NORM, with several rates at once."""
    falls = np.mean([np.exp(-rate * TIMES) for rate in rates], axis=0)
    return NORM * (optimum + (1 - optimum) * falls)


def recorded(losses: np.ndarray, optimum: float, **changes) -> list[dict]:
    keys = [RUN | changes]
    return speed_rows(
        losses[:, None], TIMES[:, None], [optimum * NORM], [NORM], [0.1], keys, ["ok"], [3.0]
    )


def sides(optima, *rates, **changes) -> list[pd.DataFrame]:
    """speed.parquet of a model with skips and one without."""
    pairs = zip((True, False), optima, rates, strict=True)
    return [
        pd.DataFrame(recorded(curve(optimum, *r), optimum, multiscale=skip, **changes))
        for skip, optimum, r in pairs
    ]


def target_times(frames) -> np.ndarray:
    common = at_common_target(*frames, "multiscale")
    return pd.concat(common).query("threshold_kind == @PAIR")["time_to_threshold"].to_numpy()


def exact(losses: np.ndarray, level: float) -> float:
    """The crossing, from a much finer curve than the levels."""
    step = first_below(losses, level * NORM)
    return float(np.interp(-level * NORM, -losses[step - 1 : step + 1], TIMES[step - 1 : step + 1]))


@pytest.mark.slow
@given(st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0.5, 2), st.floats(2, 8))
@settings(max_examples=60, deadline=None)
def test_both_sides_are_read_at_the_loss_of_the_worse_one(one, other, slow, fast):
    level = max(one, other) + 0.1 * (1 - max(one, other))
    found = target_times(sides((one, other), (slow, fast), (slow,)))
    expected = [exact(curve(one, slow, fast), level), exact(curve(other, slow), level)]
    assert found == pytest.approx(expected, rel=0.01)


def test_equal_optima_need_no_interpolation():
    a, b = sides((0.0, 0.0), (1.0,), (2.0,))
    own = [side.loc[side["threshold_kind"] == PAIR].iloc[0] for side in (a, b)]
    assert target_times((a, b)).tolist() == [row["time_to_threshold"] for row in own]


def test_swapping_the_sides_swaps_the_times():
    a, b = sides((0.3, 0.05), (1.0, 4.0), (2.0,))
    assert target_times((a, b)).tolist() == target_times((b, a))[::-1].tolist()


@pytest.mark.slow
def test_a_side_that_never_comes_so_far_is_censored():
    frames = sides((0.2, 0.0), (1.0,), (0.01,))
    a, b = (
        side[side["threshold_kind"] == PAIR] for side in at_common_target(*frames, "multiscale")
    )
    assert len(a) == len(b) == 1 and not a["censored"].item() and b["censored"].item()
    pairs = outcomes(pair_runs(pd.concat(frames), "multiscale"), 1e-9)
    pair = pairs[(pairs["threshold_kind"] == PAIR) & (pairs["measure"] == "flow_time")].iloc[0]
    assert (pair["outcome"], pair["bound"]) == ("win", True)


@pytest.mark.slow
def test_a_loss_below_the_optimum_of_one_side_decides_against_it():
    """However soon its run ended: it would never have come there."""
    a, b = sides((0.0, 0.4), (1.0,), (5.0,))
    b["end_time"] = 0.1
    pairs = outcomes(pair_runs(pd.concat([a, b]), "multiscale"), 1e-9).set_index("threshold_kind")
    assert pairs.loc["loss", ["outcome", "bound", "effect"]].tolist() == ["win", True, 0.0]
    assert not pairs.loc[[PAIR], "bound"].any()
    swapped = pd.concat([a.assign(multiscale=False), b.assign(multiscale=True)])
    pairs = outcomes(pair_runs(swapped, "multiscale"), 1e-9).set_index("threshold_kind")
    assert pairs.loc["loss", "outcome"] == "loss"


@pytest.mark.slow
def test_best_rates_are_those_at_the_common_target():
    """Of two rates the one with the lower curve at the common loss counts, not the final one."""
    runs = []
    for skip, optimum in ((True, 0.0), (False, 0.5)):
        for lr, rates in ((0.1, (9.0, 0.5)), (0.2, (1.5,)), (0.3, (1.2,)), (0.05, (0.3,))):
            losses = curve(optimum, *rates)
            changes = {"multiscale": skip, "optimizer": "gd", "lr": lr}
            runs += recorded(losses, optimum, **changes)
    pairs = pair_runs(pd.DataFrame(runs), "multiscale")
    best = pairs[(pairs["measure"] == "best_lr_steps") & (pairs["threshold_kind"] == PAIR)].iloc[0]
    steps = [first_below(curve(0.0, *rates), 0.55 * NORM) for rates in ((9.0, 0.5), (1.5,))]
    assert best["hit_a"] == pytest.approx(min(steps), abs=1)
    assert best["best_lr_a"] == (0.1, 0.2)[int(np.argmin(steps))]
    assert best["best_lr_b"] == 0.2


def test_flow_time_is_given_in_units_of_the_fastest_time_scale_too():
    a, b = sides((0.0, 0.0), (1.0,), (2.0,))
    b["lambda_start"] = 12.0
    pairs = pair_runs(pd.concat([a, b]), "multiscale").query("threshold_kind == @PAIR")
    pairs = pairs.set_index("measure")
    scaled, plain = pairs.loc["scaled_flow_time"], pairs.loc["flow_time"]
    assert (scaled["hit_a"], scaled["hit_b"]) == (3 * plain["hit_a"], 12 * plain["hit_b"])
