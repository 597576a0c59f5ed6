"""`python -m benchmarks forms` finds rounding where forms are exact, and a difference where not."""

import pandas as pd
import pytest
from test_runs_block import FLOW, LISTS, SETTINGS, graph

from benchmarks.forms import compared, deepest, differences, shortened
from gnn_dynamics.config.grid import Block


def toy(**more) -> dict:
    return shortened({"name": "toy", **LISTS, **SETTINGS, **FLOW, "width": [8], **more})


@pytest.mark.slow
def test_exact_forms_differ_by_rounding():
    block = Block("toy", "toy", "gcn", "linear", False, 2)
    every = {"stacked", "horner", "left", "row_space", "row_space+left", "svd"}
    found = pd.DataFrame(differences(graph(), toy(), block))
    assert set(found["form"]) < every and len(set(found["form"])) == 5  # all but the chosen one
    assert {"loss", "time", "lambda_min_restricted", "value"} <= set(found["column"])
    assert 0 < found["difference"].max() < 1e-7


def test_a_planted_difference_is_found_in_units_of_its_run():
    rows = pd.DataFrame({"seed": [0, 0, 1], "step": [0, 1, 0], "loss": [4.0, 2.0, 100.0]})
    other = rows.assign(loss=[4.0, 2.1, 100.0])[::-1]
    ((column, difference),) = compared("training", rows, other)
    assert column == "loss" and difference == pytest.approx(0.1 / 4)
    with pytest.raises(SystemExit, match="different steps"):
        list(compared("training", rows, other.assign(step=[0, 2, 0])))


def test_short_runs_of_the_deepest_blocks():
    curves = toy(datasets=["a"], aggregation=["gcn"], multiscale=[True, False], depth=[1, 4])
    config = {"experiments": [curves | {"activation": ["linear", "relu"], "lr": "auto"}]}
    assert [(b.multiscale, b.depth) for b in deepest(config)] == [(False, 4), (True, 4)]
    assert shortened(config["experiments"][0])["lr"] == [1e-4]
