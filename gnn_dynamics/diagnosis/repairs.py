"""What would make the graph condition hold: each proposal is computed before it is made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gnn_dynamics.data.graph import Graph
from gnn_dynamics.diagnosis.causes import Cause, Cell
from gnn_dynamics.problem.problem import Problem, build_problem
from gnn_dynamics.spectra.graph_condition import condition_rows

COLUMNS = ("aggregation", "multiscale", "depth", "repair", "left_out", "holds")
Holds = dict[Cell, bool]


@dataclass(frozen=True)
class Checked:
    """A graph with one aggregation: its problem, what was found of it, and why."""

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
    """A change of model or data. left_out: ids of nodes or features; holds: the condition then."""

    name: str
    left_out: list[int]
    holds: Holds


def repair_rows(checked: Sequence[Checked]) -> list[dict[str, Any]]:
    """Rows of repairs.parquet: for each cell that fails and each proposal, whether it then holds.

    Proposals: skip connections; another aggregation; raw features; I without surplus nodes (all
    but one of twins or copies, nodes without features); the data without surplus features. The
    last three are computed anew, at every depth.
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
    """Another model on the same data."""
    skips = {(False, depth): one.holds[True, depth] for depth in one.depths}
    yield Proposal("multiscale (skip connections)", [], skips)
    for other in checked:
        if other is not one:
            yield Proposal(f"aggregation {other.aggregation}", [], other.holds)


def _data(one: Checked) -> Iterator[Proposal]:
    """The same model on other data."""
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


def _surplus(one: Checked, kind: str, cells: Iterator[Cell]) -> list[int]:
    """Nodes, or features, that are too many in any of the cells, ascending."""
    causes = [cause for cell in cells for cause in one.causes[cell] if cause.kind == kind]
    return sorted({member for cause in causes for member in cause.surplus})


def _without_nodes(one: Checked, name: str, left_out: list[int]) -> Proposal:
    problem = one.problem
    keep = np.flatnonzero(~np.isin(problem.node_ids, left_out))
    parts = {"labels": problem.labels[keep], "node_ids": problem.node_ids[keep]}
    smaller = replace(problem, R=problem.R[:, keep], **parts)
    return Proposal(
        name, left_out, _holds(condition_rows(smaller, one.depths)) if len(keep) else {}
    )


def _without_features(one: Checked, left_out: list[int]) -> Proposal:
    keep = np.setdiff1d(np.arange(one.problem.m_x), left_out)
    name = "leave surplus features out"
    if not len(keep):
        return Proposal(name, left_out, {})
    graph = replace(one.graph, features=one.graph.features[:, keep])
    smaller = build_problem(graph, one.aggregation, one.features, one.nodes)
    return Proposal(name, left_out, _holds(condition_rows(smaller, one.depths)))
