"""Users' files as people have them: each is read right, or refused in one line with a way on.

tests/cases/own/cases.yaml has the arguments of `check` and the outcomes that are right: a graph
with its counts and singular values (by numpy alone), or exit code 2 and words of the message.
"""

import json
import math
import re
import runpy
import shutil
from pathlib import Path

import pytest
import yaml
from own_case_files import write_all

from gnn_dynamics.cli import check
from gnn_dynamics.cli.main import main

pytestmark = pytest.mark.slow

CASES = Path(__file__).parent / "cases" / "own"
GRAPHS = yaml.safe_load((CASES / "graphs.yaml").read_text())
MANIFEST = yaml.safe_load((CASES / "cases.yaml").read_text())
COUNTS = {name: name for name in ("nodes", "edges", "classes")}
COUNTS |= {"features": "features_count", "homophily": "edge_homophily"}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """The inputs of all cases in one folder."""
    root = tmp_path_factory.mktemp("cases") / "own"
    shutil.copytree(CASES, root)
    write_all(root)
    return root


@pytest.fixture
def ask(inputs, capsys, monkeypatch):
    """Runs `check` in the folder of a case without drawing; returns the code and what is said."""
    monkeypatch.setattr(check.graph_check, "draw", lambda *_: None)
    monkeypatch.setattr(check, "save_figure", lambda *_: None)

    def run(case, *options):
        monkeypatch.chdir(inputs / case["folder"])
        if "make" in case:
            monkeypatch.setattr("sys.argv", case["make"].split())
            runpy.run_path("make.py")
        arguments = ["check", "--depth", "2", "--out", "../out", *options, *case["args"]]
        return main(list(map(str, arguments))), *capsys.readouterr()

    return run


def case_of(case):
    name = " ".join(map(str, [case["folder"], case.get("make", ""), *case["args"]]))
    return pytest.param(case, id=name)


@pytest.mark.parametrize("case", [*map(case_of, MANIFEST)])
def test_each_input_is_read_right_or_refused_with_a_way_on(case, ask):
    code, out, error = ask(case, "--json")
    keys = {key for outcome in case["expect"] for key in outcome}
    report = ask(case)[1] if code != 2 and keys & {"also_says", "never_says"} else ""
    faults = [differences(outcome, code, out, error, report) for outcome in case["expect"]]
    assert not all(faults), faults


def differences(outcome, code, out, error, report):
    """How an answer differs from an outcome that is right; empty if it does not."""
    if "exit" in outcome:
        wrong = [] if code == outcome["exit"] and error.count("\n") == 1 else [f"{code}: {error}"]
        wrong += [error] if len(error.strip()) > outcome.get("at_most", math.inf) else []
        return wrong + [words for words in outcome["says"] if not says(words, error)]
    if code == 2:
        return [error]
    wanted, content = GRAPHS.get(outcome["graph"], {}) | outcome, json.loads(out)
    have = {name: content["graph"][key] for name, key in COUNTS.items()}
    wrong = [n for n in COUNTS if wanted.get(n) is not None and not close(wanted[n], have[n])]
    rows = {(r["aggregation"], r["multiscale"], r["depth"]): r for r in content["condition"]}
    full = set()
    for cell, numbers in wanted.get("cells", {}).items():
        aggregation, model, depth = cell.split()
        row = rows[aggregation, model == "multiscale", int(depth)]
        rank, *sigma = numbers.split()
        full.add(len({*rank.split("/")}) == 1)
        known = f"{row['rank']}/{min(row['rows'], row['cols'])}" == rank
        if not known or not all(close(float(value), row["sigma_min_sq"]) for value in sigma):
            wrong.append(f"{cell}: {row['rank']} {row['sigma_min_sq']} for {numbers}")
    codes = {0 if all(full) else 1} if full else {0, 1}
    wrong += [f"exit {code}"] if code not in codes else []
    wrong += [words for words in outcome.get("also_says", []) if not says(words, report)]
    return wrong + [words for words in outcome.get("never_says", []) if says(words, report)]


def says(words, text):
    return re.search(words, text, re.IGNORECASE) is not None


def close(a, b):
    return b is not None and math.isclose(a, b, rel_tol=1e-6)
