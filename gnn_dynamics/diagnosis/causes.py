"""Why the graph condition fails: the nodes or features that make columns or rows dependent.

The condition is full rank. With at least as many rows as columns, the columns, one per node of I,
must be independent; zero columns and multiples of each other (twins, copies) violate it. With fewer
rows than columns, the rows, one per feature (and hop), must be independent; zero and repeated
features violate it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from gnn_dynamics.artifacts.table import INTEGERS, TEXT, Table
from gnn_dynamics.config.grid import SPECTRAL
from gnn_dynamics.diagnosis.signatures import Signature, column_signatures
from gnn_dynamics.problem.problem import Problem
from gnn_dynamics.problem.propagation import hops

PROPORTIONAL = "proportional propagated features"
CELL = {key: SPECTRAL[key] for key in ("dataset", "aggregation", "multiscale", "depth")}
CAUSES = Table(columns=CELL | {"kind": TEXT, "members": INTEGERS, "reason": TEXT})


@dataclass(frozen=True)
class Cause:
    """A group of nodes or features that lowers the rank.

    kind: "node" or "feature". ids: the group. surplus: the ids whose removal restores the rank,
    which are all zero ones, and all but one of multiples; empty where it is unknown.
    """

    kind: str
    ids: tuple[int, ...]
    reason: str
    surplus: tuple[int, ...] = ()


Cell = tuple[bool, int]  # multiscale, depth
Explained = dict[Cell, tuple[list[Cause], int]]  # causes, and the rank that they lose


def find_causes(problem: Problem, rows: Iterable[Mapping[str, Any]]) -> dict[Cell, list[Cause]]:
    """The causes in each cell of graph_condition.parquet (`rows`) where the condition fails.

    If zeros and multiples do not explain the missing rank, the last cause of a cell contains the
    rest; its ids are the culprits of the row, where the row has them.
    """
    failing = {(row["multiscale"], row["depth"]): row for row in rows if not row["condition_holds"]}
    if not failing:
        return {}
    explained = _by_node(problem, failing) | _by_feature(problem, failing)
    return {cell: _with_rest(row, *explained[cell]) for cell, row in failing.items()}


def _with_rest(row: Mapping[str, Any], causes: list[Cause], lost: int) -> list[Cause]:
    """The causes, which lower the rank by `lost`, and one for the rest of the missing rank."""
    left = min(row["rows"], row["cols"]) - row["rank"] - lost
    if left <= 0:
        return causes
    kind = "node" if row["rows"] >= row["cols"] else "feature"
    named = {k for cause in causes for k in cause.ids}
    culprits = [k for k in row[f"culprit_{kind}s"] or () if k not in named]
    return [*causes, Cause(kind, tuple(culprits), _unexplained(kind, left, bool(culprits)))]


def _unexplained(kind: str, left: int, listed: bool) -> str:
    count = f"{left} linear {'dependency' if left == 1 else 'dependencies'}"
    among = "these" if listed else "more than a few"
    return f"{count} among {among} {kind}s, longer than pairs"


def _lost(causes: Iterable[Cause]) -> int:
    return sum(len(cause.surplus) for cause in causes)


def _by_node(problem: Problem, failing: Mapping[Cell, Mapping[str, Any]]) -> Explained:
    """Causes among the columns of G_H, and of the stack of G_0, ..., G_H."""
    cells = {cell for cell, row in failing.items() if row["rows"] >= row["cols"]}
    if not cells:
        return {}
    X = sparse.csr_array(problem.X)
    explained: Explained = {}
    problem.S.sort_indices()
    deepest = max(depth for _, depth in cells)
    for depth, single, stack in column_signatures(hops(problem, deepest)):
        for cell, signature in (((False, depth), single), ((True, depth), stack)):
            if cell in cells:
                causes = list(_node_causes(problem, X, signature, depth))
                explained[cell] = causes, _lost(causes)
    return explained


def _node_causes(
    problem: Problem, X: sparse.csr_array, signature: Signature, depth: int
) -> Iterator[Cause]:
    """A cause for each zero column, then one for each group of multiples."""
    nodes, S = problem.node_ids, problem.S
    pooled = len(nodes) != problem.R.nnz  # a column is a whole graph; its nodes are not compared
    for column in signature.zeros():
        alone = not pooled and _row(S, nodes[column])[0].size == 1
        why = "isolated, without features" if alone else f"no features within {depth} steps"
        node = (int(nodes[column]),)
        yield Cause("node", node, why, node)
    for group in signature.multiples():
        ids = tuple(int(nodes[column]) for column in group)
        yield Cause("node", ids, PROPORTIONAL if pooled else _kinship(S, X, ids), ids[1:])


def _kinship(S: sparse.csr_array, X: sparse.csr_array, nodes: Sequence[int]) -> str:
    """The neighbours and features that all nodes of a group have in common."""
    first, *others = nodes
    same_features = all(_equal(_row(X, first), _row(X, node)) for node in others)
    closed = {_row(S, node)[0].tobytes() for node in nodes}
    without = [np.setdiff1d(_row(S, node)[0], node).tobytes() for node in nodes]
    if not any(without):
        return f"isolated, with {'equal' if same_features else 'proportional'} features"
    if len(closed) == 1:
        same = "same closed neighbourhood"
        return f"copies: {same}, equal features" if same_features else f"twins: {same}"
    if len(set(without)) == 1 and same_features:
        return "copies: same neighbours, equal features"
    return PROPORTIONAL


def _row(M: sparse.csr_array, row: int) -> tuple[np.ndarray, np.ndarray]:
    """(column indices, values) of a row."""
    part = slice(M.indptr[row], M.indptr[row + 1])
    return M.indices[part], M.data[part]


def _equal(a: tuple[np.ndarray, ...], b: tuple[np.ndarray, ...]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def _by_feature(problem: Problem, failing: Mapping[Cell, Mapping[str, Any]]) -> Explained:
    """Causes among the rows of G_H.

    The stack of G_0, ..., G_H gets the causes of G_H; the rank that it loses is summed over hops.
    """
    cells = {cell for cell, row in failing.items() if row["rows"] < row["cols"]}
    if not cells:
        return {}
    X, lost = sparse.csc_array(problem.X), 0
    explained: Explained = {}
    for depth, G in enumerate(hops(problem, max(depth for _, depth in cells))):
        ((_, rows, _),) = column_signatures([np.ascontiguousarray(G.T)])
        causes = list(_feature_causes(X, rows))
        lost += _lost(causes)
        explained |= {(False, depth): (causes, _lost(causes)), (True, depth): (causes, lost)}
    return {cell: explained[cell] for cell in cells}


def _feature_causes(X: sparse.csc_array, rows: Signature) -> Iterator[Cause]:
    """A cause for each zero row, then one for each group of multiples."""
    for feature in rows.zeros():
        empty = X.indptr[feature] == X.indptr[feature + 1]
        why = "0 at every node" if empty else "0 around every node of I"
        yield Cause("feature", (int(feature),), why, (int(feature),))
    for group in rows.multiples():
        ids = tuple(map(int, group))
        yield Cause("feature", ids, _likeness(X, group), ids[1:])


def _likeness(X: sparse.csc_array, group: np.ndarray) -> str:
    """How the features of a group repeat each other."""
    block = X[:, group].toarray()
    if (block == block[:1]).all():
        return "constant, hence multiples of each other"
    if (block == block[:, :1]).all():
        return "duplicates of each other"
    ((_, columns, _),) = column_signatures([block])
    everywhere = [len(part) for part in columns.multiples()] == [len(group)]
    return f"multiples of each other{'' if everywhere else ' around the nodes of I'}"


def cause_rows(key: Mapping[str, Any], causes: Mapping[Cell, list[Cause]]) -> list[dict[str, Any]]:
    """Rows of causes.parquet: `key`, the cell, kind, members (the ids) and reason."""
    return [
        {**key, "multiscale": multiscale, "depth": depth, "kind": cause.kind}
        | {"members": list(cause.ids), "reason": cause.reason}
        for (multiscale, depth), causes_of_cell in causes.items()
        for cause in causes_of_cell
    ]
