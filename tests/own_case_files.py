"""The binary inputs of tests/cases/own, written from the graph that all cases share."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from torch_geometric.data import Data
from torch_geometric.transforms import ToUndirected

EDGES = np.array([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (1, 4)])
X = np.array([(1, 0, 2), (0, 1, 1), (3, 1, 0), (1, 2, 5), (0, 4, 1), (2, 0, 1)], dtype=float)
Y = np.array([0, 0, 0, 1, 1, 1])
TRAIN = np.isin(np.arange(6), [0, 1, 3, 4])
NAMES = np.array(["amber", "birch", "cedar", "dune", "elm", "fern"])

# Four counts of each node, a digit each.
COUNTS = "8012 2775 1023 6421 7601 5374 4355 1334 8225 6672 9008 9212"


def shares() -> np.ndarray:
    """The counts as shares of their sum, and one of two kinds, in float32."""
    counts = np.array([[int(digit) for digit in word] for word in COUNTS.split()])
    kind = np.array([*map(int, "100011101110")])
    return np.column_stack([counts / counts.sum(1, keepdims=True), kind, 1 - kind]).astype("f4")


def adjacency() -> np.ndarray:
    A = np.zeros((6, 6), dtype=int)
    A[EDGES[:, 0], EDGES[:, 1]] = 1
    return A + A.T


def tensors(**changes: object) -> dict:
    """The tensors of a `Data`; None removes one."""
    made = {
        "x": torch.tensor(X, dtype=torch.float32),
        "edge_index": torch.tensor(EDGES.T.copy()),
        "y": torch.tensor(Y),
        "train_mask": torch.tensor(TRAIN),
    }
    return {name: value for name, value in (made | changes).items() if value is not None}


def of_version_1() -> Data:
    """A `Data` whose tensors are plain attributes, as in PyTorch Geometric 1."""
    data = object.__new__(Data)
    absent = dict.fromkeys(("edge_attr", "pos", "val_mask", "test_mask"))
    data.__dict__.update(tensors() | absent)
    return data


def torch_files() -> dict[str, object]:
    """By path below the cases, what torch.save writes there."""
    later = torch.tensor(~TRAIN)
    both = torch.tensor(np.column_stack([TRAIN, ~TRAIN]))
    several = torch.tensor([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 1]])
    A = torch.tensor(adjacency(), dtype=torch.float32)
    slices = {name: torch.tensor([0, 6]) for name in ("x", "edge_index", "y", "train_mask")}
    parts = ("train_idx", [0, 1, 3, 4]), ("val_idx", [2]), ("test_idx", [5])
    named = tensors()
    return {
        "works-today/data.pt": Data(**tensors()),
        "torch-bfloat16/data.pt": Data(**tensors(x=torch.tensor(X, dtype=torch.bfloat16))),
        "torch-tuple/data.pt": (A, torch.tensor(X), torch.tensor(Y)),
        "torch-after-a-transform/data.pt": ToUndirected()(Data(**tensors())),
        "torch-old-dataset/data.pt": (Data(**tensors()), slices),
        "torch-version-1/data.pt": of_version_1(),
        "torch-list-of-one/data.pt": [Data(**tensors())],
        "torch-separate-tensors/x.pt": named["x"],
        "torch-separate-tensors/y.pt": named["y"],
        "torch-separate-tensors/edge_index.pt": named["edge_index"],
        "torch-numpy-inside/data.pt": Data(**tensors(names=NAMES)),
        "torch-numpy-inside/data_to_dict.pt": tensors(names=NAMES),
        "torch-sparse-adjacency/data.pt": tensors(edge_index=None, adj_t=A.to_sparse_csr()),
        "torch-several-splits/data.pt": Data(**tensors(train_mask=both, val_mask=~both)),
        "torch-multi-label/data.pt": Data(**tensors(y=several.float())),
        "torch-one-hot/data.pt": Data(**tensors(y=torch.eye(2)[Y])),
        "torch-overlapping-masks/data.pt": Data(**tensors(val_mask=later, test_mask=later)),
        "torch-names-feat-label/data.pt": {
            "edge_index": named["edge_index"],
            "feat": named["x"],
            "label": named["y"],
            "train_mask": named["train_mask"],
        },
        "torch-no-features/data.pt": Data(**tensors(x=None, num_nodes=6)),
        "torch-train-idx/data.pt": Data(
            **tensors(train_mask=None, **{name: torch.tensor(ids) for name, ids in parts})
        ),
    }


def npz_files() -> dict[str, dict]:
    """By path below the cases, what numpy.savez writes there."""
    A, S = sparse.csr_array(np.triu(adjacency())), sparse.csr_array(X)
    pieces = {
        f"{name}_{piece}": getattr(matrix, piece)
        for name, matrix in (("adj", A), ("attr", S))
        for piece in ("data", "indices", "indptr", "shape")
    }
    masks = {part: np.stack([mask, ~mask]) for part, mask in (("train", TRAIN), ("val", ~TRAIN))}
    base = {"edge_index": EDGES.T, "x": X, "y": Y}
    return {
        "works-today/graph.npz": base | {"train_mask": TRAIN},
        "npz-csr-pieces/graph.npz": pieces | {"labels": Y},
        "npz-text-labels-as-objects/graph.npz": base | {"y": np.array([*"aaabbb"], dtype=object)},
        "split-valid/split.npz": {"train": [0, 1], "valid": [2, 3], "test": [4, 5]},
        "npz-rows-of-splits/graph.npz": {
            "node_features": X,
            "node_labels": Y,
            "edges": EDGES,
            **{f"{part}_masks": mask for part, mask in masks.items()},
        },
    }


def frames() -> dict[str, pd.DataFrame]:
    """By path below the cases, what DataFrame.to_parquet writes there."""
    filtered = [10, 11, 12, 13, 15, 16]
    features, topics = pd.DataFrame(X, columns=["f0", "f1", "f2"]), list("aaabbb")
    return {
        "works-today/edges.parquet": pd.DataFrame(EDGES, columns=["source", "target"]),
        "works-today/features.parquet": features,
        "works-today/labels.parquet": pd.DataFrame({"label": topics}),
        "parquet-pandas-index/features.parquet": features.set_axis(filtered),
        "parquet-pandas-index/labels.parquet": pd.DataFrame({"topic": topics}, index=filtered),
        "embedding-column/features.parquet": pd.DataFrame({"embedding": X.tolist()}),
    }


def write_all(root: Path) -> None:
    """Write every binary input below `root`, which has the text files already."""
    made = [*torch_files(), *npz_files(), *frames()]
    for name in (*made, "compressed/edges.csv.gz"):
        (root / name).parent.mkdir(exist_ok=True)
    for name, content in torch_files().items():
        torch.save(content, root / name)
    for name, arrays in npz_files().items():
        np.savez(root / name, **arrays)
    for name, frame in frames().items():
        frame.to_parquet(root / name)
    np.save(root / "base/edges.npy", EDGES.T)
    np.save(root / "base/x.npy", X)
    np.save(root / "base/y.npy", Y)
    np.save(root / "shares-in-float32/features.npy", shares())
    np.save(root / "shares-in-float32/labels.npy", np.arange(12) % 2)
    np.save(root / "adjacency-matrix-csv/adjacency.npy", adjacency())
    np.save(root / "split-as-masks/train_mask.npy", TRAIN)
    packed = gzip.compress((root / "base/edges.csv").read_bytes())
    (root / "compressed/edges.csv.gz").write_bytes(packed)
