"""How tight the theorems are: guaranteed rates and bounds divided by what was measured.

All rates are for the squared loss (sum) under gradient flow, in units of 1/time, and bound
||grad L||^2 / (L - L*) from below. In the order of the chain (docs/theory.md):

    paper       4 lambda_T sigma_min^2, as printed
    restricted  the same with lambda on the features' column space and the smallest positive sigma
    sharp       4 sigma_r^2 of the hidden features, at every moment
    measured
"""

import numpy as np
import pandas as pd

GUARANTEES = ("rate_sharp", "rate_restricted", "rate_paper")
BOUNDS = ("bound_paper", "bound_restricted", "bound_integrated")
CELL = ["dataset", "aggregation", "features", "multiscale"]


def tightness(bounds: pd.DataFrame) -> pd.DataFrame:
    """Measured over guaranteed rate: CELL, guarantee, low (5 %), median, high (95 %), vacuous.

    A ratio of 1 means that the bound is attained. `vacuous` is the share of records with a
    guaranteed rate of 0, which have no ratio.
    """
    rows = []
    for cell, part in bounds.groupby(CELL, sort=True):
        for guarantee in GUARANTEES:
            known = part[guarantee].notna() & part["rate_measured"].notna()
            positive = part[known & (part[guarantee] > 0)]
            ratio = positive["rate_measured"] / positive[guarantee]
            low, median, high = ratio.quantile([0.05, 0.5, 0.95])
            vacuous = 1 - len(positive) / max(known.sum(), 1) if known.any() else np.nan
            rows.append((*cell, guarantee, low, median, high, vacuous))
    return pd.DataFrame(rows, columns=[*CELL, "guarantee", "low", "median", "high", "vacuous"])


def largest_ratio(bounds: pd.DataFrame) -> float:
    """Largest excess / bound over all records and bounds; above 1 a bound is broken.

    Records whose excess is within rounding of its start are left out.
    """
    start = bounds.groupby([*CELL, "depth", "seed"])["excess"].transform("max")
    rows = bounds[bounds["excess"] > 1e-9 * start]
    return float(max((rows["excess"] / rows[column]).max() for column in BOUNDS))
