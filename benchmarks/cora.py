"""Cora from its official files (or the mirror), as the benchmark's graph."""

from functools import cache
from pathlib import Path

from gnn_dynamics.data.fetch.catalogue import load_catalogue
from gnn_dynamics.data.fetch.download import fetch_dataset
from gnn_dynamics.data.graph import Graph
from gnn_dynamics.data.readers import read_dataset

ROOT = Path(__file__).resolve().parents[1]


@cache
def cora() -> Graph:
    """The graph, fetched where it is not there yet (GNN_DYNAMICS_MIRROR is respected)."""
    entry = load_catalogue(ROOT / "config" / "datasets.yaml")["cora"]
    folder = ROOT / "data" / "raw" / "cora"
    fetch_dataset(entry, folder)
    return read_dataset("cora", entry, folder)
