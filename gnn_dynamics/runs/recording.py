"""What a batch of runs leaves in the tables: at which steps, and rows with their keys."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gnn_dynamics.dynamics.train import Snapshot, Trajectory
from gnn_dynamics.theory.metrics import Setting, observe

Run = dict[str, Any]


def record_steps(steps: int, count: int, spacing: str) -> list[int]:
    """About `count` of the steps 0 ... `steps`, both ends included, evenly or logarithmically."""
    if spacing == "log":
        points = np.geomspace(1, steps, count - 1)
        return sorted({0, *np.rint(points).astype(int).tolist()})
    return sorted(set(np.rint(np.linspace(0, steps, count)).astype(int).tolist()))


class Recorder:
    """Collects what the theorems want to know, at the recorded steps of a batch."""

    def __init__(self, setting: Setting, members: Sequence[Run], curvature: Callable | None = None):
        """curvature: (objective, weights) -> lambda_max (k,), where sharpness is observed."""
        self.setting, self.members, self.curvature = setting, members, curvature
        self.tables: dict[str, list[Run]] = {
            name: [] for name in ("training", "time_condition", "gradient_terms")
        }

    def observe(self, snapshot: Snapshot) -> None:
        """Called by `train` at each recorded step."""
        for table, rows in observe(self.setting, snapshot).items():
            self.tables[table] += rows
        facts = self.tables["training"][-len(snapshot.models) :]
        for row, value in zip(facts, self.lr_lambda_max(snapshot), strict=True):
            row["lr_lambda_max"] = value

    def lr_lambda_max(self, snapshot: Snapshot) -> list[float | None]:
        """Step size times sharpness of each model: below 1 the steps follow the flow."""
        if self.curvature is None:
            return [None] * len(snapshot.models)
        return (snapshot.rate * self.curvature(snapshot.objective, snapshot.weights)).tolist()

    def rows(self, trajectory: Trajectory, form: str) -> dict[str, list[Run]]:
        """Rows of each table with the keys of the runs."""
        facts = {(row["model"], row["step"]): row for row in self.tables["training"]}
        return {
            "training": training_rows(trajectory, self.members, facts, form),
            "time_condition": self.with_keys(self.tables["time_condition"]),
            "gradient_terms": self.with_keys(self.tables["gradient_terms"]),
        }

    def with_keys(self, rows: Sequence[Run]) -> list[Run]:
        """Rows whose `model` is replaced by the keys of its run."""
        return [without_model({**self.members[row["model"]], **row}) for row in rows]


def without_model(row: Run) -> Run:
    return {key: value for key, value in row.items() if key != "model"}


def training_rows(
    trajectory: Trajectory, members: Sequence[Run], facts: Mapping[tuple[int, int], Run], form: str
) -> list[Run]:
    """Rows of training.parquet: recorded steps, and the last step of a run that ended between.

    facts: what was observed, by (model, step).
    """
    loss, time, increases = (
        tensor.numpy(force=True)
        for tensor in (trajectory.loss, trajectory.time, trajectory.increases)
    )
    gradients = dict(zip(trajectory.record_steps, trajectory.grad_norm_sq.tolist(), strict=True))
    missing = [None] * len(members)
    rows = []
    for model, run in enumerate(members):
        last = int(trajectory.last_step[model])
        for step in sorted({last, *(step for step in gradients if step <= last)}):
            row = {
                **run,
                "lr_lambda_max": None,
                **facts.get((model, step), {}),
                "step": step,
                "time": float(time[step, model]),
                "loss": float(loss[step, model]),
                "grad_norm_sq": gradients.get(step, missing)[model],
                "loss_increases": int(increases[step, model]),
                "status": trajectory.status[model],
                "form": form,
            }
            rows.append(without_model(row))
    return rows
