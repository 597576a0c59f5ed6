"""The rules of the workflow and their dependencies, drawn from top to bottom."""

import re
from itertools import accumulate
from statistics import fmean
from typing import Any

import networkx as nx
from matplotlib.figure import Figure

from gnn_dynamics.figures import style

WIDTH, HEIGHT = 1.65, 0.62  # inches from box to box


def parse_dot(text: str) -> nx.DiGraph:
    """The rules and their dependencies, from the output of `snakemake --rulegraph dot`.

    The target `all` is left out, and so is every arrow that follows from a chain of others.

    Raises:
        ValueError: if the text contains no rule.
        NetworkXError: if the rules depend on each other in a circle.
    """
    names = dict(re.findall(r'^\s*(\d+)\[label = "([^"\\]+)', text, flags=re.M))
    arrows = re.findall(r"^\s*(\d+) -> (\d+)", text, flags=re.M)
    graph: nx.DiGraph = nx.DiGraph()
    graph.add_nodes_from(sorted(names.values()))
    graph.add_edges_from((names[source], names[target]) for source, target in arrows)
    graph.remove_nodes_from(["all"])
    if not graph:
        raise ValueError(f"no rules in Snakemake's rule graph: {text[:200]!r}")
    return nx.transitive_reduction(graph)


def bend(graph: nx.DiGraph) -> nx.DiGraph:
    """The graph with a point, a tuple, in every row that an arrow crosses: no box is in its way."""
    generations = enumerate(nx.topological_generations(graph.reverse()))
    row = {rule: i for i, rules in generations for rule in rules}
    bent: nx.DiGraph = nx.DiGraph()
    bent.add_nodes_from(graph)
    for source, target in sorted(graph.edges):  # networkx keeps the edges in sets
        points = [(source, target, i) for i in range(row[source] - 1, row[target], -1)]
        nx.add_path(bent, [source, *points, target])
    return bent


def layout(bent: nx.DiGraph) -> dict[Any, tuple[float, float]]:
    """Rule or point -> (x, y) in inches: as low as possible, above the mean of its readers."""
    centres: dict[Any, tuple[float, float]] = {}
    for row, nodes in enumerate(nx.topological_generations(bent.reverse())):
        mean = {n: fmean([centres[m][0] for m in bent.successors(n)] or [0.0]) for n in nodes}
        ordered = sorted(nodes, key=lambda node: (mean[node], str(node)))
        x = list(accumulate((mean[n] for n in ordered), lambda left, x: max(left + WIDTH, x)))
        shift = fmean(mean.values()) - fmean(x)
        centres |= {n: (x[i] + shift, HEIGHT * row) for i, n in enumerate(ordered)}
    return centres


@style.context()
def draw(graph: nx.DiGraph) -> Figure:
    """A box for each rule, with arrows from each rule down to those that read its output."""
    bent = bend(graph)
    centres = layout(bent)
    x, y = zip(*centres.values(), strict=True)
    left, right, top = min(x) - WIDTH / 2, max(x) + WIDTH / 2, max(y) + HEIGHT / 2
    figure = style.new_figure(top + HEIGHT / 2, right - left, layout=None)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(left, right), ylim=(-HEIGHT / 2, top))
    axes.axis("off")
    box = {"boxstyle": "round", "facecolor": "#EFEFEF", "edgecolor": style.GREY, "linewidth": 0.6}
    boxes = {
        rule: axes.text(*centres[rule], rule, ha="center", va="center", bbox=box).get_bbox_patch()
        for rule in graph
    }
    line = {"color": style.GREY, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    for source, target in bent.edges:
        ends = {"patchA": boxes.get(source), "patchB": boxes.get(target)}
        arrow = line | ends | {"arrowstyle": "-|>" if target in graph else "-"}
        axes.annotate("", centres[target], centres[source], arrowprops=arrow)
    return figure
