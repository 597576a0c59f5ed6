"""The two assumptions on made-up tables: rank full or not, lambda kept, lost, or 0 throughout."""

import numpy as np
import pytest
from claims_tables import OPTIMUM, settings, tables
from table_rows import row

from gnn_dynamics.claims.checks.conditions import graph_condition, lambda_guaranteed, lambda_kept


def flow(lambdas: dict[int, list[float]], left: float = 1e-3, **keys) -> dict[str, list[dict]]:
    """A run with lambda_min of each layer at its steps, whose excess falls to the share `left`."""
    losses = 5.0 + np.geomspace(1.0, left, len(next(iter(lambdas.values()))))
    optimum = {key: value for key, value in keys.items() if key in OPTIMUM}
    return {
        "training": [
            row("training", step=i, time=float(i), loss=loss, **keys)
            for i, loss in enumerate(losses)
        ],
        "time_condition": [
            row("time_condition", step=i, layer=layer, lambda_min=value, **keys)
            for layer, values in lambdas.items()
            for i, value in enumerate(values)
        ],
        "optimum": [row("optimum", loss_optimum=5.0, **optimum)],
    }


def kept(rows) -> str:
    return lambda_kept(tables(**rows), {}, lost=1e-6, converged=0.01)["state"].item()


@pytest.mark.parametrize(
    ("lambdas", "left", "state"),
    [
        ([1.0, 0.5, 0.7], 1e-3, "supports"),
        ([1e-9, 1e-10, 1e-10], 1e-3, "supports"),
        ([1.0, 0.5, 0.7], 0.5, "undecided"),
        ([1.0, 1e-3, 1e-8], 0.5, "refutes"),
        ([1.0, 0.0, 0.5], 1e-3, "refutes"),
        ([0.0, 0.0, 0.0], 1e-3, "vacuous"),
    ],
)
def test_lambda_until_convergence(lambdas, left, state):
    assert kept(flow({2: lambdas}, left, multiscale=False)) == state


@pytest.mark.slow
def test_without_skips_only_the_top_layer_counts():
    lambdas = {1: [1.0, 1e-9], 2: [1.0, 0.9]}
    assert kept(flow(lambdas, multiscale=False)) == "supports"
    assert kept(flow(lambdas, multiscale=True)) == "refutes"


def test_the_worst_seed_decides():
    rows = flow({2: [1.0, 0.9]}, seed=0)
    for name, more in flow({2: [1.0, 1e-9]}, seed=1).items():
        rows[name] += more
    assert kept(rows) == "refutes"


@pytest.mark.slow
def test_a_run_without_optimum_is_not_known_to_converge():
    assert kept(flow({2: [1.0, 0.9]}) | {"optimum": []}) == "undecided"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lambdas", "drift", "state"),
    [
        ([1.0, 1.0 - 1e-9], 1e-9, "supports"),
        ([1.0, 1.0 - 1e-9], np.nan, "supports"),
        ([1.0, 0.9], 1e-9, "refutes"),
        ([1.0, 0.9], 1e-3, "undecided"),  # the integrator, not the flow
        ([1.0, 0.9], np.nan, "undecided"),
        ([0.0, 0.0], 1e-9, "vacuous"),
    ],
)
def test_guaranteed_lambda(lambdas, drift, state):
    rows = flow({0: [1.0, 1.0], 2: lambdas})
    rows["training"] = [record | {"conservation_drift": drift} for record in rows["training"]]
    limits = settings("06")["claims"]["06"]["check"]["limits"]
    cells = lambda_guaranteed(tables(**rows), {}, **limits)
    assert cells["state"].item() == state
    assert cells["value"].item() == lambdas[1]


def test_graph_condition_is_taken_from_the_table():
    """A rank that float64 cannot tell is undecided; no gap is known where the rank is 0."""
    sigmas = {1: (0.2, np.nan), 2: (0.0, 1e9), 3: (0.0, 20.0), 4: (0.0, np.nan)}
    rows = [
        row("graph_condition", depth=depth, sigma_min=s, condition_holds=s > 0, rank_gap=gap)
        for depth, (s, gap) in sigmas.items()
    ]
    cells = graph_condition(tables(graph_condition=rows), {}, clear_gap=1e3).set_index("depth")
    states = {1: "supports", 2: "refutes", 3: "undecided", 4: "refutes"}
    assert cells["state"].to_dict() == states
