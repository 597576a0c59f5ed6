"""Snakemake's own report builds without a network and contains every figure with its caption."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
from workflow_runs import ROOT

from gnn_dynamics.report import glossary

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("workflow")]

CATEGORIES = {
    *("Claims", "Figures of the paper", "Theory against measurement"),
    *("Explanations", "Rules"),
}


def marked() -> list[str]:
    """The captions that the rules name, one for each mark."""
    rules = "".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
    return re.findall(r'caption="\.\./report/(\w+)\.rst"', rules)


def no_network() -> list[str]:
    """The command that takes the network away, where this system lets us."""
    cut = ["unshare", "-n"]
    works = shutil.which("unshare") and not subprocess.run([*cut, "true"]).returncode
    return cut if works else []


@pytest.fixture(scope="module")
def page(finished, tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    before = finished.digests("tiny")
    command = [*no_network(), sys.executable, "-m", "snakemake", "--report", str(path)]
    command += ["--configfile", "config/tiny.yaml"]
    env = os.environ | {"PYTHONPATH": str(finished.folder)}
    done = subprocess.run(command, cwd=finished.folder, env=env, text=True, capture_output=True)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "(ERROR" not in output and "(WARNING" not in output, "a caption is not sound RST"
    assert finished.digests("tiny") == before
    return path.read_text(encoding="utf-8")


def known(page: str, name: str) -> dict[str, dict]:
    """What the page knows: `results` by file (caption, labels, ...), `categories` by name."""
    start = page.index(f'var {name} = {{"') + len(f"var {name} = ")
    return json.JSONDecoder().raw_decode(page, start)[0]


def test_every_figure_is_marked_and_has_a_caption_of_its_own():
    captions = marked()
    assert len(set(captions)) == len(captions)
    files = {path.stem for path in (ROOT / "report").glob("*.rst")}
    assert files == {*captions, "workflow"}
    text = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    assert not re.findall(r'png="<results>', text)


def test_the_report_holds_captions_categories_and_labels(page):
    results = known(page, "results")
    assert set(known(page, "categories")) == CATEGORIES
    assert len(results) == len(marked())
    for path, entry in results.items():
        assert len(entry["caption"]) > 80, path
        assert set(entry["labels"]) == {"figure", "shows"}, path
    assert "results/tiny/report.html" in results


def test_captions_quote_the_configuration_of_the_run(page):
    results = known(page, "results")
    speed = results["results/tiny/figures/fig4_training_speed.png"]["caption"]
    assert "Experiment curves on wine: gcn; depth" in speed and "adam, 20 steps" in speed
    assert "flow" not in speed
    assert "on wine; trained on cpu" in page


def test_the_page_loads_nothing(page):
    assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//', page)


def test_the_archive_holds_the_figures_and_nothing_is_to_be_done_after(finished, tmp_path):
    finished.run("tiny", "--report", str(tmp_path / "report.zip"))
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        names = {name.rsplit("/", 1)[-1] for name in archive.namelist()}
    assert {"report.html", "fig5_gradient_terms.png", "claims.parquet"} <= names
    assert "Nothing to be done" in finished.run("tiny", "--dry-run")


def test_the_report_explains_every_table_of_a_run(finished):
    tables = (finished.folder / "results/tiny/tables").glob("*.parquet")
    assert {path.stem for path in tables} == set(glossary.TABLES)
