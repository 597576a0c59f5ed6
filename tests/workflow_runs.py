"""Runs of the whole workflow in a copy of the project, for tests and for `make verify`."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("Snakefile", "rules", "scripts", "config", "profiles", "report", "gnn_dynamics")
# What a run writes and promises to write again byte for byte; logs and benchmarks are exempt.
ARTIFACTS = ("*.parquet", "*.png", "*.pdf", "*.html", "*.yaml")


class Project:
    """A copy of the project in which snakemake can run and files can be edited."""

    def __init__(self, folder: Path, source: Path = ROOT):
        self.folder = folder
        for part in PARTS:
            if (source / part).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source / part, folder / part, ignore=ignored)
            else:
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source / part, folder / part)

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        """Run snakemake in the copy, with the copy's package; output and errors as one text."""
        return subprocess.run(
            [sys.executable, "-m", "snakemake", *arguments],
            cwd=self.folder,
            env=self.environment(**environment),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def environment(self, **changes: str) -> dict[str, str]:
        """Variables in which the copy's package goes before the one that is installed."""
        own = {"PYTHONPATH": str(self.folder), "OMP_NUM_THREADS": "1"}
        return os.environ | own | changes

    def run(self, preset: str, *arguments: str, cores: int = 2, **environment: str) -> str:
        """Run a preset; the output.

        Raises:
            RuntimeError: with the output, if snakemake fails.
        """
        done = self.snakemake(
            *arguments,
            "--cores",
            str(cores),
            "--configfile",
            f"config/{preset}.yaml",
            **environment,
        )
        if done.returncode:
            raise RuntimeError(f"snakemake {' '.join(arguments)} failed:\n{done.stdout}")
        return done.stdout

    def jobs(self, preset: str, *arguments: str, **environment: str) -> dict[str, int]:
        """How often each rule would run, from a dry run; empty if nothing is to be done."""
        return job_counts(self.run(preset, *arguments, "--dry-run", **environment))

    def jobs_and_figures(self, preset: str) -> dict[str, int]:
        """The same, with the name of each figure in place of rule `plot_figure`."""
        output = self.run(preset, "--dry-run")
        jobs, figures = job_counts(output), figures_drawn(output)
        assert jobs.pop("plot_figure", 0) == sum(figures.values())
        return jobs | figures

    def digests(self, run: str) -> dict[str, str]:
        """SHA-256 of every artifact of a run, by path."""
        results = self.folder / "results" / run
        paths = sorted(path for kind in ARTIFACTS for path in results.rglob(kind))
        return {str(path.relative_to(results)): _sha256(path) for path in paths}

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace the first occurrence of a text, which must occur, in a file of the copy."""
        path = self.folder / name
        text = path.read_text()
        assert old in text, f"{name} does not contain {old!r}"
        path.write_text(text.replace(old, new, 1))


def job_counts(output: str) -> dict[str, int]:
    """Rule -> number of jobs, from the table that snakemake prints."""
    tables = re.findall(r"^job +count\n-.*\n((?:\S+ +\d+\n)+)", output, flags=re.M)
    rows = [line.split() for line in tables[-1].splitlines()] if tables else []
    return {rule: int(count) for rule, count in rows if rule != "total"}


def figures_drawn(output: str) -> dict[str, int]:
    """Figure -> number of jobs that draw it, from the messages of rule `plot_figure`."""
    return dict(Counter(re.findall(r"^Job \d+: Draw (\w\S*)$", output, flags=re.M)))


def differences(first: dict[str, str], second: dict[str, str]) -> list[str]:
    """Paths whose digests differ, or that only one of two runs has."""
    return sorted(path for path in {*first, *second} if first.get(path) != second.get(path))


def copy_finished(source: Project, folder: Path) -> Project:
    """A finished project with its results and records, time stamps kept."""
    shutil.copytree(source.folder, folder)
    copy = Project.__new__(Project)
    copy.folder = folder
    return copy


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def listing(digests: dict[str, str]) -> Iterable[str]:
    """Lines as sha256sum prints them."""
    return (f"{digest}  {path}" for path, digest in sorted(digests.items()))
