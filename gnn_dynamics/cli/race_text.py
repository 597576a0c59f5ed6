"""The words of `gnn-dynamics race`: what race.txt.jinja and race.html fill in, and the advice."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from gnn_dynamics.claims.names import NAMES
from gnn_dynamics.cli.check_text import SKIP
from gnn_dynamics.cli.graph_input import Input
from gnn_dynamics.diagnosis.race import paired_factor

MOST_ROWS = 16
MOST_NAMES = 3
INITS = {"default": "torch's default", "xavier": "Glorot"}
OPTIMIZERS = {"adam": "Adam", "gd": "gradient descent"}
KINDS = {
    "activation": {"relu": "ReLU", "linear": "linear networks"},
    "optimizer": OPTIMIZERS,
    "init": {key: f"the initialisation {name}" for key, name in INITS.items()},
}
Row = Mapping[str, Any]


def words(given: Input, ranked: pd.DataFrame, seeds: int) -> dict[str, Any]:
    """The values of both templates. ranked: as of `ranking`. seeds: of each network."""
    rows = [
        {**row, "network": _network(row), "how": _how(row)} for row in ranked.to_dict("records")
    ]
    return {
        "name": given.graph.name,
        "features": given.features,
        "nodes": given.nodes,
        "understood": given.graph.facts.get("understood", []),
        "unused": given.graph.facts.get("unused", []),
        "finding": finding(rows[0], given.graph.name),
        "advice": advice(rows, paired_factor(ranked, "multiscale", False, True)),
        "rows": rows[:MOST_ROWS],
        "more": len(rows) - MOST_ROWS,
        "absent": _absent(ranked),
        "seeds": seeds,
        "complete": bool((ranked["seeds"] == seeds).all()),
        "cell": cell,
    }


def _network(row: Row) -> str:
    """`GCN skip H=2 ReLU`."""
    names = (NAMES[row["aggregation"]], SKIP[row["multiscale"]], f"H={row['depth']}")
    return " ".join((*names, "ReLU" if row["activation"] == "relu" else "linear"))


def _how(row: Row) -> str:
    return f"{OPTIMIZERS[row['optimizer']]}, {INITS[row['init']]}"


def _absent(ranked: pd.DataFrame) -> list[str]:
    """The kinds of candidates for which there was no time."""
    return [
        name
        for column, names in KINDS.items()
        for value, name in names.items()
        if value not in set(ranked[column])
    ]


def cell(
    value: float | None, form: str = "%.3g", low: float = math.nan, high: float = math.nan
) -> str:
    """A number, with its interval if it has one; `-` where unknown, `no` where not reached."""
    if _unknown(value):
        return "-"
    if value == math.inf:
        return "no"
    interval = "" if math.isnan(low) or low == high else f" ({low:.3g}-{high:.3g})"
    return form % value + interval.replace("inf", "no")


def _unknown(value: float | None) -> bool:
    return value is None or math.isnan(value)


def finding(pick: Row, graph: str) -> str:
    """What the picture shows, as its title."""
    if pick["steps_10"] == math.inf:
        return f"No network reached 10 % of the label norm on {graph}"
    how = f"{pick['network']} with {OPTIMIZERS[pick['optimizer']]}"
    return f"{how} arrives first on {graph}: {pick['steps_10']:.0f} steps to 10 %"


def advice(rows: Sequence[Row], skips: tuple[float, int]) -> list[str]:
    """Sentences on the pick, the first of `rows`. skips: as of `paired_factor`."""
    pick = rows[0]
    if pick["steps_10"] == math.inf:
        return [
            "No network reached 10 % of the label norm; the lowest loss at the end,"
            f" {pick['end_loss']:.2g} of the label norm, has {pick['network']}."
            " Try --features standard or row, or more time (--minutes)."
        ]
    first = [_choice(rows), *_noise(rows), *_further(rows)]
    return [*first, *_skips(*skips), *_optimum(rows), *_accuracy(rows)]


def _choice(rows: Sequence[Row]) -> str:
    pick, missed = rows[0], sum(row["steps_10"] == math.inf for row in rows)
    worst = max((row["slower"] for row in rows if math.isfinite(row["slower"])), default=1.0)
    cost = f"another choice costs up to {worst:.3g} times as many"
    cost += f", and {missed} of {len(rows)} did not get there" if missed else ""
    return (
        f"Take {pick['network']} with {pick['how']}: {pick['steps_10']:.0f} steps at the learning"
        f" rate {pick['best_lr']:.2g} reach 10 % of the label norm; {cost}."
    )


def _noise(rows: Sequence[Row]) -> Iterator[str]:
    close = dict.fromkeys(row["network"] for row in rows[1:] if row["slower_low"] <= 1)
    more = f" and {len(close) - MOST_NAMES} more" if len(close) > MOST_NAMES else ""
    if rows[0]["seeds"] < 2:
        yield "It was trained from one seed only, so small differences may be noise."
    elif close:
        named = ", ".join([*close][:MOST_NAMES])
        yield f"As fast within the noise of the seeds: {named}{more}."


def _further(rows: Sequence[Row]) -> Iterator[str]:
    """Whether another network is faster to 1 %, of those that were trained so far."""
    known = [row for row in rows if math.isfinite(row["steps_1"])]
    best = min(known, key=lambda row: row["steps_1"], default=None)
    if best is not None and best["network"] != rows[0]["network"]:
        own = rows[0]["steps_1"]
        against = "does not get there" if own == math.inf else f"needs {own:.0f}"
        against = "was not tried" if math.isnan(own) else against
        yield (
            f"To 1 %, {best['network']} is the fastest of {len(known)} that got there:"
            f" {best['steps_1']:.0f} steps; the pick {against}."
        )


def _skips(factor: float, pairs: int) -> Iterator[str]:
    """factor: of the steps without skip connections over those with them."""
    if pairs:
        effect = f"{max(factor, 1 / factor):.2g} times {'fewer' if factor > 1 else 'more'} steps"
        effect = "no difference" if math.isclose(factor, 1, rel_tol=0.05) else effect
        yield f"Skip connections take {effect} (median over {pairs} pairs)."


def _optimum(rows: Sequence[Row]) -> Iterator[str]:
    pick = rows[0]["lowest_loss"]
    lowest = min((row["lowest_loss"] for row in rows if row["lowest_loss"] >= 0), default=0.0)
    if pick > lowest + 0.1:
        yield (
            f"It cannot get below {pick:.2g} of the label norm, others can get to"
            f" {lowest:.2g}: it arrives early because it has less to learn."
        )


def _accuracy(rows: Sequence[Row]) -> Iterator[str]:
    known = [row for row in rows if not _unknown(row["val_accuracy"])]
    if known:
        best = max(known, key=lambda row: row["val_accuracy"])
        against = rows[0]["val_accuracy"]
        if best is rows[0]:
            yield f"It also has the best validation accuracy, {against:.3g}."
        else:
            has = f"{best['network']} has the best validation accuracy, {best['val_accuracy']:.3g}"
            yield f"Speed is not accuracy: {has}, against {cell(against)}."
