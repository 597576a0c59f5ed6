"""Made-up tables with a known answer for the figures about step sizes and about predictors.

Depth: each step size has an effect that a formula gives. Predictors: of fifteen graphs the labels'
alignment decides how much true labels help on GCN, and nothing else decides anything.
"""

from itertools import product

import numpy as np
import pandas as pd

from gnn_dynamics.config.grid import KEYS

GRAPHS = tuple(f"graph-{letter}" for letter in "abcdefghijklmno")
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


def predictors(names: tuple[str, ...] = GRAPHS) -> dict[str, pd.DataFrame]:
    """comparisons, graphs, graph_condition and alignment of some graphs, by name of the table."""
    noise = np.random.default_rng(7).normal(size=(3, 2, len(GRAPHS)))
    cells, alignment, condition = [], [], []
    for (a, aggregation), (i, name) in product(enumerate(("gcn", "gin")), enumerate(names)):
        graph = {"dataset": name, "aggregation": aggregation, "depth": 2.0}
        share = (0.05 + 0.06 * i) if aggregation == "gcn" else 0.9 - 0.06 * (4 * i % 15)
        for c, claim in enumerate(("09", "10", "11")):
            planted = claim == "11" and aggregation == "gcn"
            effect = 3 * share if planted else noise[c, a, i]
            seen = {"claim": claim, "multiscale": True, "measure": "flow_time"}
            cells.append(cell(effect, **graph, **seen, optimizer="flow"))
        problem = graph | {"features": "row", "nodes": "train"}
        for scale in (True, False):
            sigma = 10.0 ** -((7 * i) % 15) if scale else 1e9
            condition.append(problem | {"multiscale": scale, "sigma_min_positive_sq": sigma})
            for labels, value in (("true", share), ("permuted", 0.5)):
                row = {"multiscale": scale, "labels": labels, "seed": 0}
                alignment.append(problem | row | {"alignment": value if scale else 0.5})
    homophily = [((4 * i) % 15) / 15 for i in range(len(names))]
    return {
        "comparisons": pd.DataFrame(cells),
        "graphs": pd.DataFrame({"dataset": names, "edge_homophily": homophily}),
        "graph_condition": pd.DataFrame(condition),
        "alignment": pd.DataFrame(alignment),
    }
