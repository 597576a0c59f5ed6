"""config/claims.yaml is complete and strict."""

import inspect
import re
import shutil

import pytest
import yaml
from claims_tables import CLAIMS, settings
from declared import TABLES

from gnn_dynamics.claims.claim_cells import CHECKS, KINDS
from gnn_dynamics.claims.rankings import PREDICTORS
from gnn_dynamics.claims.units import MEASURES
from gnn_dynamics.config.schema import read_checked
from gnn_dynamics.errors import UserError

SCHEMA = CLAIMS.with_suffix(".schema.yaml")


def test_the_claims_are_in_order_and_name_real_tables():
    """03 is a negative result, no claim."""
    claims = settings()["claims"]
    assert list(claims) == sorted(claims) and "03" not in claims
    papers = {name for name, claim in claims.items() if claim["origin"] == "paper"}
    assert papers == {"01", "07", "09", "10", "11", "13", "15"}
    assert "memory" not in CLAIMS.read_text() and "unsure" not in CLAIMS.read_text()
    named = {name for entry in claims.values() for name in entry["evidence"]}
    assert {name.removesuffix(".parquet") for name in named if ".parquet" in name} <= set(TABLES)


def test_the_page_has_a_row_for_every_claim():
    page = (CLAIMS.parents[1] / "docs" / "claims.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (\d\d) \|", page, re.MULTILINE) == list(settings()["claims"])


def test_the_schema_knows_every_kind_of_check():
    kinds = yaml.safe_load(SCHEMA.read_text())["$defs"]["check"]["properties"]
    assert set(kinds["kind"]["enum"]) == set(KINDS)


def test_a_primary_measure_is_one_of_the_endpoint():
    loaded = settings()
    claims = loaded["claims"].values()
    speed = [claim for claim in claims if "primary" in claim["check"]]
    named = {m for claim in speed for p in claim["check"]["primary"] for m in p["measure"]}
    assert speed and named <= set(loaded["rule"]["endpoint"]["measures"])
    assert list(loaded["rule"]["endpoint"]["measures"]) == list(MEASURES)
    assert {id(claim) for claim in speed} == {id(c) for c in claims if "sentence" in c}
    named = loaded["rule"]["endpoint"]["predictors"]
    assert set(named) <= set(MEASURES) and set(named.values()) <= set(PREDICTORS)


@pytest.mark.parametrize("kind", CHECKS)
def test_limits_are_the_arguments_of_the_checks(kind):
    parameters = inspect.signature(CHECKS[kind]).parameters.values()
    taken = {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
    definitions = yaml.safe_load(SCHEMA.read_text())["$defs"]
    rules = [(r["if"]["properties"]["kind"], r["then"]) for r in definitions["check"]["allOf"]]
    (rule,) = [then for kinds, then in rules if kind in kinds.get("enum", [kinds.get("const")])]
    assert rule["required"] == ["limits"]
    limits = definitions["limits"][rule["properties"]["limits"]["$ref"].split("/")[-1]]
    assert not limits["additionalProperties"]
    assert set(limits["required"]) == set(limits["properties"]) == taken


def edited(tmp_path, *key_path, value=None):
    """A copy of claims.yaml with another value, or without one, at `key_path`."""
    content = yaml.safe_load(CLAIMS.read_text())
    *parents, last = key_path
    node = content
    for key in parents:
        node = node[key]
    if value is None:
        del node[last]
    else:
        node[last] = value
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump(content))
    shutil.copy(SCHEMA, tmp_path)
    return path


@pytest.mark.parametrize(
    ("key_path", "value", "message"),
    [
        (("rule", "comparison", "minimum_pairs"), None, "minimum_pairs"),
        (("rule", "comparison", "alpha"), 0.05, "alpha"),
        (("rule", "endpoint", "confidence"), 2, "endpoint.confidence"),
        (("rule", "endpoint", "measures", "gd_steps"), None, "gd_steps"),
        (("rule", "endpoint", "fixed"), "yesterday", "endpoint.fixed"),
        (("claims", "09", "check", "primary"), None, "primary"),
        (("claims", "09", "sentence"), "Skips help.", "sentence"),
        (("claims", "09", "check", "compare"), "depths", "depth"),
        (("claims", "09", "check", "compare"), None, "compare"),
        (("claims", "07", "check", "limits", "straight"), None, "missing straight"),
        (("claims", "07", "check", "limits", "bent"), 1, "limits.bent: there is no such key"),
        (("claims", "08", "check", "limits"), None, "missing limits"),
        (("claims", "01", "origin"), "memory", "ours"),
        (("claims", "15", "check", "limits"), None, "missing limits"),
        (("rule", "endpoint", "units", "points"), None, "points"),
    ],
)
def test_mistakes_are_named(tmp_path, key_path, value, message):
    with pytest.raises(UserError, match=message):
        read_checked(edited(tmp_path, *key_path, value=value))
