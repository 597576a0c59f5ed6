"""From tables with a known answer to verdicts, for every kind of claim."""

import pandas as pd
import pytest
from claims_tables import SEEDS, judged, settings, skip_speeds, speed_row, tables
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from table_rows import row

from gnn_dynamics.artifacts.parquet import read_table, write_table
from gnn_dynamics.claims.comparisons import COMPARISONS
from gnn_dynamics.claims.evidence import claim_cells_by_half, seed_halves
from gnn_dynamics.claims.verdicts import CLAIMS, judge, verdict

RULE = settings()["rule"]["verdict"]
VERDICTS = {"holds", "fails", "mixed", "vacuous", "not tested"}


def verdict_of(supports=0, refutes=0, undecided=0, vacuous=0, quantifier="typical") -> str:
    counts = {"supports": supports, "refutes": refutes, "undecided": undecided, "vacuous": vacuous}
    return verdict(counts, quantifier, RULE)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, "not tested"),
        ({"undecided": 4}, "not tested"),
        ({"vacuous": 3}, "vacuous"),
        ({"vacuous": 3, "undecided": 1}, "not tested"),
        ({"supports": 4, "vacuous": 3}, "holds"),
        ({"supports": 4, "undecided": 4}, "holds"),
        ({"supports": 4, "undecided": 5}, "mixed"),
        ({"refutes": 3}, "fails"),
        ({"refutes": 9, "supports": 1}, "fails"),
        ({"refutes": 8, "supports": 1}, "mixed"),
        ({"refutes": 1, "supports": 99}, "mixed"),
        ({"refutes": 1, "supports": 99, "quantifier": "every"}, "fails"),
        ({"supports": 99, "quantifier": "every"}, "holds"),
    ],
)
def test_the_rule(counts, expected):
    assert verdict_of(**counts) == expected


COUNT = st.integers(0, 30)


@profile(deadline=None)
@given(COUNT, COUNT, COUNT, COUNT, st.sampled_from(["every", "typical"]))
def test_a_refuting_cell_is_never_hidden(supports, refutes, undecided, vacuous, quantifier):
    result = verdict_of(supports, refutes, undecided, vacuous, quantifier)
    assert result in VERDICTS
    assert result != "holds" or not refutes
    assert result != "fails" or refutes
    more = verdict_of(supports, refutes + 1, undecided, vacuous, quantifier)
    assert more != "holds" and (result != "fails" or more == "fails")


def speeds(*factors, seeds=SEEDS) -> list[dict]:
    """One cell for each factor by which skips accelerate; None: neither model gets there."""
    return [
        speed
        for width, factor in enumerate(factors, start=1)
        for speed in skip_speeds(
            lambda s, f=factor: f and 1 + 0.01 * s, lambda s, f=factor: f, seeds, width=width
        )
    ]


@pytest.mark.parametrize(
    ("factors", "expected"),
    [
        ((2.0, 3.0), "holds"),
        ((0.5, 0.4), "fails"),
        ((2.0, 0.5), "mixed"),
    ],
)
def test_speeds_to_verdicts(factors, expected):
    claim = judged("09", speed=speeds(*factors)).loc["09"]
    assert claim["verdict"] == expected
    refuted = [factor for factor in factors if factor < 1]
    assert claim["refutes"] == len(refuted) == claim["where_it_fails"].count("(reversed: factor")


def test_too_few_decided_cells_are_said():
    claim = judged("09", speed=speeds(2.0, None, None, None)).loc["09"]
    assert (claim["verdict"], claim["where_it_fails"]) == ("mixed", "")
    assert claim["statement"].endswith("Too few cells are decided.")


def test_censored_on_both_sides_is_not_tested():
    never = skip_speeds(lambda _: None, lambda _: None)
    claim = judged("09", speed=never).loc["09"]
    assert (claim["verdict"], claim["undecided"]) == ("not tested", 1)


def test_halves_of_the_seeds_that_disagree_make_a_verdict_mixed():
    seeds, ones = range(20), lambda _: 1.0
    steady = skip_speeds(ones, lambda _: 4.0, seeds)
    claim = judged("09", speed=steady).loc["09"]
    assert (claim["verdict"], claim["seeds_agree"]) == ("holds", True)
    # Seeds are dealt out in turns; in a second cell those of one half say the opposite.
    torn = skip_speeds(ones, lambda seed: 0.25 if seed % 2 else 4.0, seeds, width=8)
    claim = judged("09", speed=steady + torn).loc["09"]
    assert (claim["supports"], claim["undecided"], claim["refutes"]) == (1, 1, 0)
    assert (claim["verdict"], claim["seeds_agree"]) == ("mixed", False)
    assert "halves of the seeds" in claim["statement"]


def test_seeds_are_dealt_out_into_disjoint_halves():
    first, second = seed_halves(
        {"a": pd.DataFrame({"seed": [4, 2, 0]}), "b": pd.DataFrame({"seed": [7]})}
    )
    assert (first, second) == ({0, 4}, {2, 7})


def test_every_claim_gets_a_verdict_even_from_empty_tables():
    rows = judged()
    assert rows.index.tolist() == [f"{number:02d}" for number in range(1, 15)]
    assert set(rows["verdict"]) == {"not tested"}
    assert (rows["statement"] == "No run of this configuration tests it.").all()


def test_claims_without_compared_runs_are_judged_alone():
    terms = [row("gradient_terms", term="head", value=1.0, relative_error=1e-16)]
    assert judged("08", gradient_terms=terms)["verdict"].to_dict() == {"08": "holds"}


def everything() -> dict[str, list[dict]]:
    """A small world: skips help, depth hurts, noise is slower, the graph condition fails once."""
    rates = {(True, 2): 1.0, (False, 2): 2.0, (True, 4): 3.0, (False, 4): 6.0}
    rows = [
        speed_row(time * (1 + 0.01 * s) * (1 if kind == "true" else 5), activation=activation,
                  multiscale=multiscale, depth=depth, labels=kind, seed=s)
        for (multiscale, depth), time in rates.items()
        for kind in ("true", "permuted")
        for activation in ("linear", "relu")
        for s in SEEDS
    ]  # fmt: skip
    terms = [
        row("gradient_terms", seed=s, term=term, value=value, relative_error=1e-16)
        for s in SEEDS
        for term, value in (("head", 3.0 + 0.01 * s), ("layer", 1.0))
    ]
    condition = [
        row("graph_condition", depth=d, sigma_min=s, condition_holds=s > 0, rank_gap=1e9)
        for d, s in ((0, 0.5), (1, 0.0))
    ]
    cases = [{"case": "two nodes, eps=0.1", "ratio": 1.7e4}]
    return {
        "speed": rows,
        "gradient_terms": terms,
        "graph_condition": condition,
        "counterexamples": cases,
    }


def test_a_small_world_end_to_end(tmp_path):
    cells = claim_cells_by_half(tables(**everything()), settings())
    write_table(cells, tmp_path / "tables" / "comparisons.parquet", COMPARISONS, {})
    cells = read_table(tmp_path / "tables" / "comparisons.parquet")
    claims = judge(cells, settings())
    write_table(claims, tmp_path / "tables" / "claims.parquet", CLAIMS, {})
    claims = read_table(tmp_path / "tables" / "claims.parquet").set_index("claim")
    verdicts = claims["verdict"].to_dict()
    expected = {"03": "fails", "04": "mixed", "08": "holds", "09": "holds", "10": "fails"}
    expected |= {"11": "holds", "12": "holds", "13": "holds", "01": "not tested"}
    assert {claim: verdicts[claim] for claim in expected} == expected
    broken = "two nodes, eps=0.1 (excess / bound above 1: 1.7e+04)"
    assert claims.loc["03", "where_it_fails"] == broken
    assert "H=1 (rank deficient: 0)" in claims.loc["04", "where_it_fails"]
    assert "median factor 2 " in claims.loc["09", "statement"]
    assert claims.loc["10", "where_it_fails"].count("H=4 vs H=2") == claims.loc["10", "refutes"]
    assert claims.loc["09", "seeds_agree"] and pd.isna(claims.loc["04", "seeds_agree"])
