"""The profiles: each holds what the default one does, and one GPU is used by one job at a time."""

import subprocess
import sys
from itertools import pairwise

import pytest
import yaml
from workflow_runs import ROOT

PROFILES = ROOT / "profiles"
TAKE_TURNS = """
rule all:
    input: expand("{n}.txt", n=range(3))

rule turn:
    output: "{n}.txt"
    resources: gpu=1
    shell: "date +%s.%N > {output}; sleep 0.5; date +%s.%N >> {output}"
"""


def read(profile):
    return yaml.safe_load((PROFILES / profile / "config.yaml").read_text())


@pytest.mark.parametrize("profile", ["slurm", "gpu"])
def test_every_profile_says_what_the_default_says(profile):
    assert read("default").items() <= read(profile).items()


@pytest.mark.workflow
def test_jobs_take_turns_on_one_gpu(tmp_path):
    (tmp_path / "Snakefile").write_text(TAKE_TURNS)
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", PROFILES / "gpu"]
    subprocess.run([*command, "--cores", "3"], cwd=tmp_path, check=True, capture_output=True)
    times = [(tmp_path / f"{n}.txt").read_text().split() for n in range(3)]
    spans = sorted([float(start), float(end)] for start, end in times)
    assert all(first[1] < second[0] for first, second in pairwise(spans))
