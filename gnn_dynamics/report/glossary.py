"""The words of glossary.yaml, and a filter that explains each term where a page first uses it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup, escape

from gnn_dynamics.config.schema import read_checked


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


def hinted(text: object) -> Markup:
    """The text, escaped; each term is a link to its explanation, which a pointer shows as well."""

    def link(term: Term, word: str) -> str:
        return f'<a class="term" href="#{term.anchor}" title="{escape(term.short)}">{word}</a>'

    return _marked(text, TERMS, link)


def _marked(text: object, terms: Sequence[Term], mark: Callable[[Term, str], str]) -> Markup:
    """The text, escaped, with `mark(term, word)` in place of each word for one of the terms."""
    if not terms:
        return escape(text)
    groups = "|".join(f"(?P<t{i}>{term.pattern})" for i, term in enumerate(terms))
    # Not inside a word, nor inside an entity such as &lt;, which escaping introduces.
    pattern = re.compile(rf"(?<![\w&])(?:{groups})(?![\w;])")

    def marked(match: re.Match[str]) -> str:
        return mark(terms[int(str(match.lastgroup)[1:])], match[0])

    return Markup(pattern.sub(marked, str(escape(text))))


@dataclass
class Explainer:
    """Explains each term once, in the first text that uses it."""

    seen: set[str] = field(default_factory=set)

    def __call__(self, text: object) -> Markup:
        """The text, escaped, with a short explanation behind each term that is new."""
        return _marked(text, [term for term in TERMS if term.name not in self.seen], self._explain)

    def _explain(self, term: Term, word: str) -> str:
        if term.name in self.seen:
            return word
        self.seen.add(term.name)
        link = f'<a class="term" href="#{term.anchor}">{word}</a>'
        return f'{link} <span class="gloss">({escape(term.short)})</span>'
