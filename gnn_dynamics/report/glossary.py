"""The words of glossary.yaml, and the marks that explain a term where a page first uses it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape

from gnn_dynamics.config.schema import read_checked
from gnn_dynamics.report.formulas import SPELLINGS, mathml, whole


@dataclass(frozen=True)
class Term:
    """A term with a phrase and sentences that explain it.

    `spellings` are regular expressions for the term in running text.
    """

    name: str
    short: str
    long: str
    spellings: Sequence[str] = ()

    @property
    def anchor(self) -> str:
        return "term-" + re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @property
    def pattern(self) -> str:
        return "|".join(self.spellings or (re.escape(self.name),))


_WORDS = read_checked(Path(__file__).with_name("glossary.yaml"))
TERMS = tuple(Term(name, **entry) for name, entry in _WORDS["terms"].items())
VERDICTS, COLUMNS, TABLES = _WORDS["verdicts"], _WORDS["columns"], _WORDS["tables"]
TITLES = {name: column["title"] for name, column in COLUMNS.items()}
_TERM = re.compile("|".join(f"(?P<t{i}>{term.pattern})" for i, term in enumerate(TERMS)))
# A formula is taken as a whole, even if it contains a term.
_MARKED = whole(f"{SPELLINGS}|{'|'.join(term.pattern for term in TERMS)}")

# A line would break between them.
_AFTER_BRACKET = re.compile(r"\(<button .*?</button>")


def explainer() -> Callable[[object], Markup]:
    """A function that escapes a text, typesets its formulas, and marks each term that is new.

    The mark is a button that opens the explanation. A part of the page that can be read alone has
    an explainer of its own.
    """
    seen: set[str] = set()

    def marked(match: re.Match[str]) -> str:
        word, found = mathml(match[0]), _TERM.fullmatch(match[0])
        term = TERMS[int(str(found.lastgroup)[1:])] if found else None
        if term is None or term.name in seen:
            return word
        seen.add(term.name)
        return _button(term, word)

    def explain(text: object) -> Markup:
        marks = _MARKED.sub(marked, str(escape(text)))
        return Markup(_AFTER_BRACKET.sub(r'<span class="together">\g<0></span>', marks))

    return explain


def _button(term: Term, word: str) -> str:
    return (
        f'<button type="button" class="term" popovertarget="{term.anchor}"'
        f' title="{escape(term.short)}">{word}</button>'
    )
