"""From the files of a catalogue entry to a `Graph`, by the reader of their format."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gnn_dynamics.data.checks import checked
from gnn_dynamics.data.fetch.checksums import facts_of_files
from gnn_dynamics.data.formats.embedded import read_embedded
from gnn_dynamics.data.formats.npz import read_geomgcn, read_gnn_benchmark, read_heterophilous
from gnn_dynamics.data.formats.ogb import read_ogb
from gnn_dynamics.data.formats.planetoid import read_planetoid
from gnn_dynamics.data.graph import Content, Graph, graph_of
from gnn_dynamics.data.own.read import read_own

READERS: dict[str, Callable[[Mapping[str, Any], Path], Content]] = {
    "embedded": read_embedded,
    "geom-gcn": read_geomgcn,
    "gnn-benchmark": read_gnn_benchmark,
    "heterophilous": read_heterophilous,
    "ogb": read_ogb,
    "planetoid": read_planetoid,
}


def read_dataset(name: str, entry: Mapping[str, Any], folder: str | Path | None) -> Graph:
    """Read the files that `fetch_dataset` put into `folder`, and check the graph.

    Checksums are compared before a file is read. Embedded data sets and a user's own files are
    read in place, without a `folder`.

    Raises:
        UserError: if a file is absent or damaged, or the graph fails a check of `checked`.
    """
    if entry["reader"] == "own":
        return checked(read_own(name, entry))
    folder = Path(folder or "")
    facts = facts_of_files(entry, folder)
    content = READERS[entry["reader"]](entry, folder)
    return checked(graph_of(name, content._replace(facts=facts | {**content.facts})))
