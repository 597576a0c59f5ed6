"""The report is one safe file, takes its numbers from the tables, and names what is missing."""

import re
from collections import Counter
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import synthetic_tables
from declared import TABLES
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.config.grid import KEYS
from gnn_dynamics.config.schema import read_yaml, schema_problems
from gnn_dynamics.errors import UserError
from gnn_dynamics.figures import registry, style
from gnn_dynamics.report import glossary, sections
from gnn_dynamics.report.build import build_report
from gnn_dynamics.report.differences import curve_table, differences
from gnn_dynamics.report.glossary import TERMS, Explainer, hinted
from gnn_dynamics.report.results import SHOWN, Results, load_results
from gnn_dynamics.summaries import paper_curves

STEMS = [*(figure.stem for figure in registry.FIGURES), "appendix_cora"]
VOID = {"meta", "img", "br", "link", "hr"}
ATTACK = "<script>alert('x')</script><img src=//evil.example/a.png>"


class Page(HTMLParser):
    """What a page refers to, which ids it has, and whether its elements are closed."""

    def __init__(self, html: str):
        super().__init__()
        self.tags, self.ids, self.links, self.sources = [], [], [], []
        self.names, self.text = set(), []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.names.add(tag)
        if tag not in VOID:
            self.tags.append(tag)
        self.ids += [attrs["id"]] if "id" in attrs else []
        self.links += [attrs["href"]] if "href" in attrs else []
        self.sources += [attrs["src"]] if "src" in attrs else []
        assert not any(name.startswith("on") for name in attrs)

    def handle_endtag(self, tag):
        assert self.tags.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Results:
    folder = tmp_path_factory.mktemp("figures")
    for stem in STEMS:
        style.missing_figure(stem, "A stand-in.").savefig(folder / f"{stem}.png", dpi=40)
    tables = dict(synthetic_tables.tables())
    tables["training"] = tables["training"].query("dataset == 'cora'")  # enough, and faster
    return Results(
        tables=tables,
        counts={name: len(table) for name, table in tables.items()},
        figures={stem: folder / f"{stem}.png" for stem in STEMS},
        config={"run": "demo", "experiments": [{"name": "curves"}]},
        provenance={"device": "cpu", "packages": {"numpy": "1.2.3"}},
        rulegraph=folder / "claims.png",
    )


@pytest.fixture(scope="module")
def html(results) -> str:
    return build_report(results)


def without(results: Results, *names: str) -> Results:
    tables = {name: table for name, table in results.tables.items() if name not in names}
    counts = {name: count for name, count in results.counts.items() if name not in names}
    return replace(results, tables=tables, counts=counts)


def test_the_page_loads_nothing_and_runs_nothing(html):
    page = Page(html)
    assert page.tags == []
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert all(link.startswith("#") for link in page.links)
    assert not {"script", "link", "iframe", "object", "form", "base"} & page.names
    assert not re.search(r"url\(|@import", html)
    assert "default-src 'none'" in html


def test_every_link_has_its_target_and_every_id_is_unique(html):
    page = Page(html)
    assert [name for name, count in Counter(page.ids).items() if count > 1] == []
    assert {link[1:] for link in page.links} <= set(page.ids)


def test_verdicts_come_first_and_link_to_figure_and_cells(html, results):
    parts = ('class="lead"', 'class="count"', 'id="claims"', 'id="figures"')
    places = [html.index(part) for part in parts]
    assert places == sorted(places)
    row = html[html.index('id="claim-09"') :].split("</tr>")[0]
    assert row.index("holds for") < row.index("GCN") < row.index("Skip connections accelerate")
    assert 'href="#figure-forest_skips"' in row and 'href="#rows-09"' in row
    counted = "2 hold, 1 holds in part, 1 depends on the setting, 1 fails, 1 is vacuous"
    assert sections.headline(results.tables)[-1] == f"Of 7 claims, {counted}, 1 is not tested."


def test_the_first_screen_says_what_accelerates_training_and_shows_the_slide(html):
    first = html[: html.index('id="claims"')]
    for claim in ("09", "10", "11"):
        assert f"Claim {claim} is 1.4 times sooner." in first
    assert first.count("<img ") == 1 and 'id="figure-claims"' in first


def test_the_strata_of_a_claim_are_given_as_factors(results):
    rows = {row["claim"]: row["strata"] for row in sections.claim_rows(results.tables)}
    assert rows["01"] == []
    gcn, gin = rows["09"]
    assert (gcn["network"], gcn["graph"], gcn["factor"]) == ("GCN", "all 6", "1.7")
    assert gcn["finding"] == "faster" and gcn["setting"].startswith("flow time, the default")
    assert (gin["factor"], gin["finding"]) == ("1", "not enough evidence")
    assert [row["network"] for row in rows["10"]][:2] == ["GCN with skips", "GCN without skips"]
    assert rows["10"][1]["interval"] == "0.6 to 0.78"


def test_every_figure_is_inside_with_words_and_numbers(html, results):
    assert html.count("<img ") == len(STEMS) + 1  # and the rule graph
    figures = sections.figure_rows(results.figures, results.tables)
    assert [f["entry"].stem for f in figures] == STEMS and all(f["measured"] for f in figures)
    assert html.count("<b>What was measured</b>") == len(STEMS)
    assert "first / second term 0.54 to 0.54 during training" in html


def test_data_cannot_become_markup(results):
    tables = dict(results.tables)
    for name, column in (
        *(("claims", "statement"), ("claims", "where_it_fails"), ("claims", "title")),
        *(("comparisons", "cell"), ("graphs", "source_url"), ("graphs", "dataset")),
    ):
        tables[name] = tables[name].assign(**{column: ATTACK})
    hostile = replace(results, tables=tables, config={"run": ATTACK}, provenance={"code": ATTACK})
    page = Page(build_report(hostile))
    assert "script" not in page.names and all(s.startswith("data:") for s in page.sources)


def test_equal_results_give_equal_bytes(results, html):
    assert build_report(results) == html


@pytest.mark.parametrize("name", ["claims", "comparisons", "graphs", "training"])
def test_a_missing_table_is_said_and_stops_nothing(results, name):
    page = build_report(without(results, name))
    row = page[page.index(f'id="table-{name}"') :].split("</tr>")[0]
    assert "missing" in row
    Page(page)


def test_a_report_of_nothing_says_so(results):
    page = build_report(Results({}, {}, {}, {"run": "empty"}))
    assert "No claims were judged" in page
    assert "figures/fig4_training_speed.png</code> is missing" in page
    Page(page)


# --- what differs from the paper


def test_differences_are_read_from_the_tables(results):
    text = " ".join(differences(results.tables, paper_curves.deviation(None)))
    assert "CiteSeer, but σmin is exactly 0" in text and "nodes 35, 89" in text
    assert "5,429 edges; without duplicates and self-loops there are 5,278" in text
    assert "H = 4 (4 of 4 curves, down to 0.54)" in text and "H = 2" not in text
    assert "vacuous at 50 % of 672 records" in text


@pytest.mark.parametrize(("factor", "close"), [(1.07, 1), (0.91, 1), (1.2, 0), (0.8, 0)])
def test_closeness_to_the_papers_curves_is_computed(factor, close):
    row = {"activation": "linear", "panel": "b", "curve": "2 layer"}
    rows = [{**row, "iteration": i, "relative": d} for i, d in ((1000, 0.01), (6000, factor - 1))]
    table = curve_table(pd.DataFrame(rows))
    assert table["close"].sum() == close and table["iteration"].item() == 6000
    assert table["worst"].item() == pytest.approx(factor - 1)


def test_no_comparison_is_claimed_without_the_papers_setting(results):
    training = results.tables["training"]
    deviation = paper_curves.deviation(training[training["dataset"] == "wine"])
    assert "cannot be compared" in differences({}, deviation)[0]


# --- terms


@given(st.text(alphabet="abc <>&'\"*_ λσ²LHG;#"))
def test_explaining_adds_but_changes_nothing(text):
    marked = str(Explainer()(text))
    bare = re.sub(r' <span class="gloss">.*?</span>', "", marked)
    assert re.sub(r"</?a[^>]*>", "", bare) == str(escape(text))


def test_a_sentence_keeps_its_words_and_links_its_terms():
    text = "With skip connections a GCN is 2 times sooner (95 % interval 1 to 3) & <more>."
    marked = str(hinted(text))
    assert re.sub(r"</?a[^>]*>", "", marked) == str(escape(text))
    assert 'href="#term-skip-connections" title="every layer' in marked and "gloss" not in marked


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.anchor)
def test_a_term_is_explained_once(term):
    word = {"σmin": "sigma_min", "λ_T": "lambda_T"}.get(term.name, term.name)
    explain = Explainer()
    first, second = str(explain(f"The {word} here.")), str(explain(f"The {word} again."))
    assert f'href="#{term.anchor}"' in first and str(escape(term.short)) in first
    assert second == f"The {word} again."


def test_every_term_is_listed_with_its_explanation(html):
    listed = unescape(html.split('<section id="terms">')[1])
    for term in TERMS:
        entry = f"{term.name}</dt>\n<dd>{term.short}. {term.long}</dd>"
        assert f'<dt id="{term.anchor}">{entry}' in listed


def test_every_word_that_the_report_looks_up_is_explained(html):
    assert set(glossary.VERDICTS) == set(sections.MARKS)
    assert set(glossary.COLUMNS) <= set(sections.CELL_COLUMNS)
    text = Page(html).text
    for words in (glossary.VERDICTS, glossary.COLUMNS, glossary.TABLES):
        assert all(any(name in part for part in text) for name in words)


def test_a_glossary_entry_without_explanation_is_refused():
    schema = read_yaml(Path(glossary.__file__).with_name("glossary.schema.yaml"))
    entries = {
        "depth": {"short": "number of layers"},
        "head": {"short": "A sentence.", "long": "W."},
    }
    problems = schema_problems({"terms": entries, "tables": {"claims": ""}}, schema)
    assert any("terms.depth: missing long" in problem for problem in problems)
    assert any("terms.head.short" in problem for problem in problems)
    assert any("tables.claims" in problem for problem in problems)
    assert any("missing verdicts, columns" in problem for problem in problems)


def test_terms_are_explained_where_they_first_stand(html):
    text = re.sub(r"<style>.*?</style>", "", html, flags=re.S)
    before, after = text.split('href="#term-skip-connections"', 1)
    assert "skip connections" not in before
    assert "feeds the output" in after[:200]


# --- from files


def test_results_are_read_from_files_and_absent_ones_skipped(results, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("run: demo\n")
    paths = []
    for name in ("graphs", "claims"):
        paths.append(tmp_path / "tables" / f"{name}.parquet")
        write_table(results.tables[name], paths[-1], TABLES[name], {})
    paths.append(tmp_path / "tables" / "bounds.parquet")
    read = load_results(paths, results.figures.values(), config, {})
    assert read.counts == {"graphs": 3, "claims": 7}
    assert set(read.tables) == {"graphs", "claims"} and set(read.figures) == set(STEMS)


def test_every_table_that_a_figure_draws_is_read():
    """The numbers below a figure need them: those of the negative results once were missing."""
    assert {name for figure in registry.FIGURES for name in figure.tables} <= SHOWN


def test_claims_about_every_case_are_named(results):
    claims = results.tables["claims"].assign(quantifier="typical")
    claims.loc[claims["claim"].isin(["02", "01"]), "quantifier"] = "every"
    html = build_report(replace(results, tables={**results.tables, "claims": claims}))
    assert "(claims 01 and 02 are about every case)" in html


def test_a_broken_config_is_named(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("just words")
    with pytest.raises(UserError, match=r"config\.yaml"):
        load_results([], [], config, {})


def test_cells_against_a_claim_are_shown_first_and_counted(results):
    rows = {row["claim"]: row for row in sections.claim_rows(results.tables)}
    states = [row[rows["10"]["columns"].index("state")] for row in rows["10"]["rows"]]
    assert states == sorted(states, key=sections.STATES.index) and states[0] == "refutes"
    assert rows["10"]["cell_count"] == 36
    assert rows["02"]["rows"] == []


def test_no_failing_cell_is_hidden(results):
    names = [f"cell {number} (reversed)" for number in range(400)]
    claims = results.tables["claims"].iloc[:1].assign(where_it_fails="; ".join(names))
    page = build_report(replace(results, tables={"claims": claims}))
    assert "Where it fails: 400 cases" in page and "… and 100 more" in page
    assert names[0] in page and names[299] in page


def test_runs_whose_loss_kept_rising_are_counted(results, tmp_path):
    """All runs, not only those of which a figure shows rows: such as those named `unseen`."""
    training = results.tables["training"].replace({"experiment": {"labels": "unseen"}})
    hit = training["seed"].eq(1) & (training["multiscale"] | training["experiment"].eq("unseen"))
    path, config = tmp_path / "training.parquet", tmp_path / "config.yaml"
    config.write_text("run: demo\n")

    def page(share: float, status: str = "ok") -> str:
        rises = (share * training["step"]).astype(int).where(hit, 0)
        write_table(
            training.assign(loss_increases=rises, status=status), path, TABLES["training"], {}
        )
        return build_report(load_results([path], [], config, {}))

    runs = training.drop_duplicates(list(KEYS))
    counts = runs[hit.loc[runs.index]].groupby("experiment").size()
    experiments = f"curves: {counts['curves']}, unseen: {counts['unseen']}"
    text = "runs that did not diverge, the loss rose in more than 5 % of the steps"
    assert f"In {counts.sum()} of {len(runs)} {text} ({experiments})" in page(0.3)
    for quiet in (page(0.04), page(0.3, "diverged"), page(0.0)):
        assert "the loss rose" not in quiet
