"""Graphs from their official files (or the mirror), Cora being the one of most benchmarks."""

from functools import cache
from pathlib import Path

from gnn_dynamics.data.graph import Graph

ROOT = Path(__file__).resolve().parents[1]


def cora() -> Graph:
    return graph("cora")


@cache
def graph(name: str) -> Graph:
    """The graph, fetched where it is not there yet (GNN_DYNAMICS_MIRROR is respected).

    Its imports wait until here: the benchmark for a GPU runs without some of those packages.
    """
    from gnn_dynamics.data.fetch.catalogue import load_catalogue
    from gnn_dynamics.data.fetch.download import fetch_dataset
    from gnn_dynamics.data.readers import read_dataset

    entry = load_catalogue(ROOT / "config" / "datasets.yaml")[name]
    folder = ROOT / "data" / "raw" / name
    fetch_dataset(entry, folder)
    return read_dataset(name, entry, folder)
