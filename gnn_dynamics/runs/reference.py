"""The losses against which the speed of each run is measured: L* and ||Y||_F^2."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from gnn_dynamics.runs.recording import Run
from gnn_dynamics.runs.speed import has_optimum


@dataclass(frozen=True)
class Reference:
    """L* and ||Y||_F^2 of each run, (K,); 0 for an unknown L*, log m_y for the cross-entropy."""

    loss_optimum: np.ndarray
    label_norm_sq: np.ndarray

    def loss_at(self, threshold: float) -> Tensor:
        """Loss at which the excess over L* is `threshold` times ||Y||_F^2, (K,)."""
        return torch.from_numpy(self.loss_optimum + threshold * self.label_norm_sq)


def reference_of(optimum: pd.DataFrame | None, runs: Sequence[Run], Y: np.ndarray) -> Reference:
    """The reference of runs with one loss function; Y (K, m_y, nbar).

    optimum: rows of optimum.parquet; None where no run has a known L*.

    Raises:
        ValueError: if a run has a known L*, but `optimum` lacks it.
    """
    norms = np.square(Y).sum(axis=(1, 2))
    if runs[0]["loss_fn"] == "cross_entropy":
        norms = np.full(len(runs), math.log(Y.shape[1]))
    optima = [_optimum(optimum, run) if has_optimum(run) else 0.0 for run in runs]
    return Reference(np.array(optima), norms)


def _optimum(optimum: pd.DataFrame | None, run: Run) -> float:
    if optimum is None:
        raise ValueError("linear models with the squared loss need the rows of optimum.parquet")
    keys = ("aggregation", "features", "nodes", "multiscale", "depth", "labels", "seed")
    cell = np.logical_and.reduce([optimum[key] == run[key] for key in keys])
    (value,) = optimum.loc[cell, "loss_optimum"]
    return float(value)
