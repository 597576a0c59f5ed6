"""`gnn-dynamics race`: which network trains fastest on a graph."""

import argparse
import signal
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from gnn_dynamics.artifacts.files import write_text
from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.artifacts.templates import render
from gnn_dynamics.cli.check_text import aligned
from gnn_dynamics.cli.graph_input import Input, as_json, provenance, read_input, write_tables
from gnn_dynamics.cli.race_text import words
from gnn_dynamics.diagnosis.race import RACE, Runs, heats, race, ranking
from gnn_dynamics.errors import UserError
from gnn_dynamics.figures import race as figure
from gnn_dynamics.problem.problem import build_problem, targets
from gnn_dynamics.report.sections import picture


class _TimeIsUp(Exception):
    """Raised by the alarm at the end of the time."""


def run(arguments: argparse.Namespace) -> int:
    """Race the candidates for the given time, write and print the ranking; returns 0.

    Raises:
        UserError: if a file cannot be read, or no candidate was trained in the time.
    """
    given = read_input(arguments)
    runs = timed_race(given, arguments.seeds, 60 * arguments.minutes)
    if not runs:
        raise UserError(
            f"no network was trained within {arguments.minutes:g} minutes; give --minutes a"
            " larger number, or a smaller graph"
        )
    ranked = ranked_runs(given, runs)
    settings = {"features": given.features, "nodes": given.nodes, "seeds": arguments.seeds}
    texts = words(given, ranked, arguments.seeds)
    written = _write(Path(arguments.out), provenance("race", given.graph, settings), ranked, texts)
    if arguments.json:
        content = {"ranking": ranked.to_dict("records"), "advice": texts["advice"]}
        print(as_json(content | {"settings": settings, "files": [*map(str, written)]}))
    else:
        print(render("gnn_dynamics.cli", "race.txt.jinja", {**texts, "aligned": aligned}))
        print("\nWritten to", ", ".join(map(str, written)))
    return 0


def ranked_runs(given: Input, runs: Runs) -> pd.DataFrame:
    """The table race of runs on a graph."""
    problem = build_problem(given.graph, "gcn", "raw", given.nodes)
    norm = float(np.square(targets(problem, "true", 0)).sum())
    return ranking([*runs.values()], norm)


def _write(
    out: Path, made: Mapping[str, Any], ranked: pd.DataFrame, texts: Mapping[str, Any]
) -> list[Path]:
    """Write the table, the figure and the page to the folder `out`; returns their paths."""
    written = write_tables(out, made, {"race": (RACE, ranked.to_dict("records"))})
    png, pdf, page = (out / f"race.{kind}" for kind in ("png", "pdf", "html"))
    save_figure(figure.draw(texts["rows"], texts["finding"]), png, pdf, made)
    css = files("gnn_dynamics.report").joinpath("style.css").read_text(encoding="utf-8")
    content = {**texts, "css": css, "image": picture(png)}
    write_text(render("gnn_dynamics.cli", "race.html", content) + "\n", page)
    return [*written, png, pdf, page]


def timed_race(given: Input, seeds: int, seconds: float) -> Runs:
    """The runs of the heats that end in time, or before Ctrl-C."""
    runs: Runs = {}
    total = len(heats(given.graph.name, given.features, given.nodes, seeds))
    before = signal.signal(signal.SIGALRM, _ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))
        with tqdm(total=total, desc="race", unit="heat", delay=3, mininterval=2) as progress:
            for so_far in race(given.graph, given.features, given.nodes, seeds):
                runs = so_far
                progress.update()
    except (_TimeIsUp, KeyboardInterrupt):
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return runs


def _ring(*_: Any) -> None:
    raise _TimeIsUp
