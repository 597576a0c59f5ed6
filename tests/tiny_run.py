"""The smallest run that has every table and figure: its preset, and how tests write it."""

import yaml
from workflow_runs import Project

TRAINING = {
    "aggregation": ["gcn"],
    "features": ["standard"],
    "nodes": ["all"],
    "multiscale": [True, False],
    "activation": ["linear"],
    "depth": [2],
    "width": [16],
    "init": ["default"],
    "labels": ["true"],
    "seed": [0, 1],
    "steps": 20,
    "record": 5,
}
CROSS_ENTROPY = {"loss_fn": ["cross_entropy"], "optimizer": ["adam"], "lr": [0.001]}
SQUARED_FLOW = {"loss_fn": ["squared"], "optimizer": ["flow"], "observe": ["time_condition"]}
TINY = {
    "run": "tiny",
    "datasets": ["wine"],
    "leave_out": [],
    "graph_condition": {
        "aggregations": ["gcn"],
        "features": ["raw"],
        "nodes": ["train"],
        "depths": [0, 1, 2],
    },
    "experiments": [
        {
            "name": "curves",
            "activation": ["linear", "relu"],
            "job_per": "activation",
            **CROSS_ENTROPY,
        },
        {"name": "flow", "depth": [1, 2], **SQUARED_FLOW},
        {"name": "terms", "multiscale": [True], "observe": ["gradient_terms"], **CROSS_ENTROPY},
    ],
}
for number, entry in enumerate(TINY["experiments"]):
    TINY["experiments"][number] = TRAINING | {"datasets": ["wine"]} | entry


def write_preset(project: Project, config: dict) -> None:
    """Write the preset `tiny` of a project."""
    (project.folder / "config" / "tiny.yaml").write_text(yaml.safe_dump(config))


def with_experiment(name: str, **changes: object) -> dict:
    """TINY with other settings in one experiment."""
    return TINY | {
        "experiments": [
            entry | (changes if entry["name"] == name else {}) for entry in TINY["experiments"]
        ]
    }
