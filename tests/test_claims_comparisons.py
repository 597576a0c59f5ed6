"""Synthetic speeds with a known answer get the right state, cell by cell."""

import numpy as np
import pandas as pd
import pytest
from claims_tables import SEEDS, settings, skip_speeds, speed_row
from claims_tables import compared as compared_runs
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from gnn_dynamics.claims.comparisons import decide_cells
from gnn_dynamics.claims.statistics import sign_test

pytestmark = pytest.mark.slow

NOISE = np.random.default_rng(0).normal(size=(2, 40))


def compared(rows, claim="09") -> pd.DataFrame:
    return compared_runs(claim, speed=rows)


def descents(steps: dict[bool, dict[float, float]], spread: float = 0.0) -> pd.DataFrame:
    """Cells for the steps that each model needs at each learning rate, later by seed."""
    rows = [
        speed_row(hit + spread * seed, optimizer="gd", lr=lr, multiscale=multiscale, seed=seed)
        for multiscale, hits in steps.items()
        for lr, hit in hits.items()
        for seed in SEEDS
    ]
    return compared(rows)


def state(with_skip, without_skip, seeds=SEEDS, **keys) -> tuple[str, str]:
    cells = compared(skip_speeds(with_skip, without_skip, seeds, **keys))
    assert len(cells) == 1
    return tuple(cells.loc[0, ["state", "reason"]])


def noisy(level: float, side: int):
    return lambda seed: level * 2 ** (0.3 * NOISE[side, seed])


def test_a_true_effect_is_found():
    assert state(noisy(1.0, 0), noisy(3.0, 1)) == ("supports", "as claimed")


def test_the_opposite_sign_refutes():
    assert state(noisy(3.0, 0), noisy(1.0, 1)) == ("refutes", "reversed")


def test_no_effect_among_noise_is_undecided():
    assert state(noisy(1.0, 0), noisy(1.0, 1))[0] == "undecided"


def test_ties_and_effects_too_small_to_matter_refute_an_acceleration():
    assert state(lambda _: 2.0, lambda _: 2.0) == ("refutes", "no difference")
    assert state(lambda _: 1.0, lambda _: 1.02) == ("refutes", "no difference")


def test_all_censored_is_undecided_and_counted():
    rows = skip_speeds(lambda _: None, lambda _: None)
    cell = compared(rows).loc[0]
    assert (cell["state"], cell["undecided"], cell["not_reached"]) == ("undecided", 10, 10)
    assert np.isnan(cell["effect"]) and cell["p_sign"] == 1


def test_one_side_censored_decides_and_says_that_the_effect_is_a_bound():
    cell = compared(skip_speeds(lambda seed: 20 + seed, lambda _: None)).loc[0]
    assert (cell["state"], cell["bounded"]) == ("supports", 10)
    assert cell["effect"] == pytest.approx(np.median(np.log2(100 / (20 + np.arange(10)))))


def test_few_decided_pairs_decide_nothing():
    assert state(noisy(1.0, 0), noisy(9.0, 1), range(4)) == ("undecided", "too few pairs")
    for known, expected in ((4, "undecided"), (5, "supports")):
        early = lambda seed, n=known: 1.0 if seed < n else None  # noqa: E731
        late = lambda seed, n=known: 9.0 if seed < n else None  # noqa: E731
        assert state(early, late, range(11))[0] == expected


def test_diverged_runs_count_as_not_reached():
    keys = {"optimizer": "gd", "lr": 0.1}
    rows = [speed_row(10, **keys, seed=seed) for seed in SEEDS]
    diverged = keys | {"multiscale": False, "status": "diverged"}
    rows += [speed_row(None, 5, **diverged, seed=seed) for seed in SEEDS]
    cell = compared(rows).loc[0]
    assert (cell["state"], cell["not_reached"]) == ("undecided", 10)


def test_both_measures_of_descent_can_disagree():
    steps = {True: {0.01: 40, 0.1: 10, 1.0: 30}, False: {0.01: 80, 0.1: 20, 1.0: 6, 10.0: 90}}
    cells = descents(steps, 0.01)
    states = cells.set_index(["measure", "lr"])["state"].to_dict()
    assert states["equal_lr_steps", 0.01] == states["equal_lr_steps", 0.1] == "supports"
    assert states["equal_lr_steps", 1.0] == "refutes"
    best = cells[cells["measure"] == "best_lr_steps"].iloc[0]
    assert (best["state"], best["best_lr"], best["best_lr_other"]) == ("refutes", 0.1, 1.0)


def test_a_best_rate_at_the_edge_leaves_its_cell_undecided():
    steps = {True: {0.01: 40, 0.1: 10, 1.0: 30}, False: {0.01: 90, 0.1: 60, 1.0: 50}}
    best = descents(steps).query("measure == 'best_lr_steps'").iloc[0]
    assert (best["state"], best["edge"]) == ("undecided", 10)


def test_cells_are_adjusted_together_within_a_claim_and_measure():
    rows = [
        row
        for width in (8, 16, 32)
        for row in skip_speeds(noisy(1.0, 0), noisy(3.0, 1), width=width)
    ]
    cells = compared(rows)
    assert cells["cell"].is_unique and len(cells) == 3
    assert np.allclose(cells["p_sign"], sign_test(10, 0))
    assert np.allclose(cells["p_holm"], 3 * sign_test(10, 0))


def test_depth_and_labels_are_named_with_both_sides():
    deep = compared([speed_row(1.0, depth=d, seed=s) for d in (2, 4) for s in SEEDS], "10")
    noise = compared(
        [speed_row(1.0, labels=k, seed=s) for k in ("true", "uniform") for s in SEEDS], "11"
    )
    assert "H=4 vs H=2" in deep.loc[0, "cell"]
    assert "true labels vs uniform labels" in noise.loc[0, "cell"]


def test_no_runs_no_rows():
    assert not len(compared([]))


@profile(max_examples=8, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=5, max_size=12), st.floats(0.01, 100))
def test_effects_are_antisymmetric_and_free_of_units(log_ratios, unit):
    seeds, ones = range(len(log_ratios)), lambda _: 1.0
    rows = skip_speeds(ones, lambda seed: 2.0 ** log_ratios[seed], seeds, width=1)
    rows += skip_speeds(lambda seed: 2.0 ** log_ratios[seed], ones, seeds, width=2)
    scaled = [lambda _: unit, lambda seed: unit * 2.0 ** log_ratios[seed]]
    rows += skip_speeds(*scaled, seeds, width=3, end=1e6)
    one, swapped, scaled = (cell for _, cell in compared(rows).sort_values("width").iterrows())
    assert one["effect"] == pytest.approx(-swapped["effect"], abs=1e-9)
    assert one["effect"] == pytest.approx(scaled["effect"], abs=1e-9)
    assert (one["wins"], one["losses"]) == (swapped["losses"], swapped["wins"])
    assert one["ci_low"] - 1e-9 <= one["effect"] <= one["ci_high"] + 1e-9


CELL = st.fixed_dictionaries(
    {
        "measure": st.sampled_from(["flow_time", "accuracy"]),
        "pairs": st.integers(0, 20),
        "wins": st.integers(0, 20),
        "losses": st.integers(0, 20),
        "undecided": st.integers(0, 20),
        "ci_low": st.floats(-2, 2),
        "ci_high": st.floats(-2, 2),
        "p_sign": st.floats(0, 1),
    }
)


@profile(max_examples=50, deadline=None)
@given(CELL)
def test_a_mirrored_cell_gets_the_mirrored_state(cell):
    mirrored = cell | {"wins": cell["losses"], "losses": cell["wins"]}
    mirrored |= {"ci_low": -cell["ci_high"], "ci_high": -cell["ci_low"]}
    one, other = decide_cells(pd.DataFrame([cell, mirrored]), settings()["rule"])["reason"]
    opposite = {"as claimed": "reversed", "reversed": "as claimed"}
    assert opposite.get(one, one) == other or cell["ci_low"] > cell["ci_high"]
