"""Fetch and verify a data set's official files; write their SHA-256 to a manifest."""

from pathlib import Path

from _job import start

from gnn_dynamics.artifacts.files import to_json, write_text
from gnn_dynamics.data.fetch.catalogue import load_catalogue
from gnn_dynamics.data.fetch.download import fetch_dataset

start(snakemake)
manifest = Path(snakemake.output.manifest)
catalogue = load_catalogue(Path(__file__).resolve().parents[1] / "config" / "datasets.yaml")
entry = catalogue[snakemake.wildcards.dataset]
digests = fetch_dataset(entry, manifest.parent, snakemake.config.get("mirror"))
write_text(to_json(digests) + "\n", manifest)
