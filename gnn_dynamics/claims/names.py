"""Names of datasets, settings and verdicts as readers know them."""

from collections import Counter
from collections.abc import Iterable

NAMES: dict[object, str] = {
    "cora": "Cora",
    "citeseer": "CiteSeer",
    "pubmed": "PubMed",
    "digits": "Digits",
    "wine": "Wine",
    "breast-cancer": "Breast cancer",
    "amazon-photo": "Amazon Photo",
    "amazon-computers": "Amazon Computers",
    "coauthor-cs": "Coauthor CS",
    "coauthor-physics": "Coauthor Physics",
    "chameleon-filtered": "Chameleon (filtered)",
    "squirrel-filtered": "Squirrel (filtered)",
    "chameleon": "Chameleon",
    "squirrel": "Squirrel",
    "actor": "Actor",
    "texas": "Texas",
    "wisconsin": "Wisconsin",
    "cornell": "Cornell",
    "minesweeper": "Minesweeper",
    "tolokers": "Tolokers",
    "gcn": "GCN",
    "gin": "GIN",
    "rw": "random walk",
    "relu": "ReLU",
    "raw": "raw features",
    "row": "row-normalised features",
    "standard": "standardised features",
    "train": "training nodes",
    "all": "all labelled nodes",
    "squared": "squared loss (sum)",
    "cross_entropy": "mean cross-entropy",
    "adam": "Adam",
    "gd": "gradient descent",
    "flow": "gradient flow",
    "true": "true labels",
    "permuted": "permuted labels",
    "uniform": "uniformly random labels",
    True: "skip",
    False: "no skip",
}


MARKS = {
    "holds": "✓",
    "holds for": "✓",
    "depends on": "±",
    "fails": "✗",
    "vacuous": "○",
    "undecided": "?",
    "not tested": "–",
}
_VERBS = {  # singular, plural
    "holds": ("holds", "hold"),
    "holds for": ("holds in part", "hold in part"),
    "depends on": ("depends on the setting", "depend on the setting"),
    "fails": ("fails", "fail"),
    "vacuous": ("is vacuous", "are vacuous"),
    "undecided": ("is undecided", "are undecided"),
    "not tested": ("is not tested", "are not tested"),
}


def name(value: object) -> str:
    """The name of a key's value for readers; a value without a name stays as it is."""
    return NAMES.get(value, str(value).replace("pca-", "PCA-"))


def listed(*values: object) -> str:
    """Names separated by commas, e.g. `Cora, GCN`."""
    return ", ".join(map(name, values))


def verdict_counts(verdicts: Iterable[str]) -> str:
    """`3 hold, 1 fails, 2 depend on the setting` for a list of verdicts."""
    counts = Counter(verdicts)
    texts = [f"{counts[v]} {_VERBS[v][counts[v] > 1]}" for v in _VERBS if counts[v]]
    return ", ".join(texts) or "no claim was judged"


def in_words(verdict: str, scope: str | None) -> str:
    """`holds for GCN`, `depends on the graph`, or the verdict alone."""
    return f"{verdict} {scope}" if scope else verdict
