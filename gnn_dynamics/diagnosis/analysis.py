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

AGGREGATIONS = ("gcn", "gin")


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
    rows = [row | expected(row) for row in condition_table(graph, grid)]
    traced = bytes_in_memory(graph, features, nodes, depth) <= memory
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


def expected(row: Mapping[str, Any]) -> dict[str, float]:
    """The speed that a row of graph_condition.parquet implies: rate, half_life, descent_steps.

    Along gradient flow of the squared loss the excess L - L* decreases at a rate of at least
    4 lambda sigma_r^2 per unit of time (Xu et al. 2021, arXiv 2105.04550, Theorems 1 and 2, with
    the smallest positive singular value sigma_r; docs/theory.md). lambda depends on the products
    of weights; it is 1 for the identity, and here.

    rate: 4 sigma_r^2, per unit of flow time. half_life: log 2 / rate, the time in which the slowest
    part of the excess halves. descent_steps: the number of steps of gradient descent in which it
    halves, with step size 1 / (2 sigma_max^2), half the largest stable one.
    """
    slow, fast = row["sigma_min_positive_sq"], row["sigma_max"] ** 2
    if not slow > 0:
        return {"rate": 0.0, "half_life": math.inf, "descent_steps": math.inf}
    rate = 4.0 * slow
    remains = 2.0 * math.log1p(-slow / fast) if slow < fast else -math.inf
    steps = max(1.0, math.log(0.5) / remains) if remains else math.inf
    return {"rate": rate, "half_life": math.log(2.0) / rate, "descent_steps": steps}


def in_words(steps: float) -> str:
    """`descent_steps` as one of five words, from fast to out of reach."""
    for most, words in ((100, "fast"), (1e4, "moderate"), (1e6, "slow"), (1e9, "very slow")):
        if steps <= most:
            return words
    return "out of reach"
