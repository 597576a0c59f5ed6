"""`gnn-dynamics race`: which network trains fastest on a graph."""

import argparse
import signal
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from gnn_dynamics.artifacts.files import write_text
from gnn_dynamics.artifacts.templates import render
from gnn_dynamics.cli.check_text import aligned
from gnn_dynamics.cli.graph_input import Input, as_json, provenance, read_input, write_tables
from gnn_dynamics.cli.race_text import words
from gnn_dynamics.diagnosis.race import RACE, Runs, heats, race, ranking
from gnn_dynamics.errors import UserError
from gnn_dynamics.problem.problem import build_problem, targets


class _TimeIsUp(Exception):
    """Raised by the alarm at the end of the time."""


def run(arguments: argparse.Namespace) -> int:
    """Race the candidates for the given time, write and print the ranking; returns 0.

    Raises:
        UserError: if a file cannot be read, or no candidate was trained in the time.
    """
    given = read_input(arguments)
    runs = _race(given, arguments.seeds, 60 * arguments.minutes)
    if not runs:
        raise UserError(
            f"no network was trained within {arguments.minutes:g} minutes; give --minutes a"
            " larger number, or a smaller graph"
        )
    problem = build_problem(given.graph, "gcn", "raw", given.nodes)
    ranked = ranking([*runs.values()], float(np.square(targets(problem, "true", 0)).sum()))
    settings = {"features": given.features, "nodes": given.nodes, "seeds": arguments.seeds}
    made, out = provenance("race", given.graph, settings), Path(arguments.out)
    written = write_tables(out, made, {"race": (RACE, ranked.to_dict("records"))})
    texts = words(given, ranked, arguments.seeds)
    css = files("gnn_dynamics.report").joinpath("style.css").read_text(encoding="utf-8")
    page = render("gnn_dynamics.cli", "race.html", {**texts, "css": css})
    write_text(page + "\n", out / "race.html")
    written.append(out / "race.html")
    if arguments.json:
        content = {"ranking": ranked.to_dict("records"), "advice": texts["advice"]}
        print(as_json(content | {"settings": settings, "files": [*map(str, written)]}))
    else:
        print(render("gnn_dynamics.cli", "race.txt.jinja", {**texts, "aligned": aligned}))
        print("\nWritten to", ", ".join(map(str, written)))
    return 0


def _race(given: Input, seeds: int, seconds: float) -> Runs:
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
