"""The faults. Each function disturbs a run, has it repeated, and says what happened."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fault_runs import Running, await_end, processes_in
from lab import Lab

DAY = 86400  # seconds


def kill_all(lab: Lab, number: int, asked) -> str:
    """kill -9 of snakemake and all jobs, in one of equal stretches of the run."""
    chance = random.Random(f"{asked.seed} {number}")
    event = int((number + chance.random()) / asked.kills * lab.events)
    project = lab.project(f"kill-all-{number}")
    running = lab.command(project)
    # Told by what is printed, not by the clock: how fast it goes depends on the machine's load.
    while running.process.poll() is None and running.events < event:
        time.sleep(0.01)
    time.sleep(chance.random() * lab.seconds / lab.events)
    at_work = len(running.jobs())
    ended = running.process.poll() is not None
    if not ended:
        running.kill_all()
    there = lab.done(project)
    typed = lab.again(project)
    lab.forget(project)
    when = "IT HAD ENDED BEFORE" if ended else f"killed after event {event} of {lab.events}"
    return f"{when}, {at_work} jobs at work, {there} artifacts there; typed: {', '.join(typed)}"


def kill_job(lab: Lab) -> str:
    """kill -9 of one training job."""
    project = lab.project("kill-job")
    running = lab.command(project)
    running.wait_for(lambda: running.jobs("train_block"))[0].kill()
    status = running.finish()
    assert status == 1, f"exit status {status}"
    return f"exit status 1; typed: {', '.join(lab.again(project))}"


def kill_snakemake(lab: Lab) -> str:
    """kill -9 of snakemake alone: its jobs live on while the same command runs again."""
    project = lab.project("kill-snakemake")
    running = lab.command(project)
    running.wait_for(lambda: running.jobs("train_block"))
    running.send(signal.SIGKILL)
    running.finish()
    orphans = len(processes_in(project.folder))
    typed = lab.again(project)
    assert not project.jobs("tiny", *lab.targets), "something is left to do"
    return f"{orphans} jobs lived on; typed: {', '.join(typed)}; nothing to be done after"


def ended_by(name: str, send: Callable[[Running], None]) -> Callable[[Lab], str]:
    """A signal that asks snakemake to end."""

    def case(lab: Lab) -> str:
        project = lab.project(name)
        running = lab.command(project)
        running.wait_for(lambda: running.jobs("train_block"))
        send(running)
        status = running.finish()
        left = len(processes_in(project.folder))
        typed = lab.again(project)
        return f"exit status {status}, {left} processes left; typed: {', '.join(typed)}"

    return case


def two_at_once(lab: Lab) -> str:
    """The same command twice in one folder."""
    project = lab.project("two")
    first = lab.command(project)
    first.wait_for(first.jobs)
    second = lab.command(project)
    assert second.finish() == 1 and "cannot be locked" in second.said, second.said
    assert first.finish() == 0, first.said
    lab.compare(project)
    return "the second said that the folder is locked, and ended; the first was not disturbed"


def clock_set_back(lab: Lab) -> str:
    """All that was made until the middle of a run seems to be made tomorrow."""
    project = lab.project("clock")
    running = lab.command(project)
    running.wait_for(lambda: running.jobs("train_block"))
    running.send(signal.SIGTERM)
    running.finish()
    tomorrow = time.time() + DAY
    for path in [*project.folder.rglob("results/**/*"), *project.folder.rglob("data/**/*")]:
        os.utime(path, (tomorrow, tomorrow))
    typed = lab.again(project)
    left = project.jobs("tiny", *lab.targets)
    assert not left, f"left to do: {left}"
    return f"typed: {', '.join(typed)}; nothing to be done after"


def faketime(lab: Lab) -> str:
    """Snakemake and its jobs believe that it is yesterday; files get the kernel's time stamps."""
    if not shutil.which("faketime"):
        raise PermissionError("there is no `faketime`")
    project = lab.project("faketime")
    # Waiting threads need the true monotonic clock; file times are the kernel's in any case.
    true = {"NO_FAKE_STAT": "1", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    running = lab.command(project, prefix=("faketime", "-f", "-1d"), **true)
    status = running.finish()
    assert status in (0, 1), running.said
    return f"exit status {status}; typed: {', '.join(lab.again(project))}"


def truncated(lab: Lab) -> str:
    """Every second table and part cut in half; what is named is deleted until all is whole."""
    project = lab.project("truncated")
    lab.command(project).finish()
    for path in sorted(project.folder.glob("results/**/*.parquet"))[::2]:
        os.truncate(path, path.stat().st_size // 2)
    named = []
    while (running := lab.command(project)).finish():
        found = sorted({line.split()[1] for line in running.said.splitlines() if _names(line)})
        assert found, running.said
        for name in found:
            (project.folder / name).unlink(missing_ok=True)
        named += found
        assert len(named) < 100, running.said
    lab.compare(project)
    return f"{len(named)} files were named one after the other, deleted and made again"


def _names(line: str) -> bool:
    return line.strip().startswith("Error: ") and "delete it and type the same" in line


@contextmanager
def mounted(*arguments: str) -> Iterator[None]:
    """A mount, undone at the end."""
    if os.geteuid() != 0:
        raise PermissionError("only root can mount")
    subprocess.run(["mount", *arguments], check=True)
    try:
        yield
    finally:
        await_end(Path(arguments[-1]))
        subprocess.run(["umount", arguments[-1]], check=True)


def disk_full(lab: Lab) -> str:
    """Results on a disk of half the size that they need, which is enlarged after the failure."""
    needed = sum(path.stat().st_size for path in lab.reference.folder.rglob("results/**/*.parquet"))
    project = lab.project("full")
    results = project.folder / "results"
    results.mkdir()
    with mounted("-t", "tmpfs", "-o", f"size={needed // 2}", "tmpfs", str(results)):
        running = lab.command(project)
        assert running.finish() == 1, running.said
        assert "No space left on device" in running.said, running.said
        subprocess.run(["mount", "-o", "remount,size=64m", str(results)], check=True)
        typed = lab.again(project)
    return f"exit status 1, said that no space is left; typed: {', '.join(typed)}"


def read_only(lab: Lab) -> str:
    """Results on a disk that becomes read-only during the run."""
    project = lab.project("read-only")
    results = project.folder / "results"
    results.mkdir()
    with mounted("-t", "tmpfs", "tmpfs", str(results)):
        subprocess.run(["mount", "-o", "remount,ro", str(results)], check=True)
        running = lab.command(project)
        status = running.finish()
        assert status == 1 and "Read-only file system" in running.said, running.said
        subprocess.run(["mount", "-o", "remount,rw", str(results)], check=True)
        typed = lab.again(project)
    return f"exit status 1, said `Read-only file system`; typed: {', '.join(typed)}"


CASES = {
    "kill-job": kill_job,
    "kill-snakemake": kill_snakemake,
    "kill-all": kill_all,
    # To snakemake alone, as a batch system or `kill` sends them.
    "SIGTERM": ended_by("SIGTERM", lambda running: running.send(signal.SIGTERM)),
    "SIGINT": ended_by("SIGINT", lambda running: running.send(signal.SIGINT)),
    # A terminal sends it to the whole group.
    "ctrl-c": ended_by("ctrl-c", lambda running: os.killpg(running.process.pid, signal.SIGINT)),
    "two-at-once": two_at_once,
    "clock-set-back": clock_set_back,
    "faketime": faketime,
    "truncated": truncated,
    "disk-full": disk_full,
    "read-only": read_only,
}
