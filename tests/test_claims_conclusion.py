"""From answers to a verdict, and the words that complete it."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnn_dynamics.claims.conclusion import VERDICTS, conclude, join, phrase, separating

SIDES = ("faster", "slower")


def units(*rows, **constant) -> pd.DataFrame:
    """Units from (answer, aggregation, measure)."""
    return pd.DataFrame(rows, columns=["answer", "aggregation", "measure"]).assign(**constant)


def verdict(**counts) -> str:
    answers = [answer for answer, count in counts.items() for _ in range(count)]
    frame = pd.DataFrame({"answer": answers, "aggregation": "gcn"})
    return conclude(frame, "typical", SIDES)[0]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, "not tested"),
        ({"nothing": 4}, "undecided"),
        ({"vacuous": 3}, "vacuous"),
        ({"vacuous": 3, "nothing": 1}, "undecided"),
        ({"yes": 4, "vacuous": 3, "nothing": 2}, "holds"),
        ({"yes": 4, "neither": 1}, "holds for"),
        ({"yes": 99, "no": 1}, "depends on"),
        ({"no": 3}, "fails"),
        ({"neither": 3}, "fails"),
        ({"no": 1, "neither": 1}, "fails"),
    ],
)
def test_the_rule(counts, expected):
    assert verdict(**counts) == expected


def test_one_counterexample_refutes_a_statement_about_every_case():
    frame = units(*[("yes", "gcn", "flow_time")] * 99, ("no", "gin", "flow_time"))
    assert conclude(frame, "every", SIDES) == ("fails", "")
    assert conclude(frame.iloc[:99], "every", SIDES) == ("holds", "")


COUNT = st.integers(0, 30)


@pytest.mark.slow
@given(COUNT, COUNT, COUNT, COUNT, COUNT)
def test_what_refutes_is_never_hidden(yes, no, neither, nothing, vacuous):
    counts = {"yes": yes, "no": no, "neither": neither, "nothing": nothing, "vacuous": vacuous}
    result = verdict(**counts)
    assert result in VERDICTS
    assert result not in ("holds", "holds for") or not no
    assert result != "holds" or not neither
    assert result != "fails" or not yes
    assert verdict(**counts | {"no": no + 1}) in ("depends on", "fails")


def test_the_factor_that_separates_is_named_with_its_values():
    frame = units(
        ("yes", "gcn", "flow_time"),
        ("yes", "gcn", "gd_steps"),
        ("no", "gin", "flow_time"),
        ("nothing", "gin", "gd_steps"),
    )
    words = "the aggregation: faster for GCN, slower for GIN"
    assert conclude(frame, "typical", SIDES) == ("depends on", words)
    frame["answer"] = frame["answer"].replace({"no": "neither"})
    assert conclude(frame, "typical", SIDES) == ("holds for", "GCN")


def test_two_factors_are_named_together():
    frame = units(
        ("yes", "gcn", "flow_time"),
        ("no", "gcn", "gd_steps"),
        ("no", "gin", "flow_time"),
        ("yes", "gin", "gd_steps"),
    )
    assert conclude(frame, "typical", SIDES) == ("depends on", "the aggregation and the measure")
    frame["answer"] = frame["answer"].replace({"no": "neither"})
    words = "GCN, flow time and GIN, steps of gradient descent"
    assert conclude(frame, "typical", SIDES)[1].replace(";", "") == words


def test_equal_units_with_other_answers_have_no_factor():
    frame = units(("yes", "gcn", "flow_time"), ("no", "gcn", "flow_time"))
    assert conclude(frame, "typical", SIDES) == ("depends on", "more than one choice")


def test_a_missing_value_is_a_value():
    frame = units(("yes", "gcn", None), ("no", "gcn", "flow_time"))
    assert separating(frame.iloc[:1], frame.iloc[1:]) == ("measure",)


def test_what_depends_on_the_graph_is_no_failure():
    frame = units(("neither", "gcn", "flow_time"), varies=True)
    assert conclude(frame, "typical", SIDES) == ("depends on", "the graph")
    assert conclude(frame.assign(varies=False), "typical", SIDES) == ("fails", "")


def test_lists_read_like_sentences():
    assert join(["a"]) == "a" and join(["a", "b"]) == "a and b"
    assert join(["a", "b", "c"]) == "a, b and c"
    assert join(["a, x", "b", "c"]) == "a, x; b and c"
    assert phrase("multiscale", False) == "networks without skips" and phrase("depth", 4) == "H = 4"
