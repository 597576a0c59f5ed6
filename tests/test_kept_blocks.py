"""Which blocks and seeds of a job are kept from earlier jobs, and which are trained anew."""

from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest
from declared import TABLES
from hypothesis import given, settings
from hypothesis import strategies as st
from table_rows import RUN

from gnn_dynamics.artifacts.parquet import collect_parts, read_table
from gnn_dynamics.artifacts.provenance import describe
from gnn_dynamics.config.grid import Block
from gnn_dynamics.workflow.kept_blocks import kept_files, train_blocks

pytestmark = pytest.mark.slow

NAMES = ("training", "speed")
STEP = {"step": 0, "time": 0.0, "grad_norm_sq": 1.0, "lr_lambda_max": None, "loss_increases": 0}
THRESHOLD = {"threshold": 0.5, "threshold_kind": "initial", "time_to_threshold": None}
THRESHOLD |= {"steps_to_threshold": None, "censored": True, "end_time": 1.0}
ONE, TWO, THREE = BLOCKS = [Block("demo", "toy", "gcn", "linear", True, H) for H in (1, 2, 3)]


def tables(block: Block, seeds: list[int], loss: float) -> dict[str, pd.DataFrame]:
    """Rows of each seed; the loss tells who trained them, some integers are null."""
    keys = RUN | asdict(block)
    training = [keys | STEP | {"seed": s, "loss": loss, "status": "ok"} for s in seeds]
    speed = [keys | THRESHOLD | {"seed": s} for s in seeds]
    speed += [row | {"threshold": 0.1, "steps_to_threshold": 3, "censored": False} for row in speed]
    return {"training": pd.DataFrame(training), "speed": pd.DataFrame(speed)}


class Jobs:
    """Training jobs in one folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def outputs(self, job: str) -> dict[str, str]:
        return {name: str(self.folder / name / f"{job}.parquet") for name in NAMES}

    def train(self, blocks, seeds, job="all", loss=1.0, fails=None, rule="train_block", **params):
        """Run one job, whose training of the block `fails` is interrupted.

        What was trained: depth -> seeds.
        """
        trained = {}

        def train(block, settings):
            if block == fails:
                raise KeyboardInterrupt
            trained[block.depth] = settings["seed"]
            return tables(block, settings["seed"], loss)

        common = {"settings": {"seed": seeds} | params.pop("settings", {}), "device": "cpu"}
        names = {"blocks": [block.id for block in blocks]}
        made = describe(rule, {"models": job}, common | {"code": "abc"} | names | params, [])
        try:
            train_blocks(self.outputs(job), TABLES, made, train)
        except KeyboardInterrupt:
            assert fails
        return trained

    def losses(self, job="all") -> dict[tuple[int, int], float]:
        """(depth, seed) -> loss, of the runs that all tables of a job have."""
        training, speed = (read_table(path) for path in self.outputs(job).values())
        keys = ["depth", "seed"]
        assert (speed.groupby(keys).size() == 2).all()
        assert set(zip(*(speed[key] for key in keys), strict=True)) == set(
            zip(*(training[key] for key in keys), strict=True)
        )
        return training.set_index(keys)["loss"].to_dict()


@pytest.fixture
def jobs(tmp_path):
    return Jobs(tmp_path / "jobs")


def test_nothing_is_there_and_all_is_trained(jobs):
    assert jobs.train([ONE, TWO], [0, 1]) == {1: [0, 1], 2: [0, 1]}
    assert set(jobs.losses()) == {(1, 0), (1, 1), (2, 0), (2, 1)}


subsets = st.permutations(range(4)).flatmap(
    lambda order: st.integers(1, 4).map(lambda size: list(order[:size]))
)
blocks = st.lists(st.sampled_from(BLOCKS), min_size=1, unique=True).map(sorted)


@settings(max_examples=25, deadline=None)
@given(first=st.tuples(blocks, subsets), second=st.tuples(blocks, subsets), regroup=st.booleans())
def test_exactly_the_missing_runs_are_trained(tmp_path_factory, first, second, regroup):
    """More or fewer blocks and seeds, in any order, in a job of the same or of another name."""
    jobs = Jobs(tmp_path_factory.mktemp("jobs"))
    jobs.train(*first, loss=1.0)
    there = set(jobs.losses())
    job = "other" if regroup else "all"
    trained = jobs.train(*second, job=job, loss=2.0)
    asked = {(block.depth, seed) for block in second[0] for seed in second[1]}
    missing = asked - there
    assert {(depth, seed) for depth, seeds in trained.items() for seed in seeds} == missing
    assert jobs.losses(job) == {run: 2.0 if run in missing else 1.0 for run in asked}


@settings(max_examples=20, deadline=None)
@given(first=st.tuples(blocks, subsets), cut=st.integers(0, 3))
def test_the_bytes_do_not_depend_on_what_was_kept_nor_on_who_shares_a_job(
    tmp_path_factory, first, cut
):
    """Of the job's outputs; and of what is collected from any jobs, in the order of the blocks."""
    history, clean, apart = (Jobs(tmp_path_factory.mktemp(name)) for name in "abc")
    history.train(*first)
    history.train(BLOCKS, [2, 0, 1])
    clean.train(BLOCKS, [2, 0, 1])
    for name in ("left", "right"):
        shared = BLOCKS[:cut] if name == "left" else BLOCKS[cut:]
        if shared:
            apart.train(shared, [2, 0, 1], job=name)
    for name in NAMES:
        one, other = history.outputs("all")[name], clean.outputs("all")[name]
        assert Path(one).read_bytes() == Path(other).read_bytes()
        parts = [apart.outputs(job)[name] for job in ("left", "right")]
        parts = [part for part in parts if Path(part).exists()]
        assert collected([one], name) == collected(parts, name)


def collected(parts: list[str], name: str) -> bytes:
    """The table of some parts."""
    path = Path(parts[0]).with_name("table.parquet")
    collect_parts(parts, path, describe("collect_table", {"table": name}, {"code": "c"}, parts))
    return path.read_bytes()


@pytest.mark.parametrize(
    "other",
    [{"code": "abd"}, {"settings": {"steps": 6}}, {"device": "cuda"}, {"rule": "another"}],
)
def test_anything_else_that_has_changed_trains_every_run(jobs, other):
    jobs.train([ONE, TWO], [0, 1], **other)
    assert jobs.train([ONE, TWO], [0, 1, 2]) == {1: [0, 1, 2], 2: [0, 1, 2]}


def test_a_job_that_is_killed_keeps_the_blocks_that_it_has_finished(jobs):
    assert jobs.train(BLOCKS, [0, 1], fails=TWO) == {1: [0, 1]}
    assert not any(Path(path).exists() for path in jobs.outputs("all").values())
    assert jobs.train(BLOCKS, [0, 1]) == {2: [0, 1], 3: [0, 1]}
    assert set(jobs.losses()) == {(depth, seed) for depth in (1, 2, 3) for seed in (0, 1)}


def test_a_job_that_was_killed_between_two_tables_keeps_the_seeds_that_both_have(jobs, tmp_path):
    jobs.train([ONE], [0, 1])
    later = Jobs(tmp_path / "later")
    later.train([ONE], [0, 1, 2])
    path, newer = (kept_files(some.outputs("all"), ONE)["speed"] for some in (jobs, later))
    path.write_bytes(newer.read_bytes())
    assert jobs.train([ONE], [0, 1, 2]) == {1: [2]}
    assert set(jobs.losses()) == {(1, 0), (1, 1), (1, 2)}


@pytest.mark.parametrize("content", [b"", b"PAR1 cut short", None])
def test_a_damaged_or_missing_file_trains_its_block_anew_and_no_other(jobs, content):
    jobs.train([ONE, TWO], [0, 1])
    damaged = kept_files(jobs.outputs("all"), TWO)["speed"]
    damaged.unlink() if content is None else damaged.write_bytes(content)
    assert jobs.train([ONE, TWO], [0, 1]) == {2: [0, 1]}


def test_what_a_killed_writer_left_of_a_kept_file_is_removed(jobs):
    jobs.train([ONE], [0])
    kept = kept_files(jobs.outputs("all"), ONE)
    stale = [path.with_name(f".{path.stem}.123{path.suffix}") for path in kept.values()]
    for path in stale:
        path.touch()
    jobs.train([ONE], [0])
    assert not any(path.exists() for path in stale)
    assert all(path.exists() for path in kept.values())
