"""The picture of the rules contains every rule of the workflow, and nothing overlaps."""

import re
import subprocess
import sys
from itertools import combinations

import networkx as nx
import pytest
from workflow_runs import ROOT, Project

from gnn_dynamics.figures.rulegraph import WIDTH, bend, draw, layout, parse_dot

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


def test_arrows_point_down_and_boxes_do_not_overlap():
    bent = bend(parse_dot(DOT))
    centres = layout(bent)
    assert all(centres[source][1] > centres[target][1] for source, target in bent.edges)
    for (x, y), (other_x, other_y) in combinations(centres.values(), 2):
        assert y != other_y or abs(x - other_x) >= WIDTH - 1e-9


def test_an_arrow_has_a_point_in_every_row_that_it_crosses():
    """`slow` is read at the end only; the arrow to it must not run behind `b` or `c`."""
    chain = nx.DiGraph([("a", "b"), ("b", "c"), ("c", "end"), ("a", "slow"), ("slow", "end")])
    bent = bend(chain)
    points = [node for node in bent if node not in chain]
    assert nx.shortest_path(bent, "a", "slow") == ["a", *points, "slow"]
    centres = layout(bent)
    (point,) = points
    assert centres[point][1] == centres["b"][1] and centres[point][0] != centres["b"][0]


def test_the_order_of_the_lines_changes_nothing():
    first, last = parse_dot(DOT), parse_dot("\n".join(reversed(DOT.splitlines())))
    assert list(bend(first).edges) == list(bend(last).edges)
    assert layout(bend(first)) == layout(bend(last))


def test_every_rule_is_written_in_the_picture():
    texts = {text.get_text() for text in draw(parse_dot(DOT)).axes[0].texts}
    assert {"make_report", "plot_claims", "train_block"} <= texts


def test_a_loop_is_refused():
    with pytest.raises(nx.NetworkXError):
        parse_dot(DOT + "1 -> 3\n")


def test_text_without_rules_is_refused():
    with pytest.raises(ValueError, match="no rules"):
        parse_dot("Error")


@pytest.mark.workflow
def test_every_rule_of_the_workflow_is_in_the_picture(tmp_path):
    """Every rule that writes files: the others are names of targets."""
    text = "".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
    names_and_bodies = re.split(r"^rule (\w+):$", text, flags=re.M)[1:]
    pairs = zip(names_and_bodies[::2], names_and_bodies[1::2], strict=True)
    rules = {name for name, body in pairs if "\n    output:\n" in body}
    project = Project(tmp_path / "project")
    command = [sys.executable, "-m", "snakemake", "all", "--rulegraph", "dot"]
    command += ["--configfile", "config/paper.yaml"]
    environment = project.environment()
    dot = subprocess.check_output(command, cwd=project.folder, env=environment, text=True)
    texts = {text.get_text() for text in draw(parse_dot(dot)).axes[0].texts} - {""}
    assert texts == rules and len(rules) > 10
