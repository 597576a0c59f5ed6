"""Write the main results of a run to a folder small enough to commit.

`python -m gnn_dynamics.report.publish` writes README.md with the verdicts, and the main figures in
fewer colours than in the run. All other results stay in the folder of the run. With `--quote` the
verdicts about speed and accuracy also replace what stands between the marks of the run in a page:

    <!-- results of paper -->
    <!-- end -->
"""

import argparse
import re
from pathlib import Path

import pandas as pd
from PIL import Image

from gnn_dynamics.artifacts.files import complete_or_absent, write_text
from gnn_dynamics.artifacts.parquet import read_table
from gnn_dynamics.artifacts.pictures import read_provenance
from gnn_dynamics.artifacts.templates import render
from gnn_dynamics.claims.conclusion import NOT_TESTED
from gnn_dynamics.claims.names import MARKS, in_words
from gnn_dynamics.errors import UserError
from gnn_dynamics.figures import registry
from gnn_dynamics.report.results import read_shown
from gnn_dynamics.report.sections import headline

FIGURES = (
    "claims",
    "forest_skips",
    "forest_depth",
    "forest_labels",
    "forest_accuracy",
    "settings_skips",
    "settings_depth",
    "settings_labels",
    "settings_accuracy",
    "fig2_assumptions_linear",
    "fig4_training_speed",
    "fig5_gradient_terms",
    "bound_tightness",
    "mechanism",
    "step_size",
    "what_predicts",
)
COLOURS = 64


def publish(run: Path, folder: Path, command: str, quote: Path | None = None) -> None:
    """Write the summary of the finished run in `run` to `folder`; `command` made the run.

    Raises:
        UserError: if a table of the run is damaged, or `quote` lacks the marks of the run.
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
    text = render("gnn_dynamics.report", "summary.md.jinja", page, in_words=in_words)
    write_text(f"{text}\n", folder / "README.md")
    if quote is not None:
        _quote(claims, run.name, folder, quote)


def _quote(claims: pd.DataFrame, run: str, folder: Path, page: Path) -> None:
    """Put the verdicts with a summary between the marks of the run."""
    begin, end = f"<!-- results of {run} -->", "<!-- end -->"
    text = page.read_text(encoding="utf-8")
    marked = re.compile(rf"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", re.S)
    if not marked.search(text):
        raise UserError(
            f"{page} has no lines {begin} and {end}; add them where the verdicts belong"
        )
    place = (folder / "README.md").resolve().relative_to(page.resolve().parent).as_posix()
    tested = claims["summary"].notna() & (claims["verdict"] != NOT_TESTED)
    said = "; ".join(
        f"{row.title}: {MARKS[row.verdict]} {in_words(row.verdict, row.scope)}"
        for row in claims[tested].sort_values("claim").itertuples()
    )
    line = f"- [`{run}`]({place}): {said}. {headline({'claims': claims})[-1]}\n"
    write_text(marked.sub(lambda _: line, text), page)


def _shrink(source: Path, target: Path) -> None:
    with complete_or_absent(target) as partial, Image.open(source) as image:
        image.convert("RGB").quantize(COLOURS).save(partial, optimize=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a finished run, e.g. results/paper")
    parser.add_argument("folder", type=Path, help="folder to write, e.g. docs/results/paper")
    parser.add_argument("--command", required=True, help="the command that made the run")
    parser.add_argument("--quote", type=Path, help="page that quotes the verdicts, e.g. README.md")
    publish(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
