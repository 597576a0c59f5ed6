"""The digest of a script's code changes exactly when the code that it runs does."""

from pathlib import Path

import pytest

import gnn_dynamics
from gnn_dynamics.artifacts.code_digest import code_digest

DATA = {".yaml", ".csv", ".html", ".css", ".jinja", ".typed"}
FILES = {
    "scripts/train.py": "from _job import start\nfrom gnn_dynamics.engine import steps\n",
    "scripts/_job.py": "from gnn_dynamics.errors import UserError\n",
    "scripts/draw.py": "import gnn_dynamics.figures.style\n",
    "scripts/sketch.py": "import gnn_dynamics.figures.panel\n",
    "gnn_dynamics/__init__.py": '"""Notation."""\n\n__version__ = "1"\n',
    "gnn_dynamics/errors.py": "class UserError(ValueError):\n    pass\n",
    "gnn_dynamics/engine/__init__.py": "",
    "gnn_dynamics/engine/steps.py": "def step():\n    from .losses import loss\n    return loss\n",
    "gnn_dynamics/engine/losses.py": "def loss(x):\n    return x * x\n",
    "gnn_dynamics/figures/__init__.py": "",
    "gnn_dynamics/figures/style.py": 'WIDTH = 6\nNAMES = ("paper.csv", "templates/page.html")\n',
    "gnn_dynamics/figures/panel.py": "HEIGHT = 4\n",
    "gnn_dynamics/figures/paper.csv": "1,2\n",
    "gnn_dynamics/figures/templates/page.html": "{% include 'head.html' %}\n",
    "gnn_dynamics/figures/templates/head.html": "<p>\n",
}


class Project:
    """A small package on disk; every edit makes a new copy, as digests are remembered by path."""

    def __init__(self, folder: Path):
        self.folder, self.copies = folder, 0

    def digest(self, script: str, edits: dict[str, str] | None = None) -> str:
        self.copies += 1
        root = self.folder / str(self.copies)
        for name, text in (FILES | (edits or {})).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return code_digest(root / "scripts" / script, root)

    def edited(self, script: str, name: str, text: str) -> bool:
        """Whether replacing one file changes the digest of a script."""
        return self.digest(script) != self.digest(script, {name: text})


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_it_is_the_same_in_another_folder(project):
    assert project.digest("train.py") == project.digest("train.py")
    assert len(project.digest("train.py")) == 12


@pytest.mark.parametrize(
    "name",
    [
        "scripts/train.py",
        "scripts/_job.py",
        "gnn_dynamics/errors.py",
        "gnn_dynamics/engine/__init__.py",
        "gnn_dynamics/engine/steps.py",
        "gnn_dynamics/engine/losses.py",
    ],
)
def test_code_counts_however_far_away(project, name):
    assert project.edited("train.py", name, FILES[name] + "NEW = 1\n")


@pytest.mark.parametrize("name", ["gnn_dynamics/figures/style.py", "scripts/draw.py"])
def test_code_that_is_not_imported_does_not_count(project, name):
    assert not project.edited("train.py", name, FILES[name] + "NEW = 1\n")


@pytest.mark.parametrize("name", [name for name in FILES if not name.endswith(".py")])
def test_a_data_file_counts_for_the_modules_that_name_it(project, name):
    """A comment in the schema of the claims once changed the digest of training: same folder."""
    assert project.edited("draw.py", name, "'head.html' and more")
    assert not project.edited("sketch.py", name, "other")
    assert not project.edited("train.py", name, "other")


def test_every_data_file_of_the_package_is_named_by_a_module_of_its_folder():
    package = Path(gnn_dynamics.__file__).parent
    tracked = [path for path in package.rglob("*") if path.suffix in DATA and path.is_file()]
    assert len(tracked) > 3
    for path in tracked:
        # A schema refuses words and changes none, so that it need not count.
        if path.name != "py.typed" and not path.name.endswith(".schema.yaml"):
            texts = [module.read_text() for module in path.parent.glob("*.py")]
            assert any(path.name in text for text in texts), path


@pytest.mark.parametrize(
    "text",
    [
        "# a comment\ndef loss(x):\n    return x * x\n",
        '"""A module."""\n\n\ndef loss(x):\n    """The loss."""\n    return (x * x)\n',
    ],
)
def test_comments_layout_and_docstrings_do_not_count(project, text):
    assert not project.edited("train.py", "gnn_dynamics/engine/losses.py", text)


def test_the_version_number_does_not_count(project):
    assert not project.edited("train.py", "gnn_dynamics/__init__.py", '__version__ = "2"\n')
    assert project.edited("train.py", "gnn_dynamics/__init__.py", "SEED = 2\n")


def test_names_that_the_package_exports_lazily_do_not_count(project):
    lazy = '_PUBLIC = {"step": "engine"}\n__all__ = [*_PUBLIC]\n'
    lazy += "def __getattr__(name):\n    import gnn_dynamics.figures.style\n    return 1\n"
    assert not project.edited("train.py", "gnn_dynamics/__init__.py", lazy)
    assert project.edited("train.py", "gnn_dynamics/engine/losses.py", lazy + "def loss(): ...\n")
    method = "class Lazy:\n    def __getattr__(self, name):\n        return {}\n"
    name = "gnn_dynamics/engine/__init__.py"
    assert project.digest("train.py", {name: method.format(1)}) != project.digest(
        "train.py", {name: method.format(2)}
    )
