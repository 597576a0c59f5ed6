"""Statistics over pairs of runs: the median and its interval, the sign test, Holm's adjustment.

Pairs are few, 5 to 20, one for each seed. The interval is the percentile bootstrap of the median
over pairs. BCa is not used: it needs a jackknife, and that of a median takes two or three values
only. With 5 pairs the interval at 90 % or more ranges from the smallest to the largest pair, and
the two-sided sign test cannot fall below 1/16, so that few cells are decided.
"""

from functools import cache

import numpy as np
from scipy.stats import binomtest, bootstrap

# Cells whose bootstrap distributions are in memory at a time (5 MB with 9999 resamples each).
CELLS_AT_A_TIME = 64


def median_intervals(
    samples: np.ndarray, confidence: float, resamples: int, seed: int
) -> np.ndarray:
    """Lower and upper ends (2, cells) of the bootstrap intervals for the medians of the rows.

    All rows are resampled by the same indices, so a row's interval depends on that row alone, and
    the middle ranks of the resamples are computed once for all of them.

    Args:
        samples: cells by pairs (cells, n) with n >= 2.
        confidence: level of the interval, such as 0.9.
        resamples: number of bootstrap samples.
        seed: of the generator.
    """
    samples = np.sort(samples, axis=1)
    low, high = _middle_ranks(samples.shape[1], resamples, seed)
    tails = (1 - confidence) / 2, (1 + confidence) / 2
    ends = [
        np.quantile((part[:, low] + part[:, high]) / 2, tails, axis=1)
        for part in np.array_split(samples, -(-len(samples) // CELLS_AT_A_TIME))
    ]
    return np.concatenate(ends, axis=1)


@cache
def _middle_ranks(n: int, resamples: int, seed: int) -> np.ndarray:
    """Ranks, in a sorted sample of n, of the two middle values of each resample (2, resamples)."""
    result = bootstrap(
        (np.arange(float(n)),),
        lambda ranks, axis: np.sort(ranks, axis=axis)[..., [(n - 1) // 2, n // 2]].T,
        n_resamples=resamples,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return np.asarray(result.bootstrap_distribution, int)


@cache
def sign_test(wins: int, losses: int) -> float:
    """Two-sided exact sign test; ties and undecided pairs do not count. 1 without any sign."""
    return float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def holm(p_values: np.ndarray) -> np.ndarray:
    """Holm's step-down adjustment of a family of p-values.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal
    of Statistics 6 (1979), 65-70: the i-th smallest of m is multiplied by m - i + 1, then made
    non-decreasing and cut at 1.
    """
    p_values = np.asarray(p_values, float)
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(scaled)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted
