"""The documentation site is built without a warning, runs its tutorials and asks no network."""

import re
import sys
from pathlib import Path

import pytest
from browser import opened
from workflow_runs import ROOT

import gnn_dynamics

pytest.importorskip("jupytext", reason="the tools of the site are not installed")
sys.path.insert(0, str(ROOT / "docs" / "site"))
from run_tutorial import run_tutorial

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("site")]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
OUTSIDE = re.compile(r"""(?:src=["']?|<link[^>]*href=["']?|url\(["']?)(?:https?:)?//[^"')> ]+""")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The built site. Tutorials that a test has run are not run again."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder)))
    return folder


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs_and_draws_its_finding(tutorial):
    files = run_tutorial(tutorial.read_text(), tutorial.stem)
    page = files[tutorial.name]
    figures = re.findall(r"^!\[(.+)\]\((.+)\)$", page, re.M)
    assert figures and {name for _, name in figures} == {n for n in files if n.endswith(".svg")}
    assert all(len(title.split()) > 5 for title, _ in figures)


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_uses_the_public_names_only(tutorial):
    text = tutorial.read_text()
    assert set(re.findall(r"\bgd\.(\w+)", text)) <= set(gnn_dynamics.__all__)
    assert "import gnn_dynamics as gd\n" in text and "from gnn_dynamics" not in text


def test_no_page_asks_a_network_for_anything(site):
    pages = [*site.rglob("*.html"), *site.rglob("*.css")]
    assert not [found for page in pages for found in OUTSIDE.findall(page.read_text())]


def test_formulas_and_charts_need_no_script(site):
    text = "".join(page.read_text() for page in site.rglob("*.html"))
    assert text.count("<math") > 100 and text.count('<div class="chart"><svg') == 2
    assert not [source for source in ("arithmatex", "flowchart", "$$") if source in text]


def test_the_page_of_the_api_describes_every_public_name(site):
    page = (site / "api.html").read_text()
    assert all(f'id="gnn_dynamics.{name}"' in page for name in gnn_dynamics.__all__)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["index", "theory", "api", f"tutorials/{TUTORIALS[0].stem}"])
def test_a_page_opens_from_a_folder_and_fits_the_screen(site, name, width):
    with opened(site / f"{name}.html", width) as (page, problems):
        page.wait_for_timeout(500)
        assert not [problem for problem in problems if not problem.startswith("file:")]
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_search_works_from_a_folder(site):
    with opened(site / "index.html", 1280) as (page, _):
        page.locator(".md-search__input").press_sequentially("erratum")  # it listens to keys
        page.wait_for_selector(".md-search-result__item a[href*=theory]", timeout=20_000)
