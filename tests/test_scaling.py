"""The scaling benchmark: its graphs, its stages on a small one, its exponents."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.scaling_plot import exponent
from benchmarks.stages import STAGES, Case, make, measured
from benchmarks.synthetic import random_graph
from gnn_dynamics.data.checks import checked


def test_random_graphs_have_the_sizes_asked_for_and_pass_every_check():
    graph = random_graph(3000, 45_000, 7, 240, 4)
    checked(graph)
    assert graph.features.shape == (3000, 7) and len(graph.train) == 240
    assert 0.99 * 45_000 < graph.adjacency.nnz <= 45_000
    assert set(graph.labels) == {0, 1, 2, 3}
    dense = graph.features.toarray()
    assert (dense == dense.astype(np.float32)).all() and abs(dense.std() - 1) < 0.02


def test_every_stage_runs_on_what_the_stages_before_left(tmp_path):
    case = Case(nodes=2000, entries=20_000, labelled=500, features=6)
    make(case, tmp_path)
    for stage in (*STAGES["linear"], *STAGES["relu"]):
        found = measured(stage, case, tmp_path)
        assert found["seconds"] > 0 and found["peak_bytes"] > 1e7
    np.testing.assert_allclose(
        np.abs(np.load(tmp_path / "R.npy")), np.abs(np.load(tmp_path / "reduced.npz")["T"])
    )


def test_the_exponent_is_that_of_the_large_sizes():
    size = pd.Series([1e4, 1e5, 1e6, 1e7])
    assert exponent(size, 3 * size**1.5 + 1e9 * (size < 1e5)) == pytest.approx(1.5)
    assert np.isnan(exponent(size[:2], size[:2]))
