"""Repairs of the graph condition: the condition is computed with each proposed change."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gnn_dynamics.artifacts.table import FLAG, INTEGERS, TEXT, Table
from gnn_dynamics.data.graph import Graph
from gnn_dynamics.diagnosis.causes import CELL, Cause, Cell
from gnn_dynamics.problem.problem import Problem, build_problem
from gnn_dynamics.spectra.graph_condition import condition_rows

REPAIRS = Table(columns=CELL | {"repair": TEXT, "left_out": INTEGERS, "holds": FLAG})
SKIP_CONNECTIONS = "multiscale (skip connections)"
Holds = dict[Cell, bool]


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

    @property
    def depths(self) -> list[int]:
        return sorted({row["depth"] for row in self.rows})


def _holds(rows: Sequence[Mapping[str, Any]]) -> Holds:
    return {(row["multiscale"], row["depth"]): bool(row["condition_holds"]) for row in rows}


@dataclass(frozen=True)
class Proposal:
    """A change of model or data.

    left_out: ids of the removed nodes or features. holds: whether the condition then holds.
    """

    name: str
    left_out: list[int]
    holds: Holds


def repair_rows(checked: Sequence[Checked]) -> list[dict[str, Any]]:
    """Rows of repairs.parquet: whether the condition holds, by failing cell and proposal.

    Proposals: skip connections; another aggregation; raw features; I without surplus nodes (all
    but one of twins or copies, nodes without features); the data without surplus features. The
    last three are computed at every depth.
    """
    return [
        {
            "aggregation": one.aggregation,
            "multiscale": cell[0],
            "depth": cell[1],
            "repair": proposal.name,
            "left_out": proposal.left_out,
            "holds": proposal.holds[cell],
        }
        for one in checked
        if one.causes
        for proposal in (*_models(one, checked), *_data(one))
        for cell in one.causes
        if cell in proposal.holds
    ]


def _models(one: Checked, checked: Sequence[Checked]) -> Iterator[Proposal]:
    """Changes of the model on the same data."""
    skips = {(False, depth): one.holds[True, depth] for depth in one.depths}
    yield Proposal(SKIP_CONNECTIONS, [], skips)
    for other in checked:
        if other is not one:
            yield Proposal(f"aggregation {other.aggregation}", [], other.holds)


def _data(one: Checked) -> Iterator[Proposal]:
    """Changes of the data for the same model."""
    if one.features != "raw":
        raw = build_problem(one.graph, one.aggregation, "raw", one.nodes)
        yield Proposal("raw features", [], _holds(condition_rows(raw, one.depths)))
    stacks = [cell for cell in one.causes if cell[0]]
    copies, nodes = _surplus(one, "node", stacks), _surplus(one, "node", one.causes)
    if copies and copies != nodes:
        yield _without_nodes(one, "leave copies and empty nodes out of I", copies)
    if nodes:
        yield _without_nodes(one, "leave surplus nodes out of I", nodes)
    features = _surplus(one, "feature", one.causes)
    if features:
        yield _without_features(one, features)


def _surplus(one: Checked, kind: str, cells: Iterable[Cell]) -> list[int]:
    """Ascending ids of the surplus nodes, or features, of any of the cells."""
    causes = [cause for cell in cells for cause in one.causes[cell] if cause.kind == kind]
    return sorted({k for cause in causes for k in cause.surplus})


def _without_nodes(one: Checked, name: str, left_out: list[int]) -> Proposal:
    problem = one.problem
    keep = np.flatnonzero(~np.isin(problem.node_ids, left_out))
    if not len(keep):
        return Proposal(name, left_out, {})
    smaller = replace(
        problem,
        R=problem.R[:, keep],
        labels=problem.labels[keep],
        node_ids=problem.node_ids[keep],
    )
    return Proposal(name, left_out, _holds(condition_rows(smaller, one.depths)))


def _without_features(one: Checked, left_out: list[int]) -> Proposal:
    keep = np.setdiff1d(np.arange(one.problem.m_x), left_out)
    name = "leave surplus features out"
    if not len(keep):
        return Proposal(name, left_out, {})
    graph = replace(one.graph, features=one.graph.features[:, keep])
    smaller = build_problem(graph, one.aggregation, one.features, one.nodes)
    return Proposal(name, left_out, _holds(condition_rows(smaller, one.depths)))
