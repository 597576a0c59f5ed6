"""A picture of the workflow's rules from Snakemake's own description of them."""

import re

import networkx as nx
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

STAGES = {
    "data": ("#d9e8f6", ("fetch_dataset", "prepare_graph", "tabulate_graphs")),
    "spectral": ("#dff0d8", ("check_graph_condition", "solve_optimum")),
    "training": ("#fdebd0", ("train_block",)),
    "verdicts": ("#f4dfee", ("check_bounds", "compare_runs", "judge_claims")),
}
OTHER = "#efefef"


def parse_dot(text: str) -> nx.DiGraph:
    """The rules and their dependencies from the output of `snakemake --rulegraph dot`.

    The target `all`, on which nothing depends and which depends on everything, is left out, and so
    is every arrow that a chain of others implies.

    Raises:
        ValueError: if the text describes no rule.
    """
    names = dict(re.findall(r'^\s*(\d+)\[label = "([^"\\]+)', text, flags=re.M))
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted(set(names.values()) - {"all"}))
    for source, target in re.findall(r"^\s*(\d+) -> (\d+)", text, flags=re.M):
        # A rule that feeds itself (collect_table) would make a loop; it is one box here.
        if names[source] != names[target] and "all" not in (names[source], names[target]):
            graph.add_edge(names[source], names[target])
    if not graph:
        raise ValueError(f"no rules in Snakemake's rule graph: {text[:200]!r}")
    return nx.transitive_reduction(graph)


def layout(graph: nx.DiGraph) -> dict[str, tuple[float, float]]:
    """Rule -> (x, y): one column for each generation, rows ordered by what they depend on."""
    place: dict[str, tuple[float, float]] = {}
    for column, generation in enumerate(nx.topological_generations(graph)):
        height = {rule: _mean_height(graph, rule, place) for rule in generation}
        ordered = sorted(generation, key=lambda rule: (height[rule], rule))
        for row, rule in enumerate(ordered):
            place[rule] = (float(column), row - (len(ordered) - 1) / 2)
    return place


def _mean_height(graph: nx.DiGraph, rule: str, place: dict) -> float:
    heights = [place[source][1] for source in graph.predecessors(rule)]
    return sum(heights) / len(heights) if heights else 0.0


def draw(graph: nx.DiGraph) -> Figure:
    """Boxes for rules, coloured by stage, with arrows from what is made to what is made from it."""
    place = layout(graph)
    columns = 1 + max(x for x, _ in place.values())
    rows = 1 + 2 * max(abs(y) for _, y in place.values())
    figure = Figure(figsize=(2.0 * columns, 0.42 * rows + 0.4), dpi=150)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.6, columns - 0.4), ylim=(rows / 2 + 0.3, -rows / 2 - 0.3))
    axes.axis("off")
    for source, target in sorted(graph.edges):
        _arrow(axes, place[source], place[target])
    for rule, (x, y) in sorted(place.items()):
        box = {"boxstyle": "round,pad=0.35", "facecolor": _colour(rule), "edgecolor": "#555555"}
        axes.text(x, y, rule, ha="center", va="center", fontsize=7, bbox=box | {"linewidth": 0.6})
    return figure


def _arrow(axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "mutation_scale": 7, "linewidth": 0.6, "color": "#777777"}
    axes.add_patch(
        FancyArrowPatch(start, end, connectionstyle="arc3,rad=0.0", shrinkA=42, shrinkB=44, **style)
    )


def _colour(rule: str) -> str:
    return next((colour for colour, rules in STAGES.values() if rule in rules), OTHER)
