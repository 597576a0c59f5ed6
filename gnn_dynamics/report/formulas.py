"""Formulas in running text as MathML, which a browser draws without any script."""

import re
from pathlib import Path

import yaml
from latex2mathml.converter import convert
from markupsafe import Markup, escape

_LATEX = yaml.safe_load(Path(__file__).with_name("formulas.yaml").read_text(encoding="utf-8"))
# By spelling, escaped, since formulas are looked for in escaped text.
MATHML = {str(escape(spelling)): convert(latex) for spelling, latex in _LATEX.items()}
# The longest spelling first.
SPELLINGS = "|".join(re.escape(spelling) for spelling in sorted(MATHML, key=len, reverse=True))


def whole(spellings: str) -> re.Pattern[str]:
    """A pattern that finds spellings in escaped text, not inside a word, formula or entity."""
    return re.compile(rf"(?<![\w&#^])(?:{spellings})(?![\w^])")


_FORMULAS = whole(SPELLINGS)


def typeset(text: object) -> Markup:
    """The text, escaped, with MathML in place of its formulas."""
    return Markup(_FORMULAS.sub(lambda match: MATHML[match[0]], str(escape(text))))
