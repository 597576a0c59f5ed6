"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from tiny_run import TINY, write_preset
from workflow_runs import Project, copy_finished

# No test asserts on seconds: an example may take any time on a busy machine. The examples are the
# same in every run, so that a change is judged and not the luck of the draw.
settings.register_profile("patient", deadline=None, derandomize=True)
settings.load_profile("patient")

# One thread a process, as every job of the workflow has: with two, a model's last digits depend on
# its neighbours in the batch. Set before anything imports torch.
os.environ["OMP_NUM_THREADS"] = "1"

ROOT = Path(__file__).resolve().parents[1]
SETTING = os.environ.get("GNN_DYNAMICS_MIRROR")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark the tests that read the data mirror, before `-m` chooses."""
    for item in items:
        if "mirror" in getattr(item, "fixturenames", ()):
            item.add_marker("mirror")


@pytest.fixture(scope="session", autouse=True)
def no_mirror_setting():
    """Take the setting out of the environment, where it would win over mirrors that tests make."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GNN_DYNAMICS_MIRROR", raising=False)
        yield


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Folder with the official raw files of Planetoid, OGB and others (GNN_DYNAMICS_MIRROR)."""
    folder = Path(SETTING or ROOT.parent / "shared" / "mirror")
    if not (folder / "urlmap.tsv").is_file():
        pytest.skip(
            f"no data mirror at {folder}: set GNN_DYNAMICS_MIRROR to a folder with urlmap.tsv"
            " to test on official files"
        )
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Project:
    """A finished run of the smallest embedded graph; never changed by a test.

    Tests that use it stand in the xdist group `workflow`, so that one process makes it once.
    """
    project = Project(tmp_path_factory.mktemp("workflow") / "finished")
    write_preset(project, TINY)
    project.run("tiny")
    return project


@pytest.fixture
def copy(finished, tmp_path) -> Project:
    """A finished run that a test may change."""
    return copy_finished(finished, tmp_path / "copy")
