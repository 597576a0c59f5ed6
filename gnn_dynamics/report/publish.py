"""The main results of a run, small enough to commit: `python -m gnn_dynamics.report.publish`.

Writes README.md with the table of verdicts and the main figures, in fewer colours than the run's
own, so that a repository can hold them. Everything else stays in the run's folder.
"""

import argparse
from pathlib import Path

import pandas as pd
from PIL import Image

from gnn_dynamics.artifacts.parquet import (
    complete_or_absent,
    read_provenance,
    read_table,
    write_text,
)
from gnn_dynamics.figures import registry
from gnn_dynamics.figures.shown_rows import read
from gnn_dynamics.summaries.verdicts import MARKS, verdict_counts

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
    """Write the summary of the finished run in `run` to `folder`; `command` is what made the run.

    Raises:
        UserError: if the run's claims table is damaged.
        FileNotFoundError: if the run is not finished.
    """
    claims = read_table(run / "tables" / "claims.parquet")
    made = read_provenance(run / "tables" / "claims.parquet")
    # A figure in which nothing is measured only says what it lacks.
    tables = _tables(run)
    entries = [registry.entry(stem) for stem in FIGURES if _picture(run, stem).is_file()]
    shown = [entry.stem for entry in entries if entry.sentences(tables)]
    for stem in shown:
        _shrink(_picture(run, stem), folder / f"{stem}.png")
    write_text(_page(run.name, claims, made, shown, command), folder / "README.md")


def _picture(run: Path, stem: str) -> Path:
    return run / "figures" / f"{stem}.png"


def _tables(run: Path) -> dict[str, pd.DataFrame]:
    """The tables of the figures, as far as they are there."""
    names = {name for stem in FIGURES for name in registry.entry(stem).tables}
    paths = {name: run / "tables" / f"{name}.parquet" for name in sorted(names)}
    return {name: read(path) for name, path in paths.items() if path.is_file()}


def _shrink(source: Path, target: Path) -> None:
    with complete_or_absent(target) as partial, Image.open(source) as image:
        image.convert("RGB").quantize(COLOURS).save(partial, optimize=True)


def _page(name: str, claims: pd.DataFrame, made: dict, figures: list[str], command: str) -> str:
    rows = [
        f"| {row.claim} | {row.title} | {MARKS[row.verdict]} {row.verdict} |"
        f" {_cell(row.statement)} |"
        for row in claims.sort_values("claim").itertuples()
    ]
    lines = [
        f"# Results of the preset `{name}`",
        "",
        f"{verdict_counts(claims['verdict'])}. Made by `{command}` with version"
        f" {made['workflow_version']}, {made['precision']}, {made['device']}; statements and"
        " verdicts are written by the workflow. What they mean: [claims](../../claims.md).",
        "",
        "| | claim | verdict | what was found |",
        "|---|---|---|---|",
        *rows,
        "",
    ]
    for stem in figures:
        entry = registry.entry(stem)
        lines += [f"## {entry.title}", "", f"![{entry.title}]({stem}.png)", "", entry.see, ""]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a finished run, e.g. results/paper")
    parser.add_argument("folder", type=Path, help="where to write, e.g. docs/results/paper")
    parser.add_argument("--command", required=True, help="the command that made the run")
    publish(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
