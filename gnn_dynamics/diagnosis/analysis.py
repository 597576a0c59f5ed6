"""The analysis of one graph: its condition, the causes of failure, the repairs, the speed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gnn_dynamics.data.graph import Graph
from gnn_dynamics.data.graph_facts import graph_facts
from gnn_dynamics.diagnosis.causes import cause_rows, find_causes
from gnn_dynamics.diagnosis.repairs import Checked, repair_rows
from gnn_dynamics.problem.problem import build_problem
from gnn_dynamics.spectra.graph_condition import condition_table
from gnn_dynamics.spectra.memory import bytes_in_memory
from gnn_dynamics.spectra.optimum import optimum_table

AGGREGATIONS = ("gcn", "gin")
ROUNDING = {"float32": 2.0**-23, "float16": 2.0**-10}  # spacing of numbers near 1


@dataclass(frozen=True)
class Analysis:
    """Rows of the tables graphs, graph_condition, causes and repairs, for one graph.

    traced: whether causes and repairs were computed; they need the matrices in memory.
    """

    graph: Graph
    facts: dict[str, Any]
    condition: list[dict[str, Any]]
    causes: list[dict[str, Any]]
    repairs: list[dict[str, Any]]
    traced: bool

    @property
    def holds(self) -> bool:
        """Whether the graph condition holds in every cell."""
        return all(row["condition_holds"] for row in self.condition)


def analyse(graph: Graph, features: str, nodes: str, depth: int, memory: float) -> Analysis:
    """Check gcn and gin, without and with skips, at depths 1 to `depth`, and explain failures.

    `features` and `nodes` are those of config/README.md. `memory` is a limit in bytes; larger
    matrices are streamed from disk.

    Raises:
        UserError: if I is empty, or `memory` is too small.
    """
    grid = {
        "aggregations": AGGREGATIONS,
        "features": [features],
        "nodes": [nodes],
        "depths": [*range(1, depth + 1)],
        "memory_gb": memory / 1e9,
    }
    eps = ROUNDING.get(graph.facts.get("features_rounded", ""), 0.0)
    rows = [row | expected(row) | rounded(row, eps) for row in condition_table(graph, grid)]
    traced = bytes_in_memory(graph, features, nodes, depth) <= memory
    rows = _with_lowest_loss(graph, rows) if traced else rows
    checked = []
    if traced and not all(row["condition_holds"] for row in rows):
        for aggregation in AGGREGATIONS:
            problem = build_problem(graph, aggregation, features, nodes)
            part = [row for row in rows if row["aggregation"] == aggregation]
            causes = find_causes(problem, part)
            checked.append(Checked(graph, aggregation, features, nodes, problem, part, causes))
    return Analysis(
        graph=graph,
        facts=graph_facts(graph) | _merged(graph),
        condition=rows,
        causes=[row for one in checked for row in cause_rows(one.aggregation, one.causes)],
        repairs=repair_rows(checked),
        traced=traced,
    )


def _merged(graph: Graph) -> dict[str, Any]:
    """Facts about the input: stored and merged edges, ignored weights, unused columns, the split.

    An edge that is stored in both directions is merged into one.
    """
    facts = graph.facts
    counted = "one_way_edges" in facts
    absent: dict[str, Any] = {
        "stored_edges": None,
        "weights_ignored": False,
        "unused": [],
        "split": None,
    }
    return {key: facts.get(key, value) for key, value in absent.items()} | {
        "reversed_edges_merged": facts["edges"] - facts["one_way_edges"] if counted else None
    }


def rounded(row: Mapping[str, Any], eps: float) -> dict[str, bool]:
    """Whether the rank may be full only because the features are rounded, to `eps` of their size.

    Rounding moves a singular value by about eps sigma_max; one below that may be an exact zero.
    """
    below = row["sigma_min"] <= eps * row["sigma_max"]
    return {"full_by_rounding": bool(row["condition_holds"] and below)}


def _with_lowest_loss(graph: Graph, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with `lowest_loss`, L* / ||Y||^2; 0 where the columns are independent."""
    keys = ("aggregation", "features", "nodes", "multiscale", "depth")
    cells = [{key: row[key] for key in keys} for row in rows if row["rank"] < row["cols"]]
    solved = optimum_table(graph, [cell | {"labels": "true", "seed": 0} for cell in cells])
    shares = {
        tuple(row[key] for key in keys): row["loss_optimum"] / row["label_norm_sq"]
        for row in solved
        if row["label_norm_sq"] > 0
    }

    def share(row: Mapping[str, Any]) -> float | None:
        unknown = 0.0 if row["rank"] == row["cols"] else None
        return shares.get(tuple(row[key] for key in keys), unknown)

    return [row | {"lowest_loss": share(row)} for row in rows]


def expected(row: Mapping[str, Any]) -> dict[str, float]:
    """The speed that a row of graph_condition.parquet implies, at lambda = 1.

    Along gradient flow of the squared loss the excess L - L* decreases at a rate of at least
    4 lambda sigma_r^2 per unit of time (Xu et al. 2021, arXiv 2105.04550, Theorems 1 and 2, with
    the smallest positive singular value sigma_r; docs/theory.md). lambda depends on the products
    of weights; it is 1 for the identity, and here.

    largest_rate: gradient descent is stable for step sizes below it, 1 / sigma_max^2.
    rate: 4 sigma_r^2, per unit of flow time. half_life: log 2 / rate, the time in which the slowest
    part of the excess halves. descent_steps: the number of steps of gradient descent in which it
    halves, with step size 1 / (2 sigma_max^2), half the largest stable one.
    """
    slow, fast = row["sigma_min_positive_sq"], row["sigma_max"] ** 2
    if not slow > 0:
        nothing = {"rate": 0.0, "half_life": math.inf, "descent_steps": math.inf}
        return nothing | {"largest_rate": math.inf}
    rate = 4.0 * slow
    remains = 2.0 * math.log1p(-slow / fast) if slow < fast else -math.inf
    steps = max(1.0, math.log(0.5) / remains) if remains else math.inf
    speed = {"rate": rate, "half_life": math.log(2.0) / rate, "descent_steps": steps}
    return speed | {"largest_rate": 1.0 / fast}
