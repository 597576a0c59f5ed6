"""Accuracy of trained models on the nodes that were not trained on."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from gnn_dynamics.data.graph import Graph
from gnn_dynamics.dynamics.steppers import STEPPERS
from gnn_dynamics.dynamics.train import train
from gnn_dynamics.models.forms import choose_form
from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.model import Architecture, Weights, stack_weights
from gnn_dynamics.problem.problem import build_problem, kept_problem, targets
from gnn_dynamics.runs.recording import Run

PARTS = ("train", "val", "test")
OUTPUTS = {"linear": "horner", "relu": "relu-prefix"}


def accuracies(graph: Graph, runs: Sequence[Run]) -> list[dict[str, float | None]]:
    """Shares of right classes in the parts `train`, `val` and `test` for each of the runs.

    The runs have the squared loss and differ in `lr` and `seed` alone. Each is trained again from
    its seed until its loss is at most its `end_loss`. A part without labelled nodes has None, as
    has a regression.
    """
    run = runs[0]
    problem = kept_problem(graph, *(run[key] for key in ("aggregation", "features", "nodes")))
    if graph.task != "classification":
        return [dict.fromkeys(PARTS) for _ in runs]
    arch = Architecture(
        problem.m_x, run["width"], problem.m_y, run["depth"], run["multiscale"], run["activation"]
    )
    form = choose_form(problem, arch, run["loss_fn"], run["optimizer"])
    start = stack_weights([initial_weights(arch, each["init"], [each["seed"]]) for each in runs])
    trained = train(
        form.objective(torch.from_numpy(targets(problem, "true", 0)[None])),
        form.reduce(start),
        STEPPERS[run["optimizer"]],
        [each["lr"] for each in runs],
        max(each["end_step"] for each in runs),
        stop_below=torch.tensor([each["end_loss"] for each in runs], dtype=torch.float64),
    )
    weights = form.expand(trained.weights, start)
    shares = {part: _shares(graph, part, run, arch, weights) for part in PARTS}
    return [{part: shares[part][k] for part in PARTS} for k in range(len(runs))]


def _shares(
    graph: Graph, part: str, run: Run, arch: Architecture, weights: Weights
) -> list[float] | list[None]:
    """Of each model, on the labelled members of a part."""
    members = np.intersect1d(getattr(graph, part), graph.labelled)
    if not members.size:
        return [None] * weights.models
    problem = build_problem(
        replace(graph, train=members), run["aggregation"], run["features"], "train"
    )
    # A form whose outputs are those of the model, not some of their coordinates.
    form = choose_form(problem, arch, "squared", "adam", form=OUTPUTS[arch.activation])
    Y = torch.from_numpy(targets(problem, "true", 0)[None])
    signal = form.objective(Y).signal(form.reduce(weights))  # (K, m_y, nbar)
    Yhat = Y + signal / 2  # as the signal is 2 (Yhat - Y)
    right = Yhat.argmax(dim=1) == torch.from_numpy(problem.labels)
    return right.double().mean(dim=1).tolist()
