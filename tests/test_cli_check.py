"""`gnn-dynamics check`: what it finds, says, writes and returns."""

import json
from dataclasses import replace

import graphs
import numpy as np
import pandas as pd
import pytest
from graphs import adjacency_of, patient
from hypothesis import given, settings
from matplotlib.image import imread
from own_files import FORMATS, toy, write_csv

from gnn_dynamics.artifacts.pictures import read_provenance
from gnn_dynamics.cli.check_text import _advice
from gnn_dynamics.cli.file_roles import files_by_role
from gnn_dynamics.cli.main import main
from gnn_dynamics.data.graph import save_graph
from gnn_dynamics.diagnosis.analysis import analyse, expected
from gnn_dynamics.diagnosis.causes import find_causes
from gnn_dynamics.errors import UserError
from gnn_dynamics.problem.problem import build_problem
from gnn_dynamics.problem.propagation import hops
from gnn_dynamics.spectra.graph_condition import condition_rows

pytestmark = pytest.mark.slow

MEMORY = 4e9
# 0, 1, 2 a triangle; 7 and 8 leaves of 6 with equal features; 9, 10, 11 alone.
PAIRS = [(0, 1), (0, 2), (1, 2), (3, 4), (4, 5), (5, 6), (7, 6), (8, 6)]


FACTS = {"source_url": "local", "sha256": "0" * 64}
FACTS |= {"duplicate_edges_dropped": 0, "self_loops_dropped": 0}


def make_graph(adjacency, X, labels=None):
    """A graph with the facts of a prepared one."""
    graph = graphs.make_graph(adjacency, X, labels)
    graph.facts.update(FACTS)
    return graph


def flawed(m_x=20):
    """Twelve nodes with every flaw of nodes that the check knows by name."""
    X = np.random.default_rng(0).integers(1, 5, (12, m_x)).astype(float)
    X[8], X[9], X[11] = X[7], 0, 2 * X[10]
    return make_graph(adjacency_of(12, PAIRS), X, np.arange(12) % 3)


def check(*arguments):
    return main(["check", *map(str, arguments)])


def reasons(found, **cell):
    rows = pd.DataFrame(found.causes)
    for key, value in cell.items():
        rows = rows[rows[key] == value]
    return {tuple(row.members): row.reason for row in rows.itertuples()}


def test_the_nodes_that_break_it_are_named_with_the_reason():
    found = analyse(flawed(), "raw", "all", 2, MEMORY)
    everywhere = {
        (9,): "isolated, without features",
        (7, 8): "copies: same neighbours, equal features",
        (10, 11): "isolated, with proportional features",
    }
    twins = {(0, 1, 2): "twins: same closed neighbourhood"}
    for aggregation in ("gcn", "gin"):
        for depth in (1, 2):
            cell = {"aggregation": aggregation, "depth": depth}
            assert reasons(found, multiscale=True, **cell) == everywhere
            assert reasons(found, multiscale=False, **cell) == everywhere | twins


def test_a_proposal_is_made_only_where_it_was_computed_to_help():
    found = analyse(flawed(), "raw", "all", 2, MEMORY)
    repairs = pd.DataFrame(found.repairs)
    surplus = repairs[repairs["repair"] == "leave surplus nodes out of I"]
    assert surplus["holds"].all() and len(surplus) == 8
    assert surplus["left_out"].map(tuple).unique().tolist() == [(1, 2, 8, 9, 11)]
    copies = repairs[repairs["repair"] == "leave copies and empty nodes out of I"]
    assert (copies["holds"] == copies["multiscale"]).all()
    assert not repairs[repairs["repair"].str.startswith("multiscale")]["holds"].any()


def test_skip_connections_repair_twins():
    X = np.random.default_rng(1).standard_normal((5, 9))
    graph = make_graph(adjacency_of(5, [(0, 1), (0, 2), (1, 2), (2, 3), (3, 4)]), X)
    found = analyse(graph, "raw", "all", 3, MEMORY)
    assert {row["reason"] for row in found.causes} == {"twins: same closed neighbourhood"}
    skips = [row for row in found.repairs if row["repair"].startswith("multiscale")]
    assert len(skips) == 6 and all(row["holds"] for row in skips)


def test_the_features_that_break_it_are_named_with_the_reason():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((30, 8))
    X[:, 1], X[:, 2], X[:, 3] = 0, X[:, 0], -2 * X[:, 4]
    graph = make_graph(adjacency_of(30, [(i, i + 1) for i in range(29)]), X)
    found = analyse(graph, "raw", "all", 1, MEMORY)
    assert reasons(found, aggregation="gcn", multiscale=False) == {
        (1,): "0 at every node",
        (0, 2): "duplicates of each other",
        (3, 4): "multiples of each other",
    }
    dropped = [row for row in found.repairs if row["repair"] == "leave surplus features out"]
    assert len(dropped) == 4 and all(row["holds"] for row in dropped)
    assert dropped[0]["left_out"] == [1, 2, 4]


def test_constant_features_are_zero_once_standardised_and_raw_ones_are_proposed():
    X = np.random.default_rng(3).standard_normal((30, 4))
    X[:, 2] = 5
    graph = make_graph(adjacency_of(30, [(i, i + 1) for i in range(29)]), X)
    found = analyse(graph, "standard", "all", 1, MEMORY)
    assert set(reasons(found).values()) == {"0 at every node"}
    raw = [row for row in found.repairs if row["repair"] == "raw features"]
    assert len(raw) == 4 and all(row["holds"] for row in raw)


def test_a_longer_dependency_lists_its_members():
    X = np.random.default_rng(4).standard_normal((30, 5))
    X[:, 4] = X[:, 0] + X[:, 1]
    graph = make_graph(adjacency_of(30, [(i, i + 1) for i in range(29)]), X)
    found = analyse(graph, "raw", "all", 1, MEMORY)
    assert reasons(found, aggregation="gin", multiscale=False) == {
        (0, 1, 4): "1 linear dependency among these features, longer than pairs"
    }


@settings(patient, max_examples=30)
@given(graph=graphs.graphs())
def test_causes_explain_no_more_and_no_less_than_what_is_missing(graph):
    for aggregation in ("gcn", "gin"):
        problem = build_problem(graph, aggregation, "raw", "all")
        rows = condition_rows(problem, [1, 2])
        causes = find_causes(problem, rows)
        failing = {(r["multiscale"], r["depth"]) for r in rows if not r["condition_holds"]}
        assert set(causes) == failing
        assert all(causes.values())
        for row in rows:
            if not row["condition_holds"] and row["rows"] >= row["cols"]:
                lost = sum(len(c.surplus) for c in causes[row["multiscale"], row["depth"]])
                assert lost <= row["cols"] - row["rank"]


def test_too_little_memory_leaves_causes_untraced(monkeypatch):
    monkeypatch.setattr("gnn_dynamics.diagnosis.analysis.bytes_in_memory", lambda *_: MEMORY + 1)
    found = analyse(flawed(), "raw", "all", 1, MEMORY)
    assert not found.holds and not found.traced and not found.causes and not found.repairs


def test_the_expected_rate_is_that_of_descent():
    """Gradient descent on ||A G - Y||^2 halves its slowest part in `descent_steps`."""
    G = np.diag([3.0, 0.5])
    found = expected({"sigma_min_positive_sq": 0.25, "sigma_max": 3.0})
    A, Y, step = np.zeros((1, 2)), np.array([[0.0, 1.0]]), 1 / (2 * 9.0)
    steps = round(found["descent_steps"])
    for _ in range(steps):
        A = A - step * 2 * (A @ G - Y) @ G.T
    assert np.square(A @ G - Y).sum() == pytest.approx(0.5, rel=0.03)
    assert found["rate"] == 1.0 and found["half_life"] == pytest.approx(np.log(2))


def test_a_graph_without_any_feature_has_no_rate():
    assert expected({"sigma_min_positive_sq": np.nan, "sigma_max": 0.0})["rate"] == 0


@pytest.mark.parametrize("name", ["csv", "parquet", "pyg-data", "graphml", "scipy"])
def test_every_format_is_checked_without_a_config(name, tmp_path, capsys):
    paths = FORMATS[name](tmp_path, toy())
    out = tmp_path / "out"
    code = check(*paths.values(), "--depth", 1, "--out", out)
    said = capsys.readouterr().out
    assert code in (0, 1)
    assert "6 nodes, 5 edges, 4 features, 2 classes, 3 in the training set" in said
    assert "I = 3 training nodes, raw features" in said


def test_what_is_written_is_what_is_said(tmp_path, capsys):
    paths = write_csv(tmp_path, toy())
    out = tmp_path / "out"
    code = check(*paths.values(), "--json", "--out", out, "--nodes", "all", "--name", "mine")
    content = json.loads(capsys.readouterr().out)
    assert content["holds"] == (code == 0)
    table = pd.read_parquet(out / "graph_condition.parquet")
    assert len(table) == len(content["condition"]) == 16
    assert table["dataset"].unique().tolist() == ["mine"]
    assert pd.read_parquet(out / "graphs.parquet")["stored_edges"].item() == 8
    for name in ("causes", "repairs"):
        assert len(pd.read_parquet(out / f"{name}.parquet")) == len(content[name])
    assert imread(out / "graph_check.png")[..., :3].std() > 0.01
    assert (out / "graph_check.pdf").read_bytes().startswith(b"%PDF")
    made = read_provenance(out / "causes.parquet")
    assert set(made["datasets"]) == {"mine"} and made["config"]["depth"] == 4
    assert str(tmp_path) not in str(made)


def test_the_same_check_gives_the_same_bytes(tmp_path, capsys):
    paths = write_csv(tmp_path, toy())
    for out in ("a", "b"):
        check(*paths.values(), "--depth", 1, "--out", tmp_path / out)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_a_prepared_graph_is_checked(tmp_path, capsys):
    save_graph(flawed(), tmp_path / "toy.npz")
    assert check(tmp_path / "toy.npz", "--depth", 1, "--out", tmp_path / "out") == 1
    said = capsys.readouterr().out
    assert "nodes 0, 1, 2: twins: same closed neighbourhood  [GCN no skip H = 1, GIN" in said
    assert "nodes 7, 8: copies: same neighbours, equal features  [everywhere]" in said
    assert "The assumptions FAIL in 4 of 4 cells" in said


def test_names_of_nodes_stand_beside_their_numbers(tmp_path, capsys):
    X, edges = np.eye(6) + 1, np.array([(0, 1), (0, 2), (1, 2), (2, 3), (3, 4), (4, 5)])
    paths = FORMATS["graphml"](tmp_path, replace(toy(), edges=edges, X=X[:, :4]))
    np.save(tmp_path / "features.npy", X)
    files = paths["graph"], tmp_path / "features.npy"
    check(*files, "--nodes", "all", "--depth", 1, "--out", tmp_path / "out")
    said = capsys.readouterr().out
    assert "nodes 0 (n0), 1 (n1): twins: same closed neighbourhood" in said


def test_no_labels_are_needed(tmp_path, capsys):
    paths = write_csv(tmp_path, toy())
    arguments = [paths["graph"], paths["features"], "--depth", 1, "--out", tmp_path / "out"]
    assert check(*arguments) == 2
    assert "--no-labels" in capsys.readouterr().err
    assert check(*arguments, "--no-labels") in (0, 1)
    assert "I = all 6 labelled nodes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv"], "none.csv (graph) is missing"),
        (
            ["graph.csv", "edges.csv"],
            "both seem to contain the graph; give the roles: graph=graph.csv",
        ),
        (["features.csv", "labels.csv"], "no file seems to contain the edges; give the roles"),
        (["."], "is a folder"),
        (["notes.docx"], "notes.docx: .docx is not a format for graph"),
        (["graph.csv", "features.csv", "labels.csv", "--memory", "1e-9"], "is too large"),
        (
            ["graph.csv", "features.csv", "labels.csv", "--labels", "z"],
            "labels.csv has no 'z' for labels",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path, toy())
    (tmp_path / "notes.docx").write_bytes(b"")
    assert check(*arguments) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1 and "Traceback" not in said


@pytest.mark.parametrize("command", [["--help"], ["check", "--help"], ["compare", "--help"]])
def test_help_has_examples_and_exit_codes(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main(command)
    said = capsys.readouterr().out
    assert caught.value.code == 0
    assert len(command) == 1 or ("examples:" in said and "exit codes: 0" in said)


def test_a_wrong_option_is_bad_input(capsys):
    with pytest.raises(SystemExit) as caught:
        check("a.csv", "--depth", "0")
    assert caught.value.code == 2 and "'0' is not a whole number from 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("paths", "roles"),
    [
        (["a.csv"], {"graph": "a.csv"}),
        (["my_labels.csv"], {"graph": "my_labels.csv"}),
        (["edges.csv", "feat.npy"], {"graph": "edges.csv", "features": "feat.npy"}),
        (
            ["adj.npz", "x.npy", "y.npy"],
            {"graph": "adj.npz", "features": "x.npy", "labels": "y.npy"},
        ),
        (["graph=x.npz", "split=s.csv"], {"graph": "x.npz", "split": "s.csv"}),
        (["a=b.csv"], {"graph": "a=b.csv"}),
    ],
)
def test_roles_are_told_from_names_or_said(paths, roles):
    assert files_by_role(paths) == roles


def test_two_files_of_one_role_get_an_example():
    with pytest.raises(UserError, match=r"graph=a\.csv features=b\.csv"):
        files_by_role(["a.csv", "b.csv"])


def independent(n=30, m_x=5):
    """A path whose features have full rank."""
    X = np.random.default_rng(6).standard_normal((n, m_x))
    return make_graph(adjacency_of(n, [(i, i + 1) for i in range(n - 1)]), X, np.arange(n) % 2)


@pytest.mark.parametrize("size", [2.0**55, 2.0**70])
def test_the_scale_of_a_feature_is_named_and_standard_features_repair_it(size):
    graph = independent()
    X = graph.features.toarray() * [1, 1, size, 1, 1]
    found = analyse(replace(graph, features=make_graph(graph.adjacency, X).features),
                    "raw", "all", 2, MEMORY)  # fmt: skip
    assert not found.holds
    assert {(cause["kind"], *cause["members"]) for cause in found.causes} == {("feature", 2)}
    assert all(f"values to {np.abs(X).max():.2g}" in cause["reason"] for cause in found.causes)
    standard = [row for row in found.repairs if row["repair"] == "standard features"]
    assert len(standard) == len(found.causes) and all(row["holds"] for row in standard)


def test_other_causes_are_found_beside_a_large_feature():
    graph = independent()
    X = graph.features.toarray()
    X[:, 4] = X[:, 0] + X[:, 1]
    expected_causes = {("feature", 0, 1, 4)}
    plain = analyse(make_graph(graph.adjacency, X), "raw", "all", 1, MEMORY)
    assert {
        (c["kind"], *c["members"]) for c in plain.causes if not c["multiscale"]
    } == expected_causes
    X[:, 2] *= 2.0**60
    scaled = analyse(make_graph(graph.adjacency, X), "raw", "all", 1, MEMORY)
    causes = {(c["kind"], *c["members"]) for c in scaled.causes if not c["multiscale"]}
    assert causes == expected_causes | {("feature", 2)}


def test_a_dependency_rounded_to_float32_is_full_by_rounding_only():
    graph = independent()
    X = graph.features.toarray()
    X[:, 4] = X[:, :4].sum(axis=1)
    rounded = make_graph(graph.adjacency, X.astype(np.float32).astype(float))
    rounded.facts["features_rounded"] = "float32"
    found = analyse(rounded, "raw", "all", 1, MEMORY)
    without = [row for row in found.condition if not row["multiscale"]]
    assert all(row["condition_holds"] and row["full_by_rounding"] for row in without)
    full = make_graph(graph.adjacency, graph.features.toarray().astype(np.float32).astype(float))
    full.facts["features_rounded"] = "float32"
    rows = analyse(full, "raw", "all", 1, MEMORY).condition
    assert not any(row["full_by_rounding"] for row in rows)


@pytest.mark.parametrize("values", [np.arange(24.0), np.arange(24.0) / 7])
def test_only_fractions_are_rounded_by_float32(values, tmp_path, capsys):
    paths = write_csv(tmp_path, toy())
    np.save(tmp_path / "x.npy", values.reshape(6, 4).astype(np.float32))
    files = [paths["graph"], tmp_path / "x.npy", paths["labels"]]
    check(*files, "--depth", 1, "--out", tmp_path / "out")
    assert ("rounded to float32" in capsys.readouterr().out) == (values[1] % 1 != 0)


def test_the_lowest_loss_is_that_of_least_squares():
    graph = independent()
    Y = np.eye(2)[graph.labels].T
    for row in analyse(graph, "raw", "all", 1, MEMORY).condition:
        G = list(hops(build_problem(graph, row["aggregation"], "raw", "all"), 1))
        G = np.vstack(G) if row["multiscale"] else G[-1]
        A = np.linalg.lstsq(G.T, Y.T, rcond=None)[0].T
        assert row["lowest_loss"] == pytest.approx(np.square(A @ G - Y).sum() / np.square(Y).sum())
        top = np.linalg.svd(G, compute_uv=False)[0]
        assert row["largest_rate"] == pytest.approx(top**-2)


def condition_with(steps, holds):
    """Rows of one aggregation without and with skips at depths 1, 2, ..."""
    return pd.DataFrame(
        [
            {"aggregation": "gcn", "depth": depth, "multiscale": skip}
            | {"descent_steps": steps[depth - 1][skip], "condition_holds": holds[depth - 1][skip]}
            for depth in range(1, len(steps) + 1)
            for skip in (False, True)
        ]
    )


@pytest.mark.parametrize(
    ("steps", "holds", "words"),
    [
        ([(47000, 81)], [(1, 1)], "Use skip connections: with them the slowest part of the"
         " loss needs 81 steps to halve instead of 47,000 steps (GCN, H = 1)."),
        ([(1, 300)], [(1, 1)], "For speed, do without skip connections"),
        ([(100, 110)], [(1, 1)], "Skip connections do not change the speed"),
        ([(1, 300), (2, 2)], [(0, 1), (0, 0)], "Skip connections repair 1 of 2 models."),
        ([(1, 300)], [(0, 0)], "Repair the input first"),
    ],
)  # fmt: skip
def test_the_advice_compares_only_models_that_learn_all(steps, holds, words):
    assert _advice(condition_with(steps, holds)).startswith(words)
