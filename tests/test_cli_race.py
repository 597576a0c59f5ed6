"""`gnn-dynamics race` and `study`: what they print and write, and what they refuse."""

import json
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from graphs import adjacency_of, make_graph
from matplotlib.image import imread
from own_files import toy, write_csv
from workflow_runs import Project

from gnn_dynamics.artifacts.pictures import read_provenance
from gnn_dynamics.cli.main import main
from gnn_dynamics.cli.race_text import advice
from gnn_dynamics.data.graph import save_graph
from gnn_dynamics.diagnosis import race as race_module
from gnn_dynamics.diagnosis.race import CANDIDATE, RACE

pytestmark = pytest.mark.slow


def race(*arguments):
    return main(["race", *map(str, arguments)])


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The files of a small graph, and a race of two models."""
    monkeypatch.setattr(race_module, "DEPTHS", (1,))
    monkeypatch.setattr(race_module, "STEPS", (20,))
    return [*write_csv(tmp_path, toy()).values(), "--seeds", "2", "--out", tmp_path / "out"]


def test_what_is_printed_is_what_is_written(files, tmp_path, capsys):
    assert race(*files, "--json") == 0
    content = json.loads(capsys.readouterr().out)
    table = pd.read_parquet(tmp_path / "out" / "race.parquet")
    assert len(content["ranking"]) == len(table) == 4 * 2 * 2 * 2
    assert {*RACE.columns} == {*table.columns} and not table.duplicated([*CANDIDATE]).any()
    ranks = [row["steps_10"] or math.inf for row in content["ranking"]]
    assert ranks == sorted(ranks)
    assert (table["seeds"] == 2).all()
    assert [*read_provenance(tmp_path / "out" / "race.parquet")["datasets"]] == ["graph"]


def test_the_text_opens_with_the_input_and_the_advice(files, tmp_path, capsys):
    assert race(*files) == 0
    said = capsys.readouterr().out
    assert said.startswith("How the input was understood")
    assert "Which network trains fastest on graph\n  " in said
    page = (tmp_path / "out" / "race.html").read_text()
    assert "data:image/png;base64," in page and "img-src data:" in page
    assert imread(tmp_path / "out" / "race.png")[..., :3].std() > 0.01
    assert "http://" not in page and "https://" not in page and "<script" not in page
    first = said.split("\n  1  ")[1].split("  ")[0].strip()
    assert f"<td>{first}</td>" in page


def test_too_little_time_for_a_single_network_is_an_error(files, capsys):
    assert race(*files, "--minutes", "1e-9") == 2
    assert "no network was trained within 1e-09 minutes" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["race", "study"])
def test_bad_input_is_one_line_and_exit_code_2(command, tmp_path, capsys):
    assert main([command, str(tmp_path / "none.csv")]) == 2
    said = capsys.readouterr().err
    assert "none.csv (graph) is missing" in said and said.count("\n") == 1


@pytest.mark.parametrize("option", [("--minutes", "0"), ("--minutes", "x"), ("--seeds", "0")])
def test_a_wrong_option_is_bad_input(option, capsys):
    with pytest.raises(SystemExit) as caught:
        race("a.csv", *option)
    assert caught.value.code == 2


def row(network="A", **changes):
    values = {"steps_10": 10.0, "slower": 1.0, "slower_low": 1.0, "end_loss": 0.1, "seeds": 5}
    values |= {
        "steps_1": math.nan,
        "lowest_loss": 0.0,
        "val_accuracy": None,
        "best_lr": 0.1,
        "how": "Adam",
    }
    return {"network": network} | values | changes


NO_PAIRS = (math.nan, 0)


def test_the_advice_names_the_pick_and_the_cost_of_another():
    slow = row("B", steps_10=50.0, slower=5.0, slower_low=4.0)
    never = row("C", steps_10=math.inf, slower=math.inf, slower_low=math.inf)
    (only,) = advice([row(), slow, never], NO_PAIRS)
    assert only.startswith("Take A with Adam: 10 steps")
    assert "up to 5 times as many, and 1 of 3 did not get there" in only


@pytest.mark.parametrize(
    ("rows", "skips", "words"),
    [
        ([row(), row("B", slower=1.1, slower_low=0.9)], NO_PAIRS, "noise of the seeds: B"),
        ([row(seeds=1)], NO_PAIRS, "one seed only"),
        ([row()], (4.0, 3), "Skip connections take 4 times fewer steps (median over 3 pairs)"),
        ([row()], (0.25, 3), "Skip connections take 4 times more steps"),
        ([row()], (1.01, 3), "Skip connections take no difference"),
        ([row(lowest_loss=0.5), row("B", slower_low=2.0)], NO_PAIRS, "cannot get below 0.5"),
        ([row(val_accuracy=0.5), row("B", val_accuracy=0.75, slower_low=2.0)], NO_PAIRS,
         "B has the best validation accuracy, 0.75, against 0.5"),
        ([row(val_accuracy=0.5), row("B", val_accuracy=0.5, slower_low=2.0)], NO_PAIRS,
         "It also has the best validation accuracy, 0.5."),
        ([row(steps_10=math.inf, end_loss=0.4)], NO_PAIRS, "No network reached 10 %"),
        ([row(lowest_loss=math.nan)], NO_PAIRS, "Take A"),
        ([row(steps_1=90.0), row("B", slower_low=2.0, steps_1=30.0)], NO_PAIRS,
         "To 1 %, B is the fastest of 2 that got there: 30 steps; the pick needs 90."),
        ([row(steps_1=math.inf), row("B", slower_low=2.0, steps_1=30.0)], NO_PAIRS,
         "the pick does not get there"),
        ([row(), row("B", slower_low=2.0, steps_1=30.0)], NO_PAIRS, "the pick was not tried"),
    ],
)  # fmt: skip
def test_the_advice_says_what_limits_it(rows, skips, words):
    assert words in " ".join(advice(rows, skips))


def test_study_refuses_a_prepared_graph(tmp_path, capsys):
    save_graph(make_graph(adjacency_of(3, [(0, 1)]), np.eye(3)), tmp_path / "toy.npz")
    assert main(["study", str(tmp_path / "toy.npz")]) == 2
    assert "is a prepared graph" in capsys.readouterr().err


@pytest.mark.workflow
@pytest.mark.parametrize("split", [True, False])
def test_study_writes_an_entry_and_a_preset_that_snakemake_accepts(split, tmp_path):
    """With the paths of the files from another folder, twice with the same result."""
    project = Project(tmp_path / "project")
    files = write_csv(tmp_path, toy())
    paths = [path.name for role, path in files.items() if split or role != "split"]
    before = yaml.safe_load((project.folder / "config" / "datasets.yaml").read_text())
    code = "import sys; from gnn_dynamics.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "study", *paths, "--name", "mine", "--dry-run"]
    for _ in range(2):
        done = subprocess.run(
            command, cwd=tmp_path, env=project.environment(), text=True, capture_output=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "make_report" in done.stdout
    after = yaml.safe_load((project.folder / "config" / "datasets.yaml").read_text())
    assert {name: after[name] for name in before} == before and [*after][len(before) :] == ["mine"]
    assert after["mine"]["files"]["graph"] == str(files["graph"])
    np.save(tmp_path / "x.npy", np.eye(6))
    other = [*command[:4], files["graph"].name, "x.npy", files["labels"].name, *command[-3:]]
    done = subprocess.run(
        other, cwd=tmp_path, env=project.environment(), text=True, capture_output=True
    )
    assert done.returncode == 2 and "has another graph 'mine'" in done.stderr
