"""`python -m benchmarks preset` charges a finished run and plain PyG as its docstring says."""

import pandas as pd
import pytest

from benchmarks import preset
from gnn_dynamics.config.grid import KEYS

RUN = dict.fromkeys(KEYS, "any") | {"lr": 1e-3, "depth": 2, "width": 8, "multiscale": True}


def finished_run(folder):
    """Two blocks of gradient descent and one of flow, and a job that trains nothing."""
    jobs = {
        "train_block/descent/H2": (40.0, 25.0),  # wall time, CPU time as Snakemake saw it
        "train_block/descent/H4": (3.0, 2.5),
        "train_block/flow/H2": (10.0, 9.0),
        "make_report": (7.0, 6.0),
    }
    for name, (seconds, cpu) in jobs.items():
        path = folder / "benchmarks" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        frame = pd.DataFrame({"s": [seconds], "max_rss": [100.0], "cpu_time": [cpu]})
        frame.to_csv(path, sep="\t", index=False)
    descent = RUN | {"experiment": "descent", "optimizer": "gd"}
    flow = RUN | {"experiment": "flow", "optimizer": "flow", "lr": None}
    runs = [descent | {"seed": 0}, descent | {"seed": 1}, flow | {"seed": 0}]
    rows = [run | {"step": step} for run in runs for step in (0, 100)]
    (folder / "tables").mkdir()
    pd.DataFrame(rows).to_parquet(folder / "tables" / "training.parquet")


def test_wall_time_is_held_against_every_gradient(tmp_path, monkeypatch):
    finished_run(tmp_path)
    monkeypatch.setattr(preset, "pyg_seconds", lambda cells: pd.Series(0.5, cells.index))
    table = preset.compare(tmp_path).set_index("experiment")
    assert table.runs.to_dict() == {"descent": 2, "flow": 1, "all": 3}
    assert table.gradients.to_dict() == {"descent": 200, "flow": 400, "all": 600}  # RK4
    assert table.seconds.to_dict() == {"descent": 43, "flow": 10, "all": 53}  # not 27.5 and 9
    assert table.ratio_to_pyg["all"] == pytest.approx(300 / 53)


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="run snakemake first"):
        preset.job_times(tmp_path)
