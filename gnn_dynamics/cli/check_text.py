"""The report of `gnn-dynamics check` in words."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from gnn_dynamics.diagnosis.analysis import Analysis
from gnn_dynamics.diagnosis.expectation import in_words

MOST_LINES = 12  # of causes or repairs of one kind
MOST_IDS = 8
MODELS = {False: "linear", True: "multiscale"}
HEAD = ("", "model", "H", "rank", "sigma_min^2", "4 sigma_r^2", "halves in", "GD steps", "holds")


def report(found: Analysis, features: str, nodes: str, names: Sequence[str] | None) -> str:
    """The whole report; `names` of the nodes in the user's file, where these are not 0, 1, ..."""
    parts = [
        _graph(found),
        _condition(found, features, nodes),
        _why(found, names),
        _repair(found, names),
        _expectation(found),
        _verdict(found),
    ]
    return "\n\n".join("\n".join(lines) for lines in map(list, parts) if lines)


def _graph(found: Analysis) -> Iterator[str]:
    facts = found.facts
    labels = f"{facts['classes']} classes" if facts["classes"] > 1 else "real targets"
    yield f"Graph {facts['dataset']}"
    yield (
        f"  {facts['nodes']} nodes, {facts['edges']} edges, {facts['features_count']} features,"
        f" {labels}, {facts['train_nodes']} in the training set (split: {facts['split']})"
    )
    if facts["stored_edges"] is not None:
        yield (
            f"  {facts['stored_edges']} stored edges: {facts['duplicate_edges_dropped']} repeated"
            f" and {facts['reversed_edges_merged']} reversed ones merged,"
            f" {facts['self_loops_dropped']} self-loops dropped; directions are not used"
        )
    yield (
        f"  {facts['isolated_nodes']} isolated nodes, {facts['zero_feature_nodes']} without"
        f" features, {facts['unlabelled_nodes']} unlabelled"
    )
    if facts["weights_ignored"]:
        yield "  edge weights are ignored, as asked"
    if facts["unused"]:
        yield f"  not used: {', '.join(facts['unused'])}"


def _condition(found: Analysis, features: str, nodes: str) -> Iterator[str]:
    which = {"train": "training nodes", "all": "all labelled nodes"}[nodes]
    yield f"Graph condition: I = {found.condition[0]['cols']} {which}, {features} features"
    rows = [HEAD, *map(_row, _sorted(found.condition))]
    widths = [max(len(row[k]) for row in rows) for k in range(len(HEAD))]
    for row in rows:
        cells = [cell.ljust(w) if k < 2 else cell.rjust(w) for k, (cell, w) in _wide(row, widths)]
        yield "  " + "  ".join(cells).rstrip()


def _wide(row: Sequence[str], widths: Sequence[int]) -> Iterator[tuple[int, tuple[str, int]]]:
    return enumerate(zip(row, widths, strict=True))


def _sorted(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: (row["aggregation"], row["multiscale"], row["depth"]))


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        row["aggregation"].upper(),
        MODELS[row["multiscale"]],
        str(row["depth"]),
        f"{row['rank']}/{min(row['rows'], row['cols'])}",
        f"{row['sigma_min_sq']:.3g}",
        f"{row['rate']:.3g}",
        f"{row['half_life']:.3g}",
        f"{row['descent_steps']:.2g}",
        "yes" if row["condition_holds"] else "NO",
    )


def _why(found: Analysis, names: Sequence[str] | None) -> Iterator[str]:
    if found.holds:
        return
    yield "Why it fails"
    if not found.traced:
        yield "  not traced: the matrices are larger than the memory allowed (--memory)"
        return
    lines = _merged(found, names)
    yield from lines[:MOST_LINES]
    yield from _more(len(lines) - MOST_LINES, "causes.parquet")


def _merged(found: Analysis, names: Sequence[str] | None) -> list[str]:
    """A line for each cause; those of single nodes or features that share reason and cells, one."""
    groups: dict[tuple, list[int]] = {}
    for (kind, members, reason), cells in _cells_by(found.causes, ("kind", "members", "reason")):
        key = (kind, reason, _where(cells, found), None if len(members) == 1 else members)
        groups.setdefault(key, []).extend(members)
    return [
        f"  {_listed(kind, members, names)}: {reason}  [{where}]"
        for (kind, reason, where, _), members in groups.items()
    ]


def _more(left: int, file: str) -> Iterator[str]:
    if left > 0:
        yield f"  ... and {left} more in {file}"


def _listed(kind: str, members: Sequence[int], names: Sequence[str] | None) -> str:
    if not members:
        return f"{kind}s"
    plain = [_called(kind, member, names) for member in members[:MOST_IDS]]
    more = f", ... ({len(members)} in all)" if len(members) > MOST_IDS else ""
    return f"{kind}{'s' if len(members) > 1 else ''} {', '.join(plain)}{more}"


def _called(kind: str, member: int, names: Sequence[str] | None) -> str:
    return f"{member} ({names[member]})" if kind == "node" and names else str(member)


def _cells_by(
    rows: Iterable[Mapping[str, Any]], keys: Sequence[str]
) -> list[tuple[tuple, list[Mapping[str, Any]]]]:
    """Rows with the same keys together, in the order in which they first occur."""
    groups: dict[tuple, list] = {}
    for row in rows:
        key = tuple(tuple(v) if isinstance(v := row[name], list) else v for name in keys)
        groups.setdefault(key, []).append(row)
    return list(groups.items())


def _where(cells: Iterable[Mapping[str, Any]], found: Analysis) -> str:
    """`GCN linear H = 1-4, GIN linear H = 1`."""
    rows = _sorted(cells)
    if len(rows) == len(found.condition):
        return "everywhere"
    by_model = groupby(rows, key=lambda row: (row["aggregation"], row["multiscale"]))
    return ", ".join(
        f"{aggregation.upper()} {MODELS[scale]} H = {_range([row['depth'] for row in part])}"
        for (aggregation, scale), part in by_model
    )


def _range(depths: Sequence[int]) -> str:
    first, last = min(depths), max(depths)
    if len(depths) == last - first + 1:
        return str(first) if first == last else f"{first}-{last}"
    return ", ".join(map(str, depths))


def _repair(found: Analysis, names: Sequence[str] | None) -> Iterator[str]:
    if found.holds or not found.traced:
        return
    yield "What repairs it (computed, not guessed)"
    kept = [row for row in found.repairs if row["holds"]]
    for (repair, left_out), cells in _cells_by(kept, ("repair", "left_out")):
        kind = "feature" if "feature" in repair else "node"
        which = f" ({_listed(kind, left_out, names)})" if left_out else ""
        yield f"  {repair}{which}: {_where(cells, found)}"
    tried = list(dict.fromkeys(row["repair"] for row in found.repairs))
    if not kept:
        yield f"  nothing that was tried ({', '.join(tried)})"
        return
    repaired = {_cell(row) for row in kept}
    failing = [row for row in found.condition if not row["condition_holds"]]
    if left := [row for row in failing if _cell(row) not in repaired]:
        yield f"  nothing that was tried: {_where(left, found)}"


def _cell(row: Mapping[str, Any]) -> tuple:
    return row["aggregation"], row["multiscale"], row["depth"]


def _expectation(found: Analysis) -> Iterator[str]:
    yield "What to expect of training (squared loss, while the weights' products keep lambda = 1)"
    yield (
        "  The excess L - L* falls at least like exp(-4 sigma_r^2 t): its slowest part halves in"
        " log(2) / (4 sigma_r^2)"
    )
    yield "  units of flow time, or in that many steps of gradient descent at half the stable step."
    for (aggregation, scale), rows in _cells_by(found.condition, ("aggregation", "multiscale")):
        readings = [(row["depth"], in_words(row["descent_steps"])) for row in rows]
        spans = groupby(sorted(readings), key=lambda reading: reading[1])
        said = [f"{words} at H = {_range([d for d, _ in part])}" for words, part in spans]
        yield f"  {aggregation.upper()} {MODELS[scale]}: {', '.join(said)}"
    if any(row["rows"] < row["cols"] for row in found.condition):
        yield (
            "  I has more nodes than the matrix has rows, so that L* may be above 0: the loss falls"
            " to L*, not to 0."
        )


def _verdict(found: Analysis) -> Iterator[str]:
    failing = [row for row in found.condition if not row["condition_holds"]]
    if not failing:
        yield f"The assumptions hold in all {len(found.condition)} cells."
        return
    share = f"{len(failing)} of {len(found.condition)} cells"
    yield f"The assumptions FAIL in {share}: {_where(failing, found)}."
    if all(math.isfinite(row["half_life"]) for row in failing):
        yield (
            "Training still converges to L* at the rate of the smallest positive sigma, in the"
            " directions that the data determine."
        )
