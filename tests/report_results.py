"""Made-up results of a run, with stand-ins for its figures, for tests of the report."""

from pathlib import Path

import synthetic_tables

from gnn_dynamics.figures import registry, style
from gnn_dynamics.report.results import Results

STEMS = [*(figure.stem for figure in registry.FIGURES), "appendix_cora"]


def made_up_results(folder: Path) -> Results:
    """The tables of synthetic_tables.py, and figures that are written to `folder`."""
    for stem in STEMS:
        style.missing_figure(stem, "A stand-in.").savefig(folder / f"{stem}.png", dpi=40)
    tables = dict(synthetic_tables.tables())
    tables["training"] = tables["training"].query("dataset == 'cora'")  # enough, and faster
    return Results(
        tables=tables,
        counts={name: len(table) for name, table in tables.items()},
        figures={stem: folder / f"{stem}.png" for stem in STEMS},
        config={"run": "demo", "experiments": [{"name": "curves"}]},
        provenance={"device": "cpu", "packages": {"numpy": "1.2.3"}},
        rulegraph=folder / "claims.png",
    )
