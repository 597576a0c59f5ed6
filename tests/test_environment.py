"""What is installed: the lock agrees with the constraints, and every licence is listed."""

import importlib.util
import re

import pytest
import yaml
from packaging.utils import canonicalize_name
from workflow_runs import ROOT

PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s\\]+)", flags=re.M)


def pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text()
    return {canonicalize_name(package): version for package, version in PIN.findall(text)}


@pytest.fixture(scope="module")
def licences():
    """docs/licences.py as a module."""
    spec = importlib.util.spec_from_file_location("licences", ROOT / "docs" / "licences.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lock_has_every_constraint_but_torch():
    constraints = pins("constraints.txt")
    assert constraints.pop("torch")
    assert pins("requirements.lock") == constraints


def test_every_locked_package_has_hashes_and_no_place_to_come_from():
    text = (ROOT / "requirements.lock").read_text()
    entries = re.split(r"^(?=[A-Za-z])", text, flags=re.M)[1:]
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    assert "://" not in text and "--index" not in text and "--find" not in text
    assert not any("+" in version for version in pins("requirements.lock").values())


def test_the_page_of_licences_has_every_runtime_dependency(licences):
    text = (ROOT / "docs" / "licences.md").read_text()
    rows = re.findall(r"^\| ([a-z0-9-]+) \| (\d\S*) \| (.+) \|$", text, flags=re.M)
    versions = pins("constraints.txt")
    assert {name for name, _, _ in rows} >= set(licences.runtime())
    assert all(versions[name] == version for name, version, _ in rows)


def test_what_the_catalogue_of_workflows_asks_for():
    readme = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme and "workflow" in readme
    assert (ROOT / "Snakefile").is_file() and list((ROOT / "rules").glob("*.smk"))
    assert (ROOT / "config" / "README.md").is_file()
    said = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())
    assert said["usage"]["report"] is True


@pytest.mark.xdist_group("grouped")
def test_processes_share_out_groups_and_not_single_tests(request):
    """Else each process runs the workflow once for itself. pytest-xdist marks a group in the id."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("only with --dist loadgroup, as in `make test`")
    assert request.node.nodeid.endswith("@grouped")


def test_names_of_tests_hold_no_bytes(request):
    """An archive has the time in it: two processes would collect different tests."""
    names = [item.nodeid for item in request.session.items]
    assert [name for name in names if "\\x" in name] == []
