"""Rows of the tables for a batch of runs: the recorded steps, and the keys of each run."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gnn_dynamics.dynamics.train import Snapshot, Trajectory
from gnn_dynamics.theory.metrics import Metric, measure

LATE = 8  # records in the last half of the time of a flow

Run = dict[str, Any]
Rows = dict[str, list[Run]]


def record_steps(steps: int, count: int, spacing: str) -> list[int]:
    """About `count` of the steps 0 ... `steps`, both ends included, evenly or logarithmically."""
    if spacing == "log":
        points = np.geomspace(1, steps, count - 1)
        return sorted({0, *np.rint(points).astype(int).tolist()})
    return sorted(set(np.rint(np.linspace(0, steps, count)).astype(int).tolist()))


class Recorder:
    """Collects the metrics at the recorded steps of a batch of `runs`."""

    def __init__(self, metrics: Sequence[Metric], runs: Sequence[Run]):
        self.metrics, self.runs = metrics, runs
        self.measured: dict[tuple[int, int], Run] = {}  # by (model, step)
        self.tables: dict[str, list[Run]] = {"time_condition": [], "gradient_terms": []}

    def record(self, snapshot: Snapshot) -> None:
        """Called by `train` at each recorded step."""
        tables = measure(self.metrics, snapshot)
        self.measured |= {(row.pop("model"), row["step"]): row for row in tables.pop("training")}
        for table, rows in tables.items():
            self.tables[table] += [self.runs[row.pop("model")] | row for row in rows]

    def rows(self, trajectory: Trajectory, reference: np.ndarray, how: Run) -> Rows:
        """Rows of each table with the keys of the runs; arguments as for `training_rows`."""
        training = training_rows(trajectory, self.runs, self.measured, reference, how)
        return {"training": training, **self.tables}


def training_rows(
    trajectory: Trajectory,
    runs: Sequence[Run],
    measured: Mapping[tuple[int, int], Run],
    reference: np.ndarray,
    how: Run,
) -> list[Run]:
    """Rows of training.parquet: recorded steps, the last step, and of a flow some late ones.

    A flow ends when it has arrived, long before its last recorded step, and its steps grow: few of
    the recorded ones are in the last half of its time. The late ones have no metrics.

    measured: the metrics by (model, step);  how: columns that are the same in all rows
    reference: (K,) L*, above which `integrator_error` adds up the relative errors of all steps
    """
    tensors = (trajectory.loss, trajectory.time, trajectory.error, trajectory.increases)
    loss, time, error, increases = (tensor.numpy(force=True) for tensor in tensors)
    total = np.cumsum(error / (loss - reference), axis=0)
    gradients = dict(zip(trajectory.record_steps, trajectory.grad_norm_sq.tolist(), strict=True))
    missing = [None] * len(runs)
    rows = []
    for model, run in enumerate(runs):
        last = int(trajectory.last_step[model])
        late = late_steps(time[: last + 1, model]) if run["optimizer"] == "flow" else []
        for step in sorted({last, *late, *(step for step in gradients if step <= last)}):
            row = {
                **run,
                "lr_lambda_max": None,
                **measured.get((model, step), {}),
                "step": step,
                "time": float(time[step, model]),
                "loss": float(loss[step, model]),
                "grad_norm_sq": gradients.get(step, missing)[model],
                "loss_increases": int(increases[step, model]),
                "status": trajectory.status[model],
                "local_error": known(error[step, model]),
                "integrator_error": known(total[step, model]),
                **how,
            }
            rows.append(row)
    return rows


def late_steps(time: np.ndarray) -> list[int]:
    """The steps that follow LATE times spread evenly over the last half; time (steps,) ascends."""
    return np.searchsorted(time, np.linspace(time[-1] / 2, time[-1], LATE)).tolist()


def known(value: np.floating) -> float | None:
    """A number, or None where it was not measured."""
    return None if np.isnan(value) else float(value)
