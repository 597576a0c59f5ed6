"""The stages of `python -m benchmarks scaling`: each prepares what it needs, and returns the work.

Stages hand their results on through files of one folder, so that each may run in a process of its
own and the peak of one is not that of another.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.measure import anonymous_memory, anonymous_peak, peak_memory
from benchmarks.synthetic import random_graph
from gnn_dynamics.data.graph import load_graph, save_graph
from gnn_dynamics.dynamics.steppers import STEPPERS
from gnn_dynamics.dynamics.train import train as run
from gnn_dynamics.linalg.singular_values import BLOCK_HEIGHT, singular_values, tsqr
from gnn_dynamics.models.forms import choose_form
from gnn_dynamics.models.initialise import initial_weights
from gnn_dynamics.models.linear import LinearModel
from gnn_dynamics.models.model import Architecture
from gnn_dynamics.models.objective import Objective
from gnn_dynamics.models.operators import StackedOperator
from gnn_dynamics.models.reductions import Frame
from gnn_dynamics.problem.by_columns import features_on_disk, graph_source
from gnn_dynamics.problem.labelled_columns import triangularise
from gnn_dynamics.problem.matrix_file import MatrixFile, Stored
from gnn_dynamics.problem.problem import build_problem, targets
from gnn_dynamics.spectra.graph_condition import condition_table
from gnn_dynamics.spectra.memory import working_bytes

DEPTH, WIDTH, LR = 3, 64, 1e-9
STEPS, RELU_STEPS = 100, 10
CELL = ("gcn", "raw", "train")
HOPS = range(DEPTH + 1)
Work = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """A random graph: stored entries of its adjacency, labelled nodes; budget in 10^9 bytes."""

    nodes: int
    entries: int
    labelled: int
    memory_gb: float = 8
    features: int = 100
    classes: int = 10
    model: str = "linear"  # which STAGES it goes through
    series: str = ""  # the sweep of the picture that it belongs to


def measured(stage: Callable[[Case, Path], Work], case: Case, folder: Path) -> dict[str, float]:
    """Seconds of the stage without its preparation; the peak of the process, with it.

    peak_bytes counts pages of files that are mapped, which the system can take back;
    anonymous_bytes does not. program_bytes and program_anonymous_bytes: the same before anything
    is read.
    """
    torch.set_num_threads(1)
    program, program_anonymous = peak_memory(), anonymous_memory()
    work = stage(case, folder)
    wall, cpu = time.perf_counter(), time.process_time()
    with anonymous_peak() as anonymous:
        work()
    return {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "peak_bytes": peak_memory(),
        "anonymous_bytes": anonymous[0],
        "program_bytes": program,
        "program_anonymous_bytes": program_anonymous,
    }


def make(case: Case, folder: Path) -> None:
    """Not measured."""
    sizes = case.nodes, case.entries, case.features, case.labelled, case.classes
    save_graph(random_graph(*sizes), folder / "graph.npz")


def read(case: Case, folder: Path) -> Work:
    return lambda: load_graph(folder / "graph.npz")


def propagate(case: Case, folder: Path) -> Work:
    graph = load_graph(folder / "graph.npz")
    matrix_file = MatrixFile((folder / "features").open("w+b"), case.labelled, case.features)

    def work() -> None:
        memory = working_bytes(graph, *CELL[1:], DEPTH, 1e9 * case.memory_gb)
        features_on_disk(graph_source(graph, *CELL, DEPTH), HOPS, memory, matrix_file)
        (folder / "contents.json").write_text(json.dumps(matrix_file.contents))

    return work


def blocks(case: Case, folder: Path):
    """Rows of [P_0, ..., P_H], as `propagate` left them."""
    contents = (Stored(*entry) for entry in json.loads((folder / "contents.json").read_text()))
    matrix_file = MatrixFile(
        (folder / "features").open("rb"), case.labelled, case.features, contents
    )
    return matrix_file.row_blocks(HOPS, BLOCK_HEIGHT * len(HOPS) * case.features)


def qr(case: Case, folder: Path) -> Work:
    return lambda: np.save(folder / "R.npy", tsqr(blocks(case, folder)).numpy())


def svd(case: Case, folder: Path) -> Work:
    """Of every P_l and of every stack."""
    R, m_x = np.load(folder / "R.npy"), case.features

    def work() -> None:
        for end in range(m_x, len(R) + 1, m_x):
            singular_values(R[:end, :end])
            singular_values(R[:end, end - m_x : end])

    return work


def reduce(case: Case, folder: Path) -> Work:
    """R4: the factor together with what it makes of the labels."""
    classes = np.random.default_rng(0).integers(0, case.classes, case.labelled)
    Y = torch.from_numpy(np.eye(case.classes)[classes])

    def work() -> None:
        T, rotated, _ = triangularise(blocks(case, folder), Y, Y.shape[1])
        np.savez(folder / "reduced.npz", T=T.numpy(), Y=rotated.mT.numpy())

    return work


def train(case: Case, folder: Path) -> Work:
    """STEPS steps of gradient descent of one multiscale model."""
    with np.load(folder / "reduced.npz") as reduced:
        T, Y = (torch.from_numpy(reduced[name]) for name in ("T", "Y"))
    sizes, frame = (case.features,) * len(HOPS), Frame()
    arch = Architecture(case.features, WIDTH, case.classes, DEPTH, multiscale=True)
    start = frame.reduce(initial_weights(arch, "default", [0]))
    padding = (0, 0, 0, start.W[0].shape[-1] - case.features)
    G = [torch.nn.functional.pad(G_l, padding) for G_l in T.mT.split(sizes)]
    operator = StackedOperator(G, sizes, triangular=True)
    objective = Objective(LinearModel(operator), Y.unsqueeze(0), "squared")
    return lambda: run(objective, start, STEPPERS["gd"], [LR], STEPS)


def check(case: Case, folder: Path) -> Work:
    """The whole check of one aggregation as a user runs it, from the prepared graph."""
    names = ("aggregations", "features", "nodes")
    grid = {name: [value] for name, value in zip(names, CELL, strict=True)}
    grid |= {"depths": list(HOPS), "memory_gb": case.memory_gb}
    return lambda: condition_table(load_graph(folder / "graph.npz"), grid)


def relu_32(case: Case, folder: Path) -> Work:
    return relu(case, folder, width=32)


def relu_64(case: Case, folder: Path) -> Work:
    return relu(case, folder, width=64)


def relu(case: Case, folder: Path, width: int) -> Work:
    """RELU_STEPS steps of gradient descent of one multiscale ReLU model, on the training split."""
    problem = build_problem(load_graph(folder / "graph.npz"), *CELL)
    arch = Architecture(case.features, width, case.classes, DEPTH, True, "relu")
    form = choose_form(problem, arch, "squared", "gd")
    objective = form.objective(torch.from_numpy(targets(problem, "true", 0)).unsqueeze(0))
    start = form.reduce(initial_weights(arch, "default", [0]))
    return lambda: run(objective, start, STEPPERS["gd"], [LR], RELU_STEPS)


STAGES = {
    "linear": (read, propagate, qr, svd, reduce, train, check),
    "relu": (relu_32, relu_64),
}
