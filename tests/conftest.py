"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Taken out of the environment, where it would win over the mirrors that tests make for themselves.
SETTING = os.environ.pop("GNN_DYNAMICS_MIRROR", None)


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
