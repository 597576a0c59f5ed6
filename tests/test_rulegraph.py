"""The picture of the rules: everything that Snakemake names is there, and nothing overlaps."""

import networkx as nx
import pytest

from gnn_dynamics.workflow.rulegraph import draw, layout, parse_dot

DOT = """
digraph snakemake_dag {
    graph[bgcolor=white, margin=0];
    0[label = "all", color = "0.10 0.6 0.85", style="rounded"];
    1[label = "make_report", color = "0.18 0.6 0.85", style="rounded"];
    2[label = "plot_claims", color = "0.18 0.6 0.85", style="rounded"];
    3[label = "train_block", color = "0.18 0.6 0.85", style="rounded"];
    1 -> 0
    2 -> 0
    3 -> 1
    2 -> 1
    3 -> 2
}
"""


def test_rules_and_arrows_are_read_and_implied_arrows_left_out():
    graph = parse_dot(DOT)
    assert sorted(graph) == ["make_report", "plot_claims", "train_block"]
    assert set(graph.edges) == {("train_block", "plot_claims"), ("plot_claims", "make_report")}


def test_arrows_point_to_the_right_and_boxes_do_not_overlap():
    graph = parse_dot(DOT)
    place = layout(graph)
    assert all(place[source][0] < place[target][0] for source, target in graph.edges)
    assert len(set(place.values())) == len(graph)


def test_every_rule_is_written_in_the_picture():
    texts = {text.get_text() for text in draw(parse_dot(DOT)).axes[0].texts}
    assert {"make_report", "plot_claims", "train_block"} <= texts


def test_a_loop_is_refused():
    with pytest.raises(nx.NetworkXError):
        parse_dot(DOT + "1 -> 3\n")


def test_text_without_rules_is_refused():
    with pytest.raises(ValueError, match="no rules"):
        parse_dot("Error")
