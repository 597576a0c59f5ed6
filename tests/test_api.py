"""The public names: their examples run, they equal what the workflow does, mistakes are named."""

import ast
import doctest
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from workflow_runs import ROOT

import gnn_dynamics
from gnn_dynamics.api import project
from gnn_dynamics.api.training import DEFAULTS, SINGLE, Settings
from gnn_dynamics.artifacts.code_digest import code_digest
from gnn_dynamics.config.grid import Block
from gnn_dynamics.config.schema import read_yaml
from gnn_dynamics.errors import UserError
from gnn_dynamics.runs.block import train_block
from gnn_dynamics.spectra.graph_condition import condition_table
from gnn_dynamics.spectra.optimum import optimum_table

PACKAGE = ROOT / "gnn_dynamics"
PAGE = (ROOT / "docs" / "api.md").read_text()
FUNCTIONS = [name for name in gnn_dynamics.__all__ if name.islower()]
TINY = {"features": "standard", "steps": 3, "record": 3, "seed": [0, 1]}


@pytest.fixture(scope="module")
def wine():
    return gnn_dynamics.load_dataset("wine")


def examples(name):
    public = getattr(gnn_dynamics, name)
    module = sys.modules[public.__module__]
    found = doctest.DocTestFinder(recurse=False).find(public, name, module, vars(module).copy())
    return [test for test in found if test.examples]


def from_package(path):
    """Names that a file imports by `from gnn_dynamics import ...`."""
    nodes = ast.walk(ast.parse(path.read_text()))
    imports = (node for node in nodes if isinstance(node, ast.ImportFrom))
    return {name.name for node in imports if node.module == "gnn_dynamics" for name in node.names}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FUNCTIONS, "Runs"])
def test_every_example_runs(name):
    assert examples(name)
    for test in examples(name):
        assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_names_its_arguments_and_its_errors(name):
    function = getattr(gnn_dynamics, name)
    text = function.__doc__
    assert "Raises:\n        UserError" in text or name == "graph_condition"
    arguments = set(function.__annotations__) - {"return", "runs"}
    assert arguments <= set(re.findall(r"\w+", text))


def test_the_types_are_those_of_the_names():
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text())
    typed = {
        name.asname: f"{node.module}.{name.name}"
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    homes = {name: getattr(gnn_dynamics, name).__module__ for name in gnn_dynamics.__all__}
    assert typed == {name: f"{home}.{name}" for name, home in homes.items()}
    assert set(gnn_dynamics.__all__) <= set(dir(gnn_dynamics))


def test_the_package_imports_the_names_at_their_first_use():
    code = "import gnn_dynamics, gnn_dynamics.errors, sys; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    with pytest.raises(AttributeError, match="trian"):
        gnn_dynamics.trian  # noqa: B018


@pytest.mark.slow
def test_a_change_of_the_interface_trains_nothing_again(tmp_path):
    for folder in ("gnn_dynamics", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for path in [*(tmp_path / "gnn_dynamics" / "api").glob("*.py")]:
        path.write_text(path.read_text() + "\nNEW = 1\n")
    text = (tmp_path / "gnn_dynamics" / "__init__.py").read_text()
    shorter = text.replace('    "train": "api.training",\n', "")
    assert shorter != text
    (tmp_path / "gnn_dynamics" / "__init__.py").write_text(shorter)
    for script in (ROOT / "scripts").glob("*.py"):
        assert code_digest(tmp_path / "scripts" / script.name, tmp_path) == code_digest(
            script, ROOT
        )


@pytest.mark.slow
def test_scripts_and_modules_import_modules_and_not_the_public_names():
    """The digest of a script's code does not follow names that the package imports lazily."""
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "scripts").glob("*.py")]
    assert {name for file in files for name in from_package(file)} <= {"__version__"}


@pytest.mark.slow
def test_the_example_of_the_page_runs():
    (example,) = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "docs" / "api.md").read_text(), re.M | re.S
    )
    assert len(example.splitlines()) <= 10
    exec(example, names := {})
    assert names["limits"]["holds"].all()


def test_the_page_lists_every_name():
    listed = re.findall(r"^\| `(\w+)", PAGE, re.M)
    assert sorted(listed) == sorted(gnn_dynamics.__all__)


def test_the_settings_are_the_keys_of_an_experiment():
    schema = read_yaml(ROOT / "config" / "schema.yaml")["$defs"]["experiment"]
    own = {"name", "datasets", "job_per"}  # of the workflow
    assert set(Settings.__annotations__) == set(schema["properties"]) - own
    assert set(DEFAULTS) == set(schema["required"]) - own
    lists = {key for key in Settings.__annotations__ if "OneOrMore" in str(_annotation(key))}
    assert set(Settings.__annotations__) - lists == set(SINGLE)


def _annotation(key):
    tree = ast.parse((PACKAGE / "api" / "training.py").read_text())
    fields = (node for node in ast.walk(tree) if isinstance(node, ast.AnnAssign))
    return next(ast.unparse(node.annotation) for node in fields if node.target.id == key)


def test_training_is_that_of_the_workflow(wine):
    runs = gnn_dynamics.train(wine, name="same", multiscale=[True, False], depth=1, **TINY)
    lists = {
        **{key: [value] for key, value in DEFAULTS.items() if key not in SINGLE},
        **{"features": ["standard"], "seed": [0, 1], "steps": 3, "record": 3},
    }
    cells = [
        {"aggregation": "gcn", "features": "standard", "nodes": "train", "depth": 1}
        | {"labels": "true", "seed": seed, "multiscale": skip}
        for skip in (False, True)
        for seed in (0, 1)
    ]
    optimum = pd.DataFrame(optimum_table(wine, cells))
    blocks = [Block("same", "wine", "gcn", "linear", skip, 1) for skip in (False, True)]
    parts = [train_block(wine, lists, block, optimum) for block in blocks]
    for table in ("training", "speed"):
        expected = pd.concat([part[table] for part in parts], ignore_index=True)
        pd.testing.assert_frame_equal(getattr(runs, table), expected)
    assert runs.time_condition.empty and runs.gradient_terms.empty
    pd.testing.assert_frame_equal(runs.optimum, optimum)


def test_linear_and_relu_networks_share_the_optimum(wine):
    activations = ["linear", "relu"]
    runs = gnn_dynamics.train(wine, activation=activations, optimizer="gd", lr=1e-4, **TINY)
    assert set(runs.training["activation"]) == set(activations)
    assert len(runs.optimum) == len(TINY["seed"])


def test_numpy_values_are_settings_too(wine):
    plain = gnn_dynamics.train(wine, depth=1, **TINY)
    arrays = gnn_dynamics.train(wine, depth=np.int64(1), **{**TINY, "seed": np.arange(2)})
    pd.testing.assert_frame_equal(plain.training, arrays.training)


def test_the_condition_and_the_optimum_are_those_of_the_workflow(wine):
    problem = gnn_dynamics.build_problem(wine, "gin", "row", "all")
    found = gnn_dynamics.graph_condition(problem, [0, 2])
    grid = {"aggregations": ["gin"], "features": ["row"], "nodes": ["all"], "depths": [0, 2]}
    expected = pd.DataFrame(condition_table(wine, grid))
    pd.testing.assert_frame_equal(found, expected[[*found.columns]])
    lowest = gnn_dynamics.lowest_loss(problem, [2], ["true", "permuted"], [3])
    keys = {"aggregation": "gin", "features": "row", "nodes": "all", "depth": 2, "seed": 3}
    cells = [
        keys | {"multiscale": skip, "labels": labels}
        for skip in (False, True)
        for labels in ("true", "permuted")
    ]
    table = pd.DataFrame(optimum_table(wine, cells))
    pd.testing.assert_frame_equal(lowest, table[[*lowest.columns]])


def test_files_arrays_and_masks_give_the_same_graph(tmp_path, wine):
    ends = np.stack(wine.adjacency.nonzero())
    arrays = {"edges": ends.T, "x": wine.features.toarray(), "y": wine.labels}
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    roles = {"graph": "edges.npy", "features": "x.npy", "labels": "y.npy"}
    read = gnn_dynamics.read_graph({role: tmp_path / name for role, name in roles.items()})
    mask = np.isin(np.arange(wine.n), wine.train)
    made = [
        gnn_dynamics.make_graph(ends, X, wine.labels, *parts)
        for X in (arrays["x"], wine.features)
        for parts in ((), (mask, wine.val[::-1]))
    ]
    for graph in (read, *made):
        assert (graph.adjacency != wine.adjacency).nnz == 0
        assert (graph.features != wine.features).nnz == 0
        np.testing.assert_array_equal(graph.labels, wine.labels)
    for graph, parts in zip((read, *made), [False, False, True, False, True], strict=True):
        np.testing.assert_array_equal(graph.train, wine.train if parts else wine.labelled)
        np.testing.assert_array_equal(graph.val, wine.val if parts else [])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"init": "ortogonal"}, "init[0]: 'ortogonal' is not allowed; did you mean orthogonal?"),
        ({"dept": 2}, "dept: there is no such key; did you mean depth?"),
        ({"steps": 0}, "steps: must be at least 1, not 0"),
        ({"lr": 0.1}, "lr: gradient flow has no step size"),
        ({"optimizer": "adam", "lr": "fast"}, "lr"),
        ({"name": "My run"}, "name: 'My run' does not have the form"),
        ({"features": "pca-99"}, "at most 13 components"),
    ],
)
def test_a_wrong_setting_is_named(wine, settings, words):
    with pytest.raises(UserError, match=re.escape(words)):
        gnn_dynamics.train(wine, **{**TINY, **settings})


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: gnn_dynamics.load_dataset("wines"), "no dataset 'wines'; did you mean wine?"),
        (lambda: gnn_dynamics.read_graph("absent.csv"), "absent.csv"),
        (lambda: gnn_dynamics.read_graph(__file__), "is not a format"),
        (lambda: gnn_dynamics.make_graph([0, 1], np.eye(2), [0, 1]), "(2, edges), not (2,)"),
        (lambda: gnn_dynamics.make_graph([[0], [2]], np.eye(2), [0, 1]), "from 0 to 1"),
        (lambda: gnn_dynamics.make_graph([[0], [1]], np.eye(2), [0, 1], [0, 5]), "split names 5"),
        (lambda: gnn_dynamics.make_graph([[0], [1]], np.eye(2), [0]), "1 labels for 2 nodes"),
    ],
)
def test_a_wrong_graph_is_named(call, words):
    with pytest.raises(UserError, match=re.escape(words)):
        call()


def test_a_wrong_option_of_own_files_is_named(tmp_path):
    (tmp_path / "edges.csv").write_text("0,1\n")
    with pytest.raises(UserError, match="task: 'guess' is not allowed"):
        gnn_dynamics.read_graph(tmp_path / "edges.csv", {"task": "guess"})


def test_what_was_not_trained_is_not_compared(wine):
    runs = gnn_dynamics.train(wine, **TINY)
    with pytest.raises(UserError, match="no gradient flow with squared loss recorded"):
        gnn_dynamics.bounds(runs)
    with pytest.raises(UserError, match="no two runs differ in depth alone"):
        gnn_dynamics.compare(runs, "depth")
    with pytest.raises(UserError, match="choose one of multiscale, depth, labels"):
        gnn_dynamics.compare(runs, "seed")


def test_without_the_project_its_installation_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setattr(project, "ROOT", tmp_path)
    with pytest.raises(UserError, match=re.escape("pip install -e .")):
        gnn_dynamics.load_dataset("wine")
