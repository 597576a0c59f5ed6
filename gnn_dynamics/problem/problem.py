"""The learning problem on a graph: aggregation S, features X, readout R and labels.

Models and training see a graph through `Problem`. The maths has nodes as columns; the
stored features have them as rows, so the paper's X is the transpose of the X here.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse as sp

from gnn_dynamics.data.graph import PARTS, Graph
from gnn_dynamics.data.splits import split_parts
from gnn_dynamics.errors import UserError
from gnn_dynamics.problem.aggregations import AGGREGATIONS
from gnn_dynamics.problem.features import FEATURES

NODES = "train, train-<k> (of split k), all"
LABELS = ("true", "permuted", "uniform")
PROBLEM_KEYS = ("aggregation", "features", "nodes")  # what makes a graph a problem


@dataclass(frozen=True)
class Problem:
    """What a model is trained on.

    Attributes:
        S: (n, n) aggregation matrix, n nodes or copies of nodes (aggregations.py).
        X: (n, m_x) features, sparse (CSR) or dense.
        R: (n, nbar) readout: one column per labelled node, or per graph its mean over nodes.
        labels: (nbar,) class 0, 1, ... (int64), or real targets.
        classes: m_y, 1 for regression.
        task: classification or regression.
        node_ids: (nbar,) the node, or graph, of each column.
    """

    S: sp.csr_array
    X: sp.csr_array | np.ndarray
    R: sp.csr_array
    labels: np.ndarray
    classes: int
    task: str
    node_ids: np.ndarray

    @property
    def n(self) -> int:
        return int(self.S.shape[0])

    @property
    def m_x(self) -> int:
        return int(self.X.shape[1])

    @property
    def m_y(self) -> int:
        return self.classes

    @property
    def nbar(self) -> int:
        return int(self.R.shape[1])


def build_problem(graph: Graph, aggregation: str, features: str, nodes: str) -> Problem:
    """The problem of a `Graph` for one aggregation, feature transform and set I (train or all).

    Raises:
        UserError: an unknown name, a set I that is empty or has an unlabelled member, or pca-<r>
            with r above the number of nodes or features.
    """
    node_ids = labelled_ids(graph, nodes)
    S = AGGREGATIONS[aggregation](graph.adjacency)
    X, R = FEATURES[features](graph.features), readout_matrix(graph, nodes)
    copies = S.shape[0] // R.shape[0]
    if copies > 1:
        X = sp.csr_array(sp.vstack([X] * copies)) if sp.issparse(X) else np.vstack([X] * copies)
        R.resize(S.shape[0], R.shape[1])
    labels = graph.labels[node_ids]
    return Problem(S, X, R, labels, graph.classes, graph.task, node_ids)


def kept_problem(graph: Graph, aggregation: str, features: str, nodes: str) -> Problem:
    """`build_problem`; the last two are kept, since the blocks of a job ask for the same ones."""
    functions = AGGREGATIONS[aggregation], FEATURES[features]
    return _kept_problem(graph, aggregation, features, nodes, *functions)


@lru_cache(maxsize=2)
def _kept_problem(
    graph: Graph, aggregation: str, features: str, nodes: str, *functions: object
) -> Problem:
    return build_problem(graph, aggregation, features, nodes)


def split(graph: Graph, nodes: str) -> dict[str, np.ndarray]:
    """Ascending ids under train, val and test: of split k for `train-<k>`, else the default ones.

    Raises:
        UserError: for an unknown set, or a split that the data set does not ship.
    """
    name, _, number = nodes.partition("-")
    if nodes in ("train", "all"):
        return {part: getattr(graph, part) for part in PARTS}
    if name != "train" or not number.isdecimal():
        raise UserError(f"nodes '{nodes}' is unknown; choose one of {NODES}.")
    splits = () if graph.splits is None else graph.splits
    if int(number) >= len(splits):
        raise UserError(
            f"nodes '{nodes}': graph '{graph.name}' ships {len(splits) or 'one'} split(s);"
            f" choose {f'train-0 ... train-{len(splits) - 1}' if len(splits) else 'train'}."
        )
    return split_parts(splits[int(number)])


def labelled_ids(graph: Graph, nodes: str) -> np.ndarray:
    """The set I: nodes (or graphs) of the training split, or all that carry a label; (nbar,).

    Raises:
        UserError: as `split`; for an empty set, or a training node without a label.
    """
    ids = graph.labelled if nodes == "all" else split(graph, nodes)["train"]
    if not ids.size:
        raise UserError(f"graph '{graph.name}' has no labelled node in the set '{nodes}'.")
    unlabelled = np.setdiff1d(ids, graph.labelled)
    if unlabelled.size:
        listed = ", ".join(map(str, unlabelled[:5]))
        raise UserError(
            f"graph '{graph.name}' has {unlabelled.size} training nodes without a label, among"
            f" them {listed}; label them or take them out of the split."
        )
    return ids


def readout_matrix(graph: Graph, nodes: str) -> sp.csr_array:
    """R (n, nbar): selects the nodes of I, or averages over the nodes of each graph of I.

    Raises:
        UserError: as `labelled_ids`; or a graph of I without nodes.
    """
    ids, n = labelled_ids(graph, nodes), graph.adjacency.shape[0]
    if graph.graph_index is None:
        entries = np.ones(ids.size), (ids, np.arange(ids.size))
        return sp.csr_array(entries, (n, ids.size))
    sizes = np.bincount(graph.graph_index, minlength=graph.labels.size)
    if not sizes[ids].all():
        empty = ids[sizes[ids] == 0][0]
        raise UserError(f"graph '{graph.name}': member {empty} of the set I has no nodes.")
    means = (1 / sizes[graph.graph_index], (np.arange(n), graph.graph_index))
    return sp.csr_array(sp.csc_array(means, (n, graph.labels.size))[:, ids])


def targets(problem: Problem, labels: str, seed: int) -> np.ndarray:
    """Y (m_y, nbar) float64: one-hot columns, or for regression the numbers themselves.

    true: the problem's labels, whatever the seed.
    permuted: the same labels in a random order, so that class counts stay.
    uniform: every label drawn anew, uniformly over the classes, or for regression uniformly
        between the smallest and the largest target.

    Raises:
        UserError: for an unknown kind.
    """
    if labels not in LABELS:
        raise UserError(f"labels '{labels}' is unknown; choose one of {', '.join(LABELS)}.")
    y = _noise(problem, labels, seed) if labels != "true" else problem.labels
    if problem.task == "regression":
        return y.astype(np.float64)[np.newaxis]
    return np.eye(problem.classes)[:, y]


def _noise(problem: Problem, labels: str, seed: int) -> np.ndarray:
    # One stream per kind: the weights of the same seed come from generators of their own.
    rng = np.random.default_rng([seed, LABELS.index(labels)])
    if labels == "permuted":
        return rng.permutation(problem.labels)
    if problem.task == "regression":
        return rng.uniform(problem.labels.min(), problem.labels.max(), problem.nbar)
    return rng.integers(problem.classes, size=problem.nbar)
