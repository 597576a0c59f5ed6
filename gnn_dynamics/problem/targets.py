"""Targets Y of a problem: its labels, or noise to compare with."""

import numpy as np

from gnn_dynamics.errors import UserError
from gnn_dynamics.problem.problem import Problem

KINDS = ("true", "permuted", "uniform")


def targets(problem: Problem, labels: str, seed: int) -> np.ndarray:
    """Y (m_y, nbar) float64: one-hot columns, or for regression the numbers themselves.

    true: the problem's labels, whatever the seed.
    permuted: the same labels in a random order, so that class counts stay.
    uniform: every label drawn anew, uniformly over the classes, or for regression uniformly
        between the smallest and the largest target.

    Raises:
        UserError: for an unknown kind.
    """
    if labels not in KINDS:
        raise UserError(f"labels '{labels}' is unknown; choose one of {', '.join(KINDS)}.")
    y = _noise(problem, labels, seed) if labels != "true" else problem.labels
    if problem.task == "regression":
        return y.astype(np.float64)[np.newaxis]
    return np.eye(problem.classes)[:, y]


def _noise(problem: Problem, labels: str, seed: int) -> np.ndarray:
    # One stream per kind: the weights of the same seed come from generators of their own.
    rng = np.random.default_rng([seed, KINDS.index(labels)])
    if labels == "permuted":
        return rng.permutation(problem.labels)
    if problem.task == "regression":
        return rng.uniform(problem.labels.min(), problem.labels.max(), problem.nbar)
    return rng.integers(problem.classes, size=problem.nbar)
