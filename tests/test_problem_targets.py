"""Targets: one-hot columns, and two kinds of noise."""

import numpy as np
import pytest
from graphs import adjacency_of, make_graph

from gnn_dynamics.errors import UserError
from gnn_dynamics.problem.problem import build_problem, targets

LABELS = np.arange(60) % 3
CLASSES = build_problem(
    make_graph(adjacency_of(60, []), np.ones((60, 1)), LABELS), "gcn", "raw", "all"
)
NUMBERS = build_problem(
    make_graph(adjacency_of(60, []), np.ones((60, 1)), LABELS / 7, task="regression"),
    "gcn",
    "raw",
    "all",
)


def test_true_labels_are_one_hot_whatever_the_seed():
    Y = targets(CLASSES, "true", 0)
    assert Y.shape == (3, 60) and Y.dtype == np.float64
    np.testing.assert_array_equal(Y.argmax(axis=0), LABELS)
    np.testing.assert_array_equal(Y.sum(axis=0), 1)
    np.testing.assert_array_equal(Y, targets(CLASSES, "true", 5))


def test_permuted_labels_keep_their_counts_and_lose_their_places():
    Y = targets(CLASSES, "permuted", 0)
    np.testing.assert_array_equal(Y.sum(axis=1), [20, 20, 20])
    assert (Y.argmax(axis=0) != LABELS).any()


def test_uniform_labels_are_one_hot_with_other_counts():
    Y = targets(CLASSES, "uniform", 0)
    np.testing.assert_array_equal(Y.sum(axis=0), 1)
    assert (Y.sum(axis=1) != 20).any()


@pytest.mark.parametrize("kind", ["permuted", "uniform"])
@pytest.mark.parametrize("problem", [CLASSES, NUMBERS])
def test_noise_depends_on_the_seed_alone(kind, problem):
    np.testing.assert_array_equal(targets(problem, kind, 3), targets(problem, kind, 3))
    assert (targets(problem, kind, 3) != targets(problem, kind, 4)).any()


def test_regression_targets_are_the_numbers():
    np.testing.assert_array_equal(targets(NUMBERS, "true", 0), LABELS[np.newaxis] / 7)
    np.testing.assert_array_equal(np.sort(targets(NUMBERS, "permuted", 1)[0]), np.sort(LABELS / 7))
    drawn = targets(NUMBERS, "uniform", 1)
    assert drawn.shape == (1, 60) and drawn.min() >= 0 and drawn.max() <= 2 / 7


def test_unknown_kind_is_refused():
    with pytest.raises(UserError, match="labels 'random' is unknown; choose one of true, permuted"):
        targets(CLASSES, "random", 0)
