"""A block's tables depend on its settings alone: not on the form, nor on who trains beside whom."""

import ctypes
import subprocess
import sys
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pandas as pd
import pytest
import torch
from graphs import make_graph
from problems import random_adjacency

import gnn_dynamics.runs.batch as batch_module
import gnn_dynamics.runs.block as block_module
from gnn_dynamics.config.grid import KEYS, Block
from gnn_dynamics.dynamics import flow as flow_module
from gnn_dynamics.dynamics.sharpness import lambda_max
from gnn_dynamics.errors import UserError
from gnn_dynamics.models.forms import choose_form
from gnn_dynamics.models.model import Architecture
from gnn_dynamics.problem.problem import build_problem
from gnn_dynamics.runs.block import train_block
from gnn_dynamics.runs.tables import BLOCK_TABLES as TABLES
from gnn_dynamics.spectra.optimum import block_optimum

pytestmark = pytest.mark.slow

LISTS = {
    "features": ["row"],
    "nodes": ["train"],
    "width": [8, 11],
    "init": ["default", "orthogonal"],
    "labels": ["true", "permuted"],
    "seed": [0, 1, 2],
}
SETTINGS = {"steps": 60, "record": 6, "observe": ["time_condition", "rates", "gradient_terms"]}
FLOW = {"loss_fn": ["squared"], "optimizer": ["flow"]}
DESCENT = {"loss_fn": ["squared"], "optimizer": ["gd"], "lr": [1.0e-4, 1.0e-3]}
ADAM = {"loss_fn": ["cross_entropy"], "optimizer": ["adam"], "lr": [1.0e-3]}


@cache
def graph():
    rng = np.random.default_rng(5)
    features = rng.random((40, 17)) * (rng.random((40, 17)) < 0.4)
    adjacency = random_adjacency(40, 90, rng)
    return make_graph(adjacency, features, rng.integers(0, 3, 40), train=np.arange(0, 40, 2))


def tables(
    trained: dict, multiscale: bool = True, activation: str = "linear", **more
) -> dict[str, pd.DataFrame]:
    block = Block("toy", "toy", "gcn", activation, multiscale, 2)
    experiment = {"name": "toy", **LISTS, **SETTINGS, **trained, **more}
    return train_block(graph(), experiment, block, block_optimum(graph(), experiment, block))


FLOAT32 = {"precision": "float32", "observe": []}


@pytest.mark.parametrize("multiscale", [True, False])
@pytest.mark.parametrize(
    ("trained", "activation"),
    [
        *((trained, "linear") for trained in (FLOW, DESCENT, ADAM)),
        *((DESCENT | FLOAT32, activation) for activation in ("linear", "relu")),
        *((ADAM | FLOAT32, activation) for activation in ("linear", "relu")),
    ],
)
def test_models_train_alone_as_in_groups_bit_for_bit(monkeypatch, trained, activation, multiscale):
    """So a seed can be added to a block, and the others kept (kept_blocks.py)."""
    together = tables(trained, multiscale, activation)
    for size in (1, 2, 5):
        monkeypatch.setattr(batch_module, "models_per_batch", lambda *args, size=size: size)
        apart = tables(trained, multiscale, activation)
        for name in TABLES:
            one, other = in_order(apart[name]), in_order(together[name])
            pd.testing.assert_frame_equal(one, other, check_exact=True, obj=f"{name} by {size}")


def test_a_flow_that_has_arrived_is_recorded_in_the_last_half_of_its_time():
    """Its recorded steps were fixed before: without more, the end of its decay would be unseen."""
    few = {"record": 4, "spacing": "log", "steps": 600, "width": [8], "labels": ["true"]}
    training = tables(FLOW, **few)["training"]
    for _, run in training.groupby(["init", "seed"]):
        assert (run["time"] >= run["time"].max() / 2).sum() >= 4
        assert run["step"].is_unique and run["loss"].notna().all() and run["step"].max() < 600


def crowded(monkeypatch, most: int) -> list[int]:
    """Let a stand-in for a GPU run out of memory with more than `most` runs; the sizes tried."""
    sizes, train_runs = [], block_module._train_runs

    def limited(batch, runs):
        sizes.append(len(runs))
        if len(runs) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return train_runs(batch, runs)

    monkeypatch.setattr(block_module, "_train_runs", limited)
    return sizes


@pytest.mark.parametrize("trained", [FLOW, ADAM])
def test_where_memory_runs_out_half_as_many_models_train_side_by_side(monkeypatch, caplog, trained):
    expected = tables(trained, True)
    sizes = crowded(monkeypatch, 1)
    found = tables(trained, True)
    assert max(sizes) > 1 and sizes[-1] == 1  # and each halving is reported
    assert len(caplog.records) == sum(size > 1 for size in sizes)
    assert all("do not fit" in record.getMessage() for record in caplog.records)
    for name in TABLES:
        one, other = in_order(found[name]), in_order(expected[name])
        pd.testing.assert_frame_equal(one, other, check_exact=True, obj=name)


def test_one_model_that_does_not_fit_is_an_error(monkeypatch):
    crowded(monkeypatch, 0)
    with pytest.raises(UserError, match="too little memory for one model"):
        tables(DESCENT, True)


@pytest.mark.parametrize("multiscale", [True, False])
@pytest.mark.parametrize("trained", [FLOW | {"integrator": "runge-kutta"}, DESCENT])
def test_tables_do_not_depend_on_the_form(monkeypatch, trained, multiscale):
    """Every number of every table within 1e-5 (losses 1e-7): forms round differently.

    The curvature that sets a flow's steps is found to 1 % from a start that depends on the form;
    here to 1e-9, so that steps can be compared one by one.
    """
    exactly = partial(lambda_max, tolerance=1e-9)
    monkeypatch.setattr(flow_module, "lambda_max", exactly)
    monkeypatch.setattr(block_module, "lambda_max", exactly)
    chosen = tables(trained, multiscale)
    for form in ("stacked", "horner", "left", "row_space", "row_space+left"):
        monkeypatch.setattr(batch_module, "choose_form", partial(choose_form, form=form))
        for name, other in tables(trained, multiscale).items():
            same(chosen[name], other, f"{form} {name}")


@pytest.mark.parametrize("activation", ["linear", "relu"])
@pytest.mark.parametrize("trained", [DESCENT, ADAM])
def test_float32_follows_float64_from_the_same_start(trained, activation):
    """Within the rounding of float32, which float64 does not reach; tables say which it was."""
    few = {"activation": activation, "observe": ["sharpness"], "record": 3, "seed": [0]}
    exact, single = (tables(trained, precision=name, **few) for name in ("float64", "float32"))
    for name in ("training", "speed"):
        exact[name], single[name] = in_order(exact[name]), in_order(single[name])
        keys = [key for key in TABLES[name].keys if key in exact[name]]
        pd.testing.assert_frame_equal(exact[name][keys], single[name][keys])
    assert set(exact["training"]["precision"]) == {"float64"}
    assert set(single["training"]["precision"]) == {"float32"}
    loss, other = exact["training"]["loss"], single["training"]["loss"]
    assert other.dtype == np.float64
    np.testing.assert_allclose(other, loss, rtol=1e-5)
    assert (loss != other).mean() > 0.9
    assert exact["training"]["time"].equals(single["training"]["time"])
    assert not single["training"]["loss_increases"].any()
    np.testing.assert_allclose(
        single["training"]["lr_lambda_max"], exact["training"]["lr_lambda_max"], rtol=0.05
    )
    assert "conservation_drift" not in single["training"]
    assert single["time_condition"].empty and single["gradient_terms"].empty


@pytest.mark.parametrize(
    "theorem", [FLOW, ADAM | {"observe": ["rates"]}, DESCENT | {"observe": ["gradient_terms"]}]
)
def test_float32_is_refused_where_a_theorem_speaks(theorem):
    with pytest.raises(UserError, match=r"precision: float32 is for .* use float64 with"):
        tables(theorem, precision="float32")


@pytest.mark.parametrize("multiscale", [True, False])
def test_a_relu_net_finds_its_best_learning_rate(multiscale):
    few = {"width": [8], "init": ["default"], "labels": ["true"], "seed": [0]}
    search = {**DESCENT, **few, "lr": "auto", "steps": 200, "observe": [], "record": 2}
    block = Block("toy", "toy", "gcn", "relu", multiscale, 2)
    experiment = {"name": "toy", **LISTS, **SETTINGS, **search}
    trained = train_block(graph(), experiment, block, block_optimum(graph(), experiment, block))
    ends = trained["speed"].drop_duplicates("lr").sort_values("lr")
    best = ends["end_loss"].where(ends["status"] == "ok").argmin()
    assert 0 < best < len(ends) - 1, ends
    start = trained["training"].query("step == 0")["loss"].iloc[0]
    assert ends["end_loss"].iloc[best] < 0.9 * start


@pytest.mark.parametrize("multiscale", [True, False])
def test_the_scale_of_a_relu_net_is_that_of_its_graph(multiscale):
    arch = Architecture(17, 8, 3, 2, multiscale)
    problem = build_problem(graph(), "gcn", "row", "train")
    relu = choose_form(problem, replace(arch, activation="relu"), "squared", "gd")
    assert relu.sigma_max == pytest.approx(choose_form(problem, arch, "squared", "gd").sigma_max)


ROUNDING = ("relative_error", "local_error", "method_gap")  # columns that measure nothing else


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    names = (*KEYS, "step", "layer", "term", "index", "threshold", "threshold_kind")
    order = [name for name in names if name in rows]
    return rows.sort_values(order, kind="stable").reset_index(drop=True)


def same(one: pd.DataFrame, other: pd.DataFrame, what: str) -> None:
    numbers = [c for c in one if one[c].dtype == float]
    texts = [c for c in one if c not in numbers and c != "form"]
    one, other = in_order(one), in_order(other)
    pd.testing.assert_frame_equal(one[texts], other[texts], obj=what)
    for column in numbers:
        scale = np.nanmax(np.abs(one[column].to_numpy()), initial=0.0)
        rtol, atol = (1e-7, 0) if column == "loss" else (1e-5, 1e-8 * scale)
        rtol, atol = (0, 1e-12) if column in ROUNDING else (rtol, atol)
        np.testing.assert_allclose(
            one[column], other[column], rtol=rtol, atol=atol, err_msg=f"{what} {column}"
        )


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="glibc's mallopt only")
def test_freed_memory_is_kept_where_asked():
    """Arrays of some megabytes, made and freed, cost page faults the first time only."""
    code = """if True:
        import resource, sys, torch
        from gnn_dynamics.linalg.memory import keep_freed_memory
        if sys.argv[1] == "keep":
            assert keep_freed_memory()
        def faults():
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            for _ in range(20):
                some = [torch.ones(100_000 * (1 + i % 3), dtype=torch.float64) for i in range(30)]
                del some
            return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
        faults()
        print(faults())
    """

    def count(mode: str) -> int:
        command = [sys.executable, "-c", code, mode]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    # How many there are without it depends on the system: none, where its malloc keeps memory too.
    assert count("keep") < 1000
