"""The published summary repeats the tables, and is small."""

import pytest
import synthetic_tables
from declared import TABLES
from PIL import Image
from workflow_runs import ROOT

from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.claims.names import in_words
from gnn_dynamics.errors import UserError
from gnn_dynamics.figures import registry
from gnn_dynamics.report.publish import publish

pytestmark = pytest.mark.slow

PROVENANCE = {"workflow_version": "1", "precision": "float64", "device": "cpu"}


@pytest.fixture
def run(tmp_path):
    tables = synthetic_tables.tables()
    folder = tmp_path / "results" / "paper"
    for name in ("claims", "evidence"):
        write_table(tables[name], folder / "tables" / f"{name}.parquet", TABLES[name], PROVENANCE)
    write_table(
        tables["training"].iloc[:0],
        folder / "tables" / "training.parquet",
        TABLES["training"],
        PROVENANCE,
    )
    for stem in ("claims", "fig4_training_speed"):  # the second without runs
        entry = registry.entry(stem)
        figure = entry.draw(tables if stem == "claims" else {})
        picture = folder / "figures" / stem
        save_figure(figure, picture.with_suffix(".png"), picture.with_suffix(".pdf"), PROVENANCE)
    return folder


def test_every_verdict_and_figure_is_there(run, tmp_path):
    publish(run, tmp_path / "docs", "make something")
    page = (tmp_path / "docs" / "README.md").read_text(encoding="utf-8")
    for row in synthetic_tables.tables()["claims"].itertuples():
        assert f"| {row.claim} | {row.title} |" in page
        statement = row.statement.replace("|", "\\|")
        assert f"{in_words(row.verdict, row.scope)} | {statement} |" in page
    assert "make something" in page and "(claims.png)" in page and "(mechanism.png)" not in page
    assert "(fig4_training_speed.png)" not in page  # it would only report that there are no runs
    small, large = tmp_path / "docs" / "claims.png", run / "figures" / "claims.png"
    assert Image.open(small).size == Image.open(large).size
    assert small.stat().st_size < large.stat().st_size


def test_the_verdicts_are_quoted_between_the_marks_of_the_run(run, tmp_path):
    page, before = tmp_path / "README.md", "Title\n<!-- results of paper -->\n"
    after = "<!-- end -->\n<!-- results of other -->\nkept\n<!-- end -->\n"
    page.write_text(f"{before}stale\nlines\n{after}", encoding="utf-8")
    for _ in range(2):  # the second time replaces the first
        publish(run, tmp_path / "docs" / "paper", "make something", page)
        text = page.read_text(encoding="utf-8")
        assert text.startswith(before) and text.endswith(after) and "stale" not in text
        (line,) = text.removeprefix(before).removesuffix(after).splitlines()
        assert line.startswith("- [`paper`](docs/paper/README.md): Skip connections accelerate: ✓")
        assert "✓ holds for GCN; Depth accelerates: ± depends on skip connections" in line
        assert "Linear convergence:" not in line and "Of 7 claims," in line


def test_a_page_without_marks_is_named_and_left_alone(run, tmp_path):
    page = tmp_path / "README.md"
    page.write_text("<!-- results of other -->\n<!-- end -->\n")
    with pytest.raises(UserError, match=r"README\.md has no lines <!-- results of paper -->"):
        publish(run, tmp_path / "docs", "make something", page)
    assert page.read_text() == "<!-- results of other -->\n<!-- end -->\n"


def test_the_readme_has_the_marks_of_all_published_runs():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for run in ("paper", "real-graphs", "practice"):
        assert f"<!-- results of {run} -->\n" in text


def test_an_unfinished_run_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(FileNotFoundError):
        publish(tmp_path, tmp_path / "docs", "make something")
    assert not (tmp_path / "docs").exists()
