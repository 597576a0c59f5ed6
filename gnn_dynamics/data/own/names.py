"""The usual names of ids, ends of edges, features, labels, weights and parts of a split."""

import re
from collections.abc import Iterable, Sequence

IDS = ("id", "node", "nodeid", "vertex", "vertexid", "nodename")
INDEXES = ("", "index", "unnamed0", "indexlevel0")  # as pandas and R name the order of rows
ENDS = "source target,src dst,src dest,src tgt,from to,start end,u v,i j,s t,head tail,citing cited"
PAIRS = [tuple(pair.split()) for pair in ENDS.split(",")]
WEIGHTS = ("weight", "weights", "w", "value", "values", "edgeweight", "edgeweights", "strength")
FEATURES = (
    *("x", "features", "feature", "nodefeatures", "nodefeat", "nodefeats", "feat", "feats"),
    *("attr", "attrs", "attrmatrix"),
)
LABELS = (
    *("y", "label", "labels", "class", "classes", "target", "targets", "category", "nodelabel"),
    *("nodelabels", "modularityclass"),
)
EDGE_LISTS = ("edgeindex", "edges", "edgelist")
MATRICES = ("adjacency", "adj", "adjt", "adjmatrix", "adjacencymatrix", "a")
# Attributes that programs which draw graphs add to nodes; beside x, y is a coordinate.
DRAWN = (*"xyzrgba", "size", "width", "height")
INTERNAL = ("suid", "selected")
WORDS = {"train": "train", "tr": "train", "training": "train", "test": "test", "te": "test"}
WORDS |= dict.fromkeys(("val", "valid", "validation", "dev"), "val")
SPLITS = ("split", "part", "set", "partition", "fold")
UNKNOWN = ("unknown", "unlabelled", "unlabeled", "?")  # words for a missing label
MADE = ("identity", "degree", "ones")  # features for a graph without any


def stem(name: str) -> str:
    """A name in small letters without signs, and without the type that Neo4j adds."""
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\(.*", "", name.lower()))


def first(names: Iterable[str], stems: Sequence[str]) -> str | None:
    """The first of the names by the order of their stems, if any."""
    found = [name for name in names if stem(name) in stems]
    return min(found, key=lambda name: stems.index(stem(name)), default=None)


def is_id(name: str) -> bool:
    """Whether a name ends as those of ids do: paperId, paper_id, :ID(Paper)."""
    return re.search(r"(^|[^A-Za-z])id$|[a-z]I[dD]$|\bID$", re.sub(r"\(.*", "", name)) is not None


def part_of(name: str) -> str | None:
    """The part of a split that a name stands for: train_mask, idx_val, valid, ..."""
    words = "|".join(sorted(WORDS, key=len, reverse=True))
    ending = "(?:mask|idx|ind|index|indice|id|node)?s?"
    match = re.fullmatch(rf"(?:idx|mask|is)?({words}){ending}", stem(name))
    return WORDS[match[1]] if match else None


def ends_of(names: Iterable[str]) -> tuple[str, str] | None:
    """The first pair of names that are usual for sources and targets, if any."""
    plain = {re.sub("node|vertex|id", "", stem(name)): name for name in reversed([*names])}
    numbered = [(f"{k[:-1]}1", k) for k in plain if k[-1:] == "2" and f"{k[:-1]}3" not in plain]
    pairs = [pair for pair in (*PAIRS, *numbered) if {*pair} <= plain.keys()]  # txId1, txId2
    return (plain[pairs[0][0]], plain[pairs[0][1]]) if pairs else None
