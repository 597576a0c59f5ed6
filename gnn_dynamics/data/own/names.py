"""The usual names of ids, ends of edges, features, labels, weights and parts of a split."""

import re
from collections.abc import Iterable, Sequence

PARTS = ("train", "val", "test")
IDS = {"id", "node", "nodeid", "vertex", "vertexid", "nodename"}
INDEXES = {"", "index", "unnamed0"}  # as pandas and R write the names of their rows
ENDS = [
    *(("source", "target"), ("src", "dst"), ("src", "dest"), ("src", "tgt"), ("from", "to")),
    *(("start", "end"), ("u", "v"), ("i", "j"), ("s", "t"), ("head", "tail"), ("citing", "cited")),
]
WEIGHTS = {"weight", "weights", "w", "value", "values", "edgeweight", "edgeweights", "strength"}
FEATURES = (
    *("x", "features", "feature", "nodefeatures", "nodefeat", "nodefeats", "feat", "feats"),
    *("attr", "attrs", "attrmatrix", "attributes"),
)
LABELS = (
    *("y", "label", "labels", "class", "classes", "target", "targets", "category", "nodelabel"),
    *("nodelabels", "modularityclass", "groundtruth"),
)
EDGE_LISTS = ("edgeindex", "edges", "edgelist")
MATRICES = ("adjacency", "adj", "adjt", "adjmatrix", "adjacencymatrix", "a")
# Attributes that programs which draw graphs add to nodes; x and y are coordinates.
DRAWN = {*"xyzrgba", "size", "width", "height", "color", "colour", "viz"}
INTERNAL = {"suid", "selected", "sharedname"}
WORDS = {"train": "train", "tr": "train", "training": "train", "test": "test", "te": "test"}
WORDS |= dict.fromkeys(("val", "valid", "validation", "dev"), "val")
SPLITS = {"split", "part", "set", "partition", "fold"}
MADE = ("identity", "degree", "ones")  # features for a graph without any
UNKNOWN = {"unknown", "unlabelled", "unlabeled", "?"}  # words for a missing label


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
    """The part of a split that an array or column is named after: train_mask, idx_val, ..."""
    words = "|".join(sorted(WORDS, key=len, reverse=True))
    match = re.fullmatch(rf"(?:idx|mask|is)?({words})(?:mask|idx|ind|index|indice|id|node)?s?", stem(name))
    return WORDS[match[1]] if match else None


def ends_of(names: Sequence[str]) -> tuple[str, str] | None:
    """The first pair of names that are usual for sources and targets, if any."""
    plain: dict[str, str] = {}
    for name in names:
        plain.setdefault(re.sub("node|vertex|id", "", stem(name)), name)
    for pair in ENDS:
        if pair[0] in plain and pair[1] in plain:
            return plain[pair[0]], plain[pair[1]]
    numbered = [key[:-1] for key in plain if key[-1:] == "2" and f"{key[:-1]}3" not in plain]
    for key in numbered:
        if f"{key}1" in plain:  # txId1, txId2
            return plain[f"{key}1"], plain[f"{key}2"]
    return None
