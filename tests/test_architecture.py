"""docs/architecture.md describes the package: the layers that are checked and the tree on disk."""

import ast
import re
import tomllib
from itertools import pairwise

import pytest
from workflow_runs import ROOT

PACKAGE = ROOT / "gnn_dynamics"
PAGE = (ROOT / "docs" / "architecture.md").read_text()
FOLDERS = sorted(path.parent for path in PACKAGE.rglob("__init__.py"))[1:]


def contract(name):
    """The layers contract, from the highest layer to the lowest."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    return next(entry for entry in contracts if entry["name"] == name)


def docstring(folder):
    return ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""


def described(folder):
    """Sentence and modules of a folder on the page."""
    name = folder.relative_to(PACKAGE).as_posix()
    row = re.search(rf"^\| `{re.escape(name)}/` \| (.+) \| (.*) \|$", PAGE, flags=re.M)
    assert row, f"docs/architecture.md does not list {name}/"
    return row[1], re.findall(r"`([^`]+)`", row[2])


def test_the_page_draws_the_layers_that_are_checked():
    drawing = re.search(r"```mermaid\n(.+?)```", PAGE, flags=re.S)[1]
    drawn = re.findall(r'^  \w+\["(.+?)"\]', drawing, flags=re.M)
    assert drawn == contract("Layers")["layers"]
    arrows = re.findall(r"^  (\w+) --> (\w+)$", drawing, flags=re.M)
    names = [layer.split(" | ")[0] for layer in drawn]
    assert arrows == list(pairwise(names))


def test_the_layers_are_all_folders_of_the_package():
    layers = {name for layer in contract("Layers")["layers"] for name in layer.split(" | ")}
    assert layers == {path.name for path in FOLDERS if path.parent == PACKAGE} | {"errors"}
    assert contract("Layers")["exhaustive"]


def test_no_module_stands_loose():
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "errors.py"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_the_page_has_each_folder_with_its_sentence_and_modules(folder):
    sentence, modules = described(folder)
    assert docstring(folder).split("\n\n")[0].replace("\n", " ") == sentence
    on_disk = [path.name for path in folder.iterdir() if path.suffix in SUFFIXES]
    assert sorted(modules) == sorted(set(on_disk) - {"__init__.py"})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_each_folder_names_what_it_may_import_and_the_file_to_read_first(folder):
    text = docstring(folder)
    assert re.search(r"\bimports?\b", text)
    first = re.search(r"Read\s(\S+) first", text)
    assert first and (folder / first[1]).exists()


SUFFIXES = {".py", ".yaml", ".csv", ".html", ".css", ".jinja"}
