"""The report in a browser: silent, without requests, and its tables sort and filter."""

import re

import pytest
from browser import opened
from report_results import made_up_results

from gnn_dynamics.report.build import build_report
from gnn_dynamics.report.claim_pages import STATES, claim_pages
from gnn_dynamics.report.glossary import TERMS

pytestmark = pytest.mark.slow

CLAIM = "09"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return made_up_results(tmp_path_factory.mktemp("figures"))


@pytest.fixture(scope="module")
def report(results, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(build_report(results), encoding="utf-8")
    return path


@pytest.fixture
def cells(report):
    """The open table of settings of a claim: (its element, the rows it shows as text)."""
    with opened(report, 1280) as (page, problems):
        details = page.locator(f"#claim-{CLAIM} details.grid").last
        details.locator("summary").click()
        yield Table(details)
        assert problems == []


class Table:
    """What a reader sees of a table, and does with it."""

    def __init__(self, details):
        self.details = details

    def titles(self):
        return self.details.locator("th").all_inner_texts()

    def column(self, title):
        place = self.titles().index(title) + 1
        return self.details.locator(f"tbody td:nth-child({place})").all_inner_texts()

    def sort(self, title):
        self.details.locator("th button", has_text=re.compile(f"^{re.escape(title)}$")).click()

    def choose(self, title, value):
        label = f"Only rows with this {title}"
        self.details.get_by_label(label, exact=True).select_option(label=value)

    def found(self):
        return self.details.locator("output").inner_text()


def whole(results):
    """The same table as the page is given it."""
    pages = {page["claim"]: page for page in claim_pages(results.tables)}
    return pages[CLAIM]["cells"]


def column(grid, title):
    found = next(entry for entry in grid["columns"] if entry["title"] == title)
    if found["values"] is None:
        return found["data"]
    return [found["values"][place] for place in found["data"]]


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_silent_asks_for_nothing_and_fits(report, width):
    with opened(report, width) as (page, problems):
        for summary in page.locator("details > summary").all():
            summary.click()
        assert page.locator("details.grid tbody tr").count() > 0
        inside, seen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert inside <= seen
        # No element reaches beyond the page, but for those that scroll sideways in a frame.
        beyond = page.evaluate(
            "[...document.querySelectorAll('main *, header *')]"
            ".filter(e => !e.closest('.scroll, pre'))"
            ".filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML)"
        )
        assert beyond == [] and problems == []


def test_a_table_has_all_its_rows_and_those_against_the_claim_come_first(cells, results):
    grid = whole(results)
    assert cells.found() == f"{grid['count']} rows" and len(cells.column("effect")) == grid["count"]
    answers = cells.column("answer")
    assert answers == column(grid, "answer")
    assert answers == sorted(answers, key=STATES.index)


def test_a_table_sorts_numbers_as_numbers_and_back(cells):
    cells.sort("effect")
    factors = [float(text) for text in cells.column("effect")]
    assert factors == sorted(factors) and len(set(factors)) > 5
    cells.sort("effect")
    assert [float(text) for text in cells.column("effect")] == sorted(factors, reverse=True)
    cells.sort("graph")
    assert cells.column("graph") == sorted(
        cells.column("graph"), key=["Cora", "CiteSeer", "Wine"].index
    )


def test_a_table_filters_by_value_and_by_words(cells, results):
    total = whole(results)["count"]
    cells.choose("graph", "Cora")
    assert set(cells.column("graph")) == {"Cora"}
    assert cells.found() == f"{total // 3} rows (of {total})"
    cells.details.locator("input").fill("gin  FLOW")
    assert set(cells.column("aggregation")) == {"GIN"}
    assert set(cells.column("measure")) == {"flow time"}
    cells.details.locator("input").fill("no such word")
    assert cells.found() == f"0 rows (of {total})" and cells.column("graph") == []
    cells.choose("graph", "all")
    cells.details.locator("input").fill("")
    assert cells.found() == f"{total} rows"


def test_a_term_opens_its_explanation_and_leaves_the_reader_there(report):
    with opened(report, 390) as (page, problems):
        term = next(term for term in TERMS if term.name == "skip connections")
        place = page.evaluate("scrollY")
        page.locator(f'header button[popovertarget="{term.anchor}"]').first.click()
        shown = page.locator(f"#{term.anchor}:popover-open")
        assert "Every layer, not only the last" in shown.inner_text()
        box = shown.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
        assert page.evaluate("scrollY") == place and problems == []
        page.keyboard.press("Escape")
        assert page.locator(":popover-open").count() == 0
