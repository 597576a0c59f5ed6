"""Effects of several graphs pooled into one, with the spread between graphs.

The model is y_g = mu + u_g + e_g: u_g of a graph, with variance tau^2, and e_g of its seeds, with
the known variance s_g^2. statsmodels estimates mu and tau^2 (Paule and Mandel 1982, as in
DerSimonian and Kacker, Contemporary Clinical Trials 28 (2007), 105-114).
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t
from statsmodels.stats.meta_analysis import combine_effects

# Of tau^2. statsmodels takes it for 0 where the residual of its equation falls below 0, as it does
# by rounding once it is as small as 1e-7; at 1e-4 tau^2 has four digits.
ITERATION = {"atol": 1e-4, "maxiter": 200}


@dataclass(frozen=True)
class Pooled:
    """Estimate of mu, its error and interval, the interval for a new graph, tau and I^2."""

    effect: float
    se: float
    ci_low: float
    ci_high: float
    prediction_low: float
    prediction_high: float
    tau: float
    i2: float


def pool(effects: np.ndarray, errors: np.ndarray, confidence: float) -> Pooled:
    """The random-effects estimate for `effects` (k,) with standard errors `errors` (k,), k >= 3.

    The interval of mu is that of Hartung and Knapp with k - 1 degrees of freedom, since the normal
    one is too short for few graphs. Its error is never below that of the model (Roever, Knapp,
    Friede, BMC Medical Research Methodology 15 (2015), 99), as it else is where graphs happen to
    agree. The prediction interval has k - 2 degrees of freedom (Higgins, Thompson, Spiegelhalter,
    Journal of the Royal Statistical Society A 172 (2009), 137-159).
    """
    effects, errors = np.asarray(effects, float), np.asarray(errors, float)
    with np.errstate(divide="ignore"):  # Q is 0 where all effects are equal
        result = combine_effects(effects, errors**2, method_re="iterated", use_t=True, **ITERATION)
    mean, tau_sq = float(result.mean_effect_re), float(result.tau2)
    se = float(max(result.sd_eff_w_re, result.sd_eff_w_re_hksj))
    k, tail = len(effects), (1 + confidence) / 2
    reach = t.ppf(tail, k - 1) * se
    further = t.ppf(tail, k - 2) * np.sqrt(tau_sq + se**2)
    return Pooled(
        effect=mean,
        se=se,
        ci_low=mean - reach,
        ci_high=mean + reach,
        prediction_low=mean - further,
        prediction_high=mean + further,
        tau=float(np.sqrt(tau_sq)),
        i2=max(0.0, float(1 - result.df_resid / result.q)) if result.q > 0 else 0.0,
    )


def mean_with_interval(
    samples: np.ndarray, smallest_error: float, confidence: float
) -> tuple[float, float, float, float]:
    """Mean of a sample (n,), n >= 2, its standard error, and its interval by Student's t.

    smallest_error: of the mean. Steps are whole numbers, so that all seeds may need equally many.
    """
    error = max(float(np.std(samples, ddof=1) / np.sqrt(len(samples))), smallest_error)
    mean = float(np.mean(samples))
    reach = t.ppf((1 + confidence) / 2, len(samples) - 1) * error
    return mean, error, mean - reach, mean + reach
