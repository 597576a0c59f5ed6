"""The report is one safe file, takes its numbers from the tables, and names what is missing."""

import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from claims_tables import settings
from declared import TABLES
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape
from report_results import STEMS, made_up_results

from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.claims.names import MARKS
from gnn_dynamics.claims.units import FINDINGS, LOG2, scales
from gnn_dynamics.config.grid import KEYS
from gnn_dynamics.config.schema import read_yaml, schema_problems
from gnn_dynamics.errors import UserError
from gnn_dynamics.figures import registry
from gnn_dynamics.report import glossary, sections
from gnn_dynamics.report.build import build_report
from gnn_dynamics.report.claim_pages import BARS, EFFECTS, STATES, claim_pages
from gnn_dynamics.report.differences import curve_table, differences
from gnn_dynamics.report.formulas import typeset
from gnn_dynamics.report.glossary import TERMS, explainer
from gnn_dynamics.report.grids import as_json, grid
from gnn_dynamics.report.results import SHOWN, Results, load_results
from gnn_dynamics.summaries import paper_curves

pytestmark = pytest.mark.slow

CLAIMS = settings()["claims"]
VOID = {"meta", "img", "br", "link", "hr"}
ATTACK = "<script>alert('x')</script><img src=//evil.example/a.png>"


class Page(HTMLParser):
    """What a page refers to, which ids it has, and whether its elements are closed."""

    def __init__(self, html: str):
        super().__init__()
        self.tags, self.ids, self.links, self.sources = [], [], [], []
        self.names, self.text, self.scripts = set(), [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.names.add(tag)
        if tag not in VOID:
            self.tags.append(tag)
        self.ids += [attrs["id"]] if "id" in attrs else []
        self.links += [attrs["href"]] if "href" in attrs else []
        self.sources += [attrs["src"]] if "src" in attrs else []
        self.scripts += [(attrs, "")] if tag == "script" else []
        assert not any(name.startswith("on") for name in attrs)

    def handle_endtag(self, tag):
        assert self.tags.pop() == tag

    def handle_data(self, data):
        if self.tags[-1:] == ["script"]:
            self.scripts[-1] = (self.scripts[-1][0], data)
        elif self.tags[-1:] != ["style"]:
            self.text.append(data)

    @property
    def running(self) -> list[str]:
        """Scripts that a browser would run."""
        return [text for attrs, text in self.scripts if attrs != {"type": "application/json"}]

    @property
    def data(self) -> list[dict]:
        return [json.loads(text) for attrs, text in self.scripts if attrs]


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Results:
    return made_up_results(tmp_path_factory.mktemp("figures"))


@pytest.fixture(scope="module")
def html(results) -> str:
    return build_report(results)


def without(results: Results, *names: str) -> Results:
    tables = {name: table for name, table in results.tables.items() if name not in names}
    counts = {name: count for name, count in results.counts.items() if name not in names}
    return replace(results, tables=tables, counts=counts)


def test_the_page_loads_nothing_and_runs_only_its_own_script(html):
    page = Page(html)
    assert page.tags == []
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert all(link.startswith("#") for link in page.links)
    assert not {"link", "iframe", "object", "form", "base"} & page.names
    assert not re.search(r"url\(|@import", html)
    script = files("gnn_dynamics.report").joinpath("grid.js").read_text(encoding="utf-8")
    assert page.running == [script] and "http" not in script
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)[1].split("; ")
    others = ["default-src 'none'", "img-src data:", "style-src 'unsafe-inline'"]
    assert policy == [*others, f"script-src 'sha256-{digest}'"]


def test_every_link_has_its_target_and_every_id_is_unique(html):
    page = Page(html)
    assert [name for name, count in Counter(page.ids).items() if count > 1] == []
    assert {link[1:] for link in page.links} <= set(page.ids)


def claim_page(html: str, claim: str) -> str:
    return html[html.index(f'id="claim-{claim}"') :].split("</section>")[0]


def test_answers_come_first_then_a_page_for_each_claim(html, results):
    parts = ('class="lead"', 'class="count"', 'id="figure-claims"', 'id="claims"', 'id="claim-09"')
    places = [html.index(part) for part in (*parts, 'id="claim-11"', 'id="claim-01"')]
    assert places == sorted(places)
    order = ("holds for", "GCN", "Supported in 7 of 9", 'id="figure-forest_skips"')
    order += ('id="figure-settings_skips"', "Times sooner", "application/json", "Method")
    page = claim_page(html, "09")
    assert [page.index(part) for part in order] == sorted(page.index(part) for part in order)
    counted = "2 hold, 1 holds in part, 1 depends on the setting, 1 fails, 1 is vacuous"
    assert sections.headline(results.tables)[-1] == f"Of 7 claims, {counted}, 1 is not tested."


def test_the_first_screen_says_what_accelerates_training_and_shows_the_slide(html):
    first = html[: html.index('id="claims"')]
    for claim in ("09", "10", "11"):
        assert f"Claim {claim} is 1.4 times sooner." in first
    assert first.count("<img ") == 1 and 'id="figure-claims"' in first


def test_the_method_of_a_claim_has_three_lines(results):
    pages = {page["claim"]: page["method"] for page in claim_pages(results.tables)}
    assert {len(pages[claim]) for claim in ("01", "09", "10", "11")} == {3}
    measured, setting, judged = pages["09"]
    assert measured.startswith("Largest ratio")
    assert "width 64, the default initialisation, 5 seeds each" in setting
    assert "The effects of 6 graphs are pooled" in judged and "above 1.05 times" in judged
    few = results.tables["evidence"].query("graph != 'pooled'")
    (alone,) = (p for p in claim_pages({**results.tables, "evidence": few}) if p["claim"] == "09")
    assert "Each stands for itself" in alone["method"][-1]


def test_the_strata_of_a_claim_are_given_as_factors(results):
    rows = {row["claim"]: row["strata"] for row in claim_pages(results.tables)}
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
    assert list(figures) == STEMS and all(f["measured"] for f in figures.values())
    assert html.count("What was measured</summary>") == len(STEMS) - 1  # all but the slide
    assert "first / second term 0.54 to 0.54 during training" in html


def test_data_cannot_become_markup(results):
    tables = dict(results.tables)
    for name, column in (
        *(("claims", "statement"), ("claims", "source"), ("claims", "title")),
        *(("comparisons", "reason"), ("graphs", "source_url"), ("graphs", "dataset")),
    ):
        changed = tables[name].assign(**{column: ATTACK})
        changed.iloc[::2, changed.columns.get_loc(column)] += "</script>"
        tables[name] = changed
    hostile = replace(results, tables=tables, config={"run": ATTACK}, provenance={"code": ATTACK})
    page = Page(build_report(hostile))
    assert len(page.running) == 1 and all(s.startswith("data:") for s in page.sources)
    assert any(ATTACK in column["values"] for grid in page.data for column in grid["columns"])


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


TAGS = re.compile(r"</?(?:button|span)[^>]*>")


@given(st.text(alphabet="abc <>&'\"*_ λσ²LHG;#"))
def test_explaining_adds_but_changes_nothing(text):
    assert TAGS.sub("", str(explainer()(text))) == str(typeset(text))


def test_a_sentence_keeps_its_words_and_marks_its_terms():
    text = "With skip connections a GCN is 2 times sooner (95 % interval 1 to 3) & <more>."
    marked = str(explainer()(text))
    assert TAGS.sub("", marked) == str(escape(text))
    assert 'popovertarget="term-skip-connections" title="every layer' in marked
    assert '<span class="together">(<button' in marked and "interval</button></span> 1 to" in marked


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.anchor)
def test_a_term_is_explained_once(term):
    word = {"σmin": "sigma_min", "λ_T": "lambda_T"}.get(term.name, term.name)
    explain = explainer()
    first, second = str(explain(f"The {word} here.")), str(explain(f"The {word} again."))
    assert f'popovertarget="{term.anchor}"' in first and str(escape(term.short)) in first
    assert second == str(typeset(f"The {word} again."))


def test_every_term_is_listed_and_opens_with_its_explanation(html):
    for term in TERMS:
        entry = f"{typeset(term.name)}</dt>\n<dd>{typeset(term.short)}. {typeset(term.long)}</dd>"
        assert f'<div id="{term.anchor}" popover><dt>{entry}' in html
    targets = set(re.findall(r'popovertarget="([^"]+)"', html))
    assert targets <= {term.anchor for term in TERMS}


def test_every_word_that_the_report_looks_up_is_explained(html):
    assert set(glossary.VERDICTS) == set(MARKS)
    known = {*TABLES["comparisons"].types, *TABLES["evidence"].types}
    assert set(glossary.COLUMNS) <= known
    text = Page(html).text
    for words in (glossary.VERDICTS, glossary.TABLES):
        assert all(any(name in part for part in text) for name in words)


def test_a_glossary_entry_without_explanation_is_refused():
    schema = read_yaml(Path(glossary.__file__).with_name("glossary.schema.yaml"))
    entries = {
        "depth": {"short": "number of layers"},
        "head": {"short": "A sentence.", "long": "W."},
    }
    columns = {"depth": {"meaning": "number of layers"}}
    content = {"terms": entries, "columns": columns, "tables": {"claims": ""}}
    problems = schema_problems(content, schema)
    assert any("columns.depth: missing title" in problem for problem in problems)
    assert any("terms.depth: missing long" in problem for problem in problems)
    assert any("terms.head.short" in problem for problem in problems)
    assert any("tables.claims" in problem for problem in problems)
    assert any("missing verdicts" in problem for problem in problems)


@pytest.mark.parametrize("part", ["header", "claim"])
def test_terms_are_explained_where_they_first_stand(html, part):
    text = claim_page(html, "09") if part == "claim" else html[html.index("<header>") :]
    text = re.sub(r'(alt|title)="[^"]*"', "", text)
    before, after = text.split('popovertarget="term-skip-connections"', 1)
    heading = "Skip connections accelerate"
    assert "skip connections" not in before.replace(heading, "")
    assert after.lstrip().startswith(">skip connections</button>")


# --- formulas


SPELT = re.compile(r"sigma_|lambda_|λ_|σ_|\^\d|\^\(|\|\||L\*|log2\(|exp\(|[A-Za-z]_[a-z]\b")


def test_no_formula_is_spelt_out(html):
    """Neither in the report, nor in any word of the rule that another run may show."""
    spoken = re.sub(r"<(style|script|code|pre|math).*?</\1>", "", html, flags=re.S)
    spoken = re.sub(r'(alt|title|href|id|popovertarget|content)="[^"]*"', "", spoken)
    assert SPELT.findall(spoken[: spoken.index("Configuration and versions")]) == []
    keys = ("title", "assertion", "statistic", "finding", "noted")
    words = [entry[key] for entry in CLAIMS.values() for key in keys if key in entry]
    for text in (*words, *(entry.see for entry in registry.FIGURES)):
        assert SPELT.findall(re.sub(r"<math.*?</math>", "", str(typeset(text)))) == [], text


def test_a_number_with_a_power_of_ten_is_typeset_wherever_it_stands():
    page = re.sub(r"</?m\w+[^>]*>", "", str(typeset("from 1.2e+14 to 3e-05, not x1e+5 or e-5")))
    assert unescape(page) == "from 1.2·1014 to 3·10−5, not x1e+5 or e-5"


def test_a_formula_is_taken_as_a_whole_and_not_inside_a_word():
    assert str(typeset("sigma_min^2")).count("<math") == 1 and "msubsup" in typeset("sigma_min^2")
    assert typeset("it sigma_minus L*x") == "it sigma_minus L*x"


# --- tables


def test_a_grid_has_every_row_and_says_what_is_the_same():
    frame = pd.DataFrame({
        "depth": [4, 2, 4, None],
        "effect": [0.123456, 2.0, np.nan, 1e-9],
        "measure": ["flow", None, "adam", "adam"],
        "multiscale": [True, False, True, True],
        "width": [64] * 4,
        "unknown": list("abcd"),
    })  # fmt: skip
    titles = {key: key for key in ("multiscale", "depth", "effect", "measure", "width", "lr")}
    data = grid(frame, titles)
    columns = {column["key"]: column for column in data["columns"]}
    assert data["count"] == 4 and data["same"] == {"width": "64"}
    assert list(columns) == ["multiscale", "depth", "effect", "measure"]
    assert columns["depth"]["values"] == ["2", "4"] and columns["depth"]["data"] == [1, 0, 1, -1]
    assert columns["multiscale"]["values"] == ["skip", "no skip"]
    assert columns["measure"]["data"][1] == -1
    json.loads(as_json(data))


def test_a_long_column_of_numbers_is_rounded_and_has_no_menu():
    frame = pd.DataFrame({"effect": [*np.geomspace(1.23456, 1e9, 20), np.nan]})
    (column,) = grid(frame, {"effect": "factor"})["columns"]
    assert column["values"] is None and column["data"][0] == 1.23 and column["data"][-1] is None


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


def answers(page: dict) -> list[str]:
    column = next(c for c in page["cells"]["columns"] if c["key"] == "state")
    return [column["values"][place] for place in column["data"]]


def test_settings_against_a_claim_are_shown_first_and_counted(results):
    pages = {page["claim"]: page for page in claim_pages(results.tables)}
    states = answers(pages["10"])
    assert states == sorted(states, key=STATES.index) and states[0] == "refutes"
    assert len(states) == pages["10"]["cells"]["count"] == 36
    assert pages["10"]["refuting"] == states.count("refutes")
    assert pages["02"]["cells"] is None


def test_no_setting_is_hidden(results):
    """All rows, however many: 300 were shown once."""
    cells = results.tables["comparisons"].query("claim == '09'").iloc[:1]
    many = pd.concat([cells.assign(effect=n / 1000, state="refutes") for n in range(4000)])
    html = build_report(replace(results, tables={**results.tables, "comparisons": many}))
    grids = [data for data in Page(html).data if data["count"] == 4000]
    assert len(grids) == 1 and len(grids[0]["columns"][0]["data"]) == 4000
    assert "Every setting: 4,000 rows, 4,000 of them against the claim" in html


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


def test_the_report_states_the_margins_of_the_rule():
    of_unit = scales(settings()["rule"])
    assert set(BARS) == set(EFFECTS) == set(of_unit) == set(FINDINGS)
    stated = {unit: float(re.match(r"[\d.]+", above)[0]) for unit, (above, _) in BARS.items()}
    stated[LOG2] = np.log2(stated[LOG2])
    assert stated == pytest.approx({unit: scale.margin for unit, scale in of_unit.items()})
