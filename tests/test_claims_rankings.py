"""Predictors of the fastest architecture, and the order of linear twins, with known answers."""

import numpy as np
import pandas as pd
import pytest
from claims_tables import everything_judged, settings, tables
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from ranking_tables import ADAM, DEPTHS, GRAPHS, facts, flows, reverse, slow, times, worlds
from scipy.stats import kendalltau, spearmanr

from gnn_dynamics.artifacts.parquet import read_table, write_table
from gnn_dynamics.claims.evidence import POOLED
from gnn_dynamics.claims.pooling import mean_with_interval, pool
from gnn_dynamics.claims.rankings import PREDICTIONS, compare, predictions, rankings
from gnn_dynamics.claims.units import RHO, scales

pytestmark = pytest.mark.slow

RULE = settings()["rule"]
FIVE = GRAPHS[:5]


def judged(orders, **changes) -> tuple[pd.DataFrame, pd.Series]:
    _, evidence, claims = everything_judged("13", **worlds(orders, **changes))
    return evidence, claims.iloc[0]


def pooled(evidence: pd.DataFrame) -> pd.Series:
    return evidence[evidence["graph"] == POOLED].squeeze()


def shuffled(*order: int):
    """Times in another order: the i-th fastest by `slow` becomes the order[i]-th."""
    known = sorted(slow(skip, depth) for skip in (True, False) for depth in DEPTHS)
    return lambda skip, depth: known[order[known.index(slow(skip, depth))]]


def test_the_same_order_holds_and_is_said():
    evidence, claim = judged(dict.fromkeys(FIVE, lambda *key: slow(*key) ** 2))
    found = pooled(evidence)
    assert (found["finding"], found["effect"], found["unit"]) == ("same order", 1.0, "rho")
    assert found["ci_high"] == 1.0 and found["prediction_high"] == 1.0  # no correlation is larger
    assert claim["verdict"] == "holds"
    said = "architectures of a ReLU GCN and their linear twins are in the same order with rank"
    assert f"{said} correlation 1.00 (95 % interval 0.9" in claim["statement"]


def test_the_opposite_order_fails():
    evidence, claim = judged(dict.fromkeys(FIVE, reverse))
    assert (pooled(evidence)["finding"], claim["verdict"]) == ("opposite order", "fails")
    assert "in the opposite order with rank correlation −1.00 (95 %" in claim["statement"]


def test_no_relation_fails():
    order = shuffled(3, 0, 4, 5, 2, 1)
    evidence, claim = judged(dict.fromkeys(FIVE, order))
    assert abs(pooled(evidence)["effect"]) < 0.2
    assert (pooled(evidence)["finding"], claim["verdict"]) == ("no relation", "fails")
    assert "linear twins are unrelated" in claim["statement"]


def test_graphs_on_both_sides_are_named():
    orders = dict(zip(GRAPHS, [slow, reverse, slow, reverse, slow, reverse], strict=False))
    evidence, claim = judged(orders)
    assert pooled(evidence)["finding"] == "depends on the graph"
    assert (claim["verdict"], claim["scope"]) == ("depends on", "the graph")
    assert "In the same order on Cora" in claim["statement"]


def test_one_outlier_leaves_the_question_open_or_is_named():
    orders = dict.fromkeys(GRAPHS, slow) | {"actor": reverse}
    evidence, _ = judged(orders)
    by_graph = evidence.set_index("graph")["finding"]
    assert by_graph["actor"] == "opposite order" and by_graph["cora"] == "same order"
    assert by_graph[POOLED] == "not enough evidence"  # one of seven at -1: too wide for 0.5


def test_two_graphs_stand_each_for_itself():
    _, claim = judged({"cora": slow, "citeseer": reverse})
    assert claim["scope"] == "the graph: same order for Cora, opposite order for CiteSeer"


@pytest.mark.parametrize(
    ("relu", "verdict"), [(lambda *_: 7.0, "undecided"), (lambda *_: None, "not tested")]
)
def test_ties_and_unreached_losses_decide_nothing(relu, verdict):
    _, claim = judged(dict.fromkeys(FIVE, relu))
    assert claim["verdict"] == verdict


def test_runs_outside_the_setting_of_the_endpoint_are_not_ranked():
    evidence, claim = judged(dict.fromkeys(FIVE, slow), width=7)
    assert evidence.empty and claim["verdict"] == "not tested"


def test_without_twins_or_with_few_architectures_nothing_is_tested():
    assert judged(dict.fromkeys(FIVE, slow), linear=None)[1]["verdict"] == "not tested"
    rows = worlds(dict.fromkeys(FIVE, slow))
    rows["speed"] = [one for one in rows["speed"] if one["depth"] == 2]
    assert everything_judged("13", **rows)[2]["verdict"].tolist() == ["not tested"]


def test_a_network_that_does_not_get_there_is_the_slowest():
    def stuck(skip, depth):
        return None if slow(skip, depth) == 80 else slow(skip, depth)

    evidence, _ = judged(dict.fromkeys(FIVE, stuck))
    assert pooled(evidence)["effect"] == 1.0


@pytest.mark.parametrize("both", [False, True])
def test_an_experiment_of_relu_nets_belongs_to_the_one_beside_it(both):
    """Unless the one beside it has the same networks itself."""
    beside = times(FIVE, reverse, linear=None, experiment="made-up-relu")
    rows = times(FIVE, slow, slow) if both else times(FIVE, slow, slow)[1::2]
    assert both or {one["activation"] for one in rows} == {"linear"}
    _, evidence, _ = everything_judged("13", speed=rows + beside, graphs=facts(FIVE))
    assert pooled(evidence)["effect"] == (1.0 if both else -1.0)


def test_each_network_counts_at_its_best_rate():
    worse = times(FIVE, lambda *key: 500 + reverse(*key), lambda *key: 500 + slow(*key))
    rows = times(FIVE, slow) + [one | {"lr": 0.1} for one in worse]
    _, evidence, _ = everything_judged("13", speed=rows, graphs=facts(FIVE))
    assert pooled(evidence)["effect"] == 1.0


def test_the_experiment_with_most_architectures_counts():
    small = [one for one in times(FIVE, reverse, experiment="a-small") if one["depth"] < 8]
    _, evidence, _ = everything_judged("13", speed=small + times(FIVE, slow), graphs=facts(FIVE))
    assert pooled(evidence)["effect"] == 1.0


def test_halves_of_the_seeds_that_disagree_are_named():
    rows = worlds(dict.fromkeys(FIVE, slow), seeds=range(0, 20, 2))
    rows["speed"] += worlds(dict.fromkeys(FIVE, reverse), seeds=range(1, 20, 2))["speed"]
    _, _, claims = everything_judged("13", **rows)
    assert not claims["seeds_agree"].item()


# --- predictors


def predicted(**rows) -> pd.DataFrame:
    return predictions(rankings(tables(**rows), RULE), RULE)


def test_a_planted_predictor_is_found():
    table = predicted(**flows(FIVE)).set_index(["predictor", "graph"])
    found = table.xs(POOLED, level="graph")
    assert found.loc["lambda_start", "primary"] and found["primary"].sum() == 1
    expected = {"lambda_start": 1.0, "initial_speed": -1.0, "shallow": 0.956}
    assert found["rho"].round(3).to_dict().items() >= expected.items()
    assert found.loc["lambda_start", ["right", "best", "regret"]].tolist() == [1.0, 1.0, 1.0]
    assert found.loc["initial_speed", "right"] == 0
    # The slowest is at H = 8 without skips, the fastest at H = 2 with skips.
    assert found.loc["initial_speed", "regret"] == pytest.approx(80 / 15)
    assert found.loc["skips", "right"] == pytest.approx(6 / 9)
    chance = np.mean(np.log2([slow(s, d) for s in (True, False) for d in DEPTHS])) - np.log2(15)
    assert np.log2(found["regret_at_random"].iloc[0]) == pytest.approx(chance)
    assert (found[["graphs", "architectures", "seeds"]] == [5, 6, 5]).all(axis=None)
    assert "linear_twin" not in found.index


def test_the_curvature_of_descent_is_its_sharpness_at_the_start():
    """And where it was not observed, a flow of the same model has it."""
    rows, descent = flows(FIVE), {"optimizer": "gd", "lr": 0.1, "experiment": "descent"}
    steps = [one | descent | {"lambda_start": np.nan} for one in rows["speed"]]
    observed = [
        one | descent | {"lr_lambda_max": 0.1 * 2 / one["grad_norm_sq"]} for one in rows["training"]
    ]
    alone = rows | {"speed": steps, "training": observed}
    for tables_ in (alone, rows | {"speed": rows["speed"] + steps}):
        found = predicted(**tables_).query("measure == 'gd_steps' and graph == 'pooled'")
        known = found.set_index("predictor")
        assert known.loc["lambda_start", "rho"] == 1.0
        assert known.loc["scaled_speed", "primary"]
    blind = predicted(**rows | {"speed": steps})
    assert not set(blind["predictor"]) & {"lambda_start", "scaled_speed"}


def test_the_excess_of_the_initial_speed_is_above_the_optimum():
    rows = flows(FIVE)
    for start, best in zip(rows["training"], rows["optimum"], strict=True):
        time = start["grad_norm_sq"] / 2
        best["loss_optimum"] = 3.0 - time**2 / 1e4  # the speed is 2e4 / time
    found = predicted(**rows).query("predictor == 'initial_speed' and graph == 'pooled'")
    assert found["rho"].item() == 1.0


def test_under_adam_the_twin_predicts_and_flops_fall_with_depth():
    table = predicted(**worlds(dict.fromkeys(FIVE, slow)))
    found = table[table["graph"] == POOLED].set_index("predictor")
    assert found.loc["linear_twin", ["rho", "primary"]].tolist() == [1.0, True]
    assert found.loc["flops", "rho"] == pytest.approx(spearmanr(
        [-slow(s, d) for s in (True, False) for d in DEPTHS],
        [-(6400 + 4096 * (d - 1) + 448 * (d if s else 1) + 700 * s)
         for s in (True, False) for d in DEPTHS],
    ).statistic)  # fmt: skip


def test_few_graphs_have_rows_of_their_own_and_no_run_has_no_row(tmp_path):
    table = predicted(**flows(["cora", "citeseer"]))
    assert set(table["graph"]) == {"cora", "citeseer"}
    for name, frame in (("some", table), ("none", predicted())):
        write_table(frame, tmp_path / f"{name}.parquet", PREDICTIONS, {})
        assert len(read_table(tmp_path / f"{name}.parquet")) == len(frame)


TIMES = st.lists(st.integers(1, 6), min_size=3, max_size=9)


@profile(max_examples=100, deadline=None)
@given(st.data(), TIMES)
def test_a_comparison_is_scipys_and_does_not_depend_on_order(data, hit):
    scores = data.draw(st.lists(st.integers(0, 4), min_size=len(hit), max_size=len(hit)))
    hit, score = np.array(hit, float), np.array(scores, float)
    found = compare(hit, hit, score)
    if min(len(set(hit)), len(set(score))) > 1:
        assert found["effect"] == pytest.approx(spearmanr(-hit, score).statistic)
        signs = np.sign(hit - hit[:, None]) * np.sign(score[:, None] - score)
        kendall = signs[signs != 0]
        if len(kendall):
            assert found["right"] == pytest.approx((kendall > 0).mean())
            tau = kendalltau(-hit, score).statistic
            assert np.sign(found["right"] - 0.5) == np.sign(round(tau, 12))
    else:
        assert np.isnan(found["effect"])
    order = np.random.default_rng(0).permutation(len(hit))
    assert compare(hit[order], hit, score[order]) == pytest.approx(found, nan_ok=True)
    squared = compare(hit**2, hit**2, score)
    assert squared["effect"] == pytest.approx(found["effect"], nan_ok=True)
    assert squared["regret"] == pytest.approx(2 * found["regret"])


@profile(max_examples=50, deadline=None)
@given(TIMES)
def test_the_best_predictor_has_no_regret_and_the_worst_the_largest(hit):
    hit = np.array(hit, float)
    best, worst, same = (compare(hit, hit, score) for score in (-hit, hit, 0 * hit))
    assert (best["regret"], best["best"]) == (0.0, 1.0)
    assert worst["regret"] == pytest.approx(np.log2(hit.max() / hit.min()))
    assert same["regret"] == same["regret_at_random"] and np.isnan(same["effect"])


def test_a_pick_that_does_not_get_there_costs_its_whole_run():
    hit, end = np.array([4.0, np.inf, np.inf]), np.array([4.0, 64.0, 2.0])
    found = [compare(hit, end, score)["regret"] for score in np.eye(3)]
    assert found == [0.0, 4.0, 0.0]  # the last one ended early: a bound, not a gain


@pytest.mark.parametrize("graphs", [5, 20])
def test_intervals_of_correlations_cover_what_they_promise(graphs):
    """Five seeds, ten architectures; the truth is the mean over very many graphs.

    Weighed by their own errors, graphs with a correlation near 1 would count too much.
    """
    rng, worlds_, covered = np.random.default_rng(0), 300, np.zeros(2)

    def mean_rho(spread: float) -> np.ndarray:
        speed = rng.normal(size=10)
        noisy = speed + spread * rng.normal(size=(5, 10))
        return np.array([compare(np.exp2(-speed), np.exp2(-speed), s)["effect"] for s in noisy])

    truth = np.mean([mean_rho(rng.uniform(0.3, 1.2)) for _ in range(2000)])
    for _ in range(worlds_):
        rows = [
            mean_with_interval(mean_rho(rng.uniform(0.3, 1.2)), 0.02, 0.95)[:2]
            for _ in range(graphs)
        ]
        effects, errors = np.array(rows).T
        for i, weights in enumerate((scales(RULE)[RHO].weighing(errors), errors)):
            found = pool(effects, weights, 0.95)
            covered[i] += found.ci_low <= truth <= found.ci_high
    assert 0.9 <= covered[0] / worlds_ <= 0.98  # correlations are skewed
    assert covered[1] < covered[0]


def test_adam_runs_have_no_curvature_and_so_no_such_predictor():
    assert np.isnan(ADAM["lambda_start"])
    table = predicted(**worlds(dict.fromkeys(FIVE, slow)))
    assert set(table["predictor"]) == {"linear_twin", "skips", "shallow", "flops"}
