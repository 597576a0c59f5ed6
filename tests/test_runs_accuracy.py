"""Accuracy at the recorded steps is that of the definition, on each part of the chosen split."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from graphs import make_graph
from problems import random_adjacency

from gnn_dynamics.config.grid import Block
from gnn_dynamics.data.graph import PARTS, load_graph, save_graph
from gnn_dynamics.data.splits import split_codes
from gnn_dynamics.errors import UserError
from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.model import Architecture
from gnn_dynamics.problem.problem import build_problem, labelled_ids, split
from gnn_dynamics.problem.propagation import propagated
from gnn_dynamics.runs.block import train_block
from gnn_dynamics.spectra.optimum import block_optimum
from gnn_dynamics.theory.reference import outputs as linear_outputs
from gnn_dynamics.theory.relu import relu_outputs

N = 40
EXPERIMENT = {
    "name": "toy",
    "features": ["row"],
    "nodes": ["train-0", "train-1"],
    "width": [8],
    "init": ["default"],
    "loss_fn": ["cross_entropy"],
    "optimizer": ["adam"],
    "lr": [0.01],
    "labels": ["true", "permuted"],
    "seed": [0, 1],
    "steps": 8,
    "record": 3,
    "observe": ["accuracy"],
}


def graph_with_splits():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, N)
    labels[:4] = -1  # no label, in no part
    parts = np.stack([rng.permutation(np.arange(4, N)) for _ in range(2)])
    masks = [np.zeros((2, N), dtype=bool) for _ in PARTS]
    for k, order in enumerate(parts):
        for mask, ids in zip(masks, np.split(order, [12, 20]), strict=True):
            mask[k, ids] = True
    X = rng.random((N, 9)) * (rng.random((N, 9)) < 0.5)
    graph = make_graph(random_adjacency(N, 80, rng), X, labels)
    codes = split_codes(masks)
    first = {part: np.flatnonzero(mask[0]) for part, mask in zip(PARTS, masks, strict=True)}
    return replace(graph, splits=codes, **first), masks


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("activation", ["linear", "relu"])
@pytest.mark.parametrize("multiscale", [True, False])
def test_accuracy_is_the_share_of_right_labels(activation, multiscale, precision):
    graph, masks = graph_with_splits()
    block = Block("toy", "toy", "gcn", activation, multiscale, 2)
    table = train_block(graph, EXPERIMENT | {"precision": precision}, block)["training"]
    problem = build_problem(graph, "gcn", "row", "all")
    arch = Architecture(problem.m_x, 8, problem.m_y, 2, multiscale, activation)
    start = table[table["step"] == 0]
    assert len(start) == 8
    for row in start.itertuples():
        weights = initial_weights(arch, "default", [row.seed])
        if activation == "relu":
            Yhat = relu_outputs(weights, problem, arch.levels)[0]
        else:
            G = [torch.from_numpy(G_l) for G_l in propagated(problem, 2)]
            Yhat = linear_outputs(weights, [G[l] for l in arch.levels])[0]
        right = np.full(N, np.nan)
        right[problem.node_ids] = Yhat.argmax(dim=0).numpy() == problem.labels
        for part, mask in zip(PARTS, masks, strict=True):
            expected = right[mask[int(row.nodes[-1])]].mean()
            assert getattr(row, f"accuracy_{part}") == pytest.approx(expected, abs=1e-12)


def test_accuracy_changes_no_other_column():
    graph, _ = graph_with_splits()
    block = Block("toy", "toy", "gcn", "relu", True, 2)
    observed = train_block(graph, EXPERIMENT, block)["training"]
    plain = train_block(graph, EXPERIMENT | {"observe": []}, block)["training"]
    assert observed[plain.columns].equals(plain)


def test_splits_survive_the_file_and_are_named(tmp_path):
    graph, masks = graph_with_splits()
    save_graph(graph, tmp_path / "toy.npz")
    loaded = load_graph(tmp_path / "toy.npz")
    assert np.array_equal(loaded.splits, graph.splits)
    for k in range(2):
        for part, mask in zip(PARTS, masks, strict=True):
            assert np.array_equal(split(loaded, f"train-{k}")[part], np.flatnonzero(mask[k]))
    with pytest.raises(UserError, match="ships 2 split"):
        labelled_ids(graph, "train-2")
    with pytest.raises(UserError, match="ships one split"):
        labelled_ids(replace(graph, splits=None), "train-0")
    with pytest.raises(UserError, match="nodes 'val' is unknown"):
        labelled_ids(graph, "val")


def test_a_regression_has_no_accuracy():
    graph, _ = graph_with_splits()
    real = replace(graph, labels=np.linspace(0, 1, N), task="regression", classes=1)
    lists = {"loss_fn": ["squared"], "nodes": ["all"], "labels": ["true"], "optimizer": ["gd"]}
    experiment, block = EXPERIMENT | lists, Block("toy", "toy", "gcn", "linear", True, 1)
    with pytest.raises(UserError, match="accuracy needs classes"):
        train_block(real, experiment, block, block_optimum(real, experiment, block))
