"""Bounds with known ratios: kept, broken, vacuous."""

import numpy as np
import pytest
from claims_tables import tables
from table_rows import row

from gnn_dynamics.claims.checks.bounds import bound_ratio

TIMES = np.array([0.0, 1.0, 2.0, 3.0])


def bound_rows(rate: float, bound_rate: float, error: float = 0.0, **keys) -> list[dict]:
    fixed = {"vacuous": bound_rate == 0, "integrator_error": error, **keys}
    curves = zip(np.exp(-rate * TIMES), np.exp(-bound_rate * TIMES), strict=True)
    return [
        row("bounds", step=step, excess=excess, bound_paper=bound, **fixed)
        for step, (excess, bound) in enumerate(curves)
    ]


def checked(rows):
    return bound_ratio(tables(bounds=rows), {"optimizer": "flow"}, tolerance=1e-9)


@pytest.mark.parametrize(
    ("rate", "bound_rate", "state"),
    [(2.0, 1.0, "supports"), (1.0, 1.5, "refutes"), (1.0, 0.0, "vacuous"), (-0.1, 0.0, "refutes")],
)
def test_states_of_bounds(rate, bound_rate, state):
    cells = checked(bound_rows(rate, bound_rate))
    assert cells["state"].tolist() == [state]
    assert cells.loc[0, "value"] == pytest.approx(max(np.exp((bound_rate - rate) * TIMES[1:])))


def test_one_bad_step_of_one_seed_refutes_the_cell():
    rows = bound_rows(2.0, 1.0, seed=0) + bound_rows(2.0, 1.0, seed=1)
    rows[-1]["excess"] = 1.0
    assert checked(rows)["state"].tolist() == ["refutes"]


@pytest.mark.slow
def test_the_measured_error_of_the_integrator_is_allowed_for():
    assert checked(bound_rows(1.0, 1.0001, error=1e-3))["state"].tolist() == ["supports"]
    assert checked(bound_rows(1.0, 1.0001, error=np.nan))["state"].tolist() == ["refutes"]


def test_the_start_decides_nothing():
    assert not len(checked(bound_rows(1.0, 1.0)[:1]))
