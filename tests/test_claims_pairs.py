"""Pairing runs and deciding which was faster, with everything that can hide the answer."""

import numpy as np
import pandas as pd
import pytest
from claims_tables import skip_speeds, speed_row, tables
from hypothesis import given, settings
from hypothesis import strategies as st
from table_rows import row

from gnn_dynamics.claims.pairs import best_rates, measured, outcomes, pair_runs, term_pairs

TIE = 1e-9
OPPOSITE = {"win": "loss", "loss": "win", "tie": "tie", "undecided": "undecided"}
RATES = (0.01, 0.03, 0.1, 0.3)


def outcome(hit_a, hit_b, end_a=100.0, end_b=100.0, edge_a=False, edge_b=False, **flags):
    sides = {"hit_a": hit_a, "hit_b": hit_b, "end_a": end_a, "end_b": end_b}
    sides |= {"edge_a": edge_a, "edge_b": edge_b, "unreachable_a": False, "unreachable_b": False}
    frame = pd.DataFrame([sides | flags]).astype(float)
    return outcomes(frame, TIE).iloc[0]


@pytest.mark.parametrize(
    ("hits", "ends", "expected", "ratio"),
    [
        ((1, 2), (100, 100), "win", 1),
        ((4, 1), (100, 100), "loss", -2),
        ((3, 3), (100, 100), "tie", 0),
        ((1, None), (100, 8), "win", 3),  # b ran 8 without reaching it: at least 2^3
        ((None, 1), (8, 100), "loss", -3),
        ((9, None), (100, 8), "undecided", None),  # b ended before a reached it
        ((8, None), (100, 8), "undecided", None),  # its end does not exceed a's time
        ((None, None), (100, 100), "undecided", None),
        ((0, 5), (100, 100), "undecided", None),  # a started below the threshold
    ],
)
def test_outcomes_follow_the_rule_for_censored_runs(hits, ends, expected, ratio):
    result = outcome(*[np.nan if hit is None else hit for hit in hits], *ends)
    assert result["outcome"] == expected
    assert result["bound"] == (expected != "undecided" and None in hits)
    assert np.isnan(result["effect"]) if ratio is None else result["effect"] == ratio


def test_a_best_rate_at_the_edge_decides_only_for_its_own_side():
    assert outcome(1, 2, edge_a=True)["outcome"] == "win"
    assert outcome(2, 1, edge_b=True)["outcome"] == "loss"
    for sides in ({"edge_b": True}, {"edge_a": True, "edge_b": True}):
        result = outcome(1, 2, **sides)
        assert (result["outcome"], result["reason"]) == ("undecided", "edge")
    assert outcome(2, 2, edge_a=True)["outcome"] == "undecided"


@pytest.mark.parametrize("edge", [False, True])
def test_a_side_that_cannot_reach_it_is_slower_however_soon_it_ended(edge):
    never = {"unreachable_b": True, "edge_b": edge}
    result = outcome(9, np.nan, end_b=8, **never)
    assert (result["outcome"], result["effect"], result["bound"]) == ("win", 0, True)
    assert outcome(1, np.nan, end_b=8, **never)["effect"] == 3
    assert outcome(np.nan, np.nan, **never)["outcome"] == "undecided"


HITS = st.one_of(st.sampled_from([np.nan, 0.0]), st.floats(1e-3, 1e3))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(HITS, HITS, st.floats(1, 1e3), st.floats(1, 1e3), st.booleans(), st.booleans())
def test_swapping_the_sides_flips_the_sign(hit_a, hit_b, end_a, end_b, edge_a, edge_b):
    one = outcome(hit_a, hit_b, end_a, end_b, edge_a, edge_b)
    other = outcome(hit_b, hit_a, end_b, end_a, edge_b, edge_a)
    assert OPPOSITE[one["outcome"]] == other["outcome"]
    assert one["effect"] == -other["effect"] or np.isnan(one["effect"])
    assert (one["reason"], one["bound"]) == (other["reason"], other["bound"])


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(HITS, HITS, st.floats(1, 1e3), st.integers(-20, 20))
def test_another_unit_of_time_changes_nothing(hit_a, hit_b, end, power):
    unit = 2.0**power
    one, other = (
        outcome(hit_a, hit_b, end, end),
        outcome(*(unit * np.array([hit_a, hit_b, end, end]))),
    )
    assert one["outcome"] == other["outcome"]
    assert np.isclose(one["effect"], other["effect"], equal_nan=True)


@pytest.mark.slow
def test_skip_pairs_share_everything_else():
    rows = skip_speeds(lambda seed: 1 + seed, lambda seed: 10 + seed, seeds=range(3))
    rows += [speed_row(5.0, multiscale=True, seed=7)]  # without a partner
    pairs = pair_runs(tables(speed=rows)["speed"], "multiscale")
    assert pairs["seed"].tolist() == [0, 1, 2]
    assert pairs["hit_a"].tolist() == [1, 2, 3] and pairs["hit_b"].tolist() == [10, 11, 12]


@pytest.mark.slow
def test_depths_are_compared_with_the_next_one_of_their_experiment():
    rows = [speed_row(1.0, depth=depth) for depth in (2, 4, 6)]
    rows += [speed_row(1.0, depth=depth, experiment="other") for depth in (2, 6)]
    pairs = pair_runs(tables(speed=rows)["speed"], "depth")
    result = set(zip(pairs["experiment"], pairs["depth"], pairs["other"], strict=True))
    assert result == {("made-up", 4, 2), ("made-up", 6, 4), ("other", 6, 2)}


@pytest.mark.slow
def test_each_kind_of_random_labels_is_compared_with_the_true_ones():
    rows = [speed_row(1.0, labels=kind) for kind in ("true", "permuted", "uniform")]
    pairs = pair_runs(tables(speed=rows)["speed"], "labels")
    assert pairs["labels"].tolist() == ["true", "true"]
    assert sorted(pairs["other"]) == ["permuted", "uniform"]


def grid(steps, status=("ok",) * 4, ends=(100,) * 4, losses=(1.0,) * 4) -> pd.Series:
    rows = [
        speed_row(hit, end, optimizer="gd", lr=lr, status=state, end_loss=loss)
        for hit, end, lr, state, loss in zip(steps, ends, RATES, status, losses, strict=True)
    ]
    return best_rates(tables(speed=rows)["speed"]).iloc[0]


@pytest.mark.slow
def test_the_best_rate_is_interior_or_said_to_be_at_the_edge():
    inner = grid([40, 20, 10, 30])
    assert (inner["hit"], inner["best_lr"], inner["edge"]) == (10, 0.1, False)
    for steps in ([40, 30, 20, 10], [10, 20, 30, 40]):
        assert grid(steps)["edge"]
    assert not grid([10, 10, 20, 30])["edge"]  # an interior rate does as well
    assert not grid([40, 20, 10, None])["edge"]  # the largest does not reach it


@pytest.mark.slow
def test_where_no_rate_reaches_it_the_lowest_loss_is_best():
    status = ("ok", "ok", "ok", "diverged")
    result = grid([None] * 4, status, (100, 90, 100, 5), (4.0, 3.0, 2.0, 1.0))
    assert np.isnan(result["hit"]) and (result["end"], result["best_lr"]) == (90, 0.1)
    assert not result["edge"]
    assert grid([None] * 4, losses=(4.0, 3.0, 2.0, 1.0))["edge"]
    lost = grid([None] * 4, ("diverged",) * 4, (4, 3, 2, 1))
    assert lost["edge"] and lost["end"] == 4


@pytest.mark.slow
def test_measures_of_descent_and_flow_stay_apart():
    rows = [speed_row(3.0), *(speed_row(7, optimizer="gd", lr=lr) for lr in (0.1, 0.2))]
    result = measured(tables(speed=rows)["speed"])
    counts = result["measure"].value_counts().to_dict()
    assert counts == {"equal_lr_steps": 2, "flow_time": 1, "best_lr_steps": 1}


@pytest.mark.slow
def test_one_rate_has_no_best():
    rows = [speed_row(7, optimizer="adam", lr=0.1)]
    assert set(measured(tables(speed=rows)["speed"])["measure"]) == {"equal_lr_steps"}


def test_head_terms_against_layer_terms():
    values = {"head": [8.0, 8.0, 1.0], "layer": [1.0, 2.0, 4.0]}
    rows = [
        row("gradient_terms", step=step, term=term, index=index, value=value / 2)
        for term, series in values.items()
        for step, value in enumerate(series)
        for index in (1, 2)
    ]
    result = term_pairs(tables(gradient_terms=rows)["gradient_terms"], TIE).iloc[0]
    assert result["effect"] == 2 and result["outcome"] == "win"  # median of 3, 2, -2


def test_a_net_without_layers_has_no_ratio():
    rows = [row("gradient_terms", term="head", value=1.0, depth=0)]
    result = term_pairs(tables(gradient_terms=rows)["gradient_terms"], TIE).iloc[0]
    assert (result["outcome"], result["reason"]) == ("undecided", "not_finite")
