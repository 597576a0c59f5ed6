"""Statements of the paper, or read into it, that fail: one table of numbers, each from a check.

`wording` tells where a statement's words are from; it is checked as given here (docs/theory.md).
Every value is computed when the table is.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gnn_dynamics.artifacts.table import Table, reals, texts
from gnn_dynamics.theory.counterexamples import (
    Decay,
    exponent_at_depth_zero,
    layer_subset,
    margin_rescaled,
    printed_inequality,
)

Statement = tuple[str, str, str]  # statement, source, wording
Row = tuple[str | float, ...]  # the columns of NEGATIVE_RESULTS
SUBSET_EPS = (0.1, 0.01, 0.001)
IDENTITY_TOLERANCE = 1e-12
RATIO_TOLERANCE = 1e-9
NEGATIVE_RESULTS = Table(
    keys=("statement", "quantity"),
    columns=texts("statement", "source", "wording", "quantity")
    | reals("value")
    | texts("expected", "verdict"),
)
MARGIN_SCALES = (1.0, 1e-1, 1e-2, 1e-3, 1e-4)
_CURVE = texts("panel", "curve") | reals("constant", "eps", "x")
NEGATIVE_CURVES = Table(keys=tuple(_CURVE), columns=_CURVE | reals("y"))

PRINTED = (
    "(a - b)^2 >= a^2 - b^2 with a^2 = L and b^2 = L*",
    "proof of Theorem 1, appendix A.1.3, last inequality",
    "quoted from Tang, Guo, Liu, Wei (ICLR Blogposts 2025); page not seen",
)
CORRECTED = ("||(Yhat - Y) P||_F^2 = L - L* (Pythagoras)", "repair of that step", "ours")
THEOREM_1 = ("rate 4 lambda_T sigma_min^2", "Theorem 1, equation 8", "seen")
EIGHT = ("rate 8 lambda_T sigma_min^2", "Theorem 1 with a larger constant", "ours, not the paper's")
SUBSET = (
    "a multiscale GNN obeys the bound of any single layer H' <= H",
    "Theorem 2(ii), in the form of docs/theory.md",
    "docs/theory.md",
)
FULL = ("the bound with all layers", "Theorem 2(i)", "docs/theory.md")
MARGIN = (
    "some gamma > 0 bounds sigma_min(Bbar) on the sublevel set of the loss",
    "Definition 4 (singular margin), Propositions 1 and 2",
    "docs/theory.md",
)


def negative_results(bounds: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row for each number that decides a statement, with the columns of NEGATIVE_RESULTS.

    bounds: bounds.parquet; adds how often the printed inequality fails on the recorded runs with
    L* > 0, and how well the corrected identity holds there.
    """
    rows = [*_erratum(), *_constant(), *_subset(), *_margin()]
    if bounds is not None:
        rows += _recorded(bounds)
    return pd.DataFrame(rows, columns=list(NEGATIVE_RESULTS.columns))


def negative_curves() -> pd.DataFrame:
    """The curves of the four problems, one row for each point, with the columns of NEGATIVE_CURVES.

    panel               curve                             x          parameter
    printed_inequality  right, projected, printed_left    flow time
    constant            excess, bound                     flow time  constant: 4, 8
    single_layer        excess, bound                     flow time  eps: SUBSET_EPS
    singular_margin     loss (over its start), sigma_min  1 / c
    """
    run, facts = printed_inequality(), margin_rescaled(MARGIN_SCALES)
    sides = {name: run[name] for name in ("right", "projected", "printed_left")}
    parts = _curves("printed_inequality", run.time, sides)
    for constant in (4.0, 8.0):
        decay = exponent_at_depth_zero(constant)
        parts += _curves("constant", decay.times, decay.curves, constant=constant)
    for eps in SUBSET_EPS:
        decay, _ = layer_subset(eps)
        parts += _curves("single_layer", decay.times, decay.curves, eps=eps)
    loss, sigma_min = (np.array(facts[name]) for name in ("loss", "sigma_min"))
    margin = {"loss": loss / loss[0], "sigma_min": sigma_min}
    parts += _curves("singular_margin", 1 / np.array(facts["scale"]), margin)
    return pd.concat(parts, ignore_index=True)[list(NEGATIVE_CURVES.columns)]


def _curves(
    panel: str, x: ArrayLike, curves: Mapping[str, ArrayLike], **parameter: float
) -> list[pd.DataFrame]:
    keys = {"panel": panel, "constant": np.nan, "eps": np.nan} | parameter
    return [pd.DataFrame({"x": x, "y": y}).assign(**keys, curve=name) for name, y in curves.items()]


def _row(statement: Statement, quantity: str, value: float, expected: str, fails: bool) -> Row:
    return (*statement, quantity, float(value), expected, "fails" if fails else "holds")


def _erratum() -> Iterator[Row]:
    table = printed_inequality()
    yield _share("a flow's moments that break it (L* > 0)", table.printed_holds)
    least = (table.printed_left / table.right).min()
    yield _row(PRINTED, "least left side over right side", least, ">= 1", least < 1)
    yield _error("along the same flow", table.identity_error)


def _constant() -> Iterator[Row]:
    for statement, constant in ((THEOREM_1, 4.0), (EIGHT, 8.0)):
        yield _ratio(statement, "excess over bound, H = 0", exponent_at_depth_zero(constant))


def _subset() -> Iterator[Row]:
    for eps in SUBSET_EPS:
        single, full = layer_subset(eps)
        quantity = f"excess over bound, two nodes, H = 1, H' = 0, eps = {eps:g}"
        yield _ratio(SUBSET, quantity, single)
        yield _ratio(FULL, quantity.replace(", H' = 0", ""), full)


def _ratio(statement: Statement, quantity: str, decay: Decay) -> Row:
    ratio = decay.worst_ratio
    return _row(statement, f"largest {quantity}", ratio, "<= 1", ratio > 1 + RATIO_TOLERANCE)


def _margin() -> Iterator[Row]:
    facts = margin_rescaled()
    change = np.ptp(facts["loss"]) / facts["loss"][0]
    yield _row(
        MARGIN,
        f"sigma_min(Bbar) after (W, B_1) -> (W/c, c B_1), c = {facts['scale'][-1]:g}, over before"
        f" (loss changed by {change:.0e} relative)",
        facts["sigma_min"][-1] / facts["sigma_min"][0],
        "bounded below",
        facts["sigma_min"][-1] < 1e-3 * facts["sigma_min"][0],
    )


def _recorded(bounds: pd.DataFrame) -> Iterator[Row]:
    known = bounds[bounds.printed_inequality_holds.notna()]
    if not len(known):
        return
    steps = "recorded steps with L* > 0"
    yield _share(f"{len(known):,} {steps} that break it", known.printed_inequality_holds)
    errors = known.identity_error.dropna()
    if len(errors):
        yield _error(f"at {len(errors):,} {steps}", errors)


def _share(where: str, holds: pd.Series) -> Row:
    share = 1 - holds.astype(bool).mean()
    return _row(PRINTED, f"share of {where}", share, "0", share > 0)


def _error(where: str, errors: pd.Series) -> Row:
    fails = errors.max() > IDENTITY_TOLERANCE
    quantity, expected = f"largest error relative to L {where}", f"<= {IDENTITY_TOLERANCE:g}"
    return _row(CORRECTED, quantity, errors.max(), expected, fails)
