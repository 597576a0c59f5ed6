"""The published summary says what the tables say, and is small."""

import pytest
import synthetic_tables
from PIL import Image

from gnn_dynamics.artifacts import save_figure, write_table
from gnn_dynamics.figures import registry
from gnn_dynamics.report.publish import publish

MADE = {"workflow_version": "1", "precision": "float64", "device": "cpu"}


@pytest.fixture
def run(tmp_path):
    tables = synthetic_tables.tables()
    folder = tmp_path / "results" / "paper"
    write_table(tables["claims"], folder / "tables" / "claims.parquet", MADE)
    entry = registry.entry("claims")
    figure = entry.draw(*entry.arguments(tables))
    save_figure(figure, folder / "figures/claims.png", folder / "figures/claims.pdf", MADE)
    return folder


def test_every_verdict_and_figure_is_there(run, tmp_path):
    publish(run, tmp_path / "docs", "make something")
    page = (tmp_path / "docs" / "README.md").read_text(encoding="utf-8")
    for row in synthetic_tables.tables()["claims"].itertuples():
        assert f"| {row.claim} | {row.title} |" in page
        statement = row.statement.replace("|", "\\|")
        assert f"{row.verdict} | {statement} |" in page
    assert "make something" in page and "(claims.png)" in page and "(mechanism.png)" not in page
    small, large = tmp_path / "docs" / "claims.png", run / "figures" / "claims.png"
    assert Image.open(small).size == Image.open(large).size
    assert small.stat().st_size < large.stat().st_size


def test_an_unfinished_run_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(FileNotFoundError):
        publish(tmp_path, tmp_path / "docs", "make something")
    assert not (tmp_path / "docs").exists()
