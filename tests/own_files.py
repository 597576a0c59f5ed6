"""A small graph written in every format that a user's own graph may have."""

from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import torch
from scipy import sparse


@dataclass(frozen=True)
class Toy:
    """Six nodes, 7 stored edges, 4 features, 2 classes, 3 nodes for training."""

    edges: np.ndarray
    X: np.ndarray
    y: np.ndarray
    train: np.ndarray


def toy() -> Toy:
    """Stored edges (0, 1) twice, (1, 2) in both directions, a loop at 3; 5 of them differ."""
    pairs = [(0, 1), (0, 1), (1, 2), (2, 1), (3, 3), (3, 4), (4, 5), (2, 3)]
    X = np.random.default_rng(0).integers(1, 9, (6, 4)) / 4
    y = np.array([0, 1, 0, 1, 1, 0])
    return Toy(np.array(pairs), X, y, np.array([1, 0, 0, 1, 0, 1], dtype=bool))


def _split_words(graph: Toy) -> list[str]:
    return ["train" if chosen else "test" for chosen in graph.train]


def write_csv(folder: Path, graph: Toy, separator: str = ",") -> dict[str, Path]:
    """Edge list, features, labels and split, each with a header."""
    tables = {
        "graph": pd.DataFrame(graph.edges, columns=["source", "target"]),
        "features": pd.DataFrame(graph.X, columns=[f"f{k}" for k in range(graph.X.shape[1])]),
        "labels": pd.DataFrame({"label": graph.y}),
        "split": pd.DataFrame({"part": _split_words(graph)}),
    }
    paths = {role: folder / f"{role}.csv" for role in tables}
    for role, table in tables.items():
        table.to_csv(paths[role], index=False, sep=separator)
    return paths


def write_parquet(folder: Path, graph: Toy) -> dict[str, Path]:
    """The same as Parquet; rows of labels in another order, told by a column `node`."""
    order = np.arange(len(graph.y))[::-1]
    tables = {
        "graph": pd.DataFrame(graph.edges, columns=["dst", "src"]),
        "features": pd.DataFrame(graph.X).rename(columns=str),
        "labels": pd.DataFrame({"node": order, "y": graph.y[order]}),
        "split": pd.DataFrame({"part": _split_words(graph)}),
    }
    paths = {role: folder / f"{role}.parquet" for role in tables}
    for role, table in tables.items():
        table.to_parquet(paths[role], index=False)
    return paths


def data_of(graph: Toy) -> dict[str, torch.Tensor]:
    """The tensors of a PyTorch Geometric `Data`."""
    return {
        "edge_index": torch.tensor(graph.edges.T.copy()),
        "x": torch.tensor(graph.X),
        "y": torch.tensor(graph.y),
        "train_mask": torch.tensor(graph.train),
        "test_mask": torch.tensor(~graph.train),
    }


def write_pyg_dict(folder: Path, graph: Toy) -> dict[str, Path]:
    """data.to_dict()."""
    torch.save(data_of(graph), folder / "dict.pt")
    return {"graph": folder / "dict.pt"}


def write_pyg_data(folder: Path, graph: Toy) -> dict[str, Path]:
    """The pickled Data itself."""
    from torch_geometric.data import Data

    torch.save(Data(**data_of(graph)), folder / "data.pt")
    return {"graph": folder / "data.pt"}


def write_pyg_dataset(folder: Path, graph: Toy) -> dict[str, Path]:
    """What InMemoryDataset.save writes for a single graph."""
    from torch_geometric.data import Data

    torch.save((data_of(graph), None, Data), folder / "processed.pt")
    return {"graph": folder / "processed.pt"}


def networkx_graph(graph: Toy) -> nx.MultiDiGraph:
    """Names of nodes, features a to d, labels and split as attributes."""
    made = nx.MultiDiGraph()
    for node, (row, label, part) in enumerate(
        zip(graph.X, graph.y, _split_words(graph), strict=True)
    ):
        features = dict(zip("abcd", row.tolist(), strict=True))
        made.add_node(f"n{node}", **features, y=int(label), split=part, title=f"Node {node}")
    made.add_edges_from((f"n{a}", f"n{b}") for a, b in graph.edges.tolist())
    return made


def write_graphml(folder: Path, graph: Toy) -> dict[str, Path]:
    """Every attribute in one file."""
    nx.write_graphml(networkx_graph(graph), folder / "toy.graphml")
    return {"graph": folder / "toy.graphml"}


def write_gml(folder: Path, graph: Toy) -> dict[str, Path]:
    """Edges repeated although the file does not call itself a multigraph; features are a list."""
    lines = ["graph [", "  directed 1"]
    for node, (row, label, part) in enumerate(
        zip(graph.X, graph.y, _split_words(graph), strict=True)
    ):
        features = " ".join(f"x {value}" for value in row)
        lines.append(f'  node [ id {node} label "n{node}" y {label} {features} split "{part}" ]')
    lines += [f"  edge [ source {a} target {b} ]" for a, b in graph.edges]
    (folder / "toy.gml").write_text("\n".join([*lines, "]"]))
    return {"graph": folder / "toy.gml"}


def write_npz(folder: Path, graph: Toy) -> dict[str, Path]:
    """Arrays with the names of PyTorch Geometric."""
    arrays = {name: tensor.numpy() for name, tensor in data_of(graph).items()}
    np.savez(folder / "toy.npz", **arrays)
    return {"graph": folder / "toy.npz"}


def write_scipy(folder: Path, graph: Toy) -> dict[str, Path]:
    """A sparse adjacency, whose entries cannot repeat, with sparse features."""
    A = sparse.coo_array((np.ones(len(graph.edges)), tuple(graph.edges.T)), shape=(6, 6)).tocsr()
    A.data[:] = 1
    paths = {role: folder / f"{role}.npz" for role in ("graph", "features", "split")}
    paths["labels"] = folder / "labels.npy"
    sparse.save_npz(paths["graph"], A)
    sparse.save_npz(paths["features"], sparse.csr_array(graph.X))
    np.savez(paths["split"], train=np.flatnonzero(graph.train), test=np.flatnonzero(~graph.train))
    np.save(paths["labels"], graph.y)
    return paths


FORMATS = {
    "csv": write_csv,
    "parquet": write_parquet,
    "pyg-dict": write_pyg_dict,
    "pyg-data": write_pyg_data,
    "pyg-dataset": write_pyg_dataset,
    "graphml": write_graphml,
    "gml": write_gml,
    "npz": write_npz,
    "scipy": write_scipy,
}
