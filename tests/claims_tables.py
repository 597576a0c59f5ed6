"""Small result tables with known answers, for the tests of the claims."""

from pathlib import Path

import numpy as np
import pandas as pd
from declared import TABLES

from gnn_dynamics.claims.evidence import claim_cells_by_half
from gnn_dynamics.claims.settings import load_claims
from gnn_dynamics.claims.verdicts import judge
from gnn_dynamics.config.grid import KEYS

CLAIMS = Path(__file__).resolve().parents[1] / "config" / "claims.yaml"
RUN = {
    "experiment": "made-up",
    "dataset": "cora",
    "aggregation": "gcn",
    "features": "row",
    "nodes": "train",
    "multiscale": True,
    "activation": "linear",
    "depth": 2,
    "width": 64,
    "init": "default",
    "loss_fn": "squared",
    "optimizer": "flow",
    "lr": np.nan,
    "labels": "true",
    "seed": 0,
}
assert tuple(RUN) == KEYS
OPTIMUM = ("dataset", "aggregation", "features", "nodes", "multiscale", "depth", "labels", "seed")
SEEDS = range(10)
COUNTEREXAMPLES = pd.DataFrame({"case": [], "ratio": []}).astype({"case": object, "ratio": float})


def settings(*claims: str) -> dict:
    """The rule and the claims as the project judges them, or some of the claims."""
    loaded = load_claims(CLAIMS)
    chosen = {c: entry for c, entry in loaded["claims"].items() if not claims or c in claims}
    return {**loaded, "claims": chosen}


def speed_row(hit: float | None = None, end: float = 100.0, **keys) -> dict:
    """A row of speed.parquet; `hit` is a time for the flow and a step otherwise."""
    run = RUN | {"threshold": 0.1, "threshold_kind": "initial", "status": "ok"}
    run = run | {"end_loss": 1.0} | keys
    hit = np.nan if hit is None else hit
    return run | {
        "time_to_threshold": hit,
        "steps_to_threshold": hit,
        "censored": bool(np.isnan(hit)),
        "end_time": end,
        "end_step": end,
        "started_below": hit == 0,
        "loss_reference": "optimum",
    }


def skip_speeds(with_skip, without_skip, seeds=SEEDS, **keys) -> list[dict]:
    """Rows of both models; the functions give the hit for a seed."""
    sides = {True: with_skip, False: without_skip}
    return [
        speed_row(hit(seed), **keys, multiscale=multiscale, seed=seed)
        for multiscale, hit in sides.items()
        for seed in seeds
    ]


def tables(**rows) -> dict[str, pd.DataFrame]:
    """All tables that claims look at, typed and empty but for the rows given."""
    names = ("speed", "gradient_terms", "bounds", "graph_condition", "time_condition")
    frames = {name: _frame(name, rows.get(name, [])) for name in (*names, "training", "optimum")}
    cases = rows.get("counterexamples", [])
    return frames | {"counterexamples": pd.DataFrame(cases) if cases else COUNTEREXAMPLES}


def _frame(name: str, rows: list[dict]) -> pd.DataFrame:
    types = {column: kind.to_pandas_dtype() for column, kind in TABLES[name].types.items()}
    empty = pd.DataFrame({column: pd.Series([], dtype=kind) for column, kind in types.items()})
    return pd.DataFrame(rows) if rows else empty


def judged(*claims: str, **rows) -> pd.DataFrame:
    """claims.parquet of some claims for the rows given, indexed by claim."""
    chosen = settings(*claims)
    return judge(claim_cells_by_half(tables(**rows), chosen), chosen).set_index("claim")
