"""Made-up tables with a known answer for the figures about step sizes and about predictors.

Depth: each step size has an effect that a formula gives. Predictors: linear twins have the order of
the ReLU networks, on every graph.
"""

from itertools import product

import numpy as np
import pandas as pd
import ranking_tables
from claims_tables import settings, tables
from ranking_tables import slow, worlds

from gnn_dynamics.claims.rankings import predictions, rankings
from gnn_dynamics.config.grid import KEYS

RATES = (1e-4, 1e-3, 1e-2)
PAIRS = ((4, 2), (6, 4))
SETTING = {"features": "row", "nodes": "train", "activation": "linear", "width": 64.0}
SETTING |= {"init": "default", "loss_fn": "squared", "labels": "true"}
COUNTS = ("bounded", "not_reached", "started_below", "edge", "not_finite", "ties", "undecided")


def cell(effect: float, **values) -> dict:
    """One row of comparisons.parquet; supports, refutes or disagrees as the effect says."""
    clear = abs(effect) > 0.1
    row = {
        **SETTING,
        **dict.fromkeys(COUNTS, 0),
        "cell": ", ".join(map(str, values.values())),
        "effect": effect,
        "ci_low": effect - 0.1,
        "ci_high": effect + 0.1,
        "pairs": 5,
        "state": ("supports" if effect > 0 else "refutes") if clear else "undecided",
        "reason": "as claimed" if clear else "seeds disagree",
        "threshold": 0.1,
        "threshold_kind": "loss",
    }
    return row | values


def effect_at(depth: int, lr: float) -> float:
    """What depth gains: much in flow time (lr = 0), less by half a unit with each decade."""
    return depth / 4 - 0.5 * (np.log10(lr) + 4 if lr else -1)


def depth_cells() -> pd.DataFrame:
    """Claim 10 on cora with all three measures, on wine in flow time only."""
    rows = []
    for scale, (depth, other), threshold in product((True, False), PAIRS, (0.5, 0.1)):
        pair = {"claim": "10", "dataset": "cora", "aggregation": "gcn", "multiscale": scale}
        pair |= {"depth": float(depth), "other": str(other), "threshold": threshold}
        flow = {"measure": "flow_time", "optimizer": "flow"}
        rows.append(cell(effect_at(depth, 0), **pair, **flow))
        rows.append(cell(-1.0, **pair | {"dataset": "wine"}, **flow))
        for lr in RATES:
            steps = {"measure": "equal_lr_steps", "optimizer": "gd", "lr": lr}
            rows.append(cell(effect_at(depth, lr), **pair, **steps))
        best = {"measure": "best_lr_steps", "optimizer": "gd"}
        best |= {"best_lr": best_rate(depth), "best_lr_other": best_rate(other)}
        rows.append(cell(-0.5, **pair, **best))
    return pd.DataFrame(rows)


def best_rate(depth: int) -> float:
    return 1e-2 if depth == 2 else 1e-3


def descent() -> pd.DataFrame:
    """Rows of gradient descent on cora whose lr * lambda_max is 50 depth lr; H = 6 diverges."""
    rows = []
    for scale, depth, lr, seed in product((True, False), (2, 4, 6), RATES, range(5)):
        run = SETTING | {"experiment": "descent", "dataset": "cora", "aggregation": "gcn"}
        run |= {"multiscale": scale, "depth": depth, "lr": lr, "seed": seed, "optimizer": "gd"}
        lost = depth == 6 and lr == RATES[-1] and seed < 2
        for step, share in ((0, 0.1), (100, 1.0), (200, 0.5)):
            row = {"step": step, "loss": 1.0, "lr_lambda_max": share * 50 * depth * lr}
            rows.append(run | row | {"status": "diverged" if lost and step == 200 else "ok"})
    return pd.DataFrame(rows)[[*KEYS, "step", "loss", "lr_lambda_max", "status"]]


def predicted(graphs: int) -> pd.DataFrame:
    """predictions.parquet of ReLU networks that their linear twins predict."""
    rows = tables(**worlds(dict.fromkeys(ranking_tables.GRAPHS[:graphs], slow)))
    rule = settings()["rule"]
    return predictions(rankings(rows, rule), rule)
