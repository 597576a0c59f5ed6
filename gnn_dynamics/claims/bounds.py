"""Theorems 1 and 2 on recorded runs: the bounds, their rates, and which of them hold.

    L(T) - L*  <=  (L(0) - L*) exp(-4 lambda_T sigma^2 T)

for gradient flow of L = ||Yhat - Y||_F^2 (Xu et al. 2021, Theorem 1 and Theorem 2(i)), with

paper       lambda_T over R^{m_x}, minimum over the heads' levels; sigma = sigma_min(Gs)
restricted  lambda_T^(l) on col(G_l);  sigma = the smallest positive singular value of Gs
integrated  as restricted, with a lower bound of the integral of lambda over [0, T] for lambda_T T
guaranteed  as restricted, with the lower bound on lambda that the start gives (conservation.py)

At each moment the rates are in the order paper <= restricted <= sharp <= kernel <= measured.

lambda_T is the minimum over the recorded steps, which is at least the infimum over [0, T]. So the
forms `paper` and `restricted` are tested more strictly than the theorem requires. `integrated` is
rigorous between records: a flow moves by at most s = sqrt((t' - t) (L(t) - L(t'))) from t to t', so
at all times in between it is within s/2 of one end, where

    sigma_min(Bbar_l U_l) >= (its value at that end) - (s/2) sqrt(l) (b + s/2)^(l-1),

b the root mean square of ||B_1||, ..., ||B_l|| there (docs/theory.md).
"""

from itertools import pairwise

import numpy as np
import pandas as pd

from gnn_dynamics.artifacts.table import FLAG, NOISE, Table, integers, reals
from gnn_dynamics.claims.frames import with_excess
from gnn_dynamics.claims.lambda_T import lambda_T, required_layers
from gnn_dynamics.config.grid import KEYS, OPTIMUM_KEYS, RUN
from gnn_dynamics.errors import UserError

CONSTANT = 4.0  # of ||Yhat - Y||_F^2; a loss c ||Yhat - Y||_F^2 has 4c
SMALLEST_GAP = 1e-9  # share of the first gap: a smaller L - L* is dominated by rounding
SMALLEST_OPTIMUM = 1e-12  # share of ||Y||^2: a smaller L* is 0 to rounding
ROUNDING = 64 * np.finfo(float).eps
RATIO_TOLERANCE = 1e-9
CHAIN_TOLERANCE = 1e-9
BOUNDS = ("paper", "restricted", "integrated")
_OPTIONAL = (
    *("rate_sharp", "rate_kernel", "rate_kernel_error"),
    *("lambda_guaranteed", "integrator_error", "projected_loss"),
)
_COLUMNS = RUN | integers("step")
STEP = list(_COLUMNS)
BOUNDS_TABLE = Table(
    keys=tuple(_COLUMNS),
    columns=_COLUMNS
    | reals("time", "excess", "bound_paper", "bound_restricted", "bound_integrated")
    | reals("rate_measured", "rate_paper", "rate_restricted", "rate_sharp")
    | {"holds": FLAG, "vacuous": FLAG},
    optional=reals("excess_0", "loss_optimum", "bound_guaranteed", "rate_guaranteed", "max_ratio")
    | reals("rate_kernel", "rate_kernel_error")
    | reals("integrator_error", "excess_error", "identity_error")
    | dict.fromkeys(("diverged", "vacuous_restricted", "chain_holds"), FLAG)
    | {"printed_inequality_holds": FLAG},
    kinds=dict.fromkeys(("integrator_error", "excess_error", "identity_error"), NOISE),
)
_MOVING = ["time", "loss", "lambda_min_restricted", "layer_norm_rms"]


def bounds_table(
    training: pd.DataFrame,
    time_condition: pd.DataFrame,
    optimum: pd.DataFrame,
    constant: float = CONSTANT,
    optimizer: str = "flow",
) -> pd.DataFrame:
    """One row for each recorded step of the linear runs with squared loss by `optimizer`.

    Only steps with L - L* > 1e-9 (L(0) - L*) that have a row in `time_condition`.

    Raises:
        UserError: if a run has no optimum.
    """
    table = _records(with_excess(training[training.optimizer == optimizer], optimum))
    table = _with_conditions(table, time_condition)
    table = _with_bounds(_with_errors(table), constant)
    return _with_verdicts(table[table.excess > SMALLEST_GAP * table.excess_0])


def _records(table: pd.DataFrame) -> pd.DataFrame:
    """Add the number of the run, whether it diverged, and optional columns where absent."""
    missing = table[table.loss_optimum.isna()]
    if len(missing):
        run = missing.iloc[0][list(OPTIMUM_KEYS)].to_dict()
        raise UserError(f"optimum: no row for the run {run}; recompute optimum.parquet.")
    # Columns of nulls arrive as objects, or not at all from jobs that did not measure them.
    optional = {name: table.get(name, np.nan) for name in _OPTIONAL}
    table = table.assign(**optional).astype(dict.fromkeys(_OPTIONAL, float))
    run = table.groupby(list(KEYS), dropna=False, sort=False).ngroup()
    diverged = (table.status == "diverged").groupby(run).transform("any")
    # A diverged run breaks every bound; NaN would drop out of comparisons.
    return table.assign(run=run, diverged=diverged, excess=table.excess.fillna(np.inf))


def _with_conditions(table: pd.DataFrame, time_condition: pd.DataFrame) -> pd.DataFrame:
    """Add lambda (now and its infimum) and the lower bound of its integral, over the heads."""
    records = table[[*STEP, "run", "time", "loss"]]
    layers = required_layers(time_condition).merge(records, on=STEP)
    layers = layers.sort_values(["run", "layer", "step"], ignore_index=True)
    layers["lambda_between"] = _lowest_since_last_record(layers)
    # ||Bbar_l|| is at most the mean of its factors' norms to the power l.
    layers["resolution"] = ROUNDING * layers.layer_norm_rms**layers.layer
    steps = layers.groupby(["run", "step"]).agg({"lambda_between": "min", "resolution": "max"})
    steps = steps.merge(lambda_T(layers, ["run", "step"]), on=["run", "step"])
    merged = table.merge(steps, on=["run", "step"], validate="1:1")
    elapsed = merged.groupby("run").time.diff().fillna(0.0)
    integral = (merged.lambda_between.fillna(0.0) * elapsed).groupby(merged.run).cumsum()
    return merged.assign(lambda_integral=integral.where(merged.optimizer == "flow"))


def _lowest_since_last_record(layers: pd.DataFrame) -> pd.Series:
    """Lower bound on lambda_restricted between each record and the one before (see the module)."""
    previous = layers.groupby(["run", "layer"])[_MOVING].shift()
    fallen = (previous.loss - layers.loss).clip(lower=0.0)
    half = np.sqrt((layers.time - previous.time) * fallen) / 2
    ends = [_lowest_within(half, end, layers.layer) for end in (previous, layers)]
    return np.minimum(*ends)


def _lowest_within(distance: pd.Series, end: pd.DataFrame, layer: pd.Series) -> pd.Series:
    """lambda_restricted at weights no further than `distance` from those of the record `end`."""
    slope = np.sqrt(layer) * (end.layer_norm_rms + distance) ** (layer - 1).clip(lower=0)
    sigma = np.sqrt(end.lambda_min_restricted) - distance * slope
    return sigma.clip(lower=0.0) ** 2


def _with_errors(table: pd.DataFrame) -> pd.DataFrame:
    """Add excess_error, rounding in L - L* relative to it.

    integrator_error is the sum of the errors of all steps so far, relative to the excess at each.
    It is infinite from a step on whose error is not a number, and null where none was measured.
    """
    measured = table.integrator_error.notna().groupby(table.run).transform("any")
    total = table.integrator_error.mask(measured & table.integrator_error.isna(), np.inf)
    rounding = ROUNDING * (table.loss + np.sqrt(table.loss * table.label_norm_sq)) / table.excess
    return table.assign(integrator_error=total, excess_error=rounding)


def _with_bounds(table: pd.DataFrame, constant: float) -> pd.DataFrame:
    """Bounds on the excess, the largest ratio of the excess to one of BOUNDS, and rates.

    rate_paper and rate_restricted are of each record, with lambda of that moment.
    """
    full, positive = constant * table.sigma_min**2, constant * table.sigma_min_positive**2
    rates = {
        "measured": table.grad_norm_sq / table.excess,
        "paper": full * table.lambda_min,
        "restricted": positive * table.lambda_min_restricted,
        "guaranteed": positive * table.lambda_guaranteed,
    }
    exponents = {
        "paper": full * table.lambda_T * table.time,
        "restricted": positive * table.lambda_T_restricted * table.time,
        "integrated": positive * table.lambda_integral,
        "guaranteed": rates["guaranteed"] * table.time,
    }
    with np.errstate(over="ignore", divide="ignore"):  # infinity is right: far above, or exact
        decay = np.log(table.excess_0 / table.excess.clip(lower=0.0))
        ratios = pd.DataFrame({name: np.exp(exponents[name] - decay) for name in BOUNDS})
    columns = {f"bound_{k}": table.excess_0 * np.exp(-v) for k, v in exponents.items()}
    columns |= {f"rate_{k}": rate for k, rate in rates.items()}
    return table.assign(**columns, max_ratio=ratios.max(axis=1))


def _with_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """holds: every bound; chain_holds: the rates of this moment are in the order of the module.

    The chain up to CHAIN_TOLERANCE, rounding of singular values and eigenvalues, and excess_error.

    vacuous: the paper's rate is exactly 0, so that its bound is only L(T) <= L(0).
    printed_inequality_holds: (a - b)^2 >= a^2 - b^2 of the paper's proof, a^2 = L, b^2 = L*; null
    where L* = 0 to rounding, since both sides are equal there. identity_error: of the corrected
    one, | ||(Yhat - Y) P||^2 - (L - L*) | / L.
    """
    measured = table.rate_measured * (1 + table.excess_error)
    sharp = table.rate_sharp.fillna(table.rate_restricted)
    chain = [np.sqrt(rate) for rate in (table.rate_paper, table.rate_restricted, sharp, measured)]
    rounding = 2 * table.resolution * table.sigma_max  # of singular values of Z
    steps = [low <= high * (1 + CHAIN_TOLERANCE) + rounding for low, high in pairwise(chain)]
    kernel, error = table.rate_kernel.fillna(sharp), table.rate_kernel_error.fillna(0.0)
    error = error + 2 * rounding * np.sqrt(kernel) + rounding**2
    for low, high in pairwise((sharp, kernel, measured)):
        steps.append(low <= high * (1 + 2 * CHAIN_TOLERANCE) + error)
    known = table.integrator_error.where(np.isfinite(table.integrator_error), 0.0)
    allowance = RATIO_TOLERANCE + known + table.excess_error  # nothing for an unknown error
    printed = (np.sqrt(table.loss) - np.sqrt(table.loss_optimum)) ** 2 >= table.excess
    misfit = table.loss_optimum > SMALLEST_OPTIMUM * table.label_norm_sq
    columns = [*STEP, "time", "excess", "excess_0", "loss_optimum", "diverged"]
    columns += [c for c in table if c.startswith(("bound_", "rate_"))]
    columns += ["max_ratio", "integrator_error", "excess_error"]
    return (
        table[columns]
        .assign(
            identity_error=(table.projected_loss - table.excess).abs() / table.loss,
            holds=table.max_ratio <= 1 + allowance,
            vacuous=table.lambda_T * table.sigma_min == 0,
            vacuous_restricted=table.lambda_T_restricted == 0,
            chain_holds=np.logical_and.reduce(steps),
            printed_inequality_holds=printed.astype("boolean").where(misfit),
        )
        .reset_index(drop=True)
    )
