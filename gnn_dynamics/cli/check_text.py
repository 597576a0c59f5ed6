"""The report of `gnn-dynamics check`: rows grouped with pandas, worded in check.txt.jinja.

A cell is a pair (model, depth), such as ("GCN no skip", 2).
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.artifacts.templates import render
from gnn_dynamics.diagnosis import causes, repairs
from gnn_dynamics.diagnosis.analysis import Analysis, in_words

MOST_CAUSES = 12
MOST_IDS = 8
SKIP = {False: "no skip", True: "skip"}
REPAIR_WORDS = {repairs.SKIP_CONNECTIONS: "skip connections"}
Cells = Iterable[tuple[str, int]]


def report(analysis: Analysis, features: str, nodes: str) -> str:
    """The whole report, with the names of the nodes in the user's file, if any."""
    condition = _with_cells(analysis.condition, analysis.condition[0]).sort_values("cell")
    failing = condition[~condition["condition_holds"].astype(bool)]
    tried = _with_cells(analysis.repairs, repairs.REPAIRS.columns).replace({"repair": REPAIR_WORDS})
    helpful = tried[tried["holds"].astype(bool)]
    values = {
        "analysis": analysis,
        "features": features,
        "nodes": nodes,
        "condition": condition.to_dict("records"),
        "failing": list(failing["cell"]),
        "causes": _causes(_with_cells(analysis.causes, causes.CAUSES.columns)),
        "most_causes": MOST_CAUSES,
        "tried": tried["repair"].unique(),
        "repairs": helpful.groupby(["repair", "left_out"], sort=False)["cell"].agg(list).to_dict(),
        "unrepaired": set(failing["cell"]) - set(helpful["cell"]),
        "more_nodes_than_rows": (condition["rows"] < condition["cols"]).any(),
        "converges": np.isfinite(failing["half_life"]).all(),
        "aligned": aligned,
        "understood": analysis.graph.facts.get("understood", []),
        "listed": partial(_listed, names=analysis.graph.facts.get("node_names")),
        "where": partial(_where, total=len(condition)),
        "speeds": _speeds,
        "span": _span,
    }
    return render("gnn_dynamics.cli", "check.txt.jinja", values)


def _with_cells(rows: Sequence[Mapping[str, Any]], columns: Iterable[str]) -> pd.DataFrame:
    """The rows with the columns skip, model and cell, and lists as tuples."""
    frame = pd.DataFrame([*rows], columns=[*columns])
    frame["skip"] = frame["multiscale"].map(SKIP)
    frame["model"] = frame["aggregation"].str.upper() + " " + frame["skip"]
    frame["cell"] = list(zip(frame["model"], frame["depth"], strict=True))
    for name in {"members", "left_out"} & {*columns}:
        frame[name] = frame[name].map(tuple)
    return frame


def _causes(rows: pd.DataFrame) -> list[tuple[str, list[int], str, Cells]]:
    """Kind, ids, reason and cells; single ids of equal kind, reason and cells are one cause."""
    by_cause = rows.groupby(["kind", "members", "reason"], sort=False)["cell"].agg(tuple)
    lines = by_cause.reset_index()
    lines["group"] = [members if len(members) != 1 else () for members in lines["members"]]
    return [
        (kind, [*chain(*part["members"])], reason, cells)
        for (kind, reason, cells, _), part in lines.groupby(
            ["kind", "reason", "cell", "group"], sort=False
        )
    ]


def aligned(table: str, left: int = 2) -> str:
    """Lines of cells, separated by |, as columns; the first `left` ones are aligned to the left."""
    rows = [line.split("|") for line in table.splitlines()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    line = "  ".join(f"{{:{'<' if k < left else '>'}{width}}}" for k, width in enumerate(widths))
    return "\n".join("  " + line.format(*row) for row in rows)


def _speeds(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, list[int]]]:
    """The speed of training in words, and the successive depths at which it is the same."""
    by_speed = groupby(rows, lambda row: in_words(row["descent_steps"]))
    return [(words, [row["depth"] for row in part]) for words, part in by_speed]


def _listed(kind: str, ids: Sequence[int], names: Sequence[str] | None) -> str:
    """`node 3`, or `nodes 0 (a), 1 (b), ... (9 in all)` with the names of the user's file."""
    if not ids:
        return f"{kind}s"
    names = names if kind == "node" else None
    shown = [f"{k} ({names[k]})" if names else str(k) for k in ids[:MOST_IDS]]
    more = f", ... ({len(ids)} in all)" if len(ids) > MOST_IDS else ""
    return f"{kind}{'s' if len(ids) > 1 else ''} {', '.join(shown)}{more}"


def _where(cells: Cells, total: int) -> str:
    """`GCN no skip H = 1-4, GIN no skip H = 1`, or `everywhere` for all cells."""
    ordered = sorted(cells)
    if len(ordered) == total:
        return "everywhere"
    by_model = groupby(ordered, itemgetter(0))
    return ", ".join(f"{model} H = {_span([depth for _, depth in p])}" for model, p in by_model)


def _span(depths: Sequence[int]) -> str:
    """`1-4`, or `1, 3` with gaps; depths are ascending."""
    first, last = depths[0], depths[-1]
    if len(depths) == last - first + 1:
        return str(first) if first == last else f"{first}-{last}"
    return ", ".join(map(str, depths))
