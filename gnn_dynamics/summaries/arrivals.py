"""Which gradient flows arrive at a loss, and why the others do not."""

import pandas as pd

SETTING = ("experiment", "dataset", "aggregation", "multiscale", "depth", "init", "labels")


def arrivals(speed: pd.DataFrame) -> pd.DataFrame:
    """A row for each loss, as a share of ||Y||^2: flows, reached, at the cap, diverged.

    flows: linear models with the squared loss, true labels and an L* below that loss.
    """
    rows = _flows(speed)
    rows = rows[(rows["threshold_kind"] == "loss") & (rows["labels"] == "true")]
    rows = rows[~rows["unreachable"].astype(bool)]
    diverged = rows["status"] == "diverged"
    late = rows["censored"].astype(bool)
    counts = rows.assign(reached=~late, at_the_cap=late & ~diverged, diverged=diverged)
    columns = ["reached", "at_the_cap", "diverged"]
    groups = counts.groupby("threshold", sort=False)
    table = groups[columns].sum().assign(flows=groups.size())
    return table.reset_index()[["threshold", "flows", *columns]]


def at_the_cap(speed: pd.DataFrame) -> pd.DataFrame:
    """The settings whose flows met their cap of steps before their last threshold.

    Columns SETTING, `flows`, and `end_loss`, the median loss at the end.
    """
    rows = _flows(speed)
    rows = rows[(rows["threshold_kind"] == "label_norm") & (rows["status"] == "ok")]
    last = rows["threshold"] == rows.groupby("experiment")["threshold"].transform("min")
    late = rows[last & rows["censored"].astype(bool)]
    groups = late.groupby(list(SETTING), sort=True)
    return groups["end_loss"].agg(flows="size", end_loss="median").reset_index()


def _flows(speed: pd.DataFrame) -> pd.DataFrame:
    rows = speed[(speed["optimizer"] == "flow") & (speed["activation"] == "linear")]
    return rows[rows["loss_fn"] == "squared"]
