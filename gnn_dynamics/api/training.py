"""Training of K models side by side, the bounds of the theorems along the runs, and comparisons."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypedDict, TypeVar, Unpack

import numpy as np
import pandas as pd

from gnn_dynamics.api.project import check_settings, config_file
from gnn_dynamics.artifacts.parquet import stacked
from gnn_dynamics.claims.bounds import bounds_table
from gnn_dynamics.claims.comparisons import summarise
from gnn_dynamics.claims.frames import splits_as_seeds
from gnn_dynamics.claims.pairs import outcomes, pair_runs
from gnn_dynamics.config.grid import OPTIMUM_KEYS, blocks, own_functions
from gnn_dynamics.config.schema import read_checked
from gnn_dynamics.data.graph import Graph
from gnn_dynamics.errors import UserError
from gnn_dynamics.runs.block import train_block
from gnn_dynamics.runs.functions import refresh
from gnn_dynamics.spectra.optimum import block_optimum

Value = TypeVar("Value")
OneOrMore: TypeAlias = Value | Sequence[Value]
COMPARED = ("multiscale", "depth", "labels")


class Settings(TypedDict, total=False):
    """Keys of an experiment in config/README.md; a list stands for each of its values."""

    aggregation: OneOrMore[str]
    features: OneOrMore[str]
    nodes: OneOrMore[str]
    multiscale: OneOrMore[bool]
    activation: OneOrMore[str]
    depth: OneOrMore[int]
    width: OneOrMore[int]
    init: OneOrMore[str]
    loss_fn: OneOrMore[str]
    optimizer: OneOrMore[str]
    lr: OneOrMore[float] | str
    labels: OneOrMore[str]
    seed: OneOrMore[int]
    observe: OneOrMore[str]
    thresholds: OneOrMore[float]
    steps: int
    record: int
    spacing: str
    tolerance: float
    integrator: str
    stop_early: bool
    precision: str


SINGLE = ("steps", "record", "spacing", "tolerance", "integrator", "stop_early", "precision")
DEFAULTS: Settings = {
    "aggregation": "gcn",
    "features": "raw",
    "nodes": "train",
    "multiscale": False,
    "activation": "linear",
    "depth": 2,
    "width": 64,
    "init": "default",
    "loss_fn": "squared",
    "optimizer": "flow",
    "labels": "true",
    "seed": range(5),
    "steps": 3000,
    "record": 41,
}


@dataclass(frozen=True)
class Runs:
    """What `train` returns: tables with the columns of the workflow's Parquet files of these names.

    The first columns of a row, from `experiment` to `seed`, identify its run.

    Attributes:
        training: one row for each run and recorded step: time, loss, grad_norm_sq, status, ...
        time_condition: also for each layer: lambda_min; no rows unless observed.
        gradient_terms: also for each term of dL/dt: value >= 0; no rows unless observed.
        speed: one row for each run and threshold: time_to_threshold, steps_to_threshold, ...
        optimum: L* of each linear model with squared loss.

    Examples:
        >>> from gnn_dynamics import load_dataset
        >>> runs = train(load_dataset("wine"), features="standard", observe="gradient_terms")
        >>> sorted(set(runs.gradient_terms["term"]))
        ['head', 'layer']
    """

    training: pd.DataFrame
    time_condition: pd.DataFrame
    gradient_terms: pd.DataFrame
    speed: pd.DataFrame
    optimum: pd.DataFrame


def train(
    graph: Graph, *, name: str = "train", device: str = "cpu", **settings: Unpack[Settings]
) -> Runs:
    """Train a model for each combination of the settings, side by side.

    Args:
        graph: of `load_dataset`, `read_graph` or `make_graph`.
        name: fills the column `experiment`.
        device: cpu or cuda.
        settings: keys of an experiment, explained in config/README.md. A list stands for each of
            its values; `file.py:function` is an own function (docs/extend.md). Default: gradient
            flow of a linear GCN with 2 hidden layers of width 64, no skip connections, squared
            loss, raw features, seeds 0 to 4. For `gd`, `adam` and the like, `lr` is by default
            "auto": each model gets rates around its best one.

    Returns:
        The tables of all runs. Loss in units of ||Y||^2 (squared) or nats per label
        (cross-entropy); time is the sum of step sizes.

    Raises:
        UserError: naming every wrong setting and the allowed values.

    Source: Xu et al. 2021, arXiv 2105.04550, Definitions 1 and 2; docs/theory.md has the
    integrators.

    Examples:
        >>> from gnn_dynamics import load_dataset
        >>> runs = train(load_dataset("wine"), features="standard", depth=[1, 2], seed=[0])
        >>> losses = runs.training.groupby("depth")["loss"].agg(["first", "last"])
        >>> (losses["last"] < 0.1 * losses["first"]).tolist()
        [True, True]
    """
    experiment = _experiment(graph, name, settings)
    parts: list[dict[str, pd.DataFrame]] = []
    for block in blocks({"experiments": [experiment]}):
        optimum = block_optimum(graph, experiment, block)
        tables = train_block(graph, experiment, block, optimum, device)
        parts.append(tables | {"optimum": optimum})
    joined = {table: stacked([part[table] for part in parts]) for table in parts[0]}
    if len(joined["optimum"]):  # linear and ReLU networks share a row
        joined["optimum"] = joined["optimum"].drop_duplicates([*OPTIMUM_KEYS], ignore_index=True)
    return Runs(**joined)


def _experiment(graph: Graph, name: str, settings: Settings) -> dict[str, Any]:
    """An experiment of the configuration, checked."""
    given = {**DEFAULTS, **settings}
    experiment = {key: value if key in SINGLE else _listed(value) for key, value in given.items()}
    flows = experiment["optimizer"] == ["flow"]
    if flows and "lr" in experiment:
        raise UserError("train:\n  lr: gradient flow has no step size; leave it out")
    names = {"name": name, "datasets": [graph.name]}
    experiment = names | ({} if flows else {"lr": "auto"}) | experiment
    check_settings("train", experiment, "schema.yaml", "experiment")
    refresh(own_functions(experiment))
    return experiment


def _listed(value: Any) -> Any:
    """The value or values as a list of Python's types; `auto` as it is."""
    automatic = isinstance(value, str) and value == "auto"
    return value if automatic else np.atleast_1d(value).tolist()


def bounds(runs: Runs) -> pd.DataFrame:
    """The bounds of Theorems 1 and 2 at each recorded step of the gradient flows of linear models.

    Returns:
        The columns of bounds.parquet: time, excess (L - L*), bound_paper, bound_restricted and
        bound_integrated on the excess, rates per unit of time, holds, vacuous and others.

    Raises:
        UserError: if no gradient flow with squared loss recorded the time condition.

    Source: Xu et al. 2021, arXiv 2105.04550, Theorems 1 and 2(i); docs/theory.md.

    Examples:
        >>> from gnn_dynamics import load_dataset
        >>> observe = ["time_condition", "rates"]
        >>> wine = load_dataset("wine")
        >>> table = bounds(train(wine, features="standard", seed=0, observe=observe))
        >>> bool(table["holds"].all()), bool((table["excess"] <= table["bound_paper"]).all())
        (True, True)
    """
    flows = runs.training["optimizer"].eq("flow") & runs.training["loss_fn"].eq("squared")
    if runs.time_condition.empty or not flows.any():
        raise UserError(
            "bounds: no gradient flow with squared loss recorded the time condition; call train"
            ' with optimizer="flow", observe=["time_condition", "rates"]'
        )
    return bounds_table(runs.training, runs.time_condition, runs.optimum)


@dataclass(frozen=True)
class Comparison:
    """What `compare` returns.

    Attributes:
        pairs: one row for each pair of runs and threshold: hit_a, hit_b (time or steps, null if not
            reached), outcome (win, loss, tie, undecided), reason, effect = log2(hit_b / hit_a).
        cells: one row for each setting with all its seeds: effect (median), ci_low, ci_high, wins,
            losses, p_sign, p_holm, state; columns of comparisons.parquet.
    """

    pairs: pd.DataFrame
    cells: pd.DataFrame


def compare(runs: Runs, by: str) -> Comparison:
    """Which of two models is faster, in pairs of runs that differ in one key and share the seed.

    Side a has skip connections, is the deeper of two neighbouring depths, or has the true labels.
    An effect of 1 means that it is twice as fast.

    Args:
        runs: with both sides.
        by: multiscale, depth or labels.

    Raises:
        UserError: for another key, or without any pair.

    Source: docs/claims.md; the rule is `rule.comparison` of config/claims.yaml.

    Examples:
        >>> from gnn_dynamics import load_dataset
        >>> runs = train(load_dataset("wine"), features="standard", multiscale=[False, True])
        >>> cells = compare(runs, "multiscale").cells.set_index("measure")
        >>> int(cells.loc["scaled_flow_time", "pairs"])
        5
    """
    if by not in COMPARED:
        raise UserError(f"compare: by={by!r} is not allowed; choose one of {', '.join(COMPARED)}")
    rule = read_checked(config_file("claims.yaml"))["rule"]
    pairs = outcomes(pair_runs(splits_as_seeds(runs.speed), by), rule["comparison"]["tie_log2"])
    if pairs.empty:
        raise UserError(f"compare: no two runs differ in {by} alone; train with two values of it")
    return Comparison(pairs, summarise(pairs, by, by, rule))
