"""The rule graph that Snakemake prints, as a graph of networkx."""

import re

import networkx as nx


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
