"""The workflow on a real Slurm of two nodes, through profiles/slurm: `make test-slurm`."""

import getpass
import os
import re
import signal
import subprocess
import sys
import time
from itertools import combinations, pairwise
from pathlib import Path

import pytest
import yaml
from tiny_run import SQUARED_FLOW, TRAINING
from workflow_runs import ROOT, Project, differences

FAULTS = Path(__file__).with_name("faults.smk")
# A small cluster on one machine answers at once; nothing else differs from what a user types.
PROFILE = ["--workflow-profile", str(ROOT / "profiles" / "slurm")]
POLLING = ["--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "2"]
SLURM = [*PROFILE, *POLLING, "--latency-wait", "15"]
FLOW = {"datasets": ["wine"], "name": "flow", "depth": [1, 2]}
SMALL = {"run": "small", "datasets": ["wine"], "experiments": [TRAINING | SQUARED_FLOW | FLOW]}
# Tables in parts, tables and a figure: every kind of job but the report, in a third of the jobs.
TARGETS = ["grid", "results/small/figures/fig4_training_speed.png"]


def ask(*command):
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout


def is_test_cluster():
    """Whether Slurm runs here and is the one of up.sh: jobs are never sent to another."""
    try:
        return "= gnn-dynamics-test\n" in ask("scontrol", "show", "config")
    except (OSError, subprocess.CalledProcessError):
        return False


pytestmark = [
    pytest.mark.skipif(
        not is_test_cluster(), reason="no Slurm test cluster runs here: `make test-slurm` starts it"
    ),
    pytest.mark.xdist_group("slurm"),
]


def jobs_of(run):
    """Every job of a run that Slurm knows, finished ones too, in the order of submission."""
    names = ["id", "state", "node", "memory", "limit", "comment"]
    lines = ask(
        "squeue", "--noheader", "--states=all", "--sort=i", "--format=%i|%T|%N|%m|%l|%k",
        "--name", run,
    )  # fmt: skip
    return [dict(zip(names, line.split("|"), strict=True)) for line in lines.splitlines()]


def wait_for(found, seconds=900):
    """What `found` returns as soon as it is true. A busy machine may take long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.3)
    raise TimeoutError(f"not within {seconds} s")


class Snakemake:
    """A snakemake that runs while the test does something to its jobs."""

    def __init__(self, folder, *arguments):
        self.folder, self.said = folder, folder / "said.txt"
        self.arguments = [sys.executable, "-m", "snakemake", *arguments, *SLURM]
        env = os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                self.arguments,
                cwd=folder,
                env=env,
                stdout=said,
                stderr=subprocess.STDOUT,
                # Heeded also where a shell started the tests in the background, which ignores it.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def run_id(self):
        found = wait_for(lambda: re.search(r"SLURM run ID: (\S+)", self.said.read_text()))
        return found[1]

    def jobs(self, rule=""):
        return [job for job in jobs_of(self.run_id()) if f"rule_{rule}" in job["comment"]]

    def wait(self):
        code = self.process.wait()
        assert code == 0, self.said.read_text()

    def running(self, rule=""):
        return [job for job in self.jobs(rule) if job["state"] == "RUNNING"]


@pytest.fixture(scope="module")
def start():
    """Starts Snakemake in a folder. What a failed test leaves behind is killed."""
    started = []

    def begin(folder, *arguments):
        started.append(Snakemake(folder, *arguments))
        return started[-1]

    yield begin
    for run in started:
        run.process.kill()
    ask("scancel", f"--user={getpass.getuser()}")


@pytest.fixture(scope="module")
def small(start, tmp_path_factory):
    """A small run of the workflow through Slurm; n2 is drained in the middle and comes back."""
    project = Project(tmp_path_factory.mktemp("slurm") / "project")
    preset = project.folder / "config" / "small.yaml"
    preset.write_text(yaml.safe_dump(SMALL))
    run = start(project.folder, *TARGETS, "--configfile", "config/small.yaml")
    wait_for(lambda: [job for job in run.running() if job["node"] == "n2"])
    ask("scontrol", "update", "NodeName=n2", "State=DRAIN", "Reason=test")
    drained = {job["id"] for job in run.jobs() if job["node"] == "n2"}
    try:
        # Until no job runs there, and one started on n1 though n2 would come first.
        wait_for(lambda: "drained" in ask("sinfo", "--noheader", "--nodes=n2", "--format=%T"))
        wait_for(lambda: [job for job in run.jobs() if job["node"] == "n1"])
        meanwhile = {job["id"] for job in run.jobs() if job["node"] == "n2"}
    finally:
        ask("scontrol", "update", "NodeName=n2", "State=RESUME")
    run.wait()
    return project, run, drained, meanwhile


def test_both_nodes_ran_jobs_and_each_job_once(small):
    _, run, _, _ = small
    jobs = run.jobs()
    assert {job["node"] for job in jobs} == {"n1", "n2"}
    assert {job["state"] for job in jobs} == {"COMPLETED"}
    assert len(jobs) == len(submitted(run.said.read_text()))


def submitted(said):
    """Jobs that were handed to Slurm, as Snakemake says."""
    return re.findall(r"has been submitted with SLURM jobid", said)


def test_a_drained_node_takes_no_new_job_and_loses_none(small):
    _, run, drained, meanwhile = small
    assert drained and drained == meanwhile
    states = {job["id"]: job["state"] for job in run.jobs()}
    assert all(states[job] == "COMPLETED" for job in drained)


def test_every_artifact_equals_that_of_a_local_run(small, tmp_path):
    project, *_ = small
    local = Project(tmp_path / "local", source=project.folder)
    local.run("small", *TARGETS)
    first, second = project.digests("small"), local.digests("small")
    assert len(first) == 4 * (4 + 1) + 2  # parts and tables; PNG and PDF
    assert differences(first, second) == []


@pytest.fixture(scope="module")
def faults(start, tmp_path_factory):
    """The jobs of faults.smk, one of which is cancelled by hand."""
    run = start(tmp_path_factory.mktemp("faults"), "--snakefile", str(FAULTS))
    job = wait_for(lambda: run.running("cancelled"))[0]
    ask("scancel", job["id"])
    run.wait()
    return run


@pytest.mark.parametrize(
    ("rule", "states", "asked", "amounts"),
    [
        ("cancelled", ["CANCELLED", "COMPLETED"], "memory", ["500M", "1000M"]),
        ("out_of_time", ["TIMEOUT", "COMPLETED"], "limit", ["1:00", "2:00"]),
        # Slurm kills the step that Snakemake runs in; the job around it ends as failed.
        ("out_of_memory", ["FAILED", "COMPLETED"], "memory", ["800M", "1600M"]),
    ],
)
def test_a_job_that_slurm_ended_is_tried_again_with_more(faults, rule, states, asked, amounts):
    jobs = faults.jobs(rule)
    assert [job["state"] for job in jobs] == states
    assert [job[asked] for job in jobs] == amounts
    assert (faults.folder / f"{rule}.txt").exists()


def test_the_job_without_memory_was_killed_for_it_and_its_log_is_kept(faults):
    first = faults.jobs("out_of_memory")[0]["id"]
    log = faults.folder / ".snakemake" / "slurm_logs" / "rule_out_of_memory" / f"{first}.log"
    assert "exceeded memory limit" in log.read_text()


def test_four_jobs_share_two_gpus(faults):
    records = [(faults.folder / "gpu" / f"{n}.txt").read_text().split() for n in range(4)]
    jobs = sorted((float(start), float(end), device) for start, end, device in records)
    assert sorted(device for *_, device in jobs) == ["0", "0", "1", "1"]
    for number in "01":
        mine = [job for job in jobs if job[2] == number]
        assert all(first[1] < second[0] for first, second in pairwise(mine))
    together = [(a, b) for a, b in combinations(jobs, 2) if b[0] < a[1]]
    assert together, "no two jobs ran at the same time"
    assert {job["node"] for job in faults.jobs("use_gpu")} == {"n1"}


def test_jobs_outlive_a_killed_snakemake_and_its_run_id_cancels_them(start, tmp_path):
    arguments = ["long.txt", "--snakefile", str(FAULTS)]
    run = start(tmp_path, *arguments)
    wait_for(lambda: run.running("long"))
    run.process.kill()
    run.process.wait()
    assert run.running("long")
    ask("scancel", "--name", run.run_id())
    wait_for(lambda: not run.running())
    (tmp_path / "finish").touch()
    locked = start(tmp_path, *arguments)
    assert locked.process.wait() == 1
    assert "cannot be locked" in locked.said.read_text()
    subprocess.run([*locked.arguments, "--unlock"], cwd=tmp_path, check=True, capture_output=True)
    start(tmp_path, *arguments).wait()


def test_an_interrupt_leaves_no_job(start, tmp_path):
    run = start(tmp_path, "long.txt", "--snakefile", str(FAULTS))
    wait_for(lambda: run.running("long"))
    run.process.send_signal(signal.SIGINT)
    run.process.wait()
    assert [job["state"] for job in run.jobs()] == ["CANCELLED"]
