"""Texts of the commands, from the Jinja templates of this folder."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

TEMPLATES = Environment(
    loader=PackageLoader("gnn_dynamics.cli", "."),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values: Any) -> str:
    """The text of a template, such as `check.txt.jinja`, without empty lines at its end."""
    return TEMPLATES.get_template(template).render(values).rstrip("\n")
