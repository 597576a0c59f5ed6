"""A picture of the workflow's rules from Snakemake's own description of them."""

import re

import networkx as nx
from matplotlib.axes import Axes
from matplotlib.figure import Figure

STAGES = {
    "data": ("#d9e8f6", ("fetch_dataset", "prepare_graph", "tabulate_graphs")),
    "spectral": ("#dff0d8", ("check_graph_condition", "solve_optimum")),
    "training": ("#fdebd0", ("train_block",)),
    "theory": ("#e8e3f5", ("check_bounds", "check_guarantees", "check_negative_results")),
    "verdicts": ("#f4dfee", ("compare_runs", "judge_claims")),
}
OTHER = "#efefef"
CHARACTER = 0.053  # width of a character at 7 points, in inches
COLUMN, ROW = 1.9, 0.36  # inches between boxes


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
        if "all" not in (names[source], names[target]):
            graph.add_edge(names[source], names[target])
    if not graph:
        raise ValueError(f"no rules in Snakemake's rule graph: {text[:200]!r}")
    return nx.transitive_reduction(graph)


def layout(graph: nx.DiGraph) -> dict[str, tuple[float, float]]:
    """Rule -> (x, y) in inches: a column for each generation, the figures in the last but one."""
    columns = {
        rule: c for c, rules in enumerate(nx.topological_generations(graph)) for rule in rules
    }
    last = max(columns.values())
    columns |= {rule: last - 1 for rule in graph if rule.startswith(("plot_", "draw_"))}
    place: dict[str, tuple[float, float]] = {}
    for column in range(last + 1):
        rules = sorted(rule for rule in graph if columns[rule] == column)
        rules.sort(key=lambda rule: _mean_height(graph, rule, place))
        for row, rule in enumerate(rules):
            place[rule] = (COLUMN * column, ROW * (row - (len(rules) - 1) / 2))
    return place


def _mean_height(graph: nx.DiGraph, rule: str, place: dict) -> float:
    heights = [place[source][1] for source in graph.predecessors(rule) if source in place]
    return sum(heights) / len(heights) if heights else 0.0


def draw(graph: nx.DiGraph) -> Figure:
    """Boxes for rules, coloured by stage, with arrows from what is made to what is made from it."""
    place = layout(graph)
    width = max(x for x, _ in place.values()) + COLUMN
    height = 2 * max(abs(y) for _, y in place.values()) + 2 * ROW
    figure = Figure(figsize=(width, height), dpi=150)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-COLUMN / 2, width - COLUMN / 2), ylim=(height / 2, -height / 2))
    axes.axis("off")
    for source, target in sorted(graph.edges):
        _arrow(axes, _edge(place, source, +1), _edge(place, target, -1))
    for rule, (x, y) in sorted(place.items()):
        box = {"boxstyle": "round,pad=0.3", "facecolor": _colour(rule), "edgecolor": "#555555"}
        axes.text(x, y, rule, ha="center", va="center", fontsize=7, bbox=box | {"linewidth": 0.6})
    return figure


def _edge(place: dict, rule: str, side: int) -> tuple[float, float]:
    """The middle of the right (+1) or left (-1) edge of a rule's box."""
    x, y = place[rule]
    return x + side * (len(rule) * CHARACTER / 2 + 0.06), y


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    arrow = {"arrowstyle": "-|>", "mutation_scale": 7, "linewidth": 0.6, "color": "#888888"}
    axes.annotate("", end, start, arrowprops=arrow | {"shrinkA": 0, "shrinkB": 0}, zorder=1)


def _colour(rule: str) -> str:
    return next((colour for colour, rules in STAGES.values() if rule in rules), OTHER)
