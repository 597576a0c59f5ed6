"""The report of `gnn-dynamics check`: rows grouped with pandas, worded in check.txt.jinja.

A cell is a pair (model, depth), such as ("GCN no skip", 2).
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

import pandas as pd

from gnn_dynamics.artifacts.templates import render
from gnn_dynamics.diagnosis import causes, repairs
from gnn_dynamics.diagnosis.analysis import Analysis

MOST_CAUSES = 12
MOST_IDS = 8
SKIP = {False: "no skip", True: "skip"}
REPAIR_WORDS = {
    repairs.SKIP_CONNECTIONS: "skip connections",
    repairs.STANDARD: "features of mean 0 and variance 1 (--features standard)",
}
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
        "models": _side_by_side(condition),
        "advice": _advice(condition),
        "by_rounding": list(condition.loc[condition["full_by_rounding"], "cell"]),
        "failing": list(failing["cell"]),
        "causes": _causes(_with_cells(analysis.causes, causes.CAUSES.columns)),
        "most_causes": MOST_CAUSES,
        "tried": tried["repair"].unique(),
        "repairs": helpful.groupby(["repair", "left_out"], sort=False)["cell"].agg(list).to_dict(),
        "unrepaired": set(failing["cell"]) - set(helpful["cell"]),
        "aligned": aligned,
        "understood": analysis.graph.facts.get("understood", []),
        "listed": partial(
            _listed,
            nodes=analysis.graph.facts.get("node_names"),
            features=analysis.graph.facts.get("feature_names"),
        ),
        "where": partial(_where, total=len(condition)),
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


def _side_by_side(condition: pd.DataFrame) -> list[tuple[str, int, list[dict[str, Any]]]]:
    """Aggregation, depth, and the rows without and with skip connections."""
    return [
        (aggregation.upper(), depth, part.sort_values("multiscale").to_dict("records"))
        for (aggregation, depth), part in condition.groupby(["aggregation", "depth"])
    ]


def _advice(condition: pd.DataFrame) -> str:
    """Whether to use skip connections: what they repair, and the pair of median speed-up.

    Only speeds of models for which the condition holds are compared: others learn less.
    """
    key = ["aggregation", "depth"]
    holds = condition.pivot(index=key, columns="multiscale", values="condition_holds").astype(bool)
    steps = condition.pivot(index=key, columns="multiscale", values="descent_steps")
    repaired = int((holds[True] & ~holds[False]).sum())
    sentences = [f"Skip connections repair {repaired} of {len(holds)} models."] * (repaired > 0)
    ratio = (steps[False] / steps[True])[holds.all(axis=1)].sort_values()
    if len(ratio):
        sentences.append(_faster(steps.loc[ratio.index[len(ratio) // 2]]))
    elif not repaired:
        sentences.append("Repair the input first, as said below; speeds mean little before.")
    return " ".join(sentences)


def _faster(steps: pd.Series) -> str:
    """The advice for one aggregation and depth, from the steps without and with skips."""
    aggregation, depth = steps.name
    example = f"{aggregation.upper()}, H = {depth}"
    if 0.8 < steps[False] / steps[True] < 1.25:
        return f"Skip connections do not change the speed of the slowest part ({example})."
    use = "Use" if steps[False] > steps[True] else "For speed, do without"
    return (
        f"{use} skip connections: with them the slowest part of the loss needs"
        f" {in_steps(steps[True])} to halve instead of {in_steps(steps[False])} ({example})."
    )


def in_steps(steps: float) -> str:
    """A number of steps for people: `81 steps`, `47,000 steps`, `1e+12 steps`."""
    if steps >= 1e9:
        return f"{steps:.0e} steps"
    number = float(f"{max(steps, 1):.2g}")
    return f"{number:,.0f} step{'' if number == 1 else 's'}"


def _listed(
    kind: str, ids: Sequence[int], nodes: Sequence[str] | None, features: Sequence[str] | None
) -> str:
    """`node 3`, or `nodes 0 (a), 1 (b), ... (9 in all)` with the names of the user's file."""
    if not ids:
        return f"{kind}s"
    names = nodes if kind == "node" else features
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
