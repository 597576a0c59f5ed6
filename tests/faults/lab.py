"""One small run, undisturbed, and copies of its beginning in which faults are tried."""

import shutil
import time
from pathlib import Path

from fault_runs import Running, await_end, partials
from tiny_run import TINY, with_experiment, write_preset
from workflow_runs import Project, differences

# Two blocks: few jobs, so that a moment of the run is as often in training as elsewhere.
SMALL = TINY | {
    "experiments": [
        entry
        for entry in with_experiment("flow", depth=[1])["experiments"]
        if entry["name"] == "flow"
    ]
}


class Lab:
    """A folder for projects, what is asked of snakemake, and the digests it should end with."""

    def __init__(self, folder: Path, targets: list[str], cores: int = 2):
        self.folder, self.targets, self.cores = folder, targets, cores
        self.reference = self.project("undisturbed")
        begin = time.monotonic()
        running = self.command(self.reference)
        running.finish()
        self.events = running.events
        self.seconds = time.monotonic() - begin
        self.digests = self.reference.digests("tiny")
        assert self.digests, "the undisturbed run failed"

    def project(self, name: str) -> Project:
        """A project before its first run."""
        project = Project(self.folder / name)
        write_preset(project, SMALL)
        return project

    def command(self, project: Project, prefix: tuple[str, ...] = (), **env: str) -> Running:
        """THE command: the same before the fault and after."""
        arguments = ("--cores", str(self.cores), "--configfile", "config/tiny.yaml")
        return Running(project, *self.targets, *arguments, prefix=prefix, **env)

    def again(self, project: Project) -> list[str]:
        """Type the same command until it is done, doing what messages ask for; what was typed.

        Raises:
            AssertionError: if it does not get done, or what it made differs.
        """
        typed = []
        running = self.command(project)
        if running.finish() and "--unlock" in running.said:
            assert project.snakemake("--unlock").returncode == 0
            typed.append("snakemake --unlock")
            running = self.command(project)
        typed.append("the same command")
        assert running.finish() == 0, running.said
        self.compare(project)
        return typed

    def compare(self, project: Project) -> None:
        """Assert that a project has what the undisturbed one has, and nothing stale."""
        await_end(project.folder)
        wrong = differences(self.digests, project.digests("tiny"))
        assert not wrong, f"these differ: {wrong}"
        assert not partials(project), partials(project)

    def done(self, project: Project) -> int:
        """How many artifacts there are."""
        return len(project.digests("tiny"))

    def forget(self, project: Project) -> None:
        """Remove a project that is no longer needed."""
        shutil.rmtree(project.folder)
