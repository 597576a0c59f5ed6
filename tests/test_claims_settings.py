"""config/claims.yaml is complete and strict."""

import inspect

import pytest
import yaml
from claims_tables import CLAIMS, settings
from declared import TABLES

from gnn_dynamics.claims.evidence import CHECKS, KINDS
from gnn_dynamics.claims.settings import SCHEMA, load_claims
from gnn_dynamics.errors import UserError


def test_the_fourteen_claims_are_there_and_name_real_tables():
    claims = settings()["claims"]
    assert sorted(claims) == [f"{number:02d}" for number in range(1, 15)]
    named = {name for entry in claims.values() for name in entry["evidence"]}
    assert {name.removesuffix(".parquet") for name in named if ".parquet" in name} <= set(TABLES)


def test_the_schema_knows_every_kind_of_check():
    kinds = yaml.safe_load(SCHEMA.read_text())["$defs"]["check"]["properties"]
    assert set(kinds["kind"]["enum"]) == set(KINDS)


@pytest.mark.parametrize("kind", CHECKS)
def test_limits_are_the_arguments_of_the_checks(kind):
    parameters = inspect.signature(CHECKS[kind]).parameters.values()
    taken = {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
    rule = yaml.safe_load(SCHEMA.read_text())["$defs"].get(kind)
    limits = rule["then"]["properties"]["limits"] if rule else {"required": []}
    assert set(limits["required"]) == set(limits.get("properties", {})) == taken


def edited(tmp_path, *place, value=None):
    content = yaml.safe_load(CLAIMS.read_text())
    node = content
    for key in place[:-1]:
        node = node[key]
    if value is None:
        del node[place[-1]]
    else:
        node[place[-1]] = value
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("rule", "comparison", "minimum_pairs"), None, "minimum_pairs"),
        (("rule", "comparison", "alpha"), 0.05, "alpha"),
        (("rule", "verdict", "fails_share", "every"), 2, "fails_share.every"),
        (("claims", "09", "check", "compare"), "depths", "depth"),
        (("claims", "09", "check", "compare"), None, "compare"),
        (("claims", "07", "check", "limits", "straight"), None, "missing straight"),
        (("claims", "07", "check", "limits", "bent"), 1, "limits.bent: there is no such key"),
        (("claims", "08", "check", "limits"), None, "missing limits"),
        (("claims", "01", "wording"), "sure", "wording unsure"),
    ],
)
def test_mistakes_are_named(tmp_path, place, value, message):
    with pytest.raises(UserError, match=message):
        load_claims(edited(tmp_path, *place, value=value))
