"""Repairs of the graph condition: the condition is computed with each proposed change."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gnn_dynamics.artifacts.table import FLAG, INTEGERS, TEXT, Table
from gnn_dynamics.data.graph import Graph
from gnn_dynamics.diagnosis.causes import CELL, EXACT, Cause, Cell
from gnn_dynamics.problem.problem import Problem, build_problem
from gnn_dynamics.spectra.graph_condition import condition_rows

REPAIRS = Table(columns=CELL | {"repair": TEXT, "left_out": INTEGERS, "holds": FLAG})
STANDARD = "standard features"
SKIP_CONNECTIONS = "multiscale (skip connections)"
Holds = dict[Cell, bool]
# Name of a change of model or data, ids of the removed nodes or features, and the condition then.
Proposal = tuple[str, list[int], Holds]


@dataclass(frozen=True)
class Checked:
    """A graph with one aggregation: its problem, its rows of graph_condition, and their causes."""

    graph: Graph
    aggregation: str
    features: str
    nodes: str
    problem: Problem
    rows: Sequence[Mapping[str, Any]]
    causes: Mapping[Cell, list[Cause]]

    @property
    def holds(self) -> Holds:
        """Whether the condition holds, by model and depth."""
        return _holds(self.rows)

    def holds_for(self, problem: Problem) -> Holds:
        """Whether the condition holds for a changed problem, at the same depths."""
        return _holds(condition_rows(problem, sorted({row["depth"] for row in self.rows})))

    @property
    def every_cause(self) -> list[Cause]:
        """The causes of all cells."""
        return [cause for causes in self.causes.values() for cause in causes]

    def surplus(self, kind: str, cells: Iterable[Cell]) -> list[int]:
        """Ascending ids of the surplus nodes, or features, of any of the cells."""
        causes = [cause for cell in cells for cause in self.causes[cell] if cause.kind == kind]
        return sorted({k for cause in causes for k in cause.surplus})


def _holds(rows: Iterable[Mapping[str, Any]]) -> Holds:
    return {(row["multiscale"], row["depth"]): bool(row["condition_holds"]) for row in rows}


def repair_rows(checked: Sequence[Checked]) -> list[dict[str, Any]]:
    """Rows of repairs.parquet: whether the condition holds, by failing cell and proposal.

    Proposals: skip connections; another aggregation; raw features, or standard ones where the
    scale of some is a cause; I without surplus nodes (all
    but one of twins or copies, nodes without features); the data without surplus features. The
    last three are computed at every depth.
    """
    return [
        {
            "aggregation": one.aggregation,
            "multiscale": cell[0],
            "depth": cell[1],
            "repair": name,
            "left_out": left_out,
            "holds": holds[cell],
        }
        for one in checked
        if one.causes
        for name, left_out, holds in (*_models(one, checked), *_data(one))
        for cell in one.causes
        if cell in holds
    ]


def _models(one: Checked, checked: Sequence[Checked]) -> Iterator[Proposal]:
    """Changes of the model on the same data."""
    skips = {(False, depth): holds for (skip, depth), holds in one.holds.items() if skip}
    yield SKIP_CONNECTIONS, [], skips
    for other in checked:
        if other is not one:
            yield f"aggregation {other.aggregation}", [], other.holds


def _data(one: Checked) -> Iterator[Proposal]:
    """Changes of the data for the same model."""
    if one.features != "raw":
        raw = build_problem(one.graph, one.aggregation, "raw", one.nodes)
        yield "raw features", [], one.holds_for(raw)
    if one.features == "raw" and any(EXACT in cause.reason for cause in one.every_cause):
        standard = build_problem(one.graph, one.aggregation, "standard", one.nodes)
        yield STANDARD, [], one.holds_for(standard)
    stacks = [cell for cell in one.causes if cell[0]]
    copies, nodes = one.surplus("node", stacks), one.surplus("node", one.causes)
    if copies and copies != nodes:
        yield "leave copies and empty nodes out of I", copies, _without_nodes(one, copies)
    if nodes:
        yield "leave surplus nodes out of I", nodes, _without_nodes(one, nodes)
    features = one.surplus("feature", one.causes)
    if features:
        yield "leave surplus features out", features, _without_features(one, features)


def _without_nodes(one: Checked, left_out: list[int]) -> Holds:
    R, labels, ids = one.problem.R, one.problem.labels, one.problem.node_ids
    keep = np.flatnonzero(~np.isin(ids, left_out))
    smaller = replace(one.problem, R=R[:, keep], labels=labels[keep], node_ids=ids[keep])
    return one.holds_for(smaller) if len(keep) else {}


def _without_features(one: Checked, left_out: list[int]) -> Holds:
    keep = np.setdiff1d(np.arange(one.problem.m_x), left_out)
    if not len(keep):
        return {}
    graph = replace(one.graph, features=one.graph.features[:, keep])
    return one.holds_for(build_problem(graph, one.aggregation, one.features, one.nodes))
