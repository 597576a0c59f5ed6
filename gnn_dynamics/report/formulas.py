"""Formulas in running text as MathML, which a browser draws without any script."""

import re
from pathlib import Path

import yaml
from latex2mathml.converter import convert
from markupsafe import Markup, escape

_LATEX = yaml.safe_load(Path(__file__).with_name("formulas.yaml").read_text(encoding="utf-8"))
# By spelling, escaped, since formulas are looked for in escaped text.
_MATHML = {str(escape(spelling)): convert(latex) for spelling, latex in _LATEX.items()}
_POWER = r"\d+(?:\.\d+)?e[+-]\d+"  # as Python prints a number: 1.2e+14
# The longest spelling first.
SPELLINGS = "|".join([*map(re.escape, sorted(_MATHML, key=len, reverse=True)), _POWER])


def whole(spellings: str) -> re.Pattern[str]:
    """A pattern that finds spellings in escaped text, not inside a word, formula or entity."""
    return re.compile(rf"(?<![\w&#^])(?:{spellings})(?![\w^])")


_FORMULAS = whole(SPELLINGS)


def mathml(word: str) -> str:
    """The MathML of a spelling, escaped; any other word as it is."""
    if re.fullmatch(_POWER, word):
        digits, exponent = word.split("e")
        return convert(rf"{digits}\cdot 10^{{{int(exponent)}}}")
    return _MATHML.get(word, word)


def typeset(text: object) -> Markup:
    """The text, escaped, with MathML in place of its formulas."""
    return Markup(_FORMULAS.sub(lambda match: mathml(match[0]), str(escape(text))))
