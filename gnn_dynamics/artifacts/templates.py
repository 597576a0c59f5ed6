"""Texts from Jinja templates, which are stored in the folder of the code that fills them in."""

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(
    package: str, template: str, values: Mapping[str, Any], **filters: Callable[..., Any]
) -> str:
    """The text of a template of a package, without empty lines at its end.

    The values are escaped in an .html template.
    """
    environment = Environment(
        loader=PackageLoader(package, "."),
        autoescape=template.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment.get_template(template).render(values).rstrip("\n")
