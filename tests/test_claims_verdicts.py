"""From tables with a known answer to verdicts, for every kind of claim."""

import math

import pandas as pd
import pytest
from claims_tables import SEEDS, everything_judged, judged, settings, speed_row
from table_rows import row

from gnn_dynamics.artifacts.parquet import read_table, write_table
from gnn_dynamics.claims.claim_cells import seed_halves
from gnn_dynamics.claims.comparisons import COMPARISONS
from gnn_dynamics.claims.evidence import EVIDENCE
from gnn_dynamics.claims.pair_target import PAIR
from gnn_dynamics.claims.verdicts import CLAIMS, judge


def conditions(*states: tuple[bool, dict]) -> list[dict]:
    """Cells of the graph condition that hold or do not, with their keys."""
    return [
        row("graph_condition", sigma_min=0.5 * holds, condition_holds=holds, rank_gap=1e9, **keys)
        for holds, keys in states
    ]


@pytest.mark.slow
def test_a_claim_about_the_typical_case_names_what_it_depends_on():
    keys = [{"nodes": nodes, "depth": depth} for nodes in ("train", "all") for depth in (1, 2)]
    cells = conditions(*((key["nodes"] == "train", key) for key in keys))
    claim = judged("04", graph_condition=cells).loc["04"]
    assert (claim["verdict"], claim["supports"], claim["refutes"]) == ("depends on", 2, 2)
    words = "holds for training nodes, fails for all labelled nodes"
    assert claim["scope"] == f"the nodes that carry the loss: {words}"
    assert claim["where_it_fails"].count("(rank deficient: 0)") == 2
    assert claim["statement"].startswith("It holds in 2 of 4 settings that decide it. sigma_min")
    assert judged("04", graph_condition=conditions((True, {}))).loc["04", "verdict"] == "holds"
    assert judged("04", graph_condition=conditions((False, {}))).loc["04", "verdict"] == "fails"


def decays(*rates: float) -> dict[str, list[dict]]:
    """Flows of one depth each, on a line of this rate; a slow one falls too little to be judged."""
    times = [0.25 * step for step in range(17)]
    rows = [
        row("training", depth=depth, step=step, time=time, loss=math.exp(-rate * time))
        for depth, rate in enumerate(rates, start=1)
        for step, time in enumerate(times)
    ]
    optimum = [row("optimum", depth=depth, loss_optimum=0.0) for depth in range(1, len(rates) + 1)]
    return {"training": rows, "optimum": optimum}


@pytest.mark.slow
def test_few_decided_cells_do_not_decide_what_is_typical():
    claim = judged("07", **decays(2.0, 2.0, 0.1)).loc["07"]
    assert (claim["verdict"], claim["supports"], claim["undecided"]) == ("holds", 2, 1)
    claim = judged("07", **decays(2.0, 0.1, 0.1)).loc["07"]
    assert (claim["verdict"], claim["supports"], claim["undecided"]) == ("undecided", 1, 2)
    assert "2 settings decide nothing." in claim["statement"]


@pytest.mark.slow
def test_halves_of_the_seeds_are_judged_apart():
    terms = [
        row("gradient_terms", seed=seed, term="head", value=1.0, relative_error=error)
        for seed, error in enumerate([1e-16, 1e-3, 1e-16, 1e-3])
    ]
    claim = judged("08", gradient_terms=terms).loc["08"]
    assert (claim["verdict"], claim["seeds_agree"]) == ("fails", False)
    assert claim["statement"].endswith("Two halves of the seeds give different verdicts.")
    claim = judged("08", gradient_terms=terms[::2]).loc["08"]
    assert (claim["verdict"], claim["seeds_agree"]) == ("holds", True)


def test_seeds_are_dealt_out_into_disjoint_halves():
    first, second = seed_halves(
        {"a": pd.DataFrame({"seed": [4, 2, 0]}), "b": pd.DataFrame({"seed": [7]})}
    )
    assert (first, second) == ({0, 4}, {2, 7})


@pytest.mark.slow
def test_every_claim_gets_a_verdict_even_from_empty_tables():
    rows = judged()
    assert rows.index.tolist() == list(settings()["claims"])
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
                  multiscale=multiscale, depth=depth, labels=kind, seed=s, threshold_kind=PAIR)
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
    return {
        "speed": rows,
        "gradient_terms": terms,
        "graph_condition": condition,
    }


@pytest.mark.slow
def test_a_small_world_end_to_end(tmp_path):
    cells, evidence, _ = everything_judged(**everything())
    write_table(cells, tmp_path / "tables" / "comparisons.parquet", COMPARISONS, {})
    write_table(evidence, tmp_path / "tables" / "evidence.parquet", EVIDENCE, {})
    names = ("comparisons", "evidence")
    read = [read_table(tmp_path / "tables" / f"{name}.parquet") for name in names]
    claims = judge(*read, settings())
    write_table(claims, tmp_path / "tables" / "claims.parquet", CLAIMS, {})
    claims = read_table(tmp_path / "tables" / "claims.parquet").set_index("claim")
    verdicts = claims["verdict"].to_dict()
    expected = {"04": "depends on", "08": "holds", "09": "holds", "10": "fails"}
    expected |= {"11": "holds", "12": "holds", "01": "not tested"}
    assert {claim: verdicts[claim] for claim in expected} == expected
    assert claims.loc["04", "scope"] == "depth: holds for H = 0, fails for H = 1"
    assert "2 times sooner on Cora" in claims.loc["09", "statement"]
    assert claims.loc["10", "where_it_fails"].count("3 times later") == claims.loc["10", "refutes"]
    assert claims.loc["09", "seeds_agree"] and pd.isna(claims.loc["04", "seeds_agree"])
