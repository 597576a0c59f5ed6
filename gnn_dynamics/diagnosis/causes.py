"""Why the graph condition fails: the nodes, or features, that make columns, or rows, dependent.

With at least as many rows as columns the columns must be independent, one for each node of I: zero
columns and multiples of each other (twins, copies) break that. With fewer rows than columns the
rows must be, one for each feature (and level): features that are 0 or repeat each other do.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from gnn_dynamics.diagnosis.signatures import Signature, column_signatures
from gnn_dynamics.problem.problem import Problem
from gnn_dynamics.problem.propagation import hops

COLUMNS = ("aggregation", "multiscale", "depth", "kind", "members", "reason")


@dataclass(frozen=True)
class Cause:
    """One thing that lowers the rank. kind: "node" or "feature"; members: their ids.

    surplus: the members that are too many: all where they are zero, all but one of multiples; none
    where that is not known.
    """

    kind: str
    members: tuple[int, ...]
    reason: str
    surplus: tuple[int, ...] = ()


Cell = tuple[bool, int]  # multiscale, depth
Found = dict[Cell, tuple[list[Cause], int]]  # causes, and by how much they lower the rank


def find_causes(problem: Problem, rows: Iterable[Mapping[str, Any]]) -> dict[Cell, list[Cause]]:
    """The causes at each of the `rows` of graph_condition.parquet where the condition fails.

    What single nodes and pairs do not explain stands in one last cause, whose members are the
    culprits of the row, if it names any.
    """
    failing = {(row["multiscale"], row["depth"]): row for row in rows if not row["condition_holds"]}
    if not failing:
        return {}
    found = _by_node(problem, failing) | _by_feature(problem, failing)
    return {cell: _with_rest(row, *found[cell]) for cell, row in failing.items()}


def _with_rest(row: Mapping[str, Any], causes: list[Cause], explained: int) -> list[Cause]:
    """The causes, which lower the rank by `explained`, and one for the rest."""
    left = min(row["rows"], row["cols"]) - row["rank"] - explained
    if left <= 0:
        return causes
    kind = "node" if row["rows"] >= row["cols"] else "feature"
    named = {member for cause in causes for member in cause.members}
    culprits = [member for member in row[f"culprit_{kind}s"] or () if member not in named]
    return [*causes, Cause(kind, tuple(culprits), _unexplained(kind, left, bool(culprits)))]


def _unexplained(kind: str, left: int, listed: bool) -> str:
    again = f"{left} linear {'dependency' if left == 1 else 'dependencies'}"
    among = "these" if listed else "more than a few"
    return f"{again} among {among} {kind}s, longer than pairs"


def _lost(causes: Iterable[Cause]) -> int:
    return sum(len(cause.surplus) for cause in causes)


def _by_node(problem: Problem, failing: Mapping[Cell, Mapping]) -> Found:
    cells = {cell for cell, row in failing.items() if row["rows"] >= row["cols"]}
    if not cells:
        return {}
    X, found = sparse.csr_array(problem.X), {}
    problem.S.sort_indices()
    deepest = max(depth for _, depth in cells)
    for depth, single, stack in column_signatures(hops(problem, deepest)):
        for cell, signature in (((False, depth), single), ((True, depth), stack)):
            if cell in cells:
                causes = list(_node_causes(problem, X, signature, depth))
                found[cell] = causes, _lost(causes)
    return found


def _node_causes(
    problem: Problem, X: sparse.csr_array, signature: Signature, depth: int
) -> Iterator[Cause]:
    """Zero columns, each alone, then groups of multiples; ids are those of the graph."""
    ids, S = problem.node_ids, problem.S
    pooled = len(ids) != problem.R.nnz  # a column is a whole graph, whose nodes are not compared
    for column in signature.zeros():
        alone = not pooled and _row(S, ids[column])[0].size == 1
        why = "isolated, without features" if alone else f"no features within {depth} steps"
        member = (int(ids[column]),)
        yield Cause("node", member, why, member)
    for group in signature.multiples():
        members = tuple(int(ids[column]) for column in group)
        why = "proportional propagated features"
        yield Cause("node", members, why if pooled else _kinship(S, X, members), members[1:])


def _kinship(S: sparse.csr_array, X: sparse.csr_array, members: Sequence[int]) -> str:
    """What the nodes of a group have in common, as far as all of them have it."""
    first, *others = members
    same_features = all(_equal(_row(X, first), _row(X, node)) for node in others)
    closed = {_row(S, node)[0].tobytes() for node in members}
    without = [np.setdiff1d(_row(S, node)[0], node).tobytes() for node in members]
    if not any(without):
        return f"isolated, with {'equal' if same_features else 'proportional'} features"
    if len(closed) == 1:
        twins = "twins: same closed neighbourhood"
        return f"copies: {twins[7:]}, equal features" if same_features else twins
    if len(set(without)) == 1 and same_features:
        return "copies: same neighbours, equal features"
    return "proportional propagated features"


def _row(M: sparse.csr_array, row: int) -> tuple[np.ndarray, np.ndarray]:
    """(column indices, values) of a row."""
    part = slice(M.indptr[row], M.indptr[row + 1])
    return M.indices[part], M.data[part]


def _equal(a: tuple[np.ndarray, ...], b: tuple[np.ndarray, ...]) -> bool:
    return all(map(np.array_equal, a, b))


def _by_feature(problem: Problem, failing: Mapping[Cell, Mapping]) -> Found:
    """Causes among the rows of G_H; those of the stack are its deepest level's, lost at each."""
    cells = {cell for cell, row in failing.items() if row["rows"] < row["cols"]}
    if not cells:
        return {}
    X, found, lost = sparse.csc_array(problem.X), {}, 0
    for depth, G in enumerate(hops(problem, max(depth for _, depth in cells))):
        ((_, rows, _),) = column_signatures([np.ascontiguousarray(G.T)])
        causes = list(_feature_causes(X, rows))
        lost += _lost(causes)
        found |= {(False, depth): (causes, _lost(causes)), (True, depth): (causes, lost)}
    return {cell: found[cell] for cell in cells}


def _feature_causes(X: sparse.csc_array, rows: Signature) -> Iterator[Cause]:
    for feature in rows.zeros():
        empty = X.indptr[feature] == X.indptr[feature + 1]
        why = "0 at every node" if empty else "0 around every node of I"
        yield Cause("feature", (int(feature),), why, (int(feature),))
    for group in rows.multiples():
        members = tuple(map(int, group))
        yield Cause("feature", members, _likeness(X, group), members[1:])


def _likeness(X: sparse.csc_array, group: np.ndarray) -> str:
    block = X[:, group].toarray()
    if (block == block[:1]).all():
        return "constant, hence multiples of each other"
    if (block == block[:, :1]).all():
        return "duplicates of each other"
    ((_, columns, _),) = column_signatures([block])
    alike = [len(members) for members in columns.multiples()] == [len(group)]
    return f"multiples of each other{'' if alike else ' around the nodes of I'}"


def cause_rows(key: Mapping[str, Any], causes: Mapping[Cell, list[Cause]]) -> list[dict]:
    """Rows of causes.parquet: `key` with the cell, then kind, members and reason."""
    return [
        {**key, "multiscale": multiscale, "depth": depth, "kind": cause.kind}
        | {"members": list(cause.members), "reason": cause.reason}
        for (multiscale, depth), found in causes.items()
        for cause in found
    ]
