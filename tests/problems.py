"""Random graphs with their learning problems, and hypothesis strategies over them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.problem.problem import Problem


@dataclass(frozen=True)
class Example(Problem):
    """A `Problem` with the graph and the kind of aggregation from which S is made; no labels."""

    adjacency: sp.csr_array
    kind: str


def aggregation(adjacency: sp.csr_array, kind: str) -> sp.csr_array:
    """A + I (gin) or D^-1/2 (A + I) D^-1/2 (gcn), straight from the paper's section 2."""
    loops = sp.csr_array(adjacency + sp.eye_array(adjacency.shape[0]))
    if kind == "gin":
        return loops
    scale = sp.diags_array(loops.sum(axis=0) ** -0.5)
    return sp.csr_array(scale @ loops @ scale)


def selection(nodes: Sequence[int], n: int) -> sp.csr_array:
    """R with one column per node of I."""
    return sp.csr_array((np.ones(len(nodes)), (nodes, np.arange(len(nodes)))), (n, len(nodes)))


def mean_pooling(graph_index: np.ndarray) -> sp.csr_array:
    """R with one column per graph: the mean over its nodes."""
    counts = np.bincount(graph_index)
    entries = (1 / counts[graph_index], (np.arange(len(graph_index)), graph_index))
    return sp.csr_array(entries, (len(graph_index), len(counts)))


def random_adjacency(n: int, edges: int, rng: np.random.Generator) -> sp.csr_array:
    """Simple symmetric graph with at most `edges` edges; sparse ones fall into pieces."""
    source, target = rng.integers(0, n, (2, edges))
    keep = source != target
    half = sp.csr_array((np.ones(keep.sum()), (source[keep], target[keep])), (n, n))
    return sp.csr_array(((half + half.T) > 0).astype(np.float64))


def make_example(adjacency: sp.csr_array, kind: str, X: np.ndarray, R: sp.csr_array) -> Example:
    none = np.zeros(R.shape[1], dtype=np.int64)
    problem = (aggregation(adjacency, kind), sp.csr_array(X), R, none, 1, "classification", none)
    return Example(*problem, adjacency, kind)


def cora_shaped(kind: str, seed: int = 0, nodes: int = 140) -> Example:
    """Random graph with Cora's sizes: 2708 nodes, 5278 edges, 1433 features, 49216 ones."""
    rng = np.random.default_rng(seed)
    X = sp.random_array((2708, 1433), density=49216 / (2708 * 1433), rng=rng, format="csr")
    X = sp.diags_array(1 / np.maximum(X.sum(axis=1), 1e-300)) @ X
    R = selection(np.sort(rng.permutation(2708)[:nodes]), 2708)
    return make_example(random_adjacency(2708, 5278, rng), kind, X, R)


def random_weights(arch: Architecture, models: int, seed: int, scale: float = 1.0) -> Weights:
    """Gaussian weights of variance scale^2 / fan-in: K models, float64."""
    generator = torch.Generator().manual_seed(seed)

    def draw(rows: int, columns: int) -> Tensor:
        values = torch.randn(models, rows, columns, generator=generator, dtype=torch.float64)
        return values * scale / columns**0.5

    sizes = arch.layer_sizes
    B = tuple(draw(out, fan_in) for fan_in, out in pairwise(sizes))
    return Weights(B, tuple(draw(arch.m_y, sizes[level]) for level in arch.levels))


def one_hot(classes: int, nbar: int, seed: int) -> Tensor:
    """Y (m_y, nbar): random classes; for one class, real targets."""
    generator = torch.Generator().manual_seed(seed)
    if classes == 1:
        return torch.randn(1, nbar, generator=generator, dtype=torch.float64)
    labels = torch.randint(classes, (nbar,), generator=generator)
    return nn.functional.one_hot(labels, classes).T.to(torch.float64)


@st.composite
def examples(draw, readouts: Sequence[str] = ("nodes", "all", "pool"), max_nodes: int = 14):
    """Example: 1 to 14 nodes, often in several pieces, some isolated, some without features."""
    n = draw(st.integers(1, max_nodes))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    adjacency = random_adjacency(n, draw(st.integers(0, 2 * n)), rng)
    X = rng.standard_normal((n, draw(st.integers(1, 6))))
    X *= rng.random(X.shape) < draw(st.sampled_from([0.2, 0.6, 1.0]))  # zero rows and columns
    R = random_readout(draw(st.sampled_from(readouts)), n, draw(st.integers(1, n)), rng)
    return make_example(adjacency, draw(st.sampled_from(["gcn", "gin"])), X, R)


def random_readout(form: str, n: int, size: int, rng: np.random.Generator) -> sp.csr_array:
    """(n, size) selection in any order, (n, n) selection of all, or pooling over `size` graphs."""
    if form == "pool":
        extra = rng.integers(0, size, n - size)
        return mean_pooling(rng.permutation(np.concatenate([np.arange(size), extra])))
    return selection(np.arange(n) if form == "all" else rng.permutation(n)[:size], n)


@dataclass(frozen=True)
class Cell:
    """All that one step needs: an example, K models, targets Y (K or 1, m_y, nbar) and a loss."""

    example: Example
    arch: Architecture
    weights: Weights
    Y: Tensor
    loss: str


@st.composite
def cells(
    draw,
    activations: Sequence[str] = ("linear", "relu"),
    losses: Sequence[str] = ("squared", "cross_entropy"),
    readouts: Sequence[str] = ("nodes", "all", "pool"),
    max_depth: int = 6,
):
    """Cell: H = 0..6, skip or not, m_y = 1..4, K = 1..3, targets shared or one per model."""
    example = draw(examples(readouts))
    loss = draw(st.sampled_from(losses))
    m_y = draw(st.integers(1 if loss == "squared" else 2, 4))
    depth, width = draw(st.integers(0, max_depth)), draw(st.integers(1, 5))
    multiscale, activation = draw(st.booleans()), draw(st.sampled_from(activations))
    arch = Architecture(example.m_x, width, m_y, depth, multiscale, activation)
    models, seed = draw(st.integers(1, 3)), draw(st.integers(0, 2**32 - 1))
    Y = [one_hot(m_y, example.nbar, seed + k) for k in range(draw(st.sampled_from([1, models])))]
    return Cell(example, arch, random_weights(arch, models, seed), torch.stack(Y), loss)
