"""The cost model by which a form is chosen: multiplications in one step of one model.

    data    dense   2 m_y p sum(m_l)                p columns, the first m_l rows of each G_l
            sparse  2 m_y (L c(X) + H c(S) + c(R))  c(M) = nnz(M) times the cost of a sparse entry
            diag    2 m_y m
    layers  3 m_y width (m + (H-1) width) for each head that they serve
    update  UPDATE_COST for each weight             reading and writing it

Ranks are bounded by min(m_x, nbar) before anything is factored. One-off factorisations are not
counted: they take seconds, and a run thousands of steps. K models side by side cost K times as
much, so that K plays no part.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from gnn_dynamics.errors import UserError
from gnn_dynamics.linalg.device import free_bytes
from gnn_dynamics.linalg.products import product_cost
from gnn_dynamics.models.model import Architecture
from gnn_dynamics.problem import labelled_columns
from gnn_dynamics.problem.problem import Problem

PROJECTING = ("gd", "momentum", "flow")  # optimisers that commute with a rotation of the weights
UPDATE_COST = {"gd": 4, "flow": 4, "momentum": 8, "adam": 20}
COPIES = {"gd": 3, "flow": 7, "momentum": 4, "adam": 6}  # of the weights in memory
AS = "adam"  # what an own optimizer is taken to cost
STREAMED_WORK = 1e13  # multiplications in the factorisation of streamed columns: minutes
CACHE_BYTES = 16 * 2**20  # of weights, gradients and signals that K models share on a CPU
INFINITE = float("inf")
MOST_MODELS = 32  # beyond that nothing is gained on a CPU
MOST_ON_GPU = 4096
SHARED_ROWS = 32  # of K models in a product with G_l; fewer leave most of the processor idle
SHARED_BYTES = 256 * 2**20  # of weights and signals of K models that exceed the cache


@dataclass(frozen=True)
class Candidate:
    """A form with its cost; `condition` is "" if it is exact, else what it would need."""

    name: str
    cost: float
    condition: str = ""


def cheapest(
    problem: Problem,
    arch: Architecture,
    loss_fn: str,
    optimizer: str,
    device: torch.device,
    form: str = "auto",
) -> tuple[str, str]:
    """(name, reason) of the form to use.

    Raises:
        UserError: if `form` names no form, or one that is not exact here.
    """
    forms = {c.name: c for c in candidates(problem, arch, loss_fn, optimizer, device)}
    if form == "auto":
        exact = [c for c in forms.values() if not c.condition and c.cost < INFINITE]
        best = min(exact, key=lambda c: c.cost)
        others = ", ".join(f"{c.name} {c.cost:.2e}" for c in exact if c is not best)
        reason = f"{best.cost:.2e} multiplications per step, against {others or 'no other'}"
        return best.name, reason
    if form not in forms:
        raise UserError(f"form: unknown '{form}'; allowed are auto, {', '.join(forms)}.")
    if forms[form].condition:
        raise UserError(f"form: '{form}' is exact only for {forms[form].condition}; use auto.")
    return form, "asked for"


def candidates(
    problem: Problem, arch: Architecture, loss_fn: str, optimizer: str, device: torch.device
) -> list[Candidate]:
    """All forms of a linear model, the simplest first."""
    projects = "" if optimizer in PROJECTING else "gradient descent, momentum and flow"
    squared = "" if loss_fn == "squared" else "the squared loss"
    single = "" if len(arch.levels) == 1 else "models without skip connections"
    both = " and ".join(filter(None, (projects, squared)))
    full, spanned = [problem.m_x] * len(arch.levels), spanned_rows(problem, arch)
    shared = arch, optimizer
    memory = 0 if labelled_columns.fits(problem, len(arch.levels)) else INFINITE
    file = 0 if memory == 0 or streams(problem, arch) else INFINITE
    diagonal = 2 * arch.m_y * max(spanned) + weights_cost(max(spanned), *shared)
    return [
        Candidate("stacked", memory + stacked(problem, full, problem.nbar, *shared)),
        Candidate("horner", sparse(problem, device, *shared)),
        Candidate("left", file + stacked(problem, full, sum(full), *shared), squared),
        Candidate("row_space", memory + stacked(problem, spanned, problem.nbar, *shared), projects),
        Candidate("row_space+left", file + stacked(problem, spanned, sum(spanned), *shared), both),
        Candidate("svd", file + diagonal, " and ".join(filter(None, (both, single)))),
    ]


def spanned_rows(problem: Problem, arch: Architecture) -> list[int]:
    """Bound on the rows of each G_l in row-space coordinates (reductions.row_space)."""
    rank = min(problem.m_x, problem.nbar)
    return [min(problem.m_x, (arch.depth - l + 1 if l else 1) * rank) for l in arch.levels]


def stacked(
    problem: Problem, sizes: list[int], columns: int, arch: Architecture, optimizer: str
) -> float:
    """Dense G_l with `sizes` rows in use."""
    data = 2 * arch.m_y * min(columns, problem.nbar) * sum(sizes)
    return data + weights_cost(max(sizes), arch, optimizer)


def streams(problem: Problem, arch: Architecture) -> bool:
    """Whether R4 can read them block by block instead (problem/labelled_columns.py)."""
    p = problem.m_x * len(arch.levels)
    fits = 8 * p * p <= labelled_columns.DENSE_BYTES
    return fits and float(problem.nbar) * p * p <= STREAMED_WORK


def sparse(problem: Problem, device: torch.device, arch: Architecture, optimizer: str) -> float:
    """Horner's scheme."""
    X = problem.X
    features = X.size if isinstance(X, np.ndarray) else product_cost(X, device)
    hops = arch.depth * product_cost(problem.S, device)
    data = len(arch.levels) * features + hops + product_cost(problem.R, device)
    return 2 * arch.m_y * data + weights_cost(problem.m_x, arch, optimizer)


def weights_cost(m: int, arch: Architecture, optimizer: str) -> float:
    """Products with the layers and the update of the weights, for m rows of features."""
    served = sum(l > 0 for l in arch.levels)
    layers = arch.width * (m + max(arch.depth - 1, 0) * arch.width) if arch.depth else 0
    heads = arch.m_y * (arch.width * served + (m if 0 in arch.levels else 0))
    return 3 * arch.m_y * served * layers + UPDATE_COST.get(optimizer, UPDATE_COST[AS]) * (
        layers + heads
    )


def models_per_batch(
    arch: Architecture,
    m: int,
    nbar: int,
    optimizer: str,
    device: torch.device,
    itemsize: int = 8,
    nodes: int = 0,
) -> int:
    """How many models to train side by side.

    On a CPU as many as share CACHE_BYTES, at most MOST_MODELS: batching pays by larger products
    and fewer calls until the working set leaves the cache. Where that is one model or two, as many
    as give the product with G_l, which K models share, SHARED_ROWS rows: one model's m_y rows read
    all of G_l for few multiplications. On a GPU as many as fill half of the free memory, at most
    MOST_ON_GPU. Arguments as for `bytes_per_model`.
    """
    if device.type == "cpu":
        bytes_each = bytes_per_model(arch, m, nbar, optimizer, itemsize)
        rows = min(math.ceil(SHARED_ROWS / arch.m_y), SHARED_BYTES // bytes_each)
        return max(1, min(MOST_MODELS, max(CACHE_BYTES // bytes_each, rows)))
    bytes_each = bytes_per_model(arch, m, nbar, optimizer, itemsize, nodes)
    return max(1, min(MOST_ON_GPU, shared_bytes(device) // bytes_each))


def bytes_per_model(
    arch: Architecture, m: int, nbar: int, optimizer: str, itemsize: int, nodes: int = 0
) -> int:
    """Memory of one model in a batch: weights, gradients, moments and signals.

    itemsize: bytes of a number;  nodes: of the graph, where a form has signals with a row for each
    node, which on a CPU are there for one model at a time
    """
    weights = arch.width * (m + max(arch.depth - 1, 0) * arch.width) if arch.depth else 0
    weights += arch.m_y * (m + arch.depth * arch.width)
    copies = COPIES.get(optimizer, COPIES[AS])
    signals = arch.m_y * (3 * m * len(arch.levels) + 4 * nbar)
    row = len(arch.levels) * arch.m_y if arch.activation == "linear" else arch.depth * arch.width
    return itemsize * (copies * weights + signals + 3 * nodes * row)


def shared_bytes(device: torch.device) -> int:
    """What models side by side may take: SHARED_BYTES on a CPU, half of the free GPU memory."""
    return SHARED_BYTES if device.type == "cpu" else free_bytes(device) // 2
