"""Accuracy of trained models on the nodes that were not trained on."""

from collections.abc import Sequence

import torch

from gnn_dynamics.data.graph import PARTS, Graph
from gnn_dynamics.dynamics.steppers import STEPPERS
from gnn_dynamics.dynamics.train import train
from gnn_dynamics.models.forms import choose_form
from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.model import Architecture, stack_weights
from gnn_dynamics.problem.problem import kept_problem, targets
from gnn_dynamics.runs.accuracy import accuracy
from gnn_dynamics.runs.recording import Run


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
    found = accuracy(graph, run, arch)(form.expand(trained.weights, start))
    none: list[None] = [None] * len(runs)
    shares = {part: found.get(f"accuracy_{part}") for part in PARTS}
    lists = {part: none if share is None else share.tolist() for part, share in shares.items()}
    return [dict(zip(PARTS, values, strict=True)) for values in zip(*lists.values(), strict=True)]
