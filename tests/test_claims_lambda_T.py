"""lambda_T has one definition: bounds, checks and figures read the stored infima by one rule."""

import numpy as np
import pytest
from claims_tables import tables
from table_rows import row

from gnn_dynamics.claims.bounds import bounds_table
from gnn_dynamics.claims.checks.conditions import lambda_runs
from gnn_dynamics.claims.lambda_T import lambda_T
from gnn_dynamics.figures import assumptions

LAMBDAS = {1: [4.0, 0.5, 4.0], 2: [2.0, 3.0, 1.5]}  # of two layers, at three steps


def run(multiscale: bool, lambdas=LAMBDAS):
    """A recorded flow with unit singular values and L* = 0."""
    optimum = {"loss_optimum": 0.0, "label_norm_sq": 1.0}
    optimum |= dict.fromkeys(("sigma_max", "sigma_min", "sigma_min_positive"), 1.0)
    models = [{"multiscale": False, "depth": layer} for layer in lambdas]
    models += [{"multiscale": True}] if multiscale else []
    return tables(
        training=[
            row("training", multiscale=multiscale, step=i, time=0.1 * i, loss=np.exp(-i))
            for i in range(3)
        ],
        time_condition=[
            row("time_condition", multiscale=multiscale, step=i, layer=layer, layer_norm_rms=1.0,
                lambda_min=value, lambda_min_restricted=value)
            for layer, values in lambdas.items()
            for i, value in enumerate(values)
        ],
        optimum=[row("optimum", **optimum, **model) for model in models],
    )  # fmt: skip


def of_bounds(frames):
    """lambda_T as the exponent of the paper's bound has it, after the start."""
    table = bounds_table(frames["training"], frames["time_condition"], frames["optimum"])[1:]
    return np.log(table["excess_0"] / table["bound_paper"]) / (4 * table["time"])


def of_checks(frames):
    return lambda_runs(frames, {})["lambda_T"]


def of_figures(frames):
    multiscale = bool(frames["training"]["multiscale"].iloc[0])
    return assumptions.linear_runs(frames["time_condition"], multiscale)["lambda_T"][1:]


@pytest.mark.slow
@pytest.mark.parametrize("multiscale", [False, True])
@pytest.mark.parametrize("rule", [of_bounds, of_checks, of_figures])
def test_every_rule_takes_the_same_layers_and_does_not_clip(rule, multiscale):
    """Without skips the top layer alone; with skips all layers, none of them limited to 1."""
    expected = 0.5 if multiscale else 1.5
    assert rule(run(multiscale)).iloc[-1] == pytest.approx(expected)
    above = {1: [4.0, 3.0, 3.5], 2: [2.0, 3.0, 2.0]}
    assert rule(run(multiscale, above)).iloc[-1] == pytest.approx(2.0)


@pytest.mark.slow
@pytest.mark.parametrize("rule", [of_bounds, of_checks, of_figures])
def test_the_stored_infimum_decides(rule):
    frames = run(True)
    before = rule(frames).to_numpy()
    stored = frames["time_condition"]
    frames["time_condition"] = stored.assign(lambda_min_infimum=stored["lambda_min_infimum"] / 2)
    after = rule(frames).to_numpy()
    assert (after < before).all()


def test_both_infima_are_the_smallest_over_layers_of_the_running_minima():
    rows = lambda_T(run(True)["time_condition"])
    for column in ("lambda_T", "lambda_T_restricted"):
        assert rows[column].tolist() == [2.0, 0.5, 0.5]
    assert rows["lambda_min"].tolist() == [2.0, 0.5, 1.5]
