"""`python -m benchmarks race`: how well a short race agrees with a long run."""

import math

import pandas as pd
import pytest

from benchmarks.race import AGREEMENT, agreement
from gnn_dynamics.diagnosis.race import CANDIDATE


def table(**columns):
    """Rows of candidates that differ in their depth."""
    frame = pd.DataFrame(columns)
    same = {key: "same" for key in CANDIDATE if key != "depth"}
    return frame.assign(dataset="toy", depth=range(len(frame)), **same)


def test_the_same_order_agrees_and_costs_nothing():
    short = table(steps_10=[1.0, 5.0, math.inf])
    long = table(steps_10=[2.0, 3.0, math.inf], steps_1=[20.0, 30.0, 90.0])
    rows = [*agreement(short, long)]
    assert [{*row} for row in rows] == [{*AGREEMENT.columns}] * 2
    assert [row["spearman"] for row in rows] == [pytest.approx(1)] * 2
    assert [row["cost"] for row in rows] == [1, 1]


def test_a_wrong_pick_costs_what_the_long_run_says():
    """Also against a candidate that the race had no time for, which no correlation counts."""
    short = table(steps_10=[1.0, 5.0])
    long = table(steps_10=[6.0, 4.0, 3.0], steps_1=[math.inf, 8.0, 9.0])
    first, last = agreement(short, long)
    assert (first["candidates"], first["raced"]) == (3, 2)
    assert first["spearman"] == pytest.approx(-1)
    assert (first["cost"], last["cost"]) == (2, math.inf)
