"""Write the main results of a run to a folder small enough to commit.

`python -m gnn_dynamics.report.publish` writes README.md with the verdicts, and the main figures in
fewer colours than in the run. All other results stay in the folder of the run.
"""

import argparse
from pathlib import Path

from PIL import Image

from gnn_dynamics.artifacts.files import complete_or_absent, write_text
from gnn_dynamics.artifacts.parquet import read_table
from gnn_dynamics.artifacts.pictures import read_provenance
from gnn_dynamics.artifacts.templates import render
from gnn_dynamics.figures import registry
from gnn_dynamics.report.results import read_shown
from gnn_dynamics.report.sections import MARKS, headline

FIGURES = (
    "claims",
    "fig2_assumptions_linear",
    "fig4_training_speed",
    "fig5_gradient_terms",
    "bound_tightness",
    "mechanism",
    "step_size",
    "what_predicts",
)
COLOURS = 64


def publish(run: Path, folder: Path, command: str) -> None:
    """Write the summary of the finished run in `run` to `folder`; `command` made the run.

    Raises:
        UserError: if a table of the run is damaged.
        FileNotFoundError: if the run is not finished.
    """
    path = run / "tables" / "claims.parquet"
    claims, provenance = read_table(path), read_provenance(path)
    tables = read_shown({path.stem: path for path in sorted(path.parent.glob("*.parquet"))})
    pictures = {stem: run / "figures" / f"{stem}.png" for stem in FIGURES}
    entries = [registry.entry(stem) for stem, path in pictures.items() if path.is_file()]
    # A figure without measurements shows only what it lacks.
    entries = [entry for entry in entries if entry.measured(tables)]
    for entry in entries:
        _shrink(pictures[entry.stem], folder / f"{entry.stem}.png")
    page = {
        "name": run.name,
        "headline": headline({"claims": claims}),
        "command": command,
        "provenance": provenance,
        "marks": MARKS,
        "claims": claims.sort_values("claim").to_dict("records"),
        "entries": entries,
    }
    text = render("gnn_dynamics.report", "summary.md.jinja", page)
    write_text(f"{text}\n", folder / "README.md")


def _shrink(source: Path, target: Path) -> None:
    with complete_or_absent(target) as partial, Image.open(source) as image:
        image.convert("RGB").quantize(COLOURS).save(partial, optimize=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a finished run, e.g. results/paper")
    parser.add_argument("folder", type=Path, help="folder to write, e.g. docs/results/paper")
    parser.add_argument("--command", required=True, help="the command that made the run")
    publish(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
