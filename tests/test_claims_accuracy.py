"""Test accuracy by validation: which step and rate count, and worlds with a known answer."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from claims_tables import everything_judged, settings, speed_row, tables
from table_rows import RUN, row

from gnn_dynamics.claims.accuracy import accuracy_pairs, chosen_by_validation
from gnn_dynamics.claims.evidence import POOLED
from gnn_dynamics.claims.frames import splits_as_seeds
from gnn_dynamics.claims.pair_target import PAIR

pytestmark = pytest.mark.slow

GRAPHS = ("cora", "citeseer", "pubmed", "actor", "texas", "wisconsin", "cornell")
DEPTHS = (2, 16, 32)
TRAINED = {"activation": "relu", "optimizer": "adam", "loss_fn": "cross_entropy", "lr": 0.01}
LIMITS = {"deep": 16, "shallow": 2}


def record(val: float, test: float, step: int = 0, **keys) -> dict:
    accuracy = {"accuracy_train": 1.0, "accuracy_val": val, "accuracy_test": test}
    return row("training", step=step, **TRAINED | keys) | accuracy


def world(gains, noise=0.2, draws=None, steps=None) -> dict[str, list[dict]]:
    """Runs on each graph; gains: points of networks with skips, by graph or by (graph, depth).

    The draws (nodes, seed) scatter by `noise` points around the gain, with that mean.
    """
    draws = draws or [("train", seed) for seed in range(6)]
    scatter = np.linspace(-1, 1, len(draws)) * noise
    rows, speed = [], []
    for graph, depth, skip in product(gains, DEPTHS, (True, False)):
        gain = gains[graph](depth) if callable(gains[graph]) else gains[graph]
        for (nodes, seed), extra in zip(draws, scatter, strict=True):
            keys = {"dataset": graph, "depth": depth, "multiscale": skip}
            keys |= {"nodes": nodes, "seed": seed}
            test = 0.7 + (gain + extra) / 100 * skip
            rows.append(record(0.7, test, **keys))
            hit = None if steps is None else steps[skip]
            speed.append(speed_row(hit, **TRAINED | keys, threshold_kind=PAIR))
    return {"training": rows, "speed": speed}


def judged(*args, **kwargs) -> tuple[pd.DataFrame, pd.Series]:
    """Evidence of all depths together, and the claim's row."""
    _, evidence, claims = everything_judged("15", **world(*args, **kwargs))
    return evidence[evidence["depth"].isna()], claims.iloc[0]


def gains(*values) -> dict:
    return dict(zip(GRAPHS, values, strict=False))


def pooled(evidence: pd.DataFrame, measure: str = "deep_accuracy") -> pd.Series:
    rows = evidence[(evidence["graph"] == POOLED) & (evidence["measure"] == measure)]
    return rows.squeeze()


def test_a_true_gain_is_found_and_said():
    evidence, claim = judged(gains(3.0, 4.0, 3.5, 3.0, 4.0))
    found = pooled(evidence)
    assert (found["finding"], found["unit"], found["graphs"]) == ("better", "points", 5)
    assert found["effect"] == pytest.approx(3.5, abs=0.05)
    assert (claim["verdict"], claim["scope"]) == ("holds", "")
    said = "Compared with two layers and no skips, a ReLU GCN with skips and 16 or more layers"
    assert claim["statement"].startswith(f"{said} classifies the test nodes 3.5 points better (95 ")
    assert claim["summary"].startswith(said)


def test_no_gain_is_no_difference():
    evidence, claim = judged(gains(0.1, -0.1, 0.0, 0.2, -0.2))
    assert pooled(evidence)["finding"] == "no difference"
    assert claim["verdict"] == "fails" and "test nodes equally well (95 %" in claim["statement"]


def test_a_loss_is_worse_and_names_the_graphs():
    evidence, claim = judged(gains(-3, -4, -3, -4, -3))
    assert pooled(evidence)["finding"] == "worse"
    assert claim["verdict"] == "fails" and "3.4 points worse (95 %" in claim["statement"]
    assert "Cora: GCN, ReLU, test accuracy, deep with skips" in claim["where_it_fails"]


def test_graphs_on_both_sides_are_named():
    evidence, claim = judged(gains(9, 8, -7, -9, 8, -8))
    assert pooled(evidence)["finding"] == "depends on the graph"
    assert (claim["verdict"], claim["scope"]) == ("depends on", "the graph")
    assert "Better on CiteSeer, Cora and Texas; worse on Actor" in claim["statement"]


def test_one_outlier_is_named_and_spoils_no_verdict():
    evidence, claim = judged(gains(5, 6, 5, -2, 6, 5, 6))
    assert pooled(evidence)["finding"] == "better" and claim["verdict"] == "holds"
    assert "It is reversed on Actor." in claim["statement"]


def test_two_graphs_stand_each_for_itself():
    _, claim = judged(gains(5, -5))
    assert claim["verdict"] == "depends on"
    assert claim["scope"] == "the graph: better for Cora, worse for CiteSeer"


def test_a_gain_within_a_point_is_open_or_equal_never_better():
    """The margin was fixed at one point."""
    evidence, _ = judged(gains(0.6, 0.6, 0.6, 0.6, 0.6))
    assert pooled(evidence)["finding"] == "no difference"
    evidence, _ = judged(gains(0.9, 1.1, 1.0, 0.8, 1.2))
    assert pooled(evidence)["finding"] == "not enough evidence"


def test_ties_are_no_difference():
    evidence, _ = judged(gains(0, 0, 0, 0, 0), noise=0.0)
    assert (pooled(evidence)["finding"], pooled(evidence)["i2"]) == ("no difference", 0)


def test_without_accuracy_nothing_is_tested():
    rows = world(gains(1, 2))
    rows["training"] = [record(np.nan, np.nan, **keys_of(each)) for each in rows["training"]]
    _, evidence, claims = everything_judged("15", **rows)
    assert evidence.empty and claims["verdict"].tolist() == ["not tested"]
    _, _, claims = everything_judged("15", training=[row("training")])  # no such columns
    assert claims["verdict"].tolist() == ["not tested"]


def keys_of(record: dict) -> dict:
    return {key: record[key] for key in RUN if key not in TRAINED}


def test_only_deep_networks_decide_and_every_depth_is_said_beside():
    """Skips gain 0, 10 and 20 points at H = 2, 16 and 32, since plain networks lose them there."""
    rows = world(gains(*[0.0] * 5), noise=0.1)
    for each in rows["training"]:
        lost = {2: 0.0, 16: 0.1, 32: 0.2}[each["depth"]]
        each["accuracy_test"] -= lost * (not each["multiscale"])
    _, evidence, claims = everything_judged("15", **rows)
    deep = evidence[evidence["primary"]]
    assert set(deep["measure"]) == {"deep_accuracy"}
    assert set(deep["other"]) == {"no skip, H = 2"} and set(deep["finding"]) == {"no difference"}
    at = evidence[(evidence["measure"] == "accuracy") & (evidence["graph"] == POOLED)]
    assert at.set_index("depth")["effect"].round(6).to_dict()[32] == pytest.approx(20)
    said = claims["statement"].item()
    assert claims["verdict"].item() == "fails"
    assert "In test accuracy at the same depth: 10.0 points better (" in said
    assert "The difference grows with depth: 0.0, 10.0 and 20.0 points at H = 2, 16 and 32" in said


def test_every_setting_has_a_cell_that_is_decided_in_points():
    """A gain within one point is no difference, though every pair has the same sign."""
    cells, _, _ = everything_judged("15", **world(gains(0.5, 3.0, -3.0), noise=0.1))
    points = cells[cells["measure"].isin(["accuracy", "deep_accuracy"])].set_index("dataset")
    states = points.groupby("dataset")["reason"].unique().apply(list).to_dict()
    assert states == {
        "cora": ["no difference"],
        "citeseer": ["as claimed"],
        "pubmed": ["reversed"],
    }
    assert sorted(points.loc["citeseer", "depth"]) == [2, 16, 16, 32, 32]
    assert points["effect"].abs().max() == pytest.approx(3.0)
    deep = points.query("measure == 'deep_accuracy' and depth == 16")
    assert deep["cell"].str.contains("skip vs no skip, H = 2 H=16").all()


def test_steps_at_the_same_rates_stand_beside_the_accuracy():
    evidence, claim = judged(gains(3, 3, 3, 3, 3), steps={True: 20, False: 40})
    for measure in ("deep_steps", "validated_steps"):
        found = pooled(evidence, measure)
        assert (found["finding"], found["unit"], found["effect"]) == ("faster", "log2", 1.0)
        assert not evidence[evidence["measure"] == measure]["primary"].any()
    assert "against shallow without: 2 times sooner (2 to 2)." in claim["statement"]


SPLITS = [(f"train-{k}", 0) for k in range(10)]


def test_splits_with_one_seed_each_are_draws_and_have_halves():
    evidence, claim = judged(gains(3, 3, 3, 3, 3), draws=SPLITS)
    found = pooled(evidence)
    assert (found["seeds"], found["nodes"]) == (10, "train")
    assert found["finding_half_1"] == found["finding_half_2"] == "better"
    assert claim["seeds_agree"]


def test_splits_and_seeds_are_never_mixed_up():
    draws = [*SPLITS, ("train", 0), ("train", 1), ("all", 0), ("train-0", 1)]
    frame = pd.DataFrame(draws, columns=["nodes", "seed"])
    mapped = splits_as_seeds(frame)
    assert set(mapped["nodes"]) == {"train", "all"} and not mapped.duplicated().any()
    assert mapped[frame["nodes"].isin(["train", "all"])].equals(frame[10:13])


def test_halves_of_the_draws_that_disagree_are_named():
    rows = world(gains(*[0] * 5), noise=0.1)
    for each in rows["training"]:
        sign = 1 if each["seed"] % 2 else -1
        each["accuracy_test"] += 0.05 * sign * each["multiscale"]
    _, _, claims = everything_judged("15", **rows)
    assert not claims["seeds_agree"].item()
    assert "Two halves of the seeds give different findings for ReLU GCN" in claims["statement"][0]


def chosen(*records) -> pd.Series:
    """The one side that some records of one model have."""
    (found,) = chosen_by_validation(pd.DataFrame(records)).to_dict("records")
    return pd.Series(found)


def test_accuracy_is_read_at_the_first_step_with_the_best_validation():
    vals, tests = (0.5, 0.8, 0.8, 0.7), (0.4, 0.6, 0.7, 0.9)
    steps = [record(v, t, 10 * i) for i, (v, t) in enumerate(zip(vals, tests, strict=True))]
    for order in (steps, steps[::-1]):
        found = chosen(*order)
        assert (found["step"], found["accuracy_test"]) == (10, 0.6)
    assert chosen(record(np.nan, np.nan), *steps)["step"] == 10


def test_the_rate_is_chosen_by_the_mean_over_draws_of_validation_alone():
    vals = {0.001: (0.9, 0.1), 0.01: (0.6, 0.6), 0.1: (0.5, 0.5)}
    rows = [
        record(val, 1 - rate, seed=seed, lr=rate)
        for rate, pair in vals.items()
        for seed, val in enumerate(pair)
    ]
    found = chosen_by_validation(pd.DataFrame(rows))
    assert set(found["lr"]) == {0.01} and len(found) == 2 and not found["edge"].any()


@pytest.mark.parametrize(("rates", "edge"), [((0.01,), False), ((0.01, 0.1), True)])
def test_of_equal_rates_the_smaller_and_a_rate_at_the_edge_is_marked(rates, edge):
    found = chosen(*(record(0.5, 0.5, lr=rate) for rate in rates))
    assert (found["lr"], found["edge"]) == (0.01, edge)


def test_an_edge_is_counted_and_decides_nothing():
    rows = world(gains(3, 3, 3, 3, 3))
    for each in list(rows["training"]):
        rows["training"].append(each | {"lr": 0.1, "accuracy_val": 0.1, "accuracy_test": 0.99})
    _, evidence, _ = everything_judged("15", **rows)
    found = pooled(evidence[evidence["depth"].isna()])
    assert (found["finding"], found["edge"]) == ("better", found["pairs"])


def test_pairs_share_the_draw_and_the_experiment():
    rows = world(gains(3), draws=SPLITS[:3])
    for each in rows["training"] + rows["speed"]:
        each["experiment"] = "with" if each["multiscale"] else "without"
    frames = tables(**rows)
    assert accuracy_pairs(frames["training"], frames["speed"], 1e-9, **LIMITS).empty
    frames = tables(**world(gains(3), draws=SPLITS[:3]))
    found = accuracy_pairs(frames["training"], frames["speed"], 1e-9, **LIMITS)
    counts = found.groupby("measure").size().to_dict()
    # two deep networks against one, and three depths, on each of three splits
    assert counts == {"deep_accuracy": 6, "deep_steps": 6, "accuracy": 9, "validated_steps": 9}


def test_the_endpoint_is_written_down():
    rule = settings()["rule"]["endpoint"]
    assert rule["units"]["points"]["margin"] == 1.0
    assert all(change["date"] and change["reason"] for change in rule["changes"])
