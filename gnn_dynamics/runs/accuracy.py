"""Accuracy of a batch of models on the parts of the split."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from gnn_dynamics.data.graph import Graph
from gnn_dynamics.dynamics.train import Snapshot
from gnn_dynamics.errors import UserError
from gnn_dynamics.models.forms import choose_form
from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.problem.problem import kept_problem, split
from gnn_dynamics.runs.recording import Run
from gnn_dynamics.theory.metrics import Expand, Metric, Tables

Accuracy = Callable[[Weights], dict[str, Tensor]]


def accuracy(
    graph: Graph, run: Run, arch: Architecture, device: str = "cpu", precision: str = "float64"
) -> Accuracy:
    """Full weights of K models -> accuracy_train, accuracy_val, accuracy_test, (K,), from 0 to 1.

    The share of nodes (or graphs) whose largest output is that of their own label, whatever labels
    the models train on. A part without labels is left out.

    Raises:
        UserError: for a regression.
    """
    if graph.task != "classification":
        raise UserError(
            f"observe: accuracy needs classes; the task of '{graph.name}' is a regression."
        )
    problem = kept_problem(graph, run["aggregation"], run["features"], "all")
    # A form whose outputs are those of the model, not some of their coordinates.
    name = "horner" if arch.activation == "linear" else "auto"
    form = choose_form(problem, arch, run["loss_fn"], "adam", device, name, precision)
    parts = split(graph, run["nodes"])
    known = {part: np.intersect1d(ids, problem.node_ids) for part, ids in parts.items()}
    columns = {
        f"accuracy_{part}": torch.from_numpy(np.searchsorted(problem.node_ids, ids)).to(device)
        for part, ids in known.items()
        if ids.size
    }
    labels = torch.from_numpy(problem.labels).to(device)

    def shares(weights: Weights) -> dict[str, Tensor]:
        right = form.model.outputs(form.reduce(weights)).argmax(dim=1) == labels  # (K, nbar)
        return {name: right[:, ids].double().mean(dim=1) for name, ids in columns.items()}

    return shares


def accuracy_metric(shares: Accuracy, expand: Expand) -> Metric:
    """The metric `accuracy` from the function of that name; expand: as for the other metrics."""
    return partial(_at, shares, expand)


def _at(shares: Accuracy, expand: Expand, snapshot: Snapshot) -> Tables:
    return {"training": {(): shares(expand(snapshot.weights, snapshot.models))}}
