"""The documentation: links, file paths, commands and names of tests exist."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from workflow_runs import ROOT

from gnn_dynamics.cli.main import main

PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "config" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
FOLDERS = "gnn_dynamics|docs|config|scripts|rules|tests|report|profiles|benchmarks|examples"
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|^    [^\n]*$|`[^`\n]+`", flags=re.M | re.S)
PATH = re.compile(rf"(?<![\w/.{{}}-])(?:{FOLDERS})/[\w./-]*\w")
MODULE = re.compile(r"(?<![\w/.{}*-])[a-z]\w*(?:/\w+)*\.(?:py|smk)\b")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())


def code(page: Path) -> str:
    """The code of a page, one span or block after the other."""
    return "\n".join(span.strip("`") for span in CODE.findall(page.read_text(encoding="utf-8")))


def commands(page: Path, program: str) -> list[str]:
    """The arguments of the calls of a program in the code of a page."""
    return re.findall(rf"^\s*{program} ([^#\n]+)", code(page), flags=re.M)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.M)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@cache
def names_of_tests() -> set[str]:
    files = list((ROOT / "tests").rglob("test_*.py"))
    functions = (re.findall(r"^def (test_\w+)", file.read_text(), flags=re.M) for file in files)
    return {file.stem for file in files}.union(*functions)


@cache
def ends_of_modules() -> set[str]:
    """`models/linear.py`, `linear.py`, ... for each module, script and file of rules."""
    files = [file.relative_to(ROOT).parts for file in ROOT.glob("*/**/*.*")]
    return {"/".join(parts[n:]) for parts in files for n in range(len(parts))}


@cache
def snakemake_options() -> set[str]:
    command = [sys.executable, "-m", "snakemake", "--help"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"--[a-z][a-z-]*", text))


@every_page
def test_relative_links_lead_to_files_and_headings(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.slow
@every_page
def test_file_paths_exist(page):
    assert not [path for path in PATH.findall(code(page)) if not (ROOT / path).exists()]
    modules = set(MODULE.findall(code(page))) - {"file.py"}  # of the form `file.py:function`
    assert modules <= ends_of_modules()


@every_page
def test_quoted_tests_exist(page):
    assert set(re.findall(r"\btest_\w+", code(page))) <= names_of_tests()


@every_page
def test_make_targets_exist(page):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M)
    variables = r"(?:[A-Z]+=(?:'[^']*'|\S+) )*"
    assert {re.sub(variables, "", call).strip() for call in commands(page, "make")} <= set(targets)


@pytest.mark.slow
@every_page
def test_snakemake_options_and_targets_exist(page):
    calls = [call for call in commands(page, "snakemake") if "--slurm" not in call]
    options = {option for call in calls for option in re.findall(r"--[a-z][a-z-]*", call)}
    assert options <= snakemake_options()
    files = [ROOT / "Snakefile", *ROOT.glob("rules/*.smk")]
    rules = {rule for file in files for rule in re.findall(r"^rule (\w+):", file.read_text(), re.M)}
    assert {call.split()[0] for call in calls if re.match(r"\w+(\s|$)", call)} <= rules


@every_page
def test_subcommands_exist(page, capsys):
    for name in {call.split()[0] for call in commands(page, "gnn-dynamics")}:
        with pytest.raises(SystemExit) as end:
            main([name, "--help"])
        assert end.value.code == 0, name


def test_the_readme_shows_every_subcommand():
    calls = commands(ROOT / "README.md", "gnn-dynamics")
    assert {call.split()[0] for call in calls} == {"check", "compare", "describe"}
