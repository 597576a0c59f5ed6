"""Straight and bent decays, an identity that fails, optima in and out of order."""

import numpy as np
import pytest
from claims_tables import settings, tables
from table_rows import row

from gnn_dynamics.claims.checks.curves import (
    identity,
    optimum_order,
    straight_decay,
)

LIMITS = settings("07")["claims"]["07"]["check"]["limits"]
TIMES = np.linspace(0.0, 4.0, 41)


def decay_state(excess) -> str:
    rows = [
        row("training", step=step, time=time, loss=2.0 + value)
        for step, (time, value) in enumerate(zip(TIMES, excess, strict=True))
    ]
    frames = tables(training=rows, optimum=[row("optimum", loss_optimum=2.0)])
    return straight_decay(frames, {}, **LIMITS)["state"].item()


@pytest.mark.slow
def test_straight_and_bent_decays():
    assert decay_state(np.exp(-2 * TIMES)) == "supports"
    bent = np.where(TIMES < 3, 1.0, np.exp(-6 * (TIMES - 3)))
    assert decay_state(bent) == "refutes"
    assert decay_state((0.05 + TIMES) ** -2.0) == "refutes"  # a power law
    assert decay_state(np.exp(-0.1 * TIMES)) == "undecided"  # hardly falls: no test of a line
    assert decay_state(np.full(41, 1.0)) == "undecided"


def test_digits_below_the_smallest_gap_do_not_bend_a_line():
    assert decay_state(np.maximum(np.exp(-30 * TIMES), 1e-14)) != "refutes"


@pytest.mark.parametrize(
    ("error", "state"), [(3e-16, "supports"), (1e-9, "refutes"), (np.nan, "refutes")]
)
def test_identity_needs_the_rounding_error_only(error, state):
    rows = [row("gradient_terms", term="head", value=1.0, relative_error=error)]
    assert identity(tables(gradient_terms=rows), {}, tolerance=1e-12)["state"].item() == state


@pytest.mark.parametrize(
    ("several", "single", "state", "reason"),
    [
        (1.0, 2.0, "supports", "strictly lower"),
        (2.0, 2.0, "supports", "equal"),
        (2.0, 1.0, "refutes", "higher with skips"),
        (1e-13, 0.0, "vacuous", "both 0"),
    ],
)
def test_order_of_the_optima(several, single, state, reason):
    rows = [
        row("optimum", multiscale=flag, loss_optimum=value, label_norm_sq=10.0)
        for flag, value in ((True, several), (False, single))
    ]
    cells = optimum_order(tables(optimum=rows), {}, tolerance=1e-10)
    assert cells[["state", "reason"]].to_numpy().tolist() == [[state, reason]]
