"""Own functions `file.py:function` train as built-in ones do, and errors name what is wrong."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from graphs import adjacency_of, make_graph
from problems import random_adjacency, random_weights
from workflow_runs import ROOT

import gnn_dynamics
from gnn_dynamics.config.choices import CHOICES, built_in, from_path_part, is_own, path_part
from gnn_dynamics.config.grid import Block
from gnn_dynamics.config.schema import read_yaml
from gnn_dynamics.dynamics.sharpness import hessian_product
from gnn_dynamics.errors import UserError
from gnn_dynamics.models.forms import choose_form
from gnn_dynamics.models.model import Architecture
from gnn_dynamics.problem.problem import build_problem, kept_problem
from gnn_dynamics.problem.propagation import propagated
from gnn_dynamics.runs.functions import REGISTRIES, refresh
from gnn_dynamics.spectra.graph_condition import condition_rows, streamed_rows
from gnn_dynamics.workflow.check_config import check_config, check_paths
from gnn_dynamics.workflow.own_functions import check_functions

pytestmark = pytest.mark.slow

PRESET = ROOT / "examples" / "extend.yaml"
RESIDUAL = "examples/residual.py:residual"
INITIAL = "examples/initial_residual.py:initial_residual"
HUBER = "examples/huber.py:huber"
TINY = {"features": "standard", "width": 8, "seed": [0, 1], "steps": 5, "record": 3}
# The built-in functions as a user would write them.
SAME = """
import numpy as np
import scipy.sparse as sp
import torch

def gin(adjacency):
    return (adjacency + sp.eye_array(adjacency.shape[0])).tocoo()

def doubled(X):
    return 2 * X

def xavier(generator, kind, rows, columns):
    bound = (6 / (rows + columns)) ** 0.5
    return generator.uniform(-bound, bound, (rows, columns))

def squared(Yhat, Y):
    return (Yhat - Y).square().sum(dim=(1, 2))

def squared_with_derivative(Yhat, Y):
    return squared(Yhat, Y), 2 * (Yhat - Y)

def cross_entropy(Yhat, Y):
    return -(Y * Yhat.log_softmax(dim=1)).sum(dim=1).mean(dim=-1)

def descent(gradient, t):
    return gradient

def momentum(gradient, t, velocity):
    velocity = 0.9 * velocity + gradient
    return velocity, velocity

def adam(gradient, t, first, second):
    first = 0.9 * first + 0.1 * gradient
    second = 0.999 * second + 0.001 * gradient**2
    size = (second / (1 - 0.999**t)).sqrt() + 1e-8
    return first / (1 - 0.9**t) / size, first, second

def relu(Z):
    return Z.relu()

def relu_with_adjoint(Z):
    return Z.relu(), lambda T: T * (Z > 0)

def linear(Z):
    return 1 * Z
"""


@pytest.fixture(scope="module")
def wine():
    return gnn_dynamics.load_dataset("wine")


@pytest.fixture
def at_root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Write `own.py` in an empty working directory."""
    monkeypatch.chdir(tmp_path)

    def write(text):
        (tmp_path / "own.py").write_text(text)

    yield write
    for registry in REGISTRIES.values():
        for name in [name for name in registry if name.startswith("own.py")]:
            del registry[name]


# The registries ----------------------------------------------------------------------------------


def test_the_names_that_the_configuration_allows_are_those_of_the_registries():
    assert set(REGISTRIES) == set(CHOICES)
    for key, registry in REGISTRIES.items():
        families = {name for name in registry if re.fullmatch(r"pca-\d+", name)}
        entries = {name for name in registry if not is_own(name)} - families
        assert {*entries, *CHOICES[key].others} == set(built_in(key))


@pytest.mark.parametrize("name", ["gcn", RESIDUAL, "/home/a-b/c_d.py:f_g", "x-y.py:z"])
def test_a_name_becomes_a_part_of_a_path_and_comes_back(name):
    part = path_part(name)
    assert re.fullmatch(r"[A-Za-z0-9_.+~]+", part)
    assert from_path_part(part) == name
    block = Block("curves", "wine", name, name, True, 2)
    assert Block.of(block.id) == block and block.id.count("/") == 2


def test_a_file_that_changes_is_read_again(own):
    graph = make_graph(adjacency_of(3, [(0, 1)]), np.eye(3))
    for factor in (2, 3):
        own(f"def scaled(adjacency):\n    return {factor} * adjacency\n")
        refresh({"aggregation": ["own.py:scaled"]})
        kept = kept_problem(graph, "own.py:scaled", "raw", "all")
        assert kept.S.max() == factor
        assert kept is kept_problem(graph, "own.py:scaled", "raw", "all")


# Own functions are like built-in ones ------------------------------------------------------------

LINEAR = {"optimizer": "gd", "lr": 1e-3, "observe": "gradient_terms"}


@pytest.mark.parametrize(
    ("key", "own_name", "name", "settings"),
    [
        ("aggregation", "gin", "gin", {}),
        ("init", "xavier", "xavier", {}),
        ("loss_fn", "squared", "squared", LINEAR),
        ("loss_fn", "squared_with_derivative", "squared", LINEAR | {"activation": "relu"}),
        ("loss_fn", "cross_entropy", "cross_entropy", {"integrator": "chebyshev"}),
        ("optimizer", "descent", "gd", {"lr": 1e-3, "multiscale": True}),
        ("optimizer", "momentum", "momentum", {"lr": 1e-3}),
        ("optimizer", "adam", "adam", {"lr": 1e-2, "activation": ["linear", "relu"]}),
        ("activation", "relu", "relu", LINEAR | {"multiscale": True}),
        ("activation", "relu_with_adjoint", "relu", {"optimizer": "adam", "lr": 1e-2}),
        ("activation", "linear", "linear", {"optimizer": "gd", "lr": 1e-3}),
    ],
)
def test_an_own_function_trains_as_the_built_in_one(own, wine, key, own_name, name, settings):
    own(SAME)
    runs = [
        gnn_dynamics.train(wine, **TINY, **settings, **{key: value})
        for value in (f"own.py:{own_name}", name)
    ]
    for table in ("training", "gradient_terms"):
        mine, theirs = (getattr(run, table) for run in runs)
        assert mine.empty or set(mine[key]) == {f"own.py:{own_name}"}
        columns = [c for c in ("loss", "time", "value", "grad_norm_sq") if c in theirs]
        np.testing.assert_allclose(
            mine[columns].to_numpy(float), theirs[columns].to_numpy(float), rtol=1e-6
        )


def test_own_features_and_their_columns_are_those_of_the_function(own, wine):
    own(SAME)
    mine = build_problem(wine, "gcn", "own.py:doubled", "all")
    assert (mine.X != 2 * build_problem(wine, "gcn", "raw", "all").X).nnz == 0
    cell = (wine, "own.py:gin", "own.py:doubled", "all")
    in_memory = condition_rows(build_problem(*cell), [0, 2])
    assert_same_rows(in_memory, streamed_rows(*cell, [0, 2], 4e9))


def assert_same_rows(one, other):
    columns = ["multiscale", "depth", "rank", "sigma_max", "sigma_min_positive"]
    frames = [pd.DataFrame(rows).sort_values(columns[:2])[columns] for rows in (one, other)]
    pd.testing.assert_frame_equal(*(f.reset_index(drop=True) for f in frames), rtol=1e-8)


def tanh_objective(own, side_by_side):
    own("import torch\n\ndef tanh(Z):\n    return Z.tanh()\n")
    rng = np.random.default_rng(1)
    graph = make_graph(random_adjacency(9, 14, rng), rng.random((9, 4)), rng.integers(0, 2, 9))
    problem = build_problem(graph, "gcn", "raw", "all")
    arch = Architecture(4, 3, problem.m_y, 2, True, "own.py:tanh")
    form = choose_form(problem, arch, HUBER, "flow")
    field = replace(form.model.field, side_by_side=side_by_side)
    form = replace(form, model=replace(form.model, field=field))
    Y = torch.eye(2, dtype=torch.float64)[graph.labels].mT[None].contiguous()
    return form.objective(Y), random_weights(arch, 2, 3)


@pytest.mark.parametrize("side_by_side", [True, False])
def test_gradients_and_curvature_are_those_of_the_function(own, side_by_side):
    """An own loss and activation of which only values are given, against differences."""
    shutil.copytree(ROOT / "examples", "examples")
    objective, weights = tanh_objective(own, side_by_side)
    direction = random_weights(Architecture(4, 3, weights.W[0].shape[1], 2, True), 2, 5)
    step = 1e-6
    (up, g_up), (down, g_down) = (
        objective(weights.zip(lambda w, d, s=s: w + s * step * d, direction)) for s in (1, -1)
    )
    gradient = objective(weights)[1]
    torch.testing.assert_close(
        gradient.inner(direction), (up - down) / (2 * step), rtol=1e-6, atol=0
    )
    along = hessian_product(objective, weights)(direction).flatten()
    change = (g_up.flatten() - g_down.flatten()) / (2 * step)
    torch.testing.assert_close(along, change, rtol=1e-4, atol=1e-6)


def test_a_loss_of_zero_outputs_is_the_scale_of_its_thresholds(at_root, wine):
    runs = gnn_dynamics.train(wine, **TINY, loss_fn=HUBER, observe="gradient_terms")
    assert set(runs.speed["loss_reference"]) == {"zero"}
    assert set(runs.speed["threshold_kind"]) == {"initial", "label_norm", "pair"}
    assert (runs.gradient_terms["relative_error"] < 1e-10).all()
    rates = gnn_dynamics.train(wine, **TINY, loss_fn=HUBER, optimizer="gd").training["lr"]
    assert rates.nunique() >= 3  # `auto`


# The examples ------------------------------------------------------------------------------------


def test_the_residual_is_a_mean_of_gcn_and_the_identity(at_root, wine):
    mine, gcn = (build_problem(wine, name, "standard", "all").S for name in (RESIDUAL, "gcn"))
    np.testing.assert_allclose(mine.toarray(), (gcn.toarray() + np.eye(wine.n)) / 2, atol=1e-15)


def test_the_initial_residual_is_its_recurrence(at_root, wine):
    problem, gcn = (build_problem(wine, name, "standard", "train") for name in (INITIAL, "gcn"))
    X, terms = gcn.X.T, [gcn.X.T]
    for _ in range(3):
        terms.append(0.9 * terms[-1] @ gcn.S + 0.1 * X)
    for G, term in zip(propagated(problem, 3), terms, strict=True):
        np.testing.assert_allclose(G, term @ gcn.R, atol=1e-13)
    with_memory = streamed_rows(wine, INITIAL, "standard", "train", [1, 3], 4e9)
    assert_same_rows(condition_rows(problem, [1, 3]), with_memory)


@pytest.mark.parametrize("aggregation", [RESIDUAL, INITIAL])
def test_the_bounds_hold_with_any_aggregation(at_root, wine, aggregation):
    observe = ["time_condition", "rates"]
    settings = {**TINY, "width": 16, "multiscale": [True, False], "observe": observe, "steps": 60}
    runs = gnn_dynamics.train(wine, aggregation=aggregation, **settings)
    limits = gnn_dynamics.bounds(runs)
    assert limits["holds"].all() and set(limits["aggregation"]) == {aggregation}


def test_the_preset_is_accepted_and_its_functions_fit(at_root):
    config = read_yaml(ROOT / "config" / "config.yaml") | read_yaml(PRESET)
    datasets = read_yaml(ROOT / "config" / "datasets.yaml")
    check_config(config, read_yaml(ROOT / "config" / "schema.yaml"), set(datasets))
    check_functions(config)


# What is wrong is named --------------------------------------------------------------------------

WRONG = [
    ("aggregation", "def f(a, b): return a", "its arguments are (a, b)"),
    ("aggregation", "def f(A): return A.toarray()", "it returns ndarray, not a sparse matrix"),
    ("aggregation", "def f(A): return A[:, :2]", "it returns S of shape (4, 2) for n = 4 nodes"),
    ("aggregation", "def f(A): return A[:3][:, :3]", "it returns S of shape (3, 3)"),
    ("aggregation", "def f(A): return A * 1j", "entries of type complex128"),
    ("aggregation", "def f(A): return A * float('inf')", "not finite"),
    ("aggregation", "def f(A): return A.nothing", "AttributeError:"),
    ("features", "def f(): return 1", "its arguments are ()"),
    ("features", "def f(X): return X[:2]", "it returns features of shape (2, 3) for 4 nodes"),
    ("features", "def f(X): return X.toarray()[:, 0]", "it returns features of shape (4,)"),
    ("features", "def f(X): return None", "it returns NoneType"),
    ("features", "def f(X): return X.toarray() / 0", "not finite"),
    ("init", "def f(generator, rows, columns): return 0", "its arguments are"),
    ("init", "def f(g, k, r, c): return g.normal(size=r)", "it returns shape (4,) for (4, 3)"),
    ("init", "def f(g, k, r, c): return g.normal(size=(c, r))", "it returns shape (3, 4)"),
    ("init", "def f(g, k, r, c): return [[0.0] * c] * r", "it returns list"),
    ("init", "import numpy as np\ndef f(g, k, r, c): return np.full((r, c), np.nan)", "finite"),
    ("init", "import numpy as np\ndef f(g, k, r, c): return np.ones((r, c), int)", "int64"),
    ("init", "import numpy as np\ndef f(g, k, r, c): return np.random.rand(r, c)", "differ"),
    ("loss_fn", "def f(Yhat): return Yhat", "its arguments are (Yhat)"),
    ("loss_fn", "def f(P, Y): return (P - Y).square().sum()", "of shape () for K = 2 models"),
    ("loss_fn", "def f(P, Y): return (P - Y).sum((1, 2)).square() - 1e3", "its loss is -"),
    ("loss_fn", "def f(P, Y): return (P - Y).square().sum((1, 2)).log() * 0 / 0", "not finite"),
    ("loss_fn", "def f(P, Y): return (P - Y).square().sum((1, 2)).float()", "torch.float32 for"),
    ("loss_fn", "def f(P, Y): return (P - Y).square().mean().expand(len(P))", "neighbours in K"),
    (
        "loss_fn",
        "def f(P, Y): return (P - Y).square().sum((1, 2)), P - Y",
        "its derivative is not that of its loss",
    ),
    ("optimizer", "def f(gradient): return gradient", "its arguments are (gradient)"),
    ("optimizer", "def f(g, t): return g.sum()", "it returns () torch.float32 for a gradient"),
    ("optimizer", "def f(g, t, m): return g", "it has 1 states but returns 0 of them"),
    ("optimizer", "def f(g, t): return g / g.norm()", "depends on its neighbours in K"),
    ("optimizer", "def f(g, t): return g + 1", "it moves weights whose gradient is 0"),
    ("optimizer", "def f(g, t): return g / 0", "not finite"),
    ("activation", "def f(a, b): return a", "its arguments are (a, b)"),
    ("activation", "def f(Z): return Z.softmax(dim=-1)", "depends on other numbers"),
    ("activation", "def f(Z): return Z.sum()", "it returns shape () for (3, 4)"),
    ("activation", "def f(Z): return Z.log()", "not finite"),
    ("activation", "def f(Z): return Z.tanh(), lambda T: T", "its adjoint is not that of"),
]


@pytest.mark.parametrize(("key", "text", "words"), WRONG)
def test_a_function_that_does_not_fit_is_named(own, key, text, words):
    own(text)
    message = refused(key, "own.py:f")
    assert words in message and CHOICES[key].signature in message


@pytest.mark.parametrize("key", CHOICES)
@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("", "own.py:f", "own.py defines no function f"),
        ("f = 3", "own.py:f", "own.py defines no function f"),
        ("", "absent.py:f", "there is no file /"),
        ("def f(:", "own.py:f", "SyntaxError: "),
        ("import no_such_module", "own.py:f", "ModuleNotFoundError: No module named"),
    ],
)
def test_what_is_missing_is_named(own, key, text, name, words):
    own(text)
    message = refused(key, name)
    assert words in message and CHOICES[key].signature in message


def refused(key, name):
    with pytest.raises(UserError) as caught:
        refresh({key: [name]})
    message = str(caught.value)
    assert message.startswith(f"{key}: {name}: ") and "\n" not in message
    return message


def test_an_unfit_result_on_the_users_graph_is_named_too(own, wine):
    own("def f(A): return A if A.shape[0] < 9 else A[:2]\n")
    with pytest.raises(UserError, match=r"own.py:f: it returns S of shape \(2, 178\)"):
        build_problem(wine, "own.py:f", "raw", "train")


@pytest.mark.parametrize(
    "name", ["own.py", "own.py:f:g", "../own.py:f", ".own.py:f", "own:f", "o+n.py:f", "a~b.py:f"]
)
@pytest.mark.parametrize("key", CHOICES)
def test_another_form_than_file_and_function_is_refused(wine, key, name):
    with pytest.raises(UserError, match=r"is not allowed.*file\.py:function"):
        gnn_dynamics.train(wine, **{**TINY, "lr": 1e-3, "optimizer": "gd", key: name})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"loss_fn": HUBER, "observe": "rates"}, "rates assumes a built-in loss, not loss_fn: ex"),
        ({"activation": "relu", "observe": "rates"}, "rates assumes linear models, not activation"),
        (
            {"activation": "own.py:relu", "observe": ["time_condition"]},
            "time_condition assumes linear models, not activation: own.py:relu",
        ),
    ],
)
def test_what_no_theorem_promises_is_refused(own, wine, settings, words):
    own(SAME)
    shutil.copytree(ROOT / "examples", "examples")
    with pytest.raises(UserError, match=re.escape(words)):
        gnn_dynamics.train(wine, **{**TINY, **settings})
    entry = read_yaml(PRESET)["experiments"][0] | {
        key: [value] if isinstance(value, str) else value for key, value in settings.items()
    }
    config = read_yaml(ROOT / "config" / "config.yaml") | read_yaml(PRESET)
    schema = read_yaml(ROOT / "config" / "schema.yaml")
    with pytest.raises(UserError, match=re.escape(f"experiments[aggregations].observe: {words}")):
        check_config(config | {"experiments": [entry]}, schema, ["wine"])


def test_a_link_out_of_the_project_is_refused(own, tmp_path_factory):
    outside = tmp_path_factory.mktemp("elsewhere") / "far.py"
    outside.write_text(SAME)
    Path("own.py").symlink_to(outside)
    config = read_yaml(PRESET)
    config["experiments"][1]["loss_fn"] = ["own.py:squared"]
    catalogue = {"wine": {"reader": "embedded"}}
    with pytest.raises(UserError, match=r"own.py:squared: own.py is a link that leads out of"):
        check_paths(config, catalogue, Path.cwd())
