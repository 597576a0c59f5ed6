"""Accuracy of a batch of models on the parts of the split, at the recorded steps."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch

from gnn_dynamics.data.graph import Graph
from gnn_dynamics.dynamics.train import Snapshot
from gnn_dynamics.errors import UserError
from gnn_dynamics.models.forms import Form, choose_form
from gnn_dynamics.models.model import Architecture
from gnn_dynamics.problem.problem import kept_problem, split
from gnn_dynamics.runs.recording import Run
from gnn_dynamics.theory.metrics import Expand, Metric, Tables


def accuracy_metric(
    graph: Graph, run: Run, arch: Architecture, expand: Expand, device: str, precision: str
) -> Metric:
    """The metric `accuracy`: columns accuracy_train, accuracy_val, accuracy_test, from 0 to 1.

    The share of nodes (or graphs) whose largest output is that of their own label, whatever labels
    the models train on. A part without labels has no column.

    Raises:
        UserError: for a regression.
    """
    if graph.task != "classification":
        raise UserError(
            f"observe: accuracy needs classes; the task of '{graph.name}' is a regression."
        )
    problem = kept_problem(graph, run["aggregation"], run["features"], "all")
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
    return partial(_accuracy, form, expand, labels, columns)


def _accuracy(
    form: Form,
    expand: Callable,
    labels: torch.Tensor,
    columns: Mapping[str, torch.Tensor],
    snapshot: Snapshot,
) -> Tables:
    weights = form.reduce(expand(snapshot.weights, snapshot.models))
    right = form.model.outputs(weights).argmax(dim=1) == labels  # (k, nbar)
    shares = {name: right[:, ids].double().mean(dim=1) for name, ids in columns.items()}
    return {"training": {(): shares}}
