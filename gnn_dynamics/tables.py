"""The columns of every result table: their names, types and keys, in one place.

Docstrings of the modules that fill a table say what its columns mean. Types are written down here
since a part may have no rows, or only nulls in a column, and must still fit the other parts.
"""

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from gnn_dynamics.config.grid import KEYS

TEXT, INTEGER, REAL, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
NODES = pa.list_(pa.int64())

KEY_TYPES = dict.fromkeys(KEYS, TEXT) | {
    "multiscale": FLAG,
    "depth": INTEGER,
    "width": INTEGER,
    "lr": REAL,
    "seed": INTEGER,
}
CELL = ("dataset", "aggregation", "features", "nodes", "multiscale", "depth")


@dataclass(frozen=True)
class Table:
    """Column types in order. `keys` identify a row; `optional` columns are null where absent."""

    keys: tuple[str, ...]
    columns: dict[str, pa.DataType]
    optional: dict[str, pa.DataType] = field(default_factory=dict)

    @property
    def types(self) -> dict[str, pa.DataType]:
        """All declared columns, the required ones first."""
        return self.columns | self.optional


def _table(keys: tuple[str, ...], columns: dict, optional: dict | None = None) -> Table:
    typed = {key: KEY_TYPES[key] for key in keys if key not in columns}
    return Table(keys, typed | columns, optional or {})


def _reals(*names: str) -> dict[str, pa.DataType]:
    return dict.fromkeys(names, REAL)


def _integers(*names: str) -> dict[str, pa.DataType]:
    return dict.fromkeys(names, INTEGER)


_GRAPHS = (
    {"dataset": TEXT}
    | _integers("nodes", "edges", "features_count", "classes", "train_nodes")
    | _integers("self_loops_dropped", "duplicate_edges_dropped", "isolated_nodes")
    | _integers("zero_feature_nodes", "unlabelled_nodes")
    | {"edge_homophily": REAL, "max_degree": INTEGER, "source_url": TEXT, "sha256": TEXT}
)
_CONDITION = (
    _integers("rows", "cols", "rank")
    | _reals("sigma_max", "sigma_min", "sigma_min_sq", "sigma_min_positive")
    | _reals("sigma_min_positive_sq")
    | {"condition_holds": FLAG, "culprit_nodes": NODES, "method": TEXT, "relative_gap": REAL}
)
_STEP = {"step": INTEGER}
_BOUNDS = (
    _reals("time", "excess", "bound_paper", "bound_restricted", "bound_integrated")
    | _reals("rate_measured", "rate_paper", "rate_restricted", "rate_sharp")
    | {"holds": FLAG, "vacuous": FLAG}
)
_BOUNDS_MORE = (
    _reals("excess_0", "loss_optimum", "bound_guaranteed", "rate_guaranteed", "max_ratio")
    | _reals("integrator_error", "excess_error", "identity_error")
    | dict.fromkeys(("diverged", "vacuous_restricted", "chain_holds"), FLAG)
    | {"printed_inequality_holds": FLAG}
)
_COMPARISONS = (
    {"claim": TEXT, "cell": TEXT}
    | _reals("effect", "ci_low", "ci_high")
    | _integers("pairs", "wins", "losses", "ties", "undecided")
    | _reals("p_sign", "p_holm")
)
# Beside the statistics: what the cell is, what decides it, and how.
_CELLS = (
    {key: kind for key, kind in KEY_TYPES.items() if key != "seed"}
    | {"measure": TEXT, "threshold": REAL, "threshold_kind": TEXT, "layer": INTEGER}
    | {"case": TEXT, "other": TEXT}
    | _integers("bounded", "not_reached", "started_below", "edge", "not_finite")
    | _reals("best_lr", "best_lr_other", "value", "limit")
    | dict.fromkeys(("state", "reason", "state_half_1", "state_half_2"), TEXT)
)
_CLAIMS = dict.fromkeys(
    ("claim", "statement", "source", "statistic", "verdict", "where_it_fails", "evidence"), TEXT
)
_VERDICTS = (
    {"title": TEXT, "assertion": TEXT}
    | _integers("cells", "supports", "refutes", "undecided", "vacuous")
    | {"seeds_agree": FLAG}
)

TABLES = {
    "graphs": _table(("dataset",), _GRAPHS),
    "graph_condition": _table(
        CELL,
        _CONDITION,
        {"culprit_features": NODES, "second_method": TEXT} | _reals("tolerance", "rank_gap"),
    ),
    "optimum": _table(
        (*CELL, "labels", "seed"),
        _reals("loss_optimum", "label_norm_sq"),
        {"rank": INTEGER, "width_required": INTEGER}
        | _reals("sigma_max", "sigma_min", "sigma_min_positive", "method_gap"),
    ),
    "alignment": _table(
        (*CELL, "labels", "seed"),
        {"directions": INTEGER} | _reals("alignment", "alignment_expected"),
    ),
    "training": _table(
        (*KEYS, "step"),
        _STEP
        | _reals("time", "loss", "grad_norm_sq", "lr_lambda_max")
        | {"loss_increases": INTEGER, "status": TEXT},
        _reals("side_condition", "rate_sharp", "conservation_drift", "lambda_guaranteed")
        | _reals("projected_loss", "local_error")
        | {"form": TEXT},
    ),
    "time_condition": _table(
        (*KEYS, "step", "layer"),
        _STEP | {"layer": INTEGER} | _reals("lambda_min", "lambda_min_restricted"),
        _reals("lambda_min_infimum", "lambda_min_restricted_infimum", "layer_norm_rms"),
    ),
    "bounds": _table((*KEYS, "step"), _STEP | _BOUNDS, _BOUNDS_MORE),
    "gradient_terms": _table(
        (*KEYS, "step", "term", "index"),
        _STEP
        | {"term": TEXT, "index": INTEGER}
        | _reals("value", "grad_norm_sq", "relative_error"),
        _reals("signal", "norm_a_sq", "norm_b_sq", "inner_ab"),
    ),
    "speed": _table(
        (*KEYS, "threshold", "threshold_kind"),
        {"threshold": REAL, "threshold_kind": TEXT, "time_to_threshold": REAL}
        | {"steps_to_threshold": INTEGER, "censored": FLAG, "end_time": REAL},
        {"end_step": INTEGER, "end_loss": REAL, "started_below": FLAG}
        | {"loss_reference": TEXT, "status": TEXT},
    ),
    "guarantees": _table(
        (*KEYS, "fraction"),
        _reals("fraction", "guaranteed_time", "measured_time", "guarantee_ratio"),
    ),
    "descent_limits": _table(
        tuple(key for key in KEYS if key != "lr"),
        _reals("guaranteed_lr", "guaranteed_lr_broken", "restricted_lr", "restricted_lr_broken")
        | {"rates": INTEGER},
    ),
    "negative_results": _table(
        ("statement", "quantity"),
        dict.fromkeys(("statement", "source", "wording", "quantity"), TEXT)
        | {"value": REAL, "expected": TEXT, "verdict": TEXT},
    ),
    "negative_curves": _table(
        ("panel", "curve", "constant", "eps", "x"),
        {"panel": TEXT, "curve": TEXT} | _reals("constant", "eps", "x", "y"),
    ),
    "comparisons": _table(("claim", "cell"), _COMPARISONS, _CELLS),
    "claims": _table(("claim",), _CLAIMS, _VERDICTS),
}
# Tables that training writes in parts, one for each block.
PARTS = ("training", "time_condition", "gradient_terms", "speed")


def table_of(path: str | Path) -> Table | None:
    """The declared table that a file belongs to, from its place; None for any other file.

    `tables/<table>.parquet` is a table, `parts/<table>/...` and `<table>/<dataset>.parquet` parts.
    """
    path = Path(path)
    names = [path.stem, *reversed([folder.name for folder in path.parents])]
    return next((TABLES[name] for name in names if name in TABLES), None)
