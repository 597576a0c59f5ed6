"""What every script of the workflow does first. Not a script itself.

Snakemake defines `snakemake` in a script.
"""

import contextlib
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gnn_dynamics.artifacts.files import remove_partials
from gnn_dynamics.artifacts.provenance import describe
from gnn_dynamics.errors import UserError


def start(snakemake: Any, precision: str = "float64") -> dict[str, Any]:
    """Send messages and tracebacks to the rule's log; return the provenance of the outputs.

    Removes what a killed job left of these outputs. Inputs with a time stamp in the future get the
    present time.
    """
    _log_to(Path(snakemake.log[0]))
    sys.excepthook = _report
    for path in snakemake.output:
        remove_partials(path)
    _bring_to_present(snakemake.input)
    return describe(
        rule=snakemake.rule,
        wildcards=dict(snakemake.wildcards),
        params=dict(snakemake.params),
        inputs=list(snakemake.input),
        precision=precision,
    )


def _bring_to_present(inputs: Iterable[str]) -> None:
    """Where a clock was set back, inputs are in the future; Snakemake refuses older outputs."""
    for path in map(Path, inputs):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime > time.time():
                os.utime(path)


def _log_to(path: Path) -> None:
    """Redirect standard output and error at the level of the process: C libraries write too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(log, stream.fileno())
    os.close(log)
    sys.stderr.reconfigure(line_buffering=True)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)


def _report(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, UserError):
        print(f"Error: {error}", file=sys.stderr)
    else:
        traceback.print_exception(kind, error, trace)
