"""Worlds with a known answer get the right finding, verdict and sentence."""

import numpy as np
import pandas as pd
import pytest
from claims_tables import SEEDS, everything_judged, graph_speeds, judged, settings, speed_row
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from gnn_dynamics.artifacts.parquet import read_table, write_table
from gnn_dynamics.claims.evidence import EVIDENCE, POOLED
from gnn_dynamics.claims.pair_target import PAIR
from gnn_dynamics.claims.sentences import summary
from gnn_dynamics.claims.verdicts import judge

pytestmark = pytest.mark.slow

GRAPHS = ("cora", "citeseer", "pubmed", "actor", "texas", "wisconsin", "cornell")
SMALL = 0.02


def effects(*values: float | None) -> dict[str, float | None]:
    return dict(zip(GRAPHS, values, strict=False))


def world(rows, claim="09") -> tuple[pd.DataFrame, pd.Series]:
    """evidence.parquet without depths, and the claim's row."""
    _, evidence, claims = everything_judged(claim, speed=rows)
    return evidence[evidence["depth"].isna()], claims.iloc[0]


def pooled(evidence: pd.DataFrame) -> pd.Series:
    (row,) = evidence[evidence["graph"] == POOLED].to_dict("records")
    return pd.Series(row)


def test_a_true_effect_is_found_and_said():
    evidence, claim = world(graph_speeds(effects(0.9, 1.1, 1.0, 0.8, 1.2)))
    row = pooled(evidence)
    assert (row["finding"], row["graphs"], row["seeds"]) == ("faster", 5, len(SEEDS))
    assert row["effect"] == pytest.approx(1.0, abs=SMALL) and row["tau"] > 0.1
    assert (claim["verdict"], claim["scope"], claim["where_it_fails"]) == ("holds", "", "")
    said = "With skip connections a GCN reaches the same training loss 2 times sooner ("
    assert claim["statement"].startswith(f"{said}95 % interval 1.")
    assert "5 graphs; a new graph: 1." in claim["statement"]


def test_no_effect_is_no_difference():
    evidence, claim = world(graph_speeds(effects(0, 0.01, -0.01, 0, 0, 0), noise=0.01))
    assert pooled(evidence)["finding"] == "no difference"
    assert claim["verdict"] == "fails"
    assert "reaches the same training loss equally soon" in claim["statement"]


def test_the_opposite_sign_fails_and_names_the_graphs():
    evidence, claim = world(graph_speeds(effects(-1, -1.1, -0.9, -1, -1)))
    assert pooled(evidence)["finding"] == "slower"
    assert (claim["verdict"], claim["refutes"]) == ("fails", 1)
    assert "2 times later (95 % interval 1.9 to 2.1" in claim["statement"]
    assert claim["where_it_fails"].count("times later") == 6  # five graphs and all together


def test_graphs_on_both_sides_are_named():
    evidence, claim = world(graph_speeds(effects(1.5, 1.2, -1.4, -1.1, 1.4, -1.6)))
    assert pooled(evidence)["finding"] == "depends on the graph"
    assert (claim["verdict"], claim["scope"]) == ("depends on", "the graph")
    assert "Sooner on CiteSeer, Cora and Texas; later on Actor" in claim["statement"]


def test_graphs_that_differ_in_size_only_are_faster():
    """The prediction interval reaches below 1, but no graph is there to be named."""
    evidence, claim = world(graph_speeds(effects(0.4, 3.0, 0.8, 1.6, 1.0)))
    row = pooled(evidence)
    assert row["prediction_low"] < -0.07 and row["finding"] == "faster"
    assert claim["verdict"] == "holds"


def test_one_outlier_is_named_and_spoils_no_verdict():
    evidence, claim = world(graph_speeds(effects(1.0, 1.1, 0.9, -0.4, 1.0, 1.2, 1.0)))
    row = pooled(evidence)
    assert (row["finding"], row["graphs"]) == ("faster", 7)
    assert row["prediction_low"] < -0.1 and claim["verdict"] == "holds"
    assert "It is reversed on Actor." in claim["statement"]
    assert claim["where_it_fails"].startswith("Actor: GCN, linear, flow time")


def test_two_graphs_stand_each_for_itself():
    evidence, claim = world(graph_speeds(effects(1.0, 0.5), noise=0.02))
    assert evidence["graph"].tolist() == ["citeseer", "cora"] and evidence["judged"].all()
    assert (claim["verdict"], claim["supports"]) == ("holds", 2)
    assert "1.4 times sooner on CiteSeer (" in claim["statement"]
    assert "and 2 times sooner on Cora (" in claim["statement"]
    _, claim = world(graph_speeds(effects(1.0, -0.5), noise=0.02))
    assert claim["verdict"] == "depends on"
    assert claim["scope"] == "the graph: faster for Cora, slower for CiteSeer"
    _, claim = world(graph_speeds(effects(1.0, 0.0), noise=0.002))
    assert (claim["verdict"], claim["scope"]) == ("holds for", "Cora")


def test_where_no_run_gets_there_nothing_is_tested():
    evidence, claim = world(graph_speeds(effects(*[None] * 6)))
    assert set(evidence["finding"]) == {"not enough evidence"} and evidence["effect"].isna().all()
    assert (evidence["undecided"] == len(SEEDS)).all()
    assert (claim["verdict"], claim["supports"], claim["undecided"]) == ("undecided", 0, 6)
    assert "too few runs reached it" in claim["statement"]


def test_rates_that_end_too_early_are_said_to():
    evidence, _ = world(graph_speeds(effects(*[None] * 6)))
    said = summary(evidence.assign(edge=evidence["undecided"]), "A {network} is {effect}")
    assert "(the best rate is the smallest or largest that was tried)" in said
    said = summary(evidence.assign(edge=evidence["undecided"] // 2), "A {network} is {effect}")
    assert "(too few runs reached it)" in said


def test_a_graph_whose_runs_do_not_get_there_is_left_out_and_counted():
    evidence, claim = world(graph_speeds(effects(1.0, 1.0, 1.1, 0.9, 1.0, None)))
    assert "Too few runs reached it on Wisconsin." in claim["statement"]
    assert pooled(evidence)["graphs"] == 5
    assert pooled(evidence)["undecided"] == len(SEEDS)


def test_a_graph_whose_best_rates_are_at_the_edge_is_left_out_for_that_reason():
    evidence, _ = world(graph_speeds(effects(1.0, 1.0, 1.1, 0.9, None, None)))
    edge = evidence["undecided"].where(evidence["graph"] == "wisconsin", 0)
    said = summary(evidence.assign(edge=edge), "A {network} is {effect}")
    assert "The best rate is the smallest or largest that was tried on Wisconsin." in said
    assert said.count("Too few runs reached it on ") == 1


def test_where_the_graphs_do_not_agree_those_with_a_finding_are_named():
    evidence, claim = world(graph_speeds(effects(6.0, 3.0, 0.0, 0.0, 0.0, -1.0)))
    assert pooled(evidence)["finding"] == "not enough evidence"
    assert "Sooner on CiteSeer and Cora; later on Wisconsin." in claim["statement"]


def test_ties_are_no_difference_and_no_division_by_zero():
    evidence, claim = world(graph_speeds(effects(0, 0, 0, 0, 0), noise=0.0))
    row = pooled(evidence)
    assert (row["finding"], row["effect"], row["i2"]) == ("no difference", 0, 0)
    assert row["se"] == pytest.approx(0.01 / 5**0.5)
    assert claim["verdict"] == "fails"


def test_a_bound_counts_as_the_least_effect_that_it_shows():
    rows = graph_speeds(effects(1, 1, 1, 1, 1), end=4.0)
    for speed in rows:
        if not speed["multiscale"]:
            speed |= {"time_to_threshold": np.nan, "steps_to_threshold": np.nan, "censored": True}
    evidence, _ = world(rows)
    assert pooled(evidence)["bounded"] == 5 * len(SEEDS)
    assert pooled(evidence)["effect"] == pytest.approx(2.0)


def test_strata_are_never_pooled_and_the_verdict_names_what_separates_them():
    rows = graph_speeds(effects(1, 1.1, 0.9, 1, 1))
    rows += graph_speeds(effects(-1, -1.1, -0.9, -1, -1), aggregation="gin")
    evidence, claim = world(rows)
    assert (evidence["graph"] == POOLED).sum() == 2
    assert claim["verdict"] == "depends on"
    assert claim["scope"] == "the aggregation: faster for GCN, slower for GIN"
    rows = graph_speeds(effects(1, 1.1, 0.9, 1, 1))
    rows += graph_speeds(effects(*[0] * 5), noise=0.01, init="xavier")
    _, claim = world(rows)
    assert (claim["verdict"], claim["scope"]) == ("holds for", "the default initialisation")
    assert "In flow time with Glorot's initialisation: equally soon (" in claim["statement"]


def test_the_gain_by_depth_is_said():
    rows = graph_speeds(effects(0.25, 0.25, 0.25, 0.2, 0.3), depth=2)
    rows += graph_speeds(effects(1.7, 1.6, 1.65, 1.7, 1.7), depth=4)
    rows += graph_speeds(effects(3, 3, 3, 3, 3), depth=6)
    evidence, claim = world(rows)
    assert pooled(evidence)["effect"] == pytest.approx((0.25 + 1.67 + 3) / 3, abs=0.05)
    text = "The factor grows with depth: 1.2, 3.2 and 8 at H = 2, 4 and 6."
    assert text in claim["statement"]


def test_only_the_primary_setting_counts():
    rows = graph_speeds(effects(1, 1, 1, 1, 1))
    other = effects(-3, -3, -3, -3, -3)
    rows += graph_speeds(other, width=128)
    rows += graph_speeds(other, features="standard")
    rows += graph_speeds(other, init="orthogonal")
    rows += graph_speeds(other, loss_fn="cross_entropy")
    for speed in graph_speeds(other):
        rows.append(speed | {"threshold_kind": "initial"})
    evidence, claim = world(rows)
    assert claim["verdict"] == "holds" and len(evidence) == 6
    assert "primary setting" not in claim["statement"]


def test_a_run_without_the_primary_setting_says_so():
    _, claim = world(graph_speeds(effects(1, 1, 1, 1, 1), features="standard", width=32))
    assert claim["verdict"] == "holds"
    said = "Not in the primary setting: standardised features and width = 32."
    assert claim["statement"].endswith(said)


def test_an_overlap_of_experiments_counts_once():
    rows = graph_speeds(effects(1, 1, 1, 1, 1))
    rows += graph_speeds(effects(3, 3, 3, 3, 3), experiment="second")
    evidence, _ = world(rows)
    assert pooled(evidence)["effect"] == pytest.approx(1.0, abs=SMALL)


def test_gin_is_judged_about_depth_by_its_own_time_scale():
    """Its features grow with depth: flow time shrinks a thousandfold, scaled time does not."""
    rows = [
        speed_row(hit * (1 + 0.01 * seed), 1e6, depth=depth, seed=seed, dataset=graph,
                  aggregation="gin", threshold_kind=PAIR, lambda_start=scale)
        for graph in GRAPHS
        for depth, hit, scale in ((2, 1.0, 1.0), (4, 1e-3, 2e3))
        for seed in SEEDS
    ]  # fmt: skip
    evidence, claim = world(rows, "10")
    findings = evidence[evidence["graph"] == POOLED].set_index("measure")["finding"]
    assert findings.to_dict() == {"flow_time": "faster", "scaled_flow_time": "slower"}
    assert evidence.set_index("measure")["primary"].groupby(level=0).any().to_dict() == {
        "flow_time": False,
        "scaled_flow_time": True,
    }
    assert claim["verdict"] == "fails" and "GIN with skips" in claim["statement"]
    assert ", in scaled flow time." in claim["statement"]


def test_permuted_labels_come_before_uniform_ones():
    rows = [
        speed_row(hit + 0.01 * seed, labels=kind, seed=seed, dataset=graph, threshold_kind=PAIR)
        for graph in GRAPHS
        for kind, hit in (("true", 1.0), ("permuted", 2.0), ("uniform", 0.1))
        for seed in SEEDS
    ]
    evidence, claim = world(rows, "11")
    assert pooled(evidence)["other"] == "permuted" and claim["verdict"] == "holds"
    assert claim["statement"].startswith("On its true labels a GCN with skips reaches")


def test_halves_of_the_seeds_that_disagree_are_named():
    def hits(sign):
        return {g: sign * e for g, e in effects(1, 1.1, 1, 0.9, 1).items()}

    even, odd = [s for s in range(20) if s % 2 == 0], [s for s in range(20) if s % 2]
    steady = graph_speeds(hits(1), seeds=even) + graph_speeds(hits(1), seeds=odd)
    evidence, claim = world(steady)
    row = pooled(evidence)
    assert row["finding_half_1"] == row["finding_half_2"] == "faster" and claim["seeds_agree"]
    torn = graph_speeds(hits(1), seeds=even) + graph_speeds(hits(-1), seeds=odd)
    _, claim = world(torn)
    assert not claim["seeds_agree"]
    assert "Two halves of the seeds give different findings for GCN." in claim["statement"]


def test_rows_that_were_written_and_read_give_the_same_verdict(tmp_path):
    rows = graph_speeds(effects(1, 1, 1, 1, 1), depth=2)
    rows += graph_speeds(effects(2, 2, 2, 2, 2), depth=4)
    cells, evidence, claims = everything_judged("09", speed=rows)
    write_table(evidence, tmp_path / "evidence.parquet", EVIDENCE, {})
    read = read_table(tmp_path / "evidence.parquet")
    again = judge(cells, read, settings("09"))
    assert len(read) == len(evidence) and "at H = 2 and 4." in again["statement"].item()
    pd.testing.assert_frame_equal(again, claims)
    _, empty, claims = everything_judged("09")
    write_table(empty, tmp_path / "none.parquet", EVIDENCE, {})
    assert claims["verdict"].tolist() == ["not tested"]


@profile(max_examples=4, deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=1, max_size=7), st.floats(0.01, 0.5))
def test_a_mirrored_world_gets_the_mirrored_findings(values, noise):
    """Swapping skip and no skip everywhere swaps faster and slower, and nothing else."""
    mirror = {"faster": "slower", "slower": "faster"}
    one, _ = world(graph_speeds(effects(*values), noise))
    other, _ = world(graph_speeds(effects(*(-value for value in values)), noise))
    keys = ["graph", "finding"]
    swapped = one[keys].assign(finding=one["finding"].replace(mirror))
    pd.testing.assert_frame_equal(swapped, other[keys])


def test_every_seed_order_gives_the_same_rows():
    rows = graph_speeds(effects(1, 0.5, 0.7, 0.2, 0.4))
    shuffled = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    one, other = judged("09", speed=rows), judged("09", speed=shuffled)
    pd.testing.assert_frame_equal(one, other)
