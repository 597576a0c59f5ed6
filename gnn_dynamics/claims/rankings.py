"""Which architecture of a graph trains fastest, and which predictor knows it beforehand.

Architectures are the depths, with and without skips, of one aggregation on one graph in the primary
setting. They are sorted by the measures of the endpoint, at one training loss that all of them can
reach. Each predictor is a number that is known before the network is trained (PREDICTORS); more of
it shall mean faster. Ranks are compared for each seed within a graph.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from gnn_dynamics.artifacts.table import FLAG, Table, integers, reals, texts
from gnn_dynamics.claims.evidence import POOLED, in_setting, stratum_rows
from gnn_dynamics.claims.frames import Tables, select, splits_as_seeds
from gnn_dynamics.claims.pair_target import PAIR, crossings
from gnn_dynamics.claims.pairs import best_rates, measured
from gnn_dynamics.claims.units import RHO, scales
from gnn_dynamics.config.grid import KEYS, OPTIMUM_KEYS

ARCHITECTURE = ["multiscale", "depth"]
MODEL = [key for key in KEYS if key not in ("experiment", "optimizer", "lr")]
# Architectures that agree on these are ranked.
GROUP = ["measure", "aggregation", "activation", "init", "dataset", "seed"]
GROUP += ["experiment", "features", "nodes", "width"]
PREDICTORS = {
    "lambda_start": "largest curvature at the start",
    "initial_speed": "speed at the start",
    "scaled_speed": "speed / curvature at the start",
    "linear_twin": "linear twin, same optimizer",
    "skips": "always skips",
    "shallow": "fewer layers",
    "flops": "fewer FLOPs",
}
PREDICTIONS = Table(
    keys=("measure", "aggregation", "activation", "init", "predictor", "graph"),
    columns=texts("measure", "aggregation", "activation", "init", "predictor", "graph")
    | reals("rho", "ci_low", "ci_high", "regret", "best", "right")
    | integers("architectures", "graphs", "seeds")
    | {"primary": FLAG},
    optional=reals("prediction_low", "prediction_high", "tau", "i2", "regret_at_random")
    | texts("finding"),
)

Rule = Mapping[str, Any]


def architectures(tables: Tables, rule: Rule) -> pd.DataFrame:
    """One row for each architecture, seed and measure: hit, end, and every predictor.

    Args:
        tables: speed, training, optimum and graphs.
        rule: of config/claims.yaml.
    """
    speed = splits_as_seeds(select(tables["speed"], {"threshold_kind": PAIR, "labels": "true"}))
    times = at_common_loss(_beside_twins(speed))
    endpoint, frames = rule["endpoint"], []
    for measure in endpoint["predictors"]:
        runs = endpoint["measures"][measure]
        rows = in_setting(select(times, runs), endpoint).assign(measure=measure)
        rows = _largest_experiments(rows)
        frames.append(_with_twins(rows, select(times, {**runs, "activation": "linear"})))
    return _with_facts(pd.concat(frames, ignore_index=True), tables, speed)


def _beside_twins(speed: pd.DataFrame) -> pd.DataFrame:
    """Rows of an experiment `name-relu` or `name-linear` count as rows of `name`.

    So twins may have fewer steps. Runs that `name` has itself come first.
    """
    base = speed["experiment"].str.replace("-(relu|linear)$", "", regex=True)
    own = np.argsort(base != speed["experiment"], kind="stable")
    rows = speed.assign(experiment=base).iloc[own]
    return rows.drop_duplicates([*KEYS, "threshold"])


def at_common_loss(speed: pd.DataFrame) -> pd.DataFrame:
    """The measures of every run at the lowest loss that all architectures of a group reach."""
    group = [key for key in KEYS if key not in (*ARCHITECTURE, "lr")]
    own = speed.groupby([*group, *ARCHITECTURE])["threshold"].min()
    target = own.groupby(group).max().rename("target").reset_index()
    rows = crossings(speed.merge(target, on=group))
    flow = rows["optimizer"] == "flow"
    return pd.concat([measured(rows[flow]), best_rates(rows[~flow])], ignore_index=True)


def _largest_experiments(rows: pd.DataFrame) -> pd.DataFrame:
    """Where experiments overlap, the one with most architectures; then the first by name."""
    graph = ["aggregation", "activation", "init", "dataset"]
    sizes = rows.drop_duplicates([*graph, "experiment", *ARCHITECTURE])
    sizes = sizes.groupby([*graph, "experiment"]).size().rename("size").reset_index()
    largest = sizes.sort_values(["size", "experiment"], ascending=[False, True])
    return rows.merge(largest.drop_duplicates(graph)[[*graph, "experiment"]])


def _with_twins(rows: pd.DataFrame, linear: pd.DataFrame) -> pd.DataFrame:
    """Add linear_twin, less the time of the linear network; null where that was not trained."""
    keys = [key for key in KEYS if key not in ("activation", "lr")]
    twins = linear.assign(linear_twin=-linear["hit"].fillna(np.inf))[[*keys, "linear_twin"]]
    rows = rows.merge(twins, on=keys, how="left")
    return rows.assign(linear_twin=rows["linear_twin"].where(rows["activation"] != "linear"))


def _with_facts(rows: pd.DataFrame, tables: Tables, speed: pd.DataFrame) -> pd.DataFrame:
    """Add the other predictors: facts of the start, and those that need no computation."""
    start = tables["training"]
    start = splits_as_seeds(start[start["step"] == 0])
    optima = splits_as_seeds(tables["optimum"])[[*OPTIMUM_KEYS, "loss_optimum"]]
    start = start.merge(optima, on=list(OPTIMUM_KEYS), how="left")
    known = (start["loss_fn"] == "squared") & (start["activation"] == "linear")
    excess = start["loss"] - start["loss_optimum"].where(known, 0.0)
    # Descent records the curvature times its rate, where `observe` asks for the sharpness.
    start = start.assign(
        initial_speed=start["grad_norm_sq"] / excess, sharpness=start["lr_lambda_max"] / start["lr"]
    )
    rows = rows.merge(
        start.groupby(MODEL)[["initial_speed", "sharpness"]].first(), on=MODEL, how="left"
    )
    rows = rows.merge(speed.groupby(MODEL)["lambda_start"].first(), on=MODEL, how="left")
    rows["lambda_start"] = rows["lambda_start"].fillna(rows["sharpness"])
    facts = tables["graphs"].set_index("dataset")[["features_count", "classes"]]
    inputs, classes = (rows["dataset"].map(facts[name]).astype(float) for name in facts)
    heads = rows["width"] * classes * np.where(rows["multiscale"], rows["depth"], 1)
    heads += np.where(rows["multiscale"], inputs * classes, 0)
    return rows.assign(
        scaled_speed=rows["initial_speed"] / rows["lambda_start"],
        skips=rows["multiscale"].astype(float),
        shallow=-rows["depth"].astype(float),
        flops=-(inputs * rows["width"] + (rows["depth"] - 1) * rows["width"] ** 2 + heads),
    )


def rankings(tables: Tables, rule: Rule) -> pd.DataFrame:
    """How well each predictor ranks the architectures of each graph, for each seed.

    Args:
        tables: speed, training, optimum and graphs.
        rule: of config/claims.yaml.

    Returns:
        Columns GROUP, predictor, architectures and those of `compare`.
    """
    fewest = rule["endpoint"]["minimum_architectures"]
    rows = [
        {**dict(zip(GROUP, key, strict=True)), **row}
        for key, group in architectures(tables, rule).groupby(GROUP)
        if len(group) >= fewest and group["hit"].notna().any()
        for row in _of_group(group)
    ]
    names = ("predictor", "architectures", "effect", "regret", "regret_at_random", "best", "right")
    return pd.DataFrame(rows, columns=[*GROUP, *names])


def _of_group(group: pd.DataFrame) -> Iterator[dict[str, Any]]:
    hit = group["hit"].fillna(np.inf).to_numpy()
    for predictor in PREDICTORS:
        score = group[predictor].to_numpy(float)
        if not np.isnan(score).any():
            row = compare(hit, group["end"].to_numpy(), score)
            yield {"predictor": predictor, "architectures": len(group), **row}


def compare(hit: np.ndarray, end: np.ndarray, score: np.ndarray) -> dict[str, float]:
    """A predictor against the times of the architectures (k,).

    Args:
        hit: times, infinite where the loss was not reached.
        end: times at which the runs ended.
        score: the predictor; more of it shall mean faster.

    Returns:
        effect: rank correlation, null where the times or the scores are all equal.
        regret: log2(time of the architecture with the highest score / time of the fastest), the
            mean over ties. The end of a run that did not reach the loss underestimates it.
        regret_at_random: the same for an architecture that is picked at random.
        best: share of the picks that are the fastest.
        right: share of the pairs with different times and scores that are ordered right.
    """
    taken = np.log2(np.where(np.isfinite(hit), hit, np.fmax(end, hit.min())) / hit.min())
    picked = score == score.max()
    faster, higher = (np.sign(x[:, None] - x) for x in (rankdata(-hit), rankdata(score)))
    pairs = (faster * higher) != 0
    ranks = [rankdata(x) - (len(x) + 1) / 2 for x in (-hit, score)]
    norm = np.sqrt(np.prod([np.sum(x**2) for x in ranks]))
    return {
        "effect": float(ranks[0] @ ranks[1] / norm) if norm else np.nan,
        "regret": float(taken[picked].mean()),
        "regret_at_random": float(taken.mean()),
        "best": float((hit[picked] == hit.min()).mean()),
        "right": float((faster == higher)[pairs].mean()) if pairs.any() else np.nan,
    }


def predictions(ranked: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """The rows of `predictions.parquet`: each predictor on each graph, and pooled.

    rho is the mean over seeds of rank correlations, `pooled` over graphs as in evidence.py; the
    other numbers are means over seeds, and over graphs. regret is a factor, its geometric mean.
    """
    endpoint, scale = rule["endpoint"], scales(rule)[RHO]
    keys = ["measure", "aggregation", "activation", "init", "predictor"]
    means = ["regret", "regret_at_random", "best", "right"]
    rows = []
    for key, part in _as_pairs(ranked).groupby(keys):
        about = dict(zip(keys, key, strict=True))
        graphs = part.groupby("dataset")[[*means, "architectures"]].mean()
        every = {**graphs.T.to_dict(), POOLED: graphs.mean().to_dict()}
        primary = endpoint["predictors"][about["measure"]] == about["predictor"]
        for row in stratum_rows(part, endpoint, scale):
            rows.append({**about, **row, **every[row["graph"]], "primary": primary})
    names = ["effect" if name == "rho" else name for name in PREDICTIONS.types]
    table = pd.DataFrame(rows, columns=names).rename(columns={"effect": "rho"})
    regrets = {name: 2.0 ** table[name].astype(float) for name in means[:2]}
    return table.assign(**regrets, architectures=table["architectures"].astype(float).round())


def _as_pairs(ranked: pd.DataFrame) -> pd.DataFrame:
    """With the columns that evidence.py asks for; a ranking without a correlation is undecided."""
    undecided = ranked["effect"].isna()
    outcome = np.where(undecided, "undecided", "decided")
    absent = {"multiscale": pd.NA, "depth": pd.NA, "threshold_kind": PAIR, "other": ""}
    return ranked.assign(outcome=outcome, bound=False, reason="", **absent)


def twin_orders(ranked: pd.DataFrame) -> pd.DataFrame:
    """The pairs of claim 13: for each graph and seed, linear twins against ReLU networks."""
    twins = ranked[(ranked["measure"] == "adam_steps") & (ranked["predictor"] == "linear_twin")]
    absent = dict.fromkeys(("optimizer", "loss_fn"), pd.NA)
    return _as_pairs(twins).assign(measure="twin_order", **absent)
