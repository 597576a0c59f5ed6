"""The workflow as a user runs it: what is made, what is made again, and what is said."""

import math
import re
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from declared import TABLES
from matplotlib.image import imread
from tiny_run import TINY, with_experiment, write_preset
from workflow_runs import ROOT, Project, differences

from gnn_dynamics.artifacts.pictures import read_provenance
from gnn_dynamics.figures import registry

# Tests of one group share the finished run, hence a process.
pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("workflow")]


def rules_and_scripts():
    """(rule, script) of every rule that has one."""
    text = "\n".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
    rules = re.split(r"^rule ", text, flags=re.M)[1:]
    scripts = [(rule, re.search(r'script:\n +"\.\./(.*)"', rule)) for rule in rules]
    return [(rule.split(":")[0], found[1]) for rule, found in scripts if found]


def test_each_rule_runs_the_script_of_its_name_and_each_script_has_its_rule():
    pairs = rules_and_scripts()
    assert [path for _, path in pairs] == [f"scripts/{rule}.py" for rule, _ in pairs]
    scripts = {path.stem for path in (ROOT / "scripts").glob("*.py")} - {"_job"}
    assert {rule for rule, _ in pairs} == scripts


def test_each_rule_has_its_code_among_its_params():
    text = "\n".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    for rule, _ in rules_and_scripts():
        assert re.search(rf'code=(lambda w: )?code\("{rule}"(, figure\(w\)\.path)?\),', text)


@pytest.mark.parametrize("preset", ["quickstart", "paper", "config"])
def test_a_dry_run_of_each_preset_counts_its_jobs(tmp_path, preset):
    project = Project(tmp_path / "project")
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    config |= yaml.safe_load((ROOT / "config" / f"{preset}.yaml").read_text())
    jobs = project.jobs(preset)
    datasets = set(config["datasets"])
    training = 0
    for entry in config["experiments"]:
        lists = ("dataset", "aggregation", "activation", "multiscale", "depth")
        divided = lists[1 : lists.index(entry.get("job_per", "depth")) + 1]
        kept = [name for name in entry["datasets"] if name not in config["leave_out"]]
        training += len(kept) * math.prod(len(entry[key]) for key in divided)
    assert jobs["train_block"] == training
    assert jobs["prepare_graph"] == jobs["check_graph_condition"] == len(datasets)
    assert jobs.get("fetch_dataset", 0) == (0 if preset == "quickstart" else len(datasets))
    assert jobs["collect_table"] == 7
    assert jobs["make_report"] == jobs["judge_claims"] == jobs["check_bounds"] == 1
    if preset == "quickstart":
        assert training < 16


def test_a_wrong_configuration_stops_before_anything_runs(tmp_path):
    project = Project(tmp_path / "project")
    wrong = TINY | {"datasets": ["wines"], "devise": "cpu"}
    write_preset(project, wrong)
    done = project.snakemake("--cores", "1", "--configfile", "config/tiny.yaml")
    assert done.returncode == 1
    assert "devise: there is no such key; did you mean device?" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (project.folder / "results").exists()


def test_a_run_makes_every_table_and_figure(finished):
    results = finished.folder / "results" / "tiny"
    for table in TABLES:
        frame = pd.read_parquet(results / "tables" / f"{table}.parquet")
        assert set(TABLES[table].columns) <= set(frame), table
    for table in ("graphs", "graph_condition", "optimum", "training", "speed", "bounds", "claims"):
        assert pq.read_metadata(results / "tables" / f"{table}.parquet").num_rows > 0, table
    names = {path.stem for path in (results / "figures").glob("*.png")}
    assert names == {*(figure.stem for figure in registry.FIGURES), "appendix_wine", "rulegraph"}
    for path in (results / "figures").glob("*.png"):
        assert imread(path)[..., :3].std() > 0.01, f"{path.name} is blank"
        assert path.with_suffix(".pdf").read_bytes().startswith(b"%PDF"), path.name
    assert (results / "report.html").read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_the_tables_hold_the_runs_that_were_asked_for(finished):
    tables = finished.folder / "results" / "tiny" / "tables"
    training = pd.read_parquet(tables / "training.parquet")
    runs = training.groupby(["experiment", "activation", "multiscale", "depth"])["seed"].nunique()
    assert (runs == 2).all()
    assert len(runs) == 4 + 4 + 1
    descents = training[training["optimizer"] != "flow"]  # a flow has late records, too
    assert sorted(descents["step"].unique())[::4] == [0, 20]
    assert {*descents["step"]} <= {*training.loc[training["optimizer"] == "flow", "step"]}


def test_every_artifact_says_what_made_it(finished):
    results = finished.folder / "results" / "tiny"
    for path in [*results.rglob("*.parquet"), *results.rglob("*.png")]:
        made = read_provenance(path)
        assert made["workflow"] == "gnn-dynamics", path
        assert made["packages"]["torch"] and made["device"] == "cpu", path
        if path.stem != "rulegraph":
            assert set(made["datasets"]) == {"wine"}, path


def test_every_job_leaves_a_log_and_its_cost(finished):
    results = finished.folder / "results" / "tiny"
    names = {path.with_suffix("").relative_to(results / "logs") for path in results.rglob("*.log")}
    costs = results / "benchmarks"
    assert names == {p.with_suffix("").relative_to(costs) for p in costs.rglob("*.tsv")}
    assert Path("train_block/flow/wine/gcn-linear-skip-H2") in names


def test_a_finished_run_has_nothing_to_do(finished):
    assert "Nothing to be done" in finished.run("tiny", "--dry-run")


@pytest.fixture(scope="module")
def elsewhere(finished, tmp_path_factory):
    """The same run from nothing, in another place and in other circumstances; what it printed."""
    project = Project(tmp_path_factory.mktemp("again") / "elsewhere", source=finished.folder)
    said = project.run("tiny", "--verbose", cores=1, LC_ALL="C", TZ="Asia/Kathmandu")
    return project, said


def test_no_artifact_depends_on_cores_order_locale_or_time_zone(finished, elsewhere):
    first, second = finished.digests("tiny"), elsewhere[0].digests("tiny")
    assert len(first) > 40
    assert differences(first, second) == []


def test_the_queue_is_looked_at_when_a_job_ends_and_not_once_a_second_for_each(elsewhere):
    """Snakemake 9.27 does that to limit the rate of jobs: see `onstart` in the Snakefile."""
    said = elsewhere[1]
    looks, ended = said.count("Resources before job selection"), said.count("Finished jobid")
    assert ended > len(registry.FIGURES)
    assert 0 < looks <= 2 * ended


GRID = ("training", "time_condition", "gradient_terms", "speed")


def test_another_seed_trains_that_seed_alone_and_the_result_is_that_of_a_clean_run(copy, tmp_path):
    preset = with_experiment("flow", seed=[2, 0, 1])
    write_preset(copy, preset)
    copy.run("tiny", "grid")
    logs = copy.folder / "results" / "tiny" / "logs" / "train_block"
    said = [path.read_text() for path in sorted(logs.glob("flow/*/*.log"))]
    assert len(said) == 4
    assert all("seeds to train: 2; kept from an earlier run: 0, 1" in text for text in said)
    clean = Project(tmp_path / "clean")
    write_preset(clean, preset)
    clean.run("tiny", "grid")
    assert differences(clean.digests("tiny"), grid_of(copy.digests("tiny"))) == []


def grid_of(digests: dict[str, str]) -> dict[str, str]:
    """Those of the tables that the target `grid` makes, and of their parts."""
    made = {path: set(Path(path).with_suffix("").parts) for path in digests}
    return {path: digests[path] for path, names in made.items() if names & set(GRID)}


def test_another_depth_of_a_shared_job_trains_that_depth_alone(copy, tmp_path):
    """And the tables are those of a clean run in which each block has a job of its own."""
    preset = with_experiment("curves", depth=[3, 2])
    write_preset(copy, preset)
    copy.run("tiny", "grid")
    for activation in ("linear", "relu"):
        log = f"results/tiny/logs/train_block/curves/wine/gcn-{activation}.log"
        said = (copy.folder / log).read_text()
        for skip in ("skip", "noskip"):
            model = f"gcn-{activation}-{skip}"
            assert f"{model}-H2: seeds to train: none; kept from an earlier run: 0, 1\n" in said
            assert f"{model}-H3: seeds to train: 0, 1; kept from an earlier run: none\n" in said
    clean = Project(tmp_path / "clean")
    write_preset(clean, with_experiment("curves", depth=[2, 3], job_per="depth"))
    clean.run("tiny", "grid")
    assert tables_of(clean) == {name: tables_of(copy)[name] for name in tables_of(clean)}


def test_blocks_that_share_other_jobs_train_nothing_and_every_table_stays_as_it_was(copy):
    before = tables_of(copy)
    experiments = [entry | {"job_per": "dataset"} for entry in TINY["experiments"]]
    write_preset(copy, TINY | {"experiments": experiments})
    copy.run("tiny", "grid", *(f"results/tiny/tables/{name}.parquet" for name in CHECKED))
    logs = copy.folder / "results" / "tiny" / "logs"
    said = "".join(path.read_text() for path in logs.glob("train_block/*/wine/all.log"))
    assert said.count("seeds to train: none; kept from an earlier run: 0, 1\n") == 4 + 4 + 1
    assert len(before) == len(TABLES) and tables_of(copy) == before


CHECKED = ("bounds", "guarantees")


def tables_of(project: Project) -> dict[str, str]:
    """The digests of the tables of a run."""
    found = project.digests("tiny")
    return {path: found[path] for path in found if path.startswith("tables/")}


def test_fewer_seeds_train_nothing(copy):
    write_preset(copy, with_experiment("flow", seed=[1]))
    target = "results/tiny/parts/training/flow/wine/gcn-linear-skip-H2.parquet"
    copy.run("tiny", target)
    assert set(pd.read_parquet(copy.folder / target)["seed"]) == {1}
    log = "results/tiny/logs/train_block/flow/wine/gcn-linear-skip-H2.log"
    assert "seeds to train: none; kept from an earlier run: 1" in (copy.folder / log).read_text()


def test_other_steps_train_every_seed_anew(copy):
    write_preset(copy, with_experiment("flow", steps=10))
    target = "results/tiny/parts/training/flow/wine/gcn-linear-skip-H2.parquet"
    copy.run("tiny", target)
    assert pd.read_parquet(copy.folder / target)["step"].max() == 10


def test_a_job_that_a_user_can_mend_says_so_without_a_traceback(tmp_path):
    project = Project(tmp_path / "project")
    nowhere = str(tmp_path / "nowhere")
    arguments = ("data/raw/cora/manifest.json", "--cores", "1")
    done = project.snakemake(*arguments, GNN_DYNAMICS_MIRROR=nowhere)
    log = (project.folder / "data" / "logs" / "fetch_dataset" / "cora.log").read_text()
    assert done.returncode == 1
    assert log.splitlines()[-1].startswith("Error: ")
    assert "GNN_DYNAMICS_MIRROR" in log or nowhere in log
    assert "Traceback" not in log
    assert log.strip() in done.stdout.replace("\n    ", "\n"), "the log of a failed job is shown"
