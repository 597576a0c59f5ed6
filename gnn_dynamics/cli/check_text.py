"""The report of `gnn-dynamics check`: rows grouped with pandas, worded in check.txt.jinja.

A cell is a pair (model, depth), such as ("GCN no skip", 2).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from gnn_dynamics.diagnosis import causes, repairs
from gnn_dynamics.diagnosis.analysis import Analysis
from gnn_dynamics.diagnosis.expectation import in_words

MOST_CAUSES = 12
MOST_IDS = 8
SKIP = {False: "no skip", True: "skip"}
REPAIR_WORDS = {repairs.SKIP_CONNECTIONS: "skip connections"}
HEAD = ("", "model", "H", "rank", "sigma_min^2", "4 sigma_r^2", "halves in", "GD steps", "holds")


def report(analysis: Analysis, features: str, nodes: str, names: Sequence[str] | None) -> str:
    """The whole report; `names` of the nodes in the user's file, where these are not 0, 1, ..."""
    condition = _with_cells(analysis.condition, list(analysis.condition[0]))
    failing = condition[~condition["condition_holds"].astype(bool)]
    tried = _with_cells(analysis.repairs, repairs.REPAIRS.columns).replace({"repair": REPAIR_WORDS})
    fixes = tried[tried["holds"].astype(bool)]
    total = len(condition)
    template = Environment(
        loader=PackageLoader("gnn_dynamics.cli", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("check.txt.jinja")
    return template.render(
        analysis=analysis,
        features=features,
        nodes=nodes,
        table=_table(condition),
        causes=list(_causes(_with_cells(analysis.causes, causes.CAUSES.columns), total, names)),
        most_causes=MOST_CAUSES,
        repairs=list(_repairs(fixes, total, names)),
        tried=tried["repair"].unique(),
        unrepaired=_where(set(failing["cell"]) - set(fixes["cell"]), total),
        expected=list(_expected(condition)),
        more_nodes_than_rows=(condition["rows"] < condition["cols"]).any(),
        failing=len(failing),
        failing_in=_where(failing["cell"], total),
        converges=np.isfinite(failing["half_life"]).all(),
    ).rstrip("\n")


def _with_cells(rows: Sequence[Mapping[str, Any]], columns: Iterable[str]) -> pd.DataFrame:
    """The rows in the order of their cells, lists as tuples, with the columns model and cell."""
    frame = pd.DataFrame([*rows], columns=[*columns])
    frame["model"] = [
        f"{aggregation.upper()} {SKIP[skip]}"
        for aggregation, skip in zip(frame["aggregation"], frame["multiscale"], strict=True)
    ]
    frame["cell"] = list(zip(frame["model"], frame["depth"], strict=True))
    for name in {"members", "left_out"} & {*columns}:
        frame[name] = frame[name].map(tuple)
    return frame


def _table(condition: pd.DataFrame) -> list[str]:
    rows = [HEAD, *map(_row, condition.sort_values("cell").to_dict("records"))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = "  ".join(f"{{:{'<' if k < 2 else '>'}{width}}}" for k, width in enumerate(widths))
    return [aligned.format(*row) for row in rows]


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        row["aggregation"].upper(),
        SKIP[row["multiscale"]],
        str(row["depth"]),
        f"{row['rank']}/{min(row['rows'], row['cols'])}",
        f"{row['sigma_min_sq']:.3g}",
        f"{row['rate']:.3g}",
        f"{row['half_life']:.3g}",
        f"{row['descent_steps']:.2g}",
        "yes" if row["condition_holds"] else "NO",
    )


def _causes(rows: pd.DataFrame, total: int, names: Sequence[str] | None) -> Iterator[str]:
    """A line for each cause; single nodes or features with equal reason and cells share a line."""
    by_cause = rows.groupby(["kind", "members", "reason"], sort=False)["cell"].agg(tuple)
    lines = by_cause.reset_index()
    lines["group"] = [members if len(members) != 1 else () for members in lines["members"]]
    for (kind, reason, cells, _), part in lines.groupby(
        ["kind", "reason", "cell", "group"], sort=False
    ):
        members = tuple(chain(*part["members"]))
        yield f"{_listed(kind, members, names)}: {reason}  [{_where(cells, total)}]"


def _repairs(rows: pd.DataFrame, total: int, names: Sequence[str] | None) -> Iterator[str]:
    """A line for each repair, with the cells in which the condition then holds."""
    by_repair = rows.groupby(["repair", "left_out"], sort=False)["cell"].agg(tuple)
    for (repair, left_out), cells in by_repair.items():
        kind = "feature" if "feature" in repair else "node"
        which = f" ({_listed(kind, left_out, names)})" if left_out else ""
        yield f"{repair}{which}: {_where(cells, total)}"


def _expected(condition: pd.DataFrame) -> Iterator[str]:
    """A line for each model: the speed of training in words, by depth."""
    for model, rows in condition.sort_values("depth").groupby("model"):
        words = zip(map(in_words, rows["descent_steps"]), rows["depth"], strict=True)
        spans = [
            (word, [depth for _, depth in part]) for word, part in groupby(words, itemgetter(0))
        ]
        yield f"{model}: {', '.join(f'{word} at H = {_range(depths)}' for word, depths in spans)}"


def _listed(kind: str, ids: Sequence[int], names: Sequence[str] | None) -> str:
    """`node 3`, or `nodes 0 (a), 1 (b), ... (9 in all)` with the names of the user's file."""
    if not ids:
        return f"{kind}s"
    names = names if kind == "node" else None
    shown = [f"{k} ({names[k]})" if names else str(k) for k in ids[:MOST_IDS]]
    more = f", ... ({len(ids)} in all)" if len(ids) > MOST_IDS else ""
    return f"{kind}{'s' if len(ids) > 1 else ''} {', '.join(shown)}{more}"


def _where(cells: Iterable[tuple[str, int]], total: int) -> str:
    """`GCN no skip H = 1-4, GIN no skip H = 1`, or `everywhere` for all cells."""
    ordered = sorted(cells)
    if len(ordered) == total:
        return "everywhere"
    by_model = groupby(ordered, itemgetter(0))
    return ", ".join(f"{model} H = {_range([depth for _, depth in p])}" for model, p in by_model)


def _range(depths: Sequence[int]) -> str:
    """`1-4`, or `1, 3` with gaps; depths are ascending."""
    first, last = depths[0], depths[-1]
    if len(depths) == last - first + 1:
        return str(first) if first == last else f"{first}-{last}"
    return ", ".join(map(str, depths))
