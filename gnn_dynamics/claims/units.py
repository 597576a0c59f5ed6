"""Units of effects, and what an interval says in each of them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

LOG2, POINTS, RHO = "log2", "points", "rho"
VARIES, OPEN = "depends on the graph", "not enough evidence"


class Findings(NamedTuple):
    """What an effect is called above the margin, below it on the other side, and within it."""

    above: str
    below: str
    within: str


FINDINGS = {
    LOG2: Findings("faster", "slower", "no difference"),  # log2 ratios of times
    POINTS: Findings("better", "worse", "no difference"),  # differences of accuracy
    RHO: Findings("same order", "opposite order", "no relation"),  # rank correlations
}
FASTER, SLOWER, EQUAL = FINDINGS[LOG2]
ABOVE, BELOW, WITHIN = ({kind[i] for kind in FINDINGS.values()} for i in range(3))
# The unit of each measure. Strata are listed in the order of their measures.
MEASURES = {
    **dict.fromkeys(("flow_time", "scaled_flow_time", "gd_steps", "adam_steps"), LOG2),
    **{"deep_accuracy": POINTS, "accuracy": POINTS, "deep_steps": LOG2, "validated_steps": LOG2},
    "twin_order": RHO,
}


ENDS = ("ci_low", "ci_high", "prediction_low", "prediction_high")  # of the intervals of an effect


class Scale(NamedTuple):
    """A unit with its margin, within which nothing counts as a difference, and smallest error."""

    unit: str
    margin: float
    smallest_error: float

    def weighing(self, errors: np.ndarray) -> np.ndarray:
        """Standard errors (k,) by which graphs are weighed: of rank correlations, the same for all.

        The nearer to 1 a correlation is, the smaller its error, so that such graphs would dominate.
        """
        return np.full_like(errors, np.sqrt(np.mean(errors**2))) if self.unit == RHO else errors

    def clipped(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row with the ends of its intervals among the values that the unit has."""
        if self.unit != RHO:
            return {**row}
        return {**row} | {end: float(np.clip(row[end], -1, 1)) for end in ENDS if end in row}

    def finding(self, row: Mapping[str, float], both_sides: bool = False) -> str:
        """What an interval says.

        both_sides: enough graphs are above and enough are below, each by its own interval. The
        answer depends on the graph then, if the prediction interval reaches beyond the margin on
        both sides.
        """
        findings, margin = FINDINGS[self.unit], self.margin
        if both_sides and row["prediction_low"] < -margin and row["prediction_high"] > margin:
            return VARIES
        if row["ci_low"] > margin:
            return findings.above
        if row["ci_high"] < -margin:
            return findings.below
        if -margin < row["ci_low"] and row["ci_high"] < margin:
            return findings.within
        return OPEN


def scales(rule: Mapping[str, Any]) -> dict[str, Scale]:
    """The scale of each unit, by `rule` of config/claims.yaml."""
    endpoint, ratio = rule["endpoint"], rule["comparison"]["smallest_ratio"]
    log2 = Scale(LOG2, float(np.log2(ratio)), endpoint["smallest_error"])
    return {LOG2: log2} | {unit: Scale(unit, **kw) for unit, kw in endpoint["units"].items()}
