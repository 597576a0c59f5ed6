"""The race ranks candidates as direct trainings do, with the accuracies of plain models."""

import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pandas as pd
import pytest
import torch
from graphs import make_graph
from problems import random_adjacency

from gnn_dynamics.data.graph import PARTS
from gnn_dynamics.diagnosis import race as race_module
from gnn_dynamics.diagnosis.accuracy import accuracies
from gnn_dynamics.diagnosis.race import CANDIDATE, FINE, RACE, heats, paired_factor, race, ranking
from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.model import Architecture
from gnn_dynamics.problem.aggregations import AGGREGATIONS
from gnn_dynamics.runs.block import train_block
from gnn_dynamics.spectra.optimum import block_optimum

pytestmark = pytest.mark.slow

NODES = 40


@pytest.fixture(scope="module")
def graph():
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 3, NODES)
    X = rng.random((NODES, 9)) + np.eye(9)[labels]
    graph = make_graph(random_adjacency(NODES, 90, rng), X, labels, train=np.arange(0, NODES, 2))
    return replace(graph, val=np.arange(1, 20, 2), test=np.arange(21, NODES, 2))


@pytest.fixture
def short(monkeypatch):
    """Depths 1 and 2 only."""
    monkeypatch.setattr(race_module, "DEPTHS", (1, 2))


def test_the_ranking_is_that_of_direct_trainings(graph, short):
    """Medians over seeds of the fewest steps over rates, as `train_block` counts them."""
    plan = [heat for heat in heats("toy", "raw", "train", 2) if heat[1]["steps"] == 100][:16]
    *_, runs = islice(race(graph, "raw", "train", 2), len(plan))
    ranked = ranking([*runs.values()], len(graph.train)).set_index([*CANDIDATE])
    steps = {}
    for block, experiment in plan:
        optimum = block_optimum(graph, experiment, block) if block.activation == "linear" else None
        speed = train_block(graph, experiment, block, optimum)["speed"]
        tenth = speed[(speed["threshold_kind"] == "label_norm") & (speed["threshold"] == 0.1)]
        fewest = tenth["steps_to_threshold"].astype(float).fillna(math.inf).min()
        model = (block.activation, block.aggregation, block.multiscale, block.depth)
        steps[*model, *experiment["init"], *experiment["optimizer"]] = fewest
    assert len(steps) == len(ranked) == 16
    assert ranked["steps_10"].to_dict() == steps
    assert ranked["steps_10"].is_monotonic_increasing
    assert ranked["slower"].iloc[0] == 1


def test_a_race_goes_from_coarse_to_fine():
    plan = heats("toy", "raw", "all", 5)
    first = [(block.activation, experiment["seed"], experiment["steps"])
             for block, experiment in plan[:64]]  # fmt: skip
    assert first == (
        [("linear", [0], 100)] * 16
        + [("relu", [0], 100)] * 16
        + [("linear", [1, 2, 3, 4], 100)] * 16
        + [("relu", [1, 2, 3, 4], 100)] * 16
    )
    every = {(block.model, *e["init"], *e["optimizer"]) for block, e in plan}
    assert len(every) == 2 * 2 * 2 * 4 * 2 * 2
    assert len(heats("toy", "raw", "all", 1)) == len(plan) / 2


def test_more_steps_are_only_for_those_that_did_not_arrive(graph, short, monkeypatch):
    """Each later heat trains the seeds without an arrival; then the leaders go on to 1 %, once."""
    trained = []
    monkeypatch.setattr(race_module, "LEADERS", 3)

    def run_heat(_, heat):
        block, experiment = heat
        fine = experiment["thresholds"] == FINE
        trained.append((block, experiment["steps"], tuple(experiment["seed"]), fine))
        keys = {"init": experiment["init"][0], "optimizer": experiment["optimizer"][0]}
        slow = block.multiscale and experiment["steps"] == 100
        far = {"steps_10": -1.0, "steps_1": 40.0 + block.depth}  # of another rate
        near = {"steps_1": math.nan}
        return [
            vars(block)
            | keys
            | {"seed": seed}
            | (far if fine else near | {"steps_10": math.inf if slow and seed else block.depth})
            for seed in experiment["seed"]
        ]

    monkeypatch.setattr(race_module, "run_heat", run_heat)
    *_, runs = race(graph, "raw", "train", 3)
    refined = [(b, seeds) for b, steps, seeds, fine in trained if steps == 1000 and not fine]
    assert refined and all(b.multiscale and seeds == (1, 2) for b, seeds in refined)
    assert all(run["steps_10"] == run["depth"] for run in runs.values())
    fine = [(b, seeds) for b, _, seeds, fine in trained if fine]
    assert {seeds for _, seeds in fine} == {(0,), (1, 2)}
    far = [run for run in runs.values() if not math.isnan(run["steps_1"])]
    assert len(far) == 3 * sum(seeds == (0,) for _, seeds in fine)
    assert {(run["depth"], run["steps_1"]) for run in far} == {(1, 41.0)}


@pytest.mark.parametrize("activation", ["linear", "relu"])
@pytest.mark.parametrize("multiscale", [True, False])
def test_accuracies_are_those_of_a_plain_model(activation, multiscale, graph):
    """Gradient descent by autograd on the formula of the paper."""
    run = {
        "aggregation": "gcn",
        "features": "raw",
        "nodes": "train",
        "width": 8,
        "depth": 2,
        "multiscale": multiscale,
        "activation": activation,
        "init": "default",
        "loss_fn": "squared",
        "optimizer": "gd",
        "lr": 2e-4,
        "seed": 3,
        "end_step": 60,
    }
    X = torch.from_numpy(graph.features.toarray().T)
    S = torch.from_numpy(AGGREGATIONS["gcn"](graph.adjacency).toarray())
    Y = torch.eye(3, dtype=torch.float64)[:, graph.labels]
    arch = Architecture(9, 8, 3, 2, multiscale, activation)
    weights = initial_weights(arch, "default", [3]).take(0).map(torch.Tensor.requires_grad_)

    def outputs():
        H = X
        layers = [H]
        for B in weights.B:
            H = B @ H @ S
            H = H.relu() if activation == "relu" else H
            layers.append(H)
        kept = layers if multiscale else layers[-1:]
        return sum(W @ H for W, H in zip(weights.W, kept, strict=True))

    loss = math.inf
    for _ in range(run["end_step"]):
        loss = (outputs() - Y)[:, graph.train].square().sum()
        gradients = torch.autograd.grad(loss, weights.tensors())
        with torch.no_grad():
            for tensor, gradient in zip(weights.tensors(), gradients, strict=True):
                tensor -= run["lr"] * gradient
    right = (outputs().argmax(dim=0).numpy() == graph.labels).astype(float)
    (shares,) = accuracies(graph, [run | {"end_loss": 0.0}])
    assert shares == {part: pytest.approx(right[getattr(graph, part)].mean()) for part in PARTS}


def test_a_regression_and_an_empty_part_have_no_accuracy(graph):
    run = {"aggregation": "gcn", "features": "raw", "nodes": "train", "width": 4, "depth": 1}
    run |= {"multiscale": False, "activation": "linear", "init": "default", "loss_fn": "squared"}
    run |= {"optimizer": "adam", "lr": 1e-3, "seed": 0, "end_step": 2, "end_loss": 0.0}
    none = np.array([], dtype=np.int64)
    (shares,) = accuracies(replace(graph, val=none), [run])
    assert shares["val"] is None and 0 <= shares["test"] <= 1
    targets = replace(graph, task="regression", classes=1, labels=np.linspace(0, 1, NODES))
    assert accuracies(targets, [run]) == [dict.fromkeys(PARTS)]


def runs_of(**steps):
    """Rows of runs with these steps to 10 %, one for each seed, of a candidate with that depth."""
    rows = []
    for depth, (name, values) in enumerate(steps.items(), start=1):
        for seed, value in enumerate(values):
            row = {"dataset": "toy", "aggregation": "gcn", "features": "raw", "nodes": "all"}
            row |= {"width": 64, "activation": "linear", "depth": depth, "init": "default"}
            row |= {"multiscale": name.startswith("skip"), "optimizer": "adam", "seed": seed}
            row |= {"steps_50": 1.0, "steps_10": value, "lr": 0.1, "largest_stable_lr": 0.3}
            row |= {"steps_1": math.nan, "end_loss": 4.0, "lowest_loss": 2.0}
            rows.append(row | dict.fromkeys([f"{part}_accuracy" for part in PARTS]))
    return rows


def test_the_ranking_has_medians_factors_and_intervals():
    ranked = ranking(runs_of(plain=[30.0, 10, 20], skip=[5.0, 5, 4], never=[math.inf] * 3), 8.0)
    assert [*ranked.columns] == [*RACE.columns]
    assert ranked["depth"].tolist() == [2, 1, 3]
    assert ranked["steps_10"].tolist() == [5, 20, math.inf]
    assert ranked["slower"].tolist() == [1, 5, math.inf]
    assert ranked["slower_low"][1] == 2 and ranked["slower_high"][1] == 6
    assert ranked["lowest_loss"].tolist() == [0.25] * 3 and ranked["end_loss"].tolist() == [0.5] * 3
    assert ranked["val_accuracy"].isna().all()


def test_one_seed_has_no_interval():
    ranked = ranking(runs_of(plain=[30.0], skip=[5.0]), 8.0)
    assert ranked[["steps_low", "slower_low"]].isna().all(axis=None)


def test_pairs_that_did_not_both_arrive_do_not_count():
    steps = {(False, 1): 30.0, (True, 1): 10.0, (False, 2): math.inf, (True, 2): 5.0}
    other = {key: "same" for key in CANDIDATE if key not in ("multiscale", "depth")}
    table = pd.DataFrame(
        [
            other | {"multiscale": skip, "depth": depth, "steps_10": value}
            for (skip, depth), value in steps.items()
        ]
    )
    assert paired_factor(table, "multiscale", False, True) == (3.0, 1)
    _, pairs = paired_factor(table[table["multiscale"]], "multiscale", False, True)
    assert pairs == 0
