"""Why the graph condition fails: the nodes or features that make columns or rows dependent.

The condition is full rank. With at least as many rows as columns, the columns, one per node of I,
must be independent; zero columns and multiples of each other (twins, copies) violate it. With fewer
rows than columns, the rows, one per feature (and hop), must be independent; zero and repeated
features violate it. Features of very different scales lower the rank in float64 only.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from gnn_dynamics.artifacts.table import INTEGERS, TEXT, Table
from gnn_dynamics.config.grid import SPECTRAL
from gnn_dynamics.problem.problem import Problem
from gnn_dynamics.problem.propagation import hops
from gnn_dynamics.spectra.graph_condition import condition_rows

VECTORS = 6
SCALES = 1e6  # ratio of the largest values of two features from which the scale may matter
DIGITS = 8  # of the directions that are compared; rounding errors are near 1e-14
EXACT = "float64 loses them, exact arithmetic does not"
PROPORTIONAL = "proportional propagated features"
CELL = {key: SPECTRAL[key] for key in ("dataset", "aggregation", "multiscale", "depth")}
CAUSES = Table(columns=CELL | {"kind": TEXT, "members": INTEGERS, "reason": TEXT})


@dataclass(frozen=True)
class Signature:
    """The columns of a matrix: products with random vectors (VECTORS, cols), and sizes (cols,).

    One pass over the hops compares columns of any length by their products. Multiples stay
    multiples; other columns become multiples with probability 0, up to rounding.
    The size is the largest absolute value in a column, so a size of 0 is exact.
    """

    products: np.ndarray
    sizes: np.ndarray

    def on_top_of(self, other: "Signature") -> "Signature":
        """The signature of both matrices stacked; `other` may be the empty EMPTY."""
        # Without the scale, a hop of large values would hide a hop of small values in the sum.
        scale = self.sizes.max() or 1.0
        return Signature(
            other.products + self.products / scale, np.maximum(other.sizes, self.sizes)
        )

    def zeros(self) -> np.ndarray:
        """Columns that are exactly 0, ascending."""
        return np.flatnonzero(self.sizes == 0)

    def multiples(self) -> list[np.ndarray]:
        """Groups of two or more nonzero columns that are multiples of each other, ascending."""
        nonzero = np.flatnonzero(self.sizes > 0)
        points = self.products[:, nonzero]
        points = points / np.linalg.norm(points, axis=0)
        leading = np.take_along_axis(points, np.abs(points).argmax(axis=0)[None], axis=0)
        rounded = np.round(points * np.sign(leading), DIGITS) + 0.0  # no negative zeros
        _, group = np.unique(rounded, axis=1, return_inverse=True)
        order = np.argsort(group.ravel(), kind="stable")
        ends = np.flatnonzero(np.diff(group.ravel()[order])) + 1
        return [nonzero[part] for part in np.split(order, ends) if len(part) > 1]


EMPTY = Signature(np.zeros(1), np.zeros(1))  # of a matrix without rows


def signature(G: np.ndarray, rng: np.random.Generator | None = None) -> Signature:
    """The signature of the columns of G (rows, cols).

    Stacked matrices need independent vectors: give them the same generator.
    """
    random = (rng or np.random.default_rng(0)).standard_normal((VECTORS, len(G)))
    return Signature(random @ G, np.abs(G).max(axis=0))  # (VECTORS, cols), (cols,)


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


def find_causes(problem: Problem, rows: Iterable[Mapping[str, Any]]) -> dict[Cell, list[Cause]]:
    """The causes in each cell of graph_condition.parquet (`rows`) where the condition fails.

    Nodes are compared by the columns of G_H, or of the stack of G_0, ..., G_H; features by the rows
    of G_H, and the rank that the stack loses is summed over hops. If zeros and multiples do not
    explain the missing rank, the last cause of a cell contains the rest; its ids are the culprits
    of the row, where the row has them.

    Dividing each feature by its largest value changes no rank in exact arithmetic. Where it raises
    the rank, the scale of the features is the first cause, and the others are those of the
    divided features.
    """
    failing = {(row["multiscale"], row["depth"]): row for row in rows if not row["condition_holds"]}
    if not failing:
        return {}
    sizes = abs(sparse.csc_array(problem.X)).max(axis=0).toarray().ravel()  # (m_x,)
    least = sizes.min(where=sizes > 0, initial=np.inf)
    large = np.flatnonzero(sizes > SCALES * least)
    if not large.size:
        return _dependencies(problem, failing)
    factors = np.divide(1.0, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    divided = replace(problem, X=sparse.csr_array(sparse.csr_array(problem.X) * factors))
    depths = sorted({depth for _, depth in failing})
    rescaled = {(r["multiscale"], r["depth"]): r for r in condition_rows(divided, depths)}
    reason = f"too large: values to {sizes.max():.2g} beside features of scale {least:.2g}"
    scale = Cause("feature", tuple(large.tolist()), f"{reason}; {EXACT}")
    raised = {c: rescaled[c] for c, row in failing.items() if rescaled[c]["rank"] > row["rank"]}
    others = {cell: row for cell, row in failing.items() if cell not in raised}
    left = {cell: row for cell, row in raised.items() if not row["condition_holds"]}
    causes = _dependencies(divided, left) | _dependencies(problem, others)
    return {c: [*[scale] * (c in raised), *causes.get(c, [])] for c in failing}


def _dependencies(
    problem: Problem, failing: Mapping[Cell, Mapping[str, Any]]
) -> dict[Cell, list[Cause]]:
    """`find_causes` for the rows of the failing cells, whatever the scale."""
    if not failing:
        return {}
    by_feature = any(row["rows"] < row["cols"] for row in failing.values())
    result = {}
    rng, stack, lost_by_hops = np.random.default_rng(0), EMPTY, 0
    for depth, G in enumerate(hops(problem, max(depth for _, depth in failing))):
        single = signature(G, rng)
        stack = single.on_top_of(stack)
        features = list(_feature_causes(problem, G)) if by_feature else []
        lost_by_hops += _lost(features)
        for skip, columns in ((False, single), (True, stack)):
            row = failing.get((skip, depth))
            if row is None:
                continue
            kind = "node" if row["rows"] >= row["cols"] else "feature"
            causes = [*_node_causes(problem, columns, depth)] if kind == "node" else features
            lost = lost_by_hops if kind == "feature" and skip else _lost(causes)
            result[skip, depth] = causes + _rest(kind, row, causes, lost)
    return {cell: result[cell] for cell in failing}


def _lost(causes: Iterable[Cause]) -> int:
    return sum(len(cause.surplus) for cause in causes)


def _rest(kind: str, row: Mapping[str, Any], causes: Iterable[Cause], lost: int) -> list[Cause]:
    """A cause for the missing rank beyond the `lost` one that the causes explain, if any."""
    left = min(row["rows"], row["cols"]) - row["rank"] - lost
    if left <= 0:
        return []
    named = {k for cause in causes for k in cause.ids}
    culprits = tuple(k for k in row[f"culprit_{kind}s"] or () if k not in named)
    count = f"{left} linear {'dependency' if left == 1 else 'dependencies'}"
    among = "these" if culprits else "more than a few"
    return [Cause(kind, culprits, f"{count} among {among} {kind}s, longer than pairs")]


def _causes(
    kind: str,
    ids: np.ndarray,
    columns: Signature,
    zero: Callable[[int], str],
    multiples: Callable[[tuple[int, ...]], str],
) -> Iterator[Cause]:
    """A cause for each zero column, then one for each group of multiples; `ids` of the columns."""
    for k in ids[columns.zeros()].tolist():
        yield Cause(kind, (k,), zero(k), (k,))
    for group in columns.multiples():
        members = tuple(ids[group].tolist())
        yield Cause(kind, members, multiples(members), members[1:])


def _node_causes(problem: Problem, columns: Signature, depth: int) -> Iterator[Cause]:
    S, X = problem.S, sparse.csr_array(problem.X)
    S.sort_indices()
    pooled = problem.nbar != problem.R.nnz  # a column is a whole graph; its nodes are not compared

    def zero(node: int) -> str:
        alone = not pooled and len(_row(S, node)[0]) == 1
        return "isolated, without features" if alone else f"no features within {depth} steps"

    def multiples(nodes: tuple[int, ...]) -> str:
        return PROPORTIONAL if pooled else _kinship(S, X, nodes)

    return _causes("node", problem.node_ids, columns, zero, multiples)


def _row(M: sparse.csr_array, row: int) -> tuple[np.ndarray, np.ndarray]:
    """(column indices, values) of a row."""
    part = slice(M.indptr[row], M.indptr[row + 1])
    return M.indices[part], M.data[part]


def _kinship(S: sparse.csr_array, X: sparse.csr_array, nodes: tuple[int, ...]) -> str:
    """The neighbours and features that all nodes of a group have in common."""
    features = {tuple(part.tobytes() for part in _row(X, node)) for node in nodes}
    closed = {_row(S, node)[0].tobytes() for node in nodes}
    without = {np.setdiff1d(_row(S, node)[0], node).tobytes() for node in nodes}
    if not any(without):
        return f"isolated, with {'equal' if len(features) == 1 else 'proportional'} features"
    if len(closed) == 1:
        same = "same closed neighbourhood"
        return f"copies: {same}, equal features" if len(features) == 1 else f"twins: {same}"
    if len(without) == len(features) == 1:
        return "copies: same neighbours, equal features"
    return PROPORTIONAL


def _feature_causes(problem: Problem, G: np.ndarray) -> Iterator[Cause]:
    X, rows = sparse.csc_array(problem.X), signature(np.ascontiguousarray(G.T))

    def zero(feature: int) -> str:
        empty = X.indptr[feature] == X.indptr[feature + 1]
        return "0 at every node" if empty else "0 around every node of I"

    return _causes("feature", np.arange(problem.m_x), rows, zero, partial(_likeness, X))


def _likeness(X: sparse.csc_array, features: tuple[int, ...]) -> str:
    """How the features of a group repeat each other."""
    block = X[:, features].toarray()
    if (block == block[:1]).all():
        return "constant, hence multiples of each other"
    if (block == block[:, :1]).all():
        return "duplicates of each other"
    everywhere = [len(part) for part in signature(block).multiples()] == [len(features)]
    return f"multiples of each other{'' if everywhere else ' around the nodes of I'}"


def cause_rows(aggregation: str, causes: Mapping[Cell, list[Cause]]) -> list[dict[str, Any]]:
    """Rows of causes.parquet: the cell, kind, members (the ids) and reason."""
    return [
        {"aggregation": aggregation, "multiscale": multiscale, "depth": depth, "kind": cause.kind}
        | {"members": list(cause.ids), "reason": cause.reason}
        for (multiscale, depth), causes_of_cell in causes.items()
        for cause in causes_of_cell
    ]
