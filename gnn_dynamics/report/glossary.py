"""The words of glossary.yaml, and a filter that explains each term where a page first uses it."""

import re
from collections.abc import Sequence
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


@dataclass
class Explainer:
    """Explains each term once, in the first text that uses it."""

    seen: set[str] = field(default_factory=set)

    def __call__(self, text: object) -> Markup:
        """The text, escaped, with a short explanation behind each term that is new."""
        unseen = [term for term in TERMS if term.name not in self.seen]
        if not unseen:
            return escape(text)
        groups = "|".join(f"(?P<t{i}>{term.pattern})" for i, term in enumerate(unseen))
        # Not inside a word, nor inside an entity such as &lt;, which escaping introduces.
        pattern = re.compile(rf"(?<![\w&])(?:{groups})(?![\w;])")
        return Markup(pattern.sub(lambda match: self._explain(match, unseen), str(escape(text))))

    def _explain(self, match: re.Match[str], unseen: list[Term]) -> str:
        term = unseen[int(str(match.lastgroup)[1:])]
        if term.name in self.seen:
            return match[0]
        self.seen.add(term.name)
        link = f'<a class="term" href="#{term.anchor}">{match[0]}</a>'
        return f'{link} <span class="gloss">({escape(term.short)})</span>'
