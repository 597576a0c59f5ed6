"""Starting snakemake apart from everything else, and ending it or its jobs in hard ways."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from workflow_runs import Project

PATIENCE = 600  # seconds, on a busy machine


class Running:
    """Snakemake in a session of its own, so that a signal to its group reaches nothing else."""

    def __init__(self, project: Project, *arguments: str, prefix: tuple[str, ...] = (), **env: str):
        self.folder = project.folder
        self.output = project.folder.parent / f"{project.folder.name}.out"
        with self.output.open("w") as file:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "snakemake", *arguments],
                cwd=project.folder,
                env=project.environment(**env),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # A shell's background job ignores it, and would hand that on.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    @property
    def said(self) -> str:
        """What it printed so far."""
        return self.output.read_text()

    @property
    def events(self) -> int:
        """How many jobs it has begun and finished so far, each counted."""
        return self.said.count("\n[")

    def jobs(self, rule: str = "") -> list[psutil.Process]:
        """Processes that run a script, of one rule or of any."""
        try:
            below = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return [process for process in below if _runs_script(process, rule)]

    def wait_for(self, condition: Callable[[], object]) -> object:
        """Until the condition holds; its value.

        Raises:
            TimeoutError: with what was printed, if snakemake ends before, or it takes too long.
        """
        begin = time.monotonic()
        while not (found := condition()):
            if self.process.poll() is not None or time.monotonic() - begin > PATIENCE:
                raise TimeoutError(self.said)
            time.sleep(0.02)
        return found

    def finish(self) -> int:
        """Its exit status."""
        return self.process.wait(PATIENCE)

    def pause(self) -> None:
        """Stop snakemake and its jobs, to be killed later."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def kill_all(self) -> None:
        """kill -9 of snakemake and its jobs together, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.finish()
        await_end(self.folder)

    def send(self, number: int) -> None:
        """A signal to snakemake alone."""
        self.process.send_signal(number)


def _runs_script(process: psutil.Process, rule: str) -> bool:
    try:
        return any(word.endswith(f"{rule}.py") and "/tmp" in word for word in process.cmdline())
    except psutil.Error:
        return False


def processes_in(folder: Path) -> list[psutil.Process]:
    """Processes that work in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def await_end(folder: Path) -> None:
    """Wait until no process works in a folder any more."""
    begin = time.monotonic()
    while processes_in(folder) and time.monotonic() - begin < PATIENCE:
        time.sleep(0.05)


def partials(project: Project) -> list[str]:
    """Unfinished files of writers that are gone."""
    found = [*project.folder.glob("results/**/.*"), *project.folder.glob("data/**/.*")]
    names = (str(path.relative_to(project.folder)) for path in found)
    return sorted(name for name in names if re.search(r"\.\d+\.\w+$", name))
