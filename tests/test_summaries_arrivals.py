"""Flows that arrive, that meet their cap of steps, and that cannot arrive are counted apart."""

import pandas as pd

from gnn_dynamics.summaries.arrivals import arrivals, at_the_cap

RUN = {
    "experiment": "speed",
    "dataset": "toy",
    "aggregation": "gcn",
    "multiscale": True,
    "depth": 2,
    "init": "default",
    "labels": "true",
    "optimizer": "flow",
    "activation": "linear",
    "loss_fn": "squared",
}


def rows(censored: dict[float, bool], unreachable: float = 0.0, **more) -> list[dict]:
    """Of one run, censored at each threshold; those below `unreachable` lie below L*."""
    run = RUN | {"status": "ok", "end_loss": 3.0} | more
    return [
        run
        | {"threshold_kind": kind, "threshold": threshold, "censored": late}
        | {"unreachable": kind == "loss" and threshold < unreachable}
        for kind in ("loss", "label_norm")
        for threshold, late in censored.items()
    ]


def test_each_flow_is_counted_once_by_its_end():
    table = pd.DataFrame(
        [
            *rows({0.1: False, 0.01: False}),
            *rows({0.1: False, 0.01: True}, seed=1),
            *rows({0.1: True, 0.01: True}, status="diverged"),
            *rows({0.1: False, 0.01: True}, unreachable=0.05),
            *rows({0.1: True, 0.01: True}, optimizer="gd"),
            *rows({0.1: True, 0.01: True}, labels="permuted"),
        ]
    )
    counts = arrivals(table).set_index("threshold")
    assert counts.loc[0.1].to_dict() == {"flows": 4, "reached": 3, "at_the_cap": 0, "diverged": 1}
    assert counts.loc[0.01].to_dict() == {"flows": 3, "reached": 1, "at_the_cap": 1, "diverged": 1}


def test_the_settings_at_the_cap_are_listed_with_their_losses():
    table = pd.DataFrame(
        [
            *rows({0.1: False, 0.01: True}, end_loss=1.0),
            *rows({0.1: False, 0.01: True}, end_loss=2.0),
            *rows({0.1: False, 0.01: False}, depth=4),
            *rows({0.1: True}, experiment="large"),
        ]
    )
    listed = at_the_cap(table)
    assert listed[["experiment", "depth", "flows", "end_loss"]].to_numpy().tolist() == [
        ["large", 2, 1, 3.0],
        ["speed", 2, 2, 1.5],
    ]
    assert at_the_cap(table[table["depth"] == 4]).empty
