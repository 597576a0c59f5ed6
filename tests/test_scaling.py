"""The scaling benchmark: its graphs, its stages on a small one, its exponents."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import papers
from benchmarks.scaling_plot import exponent
from benchmarks.stages import STAGES, Case, make, measured
from benchmarks.synthetic import random_graph
from gnn_dynamics.data.checks import checked
from gnn_dynamics.data.graph import load_graph


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


@pytest.mark.slow
def test_every_stage_runs_on_the_official_files_of_a_graph_like_papers100m(tmp_path):
    case = papers.case_of(2000)
    papers.make(case, tmp_path)
    found = {
        stage: measured(stage, case, tmp_path) for stage in (papers.prepare, *STAGES["linear"])
    }
    graph = load_graph(tmp_path / "graph.npz")
    assert graph.features.shape == (2000, 128) and graph.features.dtype == np.float32
    assert graph.facts["stored_edges"] == 30_000 and graph.classes == 172
    assert len(graph.labelled) == 27 and len(graph.train) == 21
    assert all(0 < row["anonymous_bytes"] <= row["peak_bytes"] for row in found.values())


def test_what_the_full_size_takes_follows_the_exponents():
    nodes = np.array([10**6, 10**7])
    table = pd.DataFrame({"stage": "read", "nodes": nodes, "cpu_seconds": 1e-6 * nodes})
    table = table.assign(
        anonymous_bytes=2 + np.sqrt(nodes),
        program_anonymous_bytes=2,
        peak_bytes=5 + 1.0 * nodes**2,
        program_bytes=5,
    )
    found = papers.extrapolated(table)
    assert found["exponent"].tolist() == pytest.approx([1.0, 0.5, 2.0])
    assert found["at full size"]["read", "cpu_seconds"] == pytest.approx(papers.FULL / 1e6)


def test_the_exponent_is_that_of_the_large_sizes():
    size = pd.Series([1e4, 1e5, 1e6, 1e7])
    assert exponent(size, 3 * size**1.5 + 1e9 * (size < 1e5)) == pytest.approx(1.5)
    assert np.isnan(exponent(size[:2], size[:2]))
