"""Checking a configuration before anything runs: messages name the key and what is allowed.

The schema (config/schema.yaml) is strict. What JSON Schema cannot say, such as that a dataset must
be in the catalogue, is checked here.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gnn_dynamics.config.choices import own_file, suggest
from gnn_dynamics.config.grid import blocks, precision_problems, theorem_problems
from gnn_dynamics.config.schema import schema_problems
from gnn_dynamics.errors import UserError
from gnn_dynamics.workflow.own_functions import in_config

ABSOLUTE = "write the absolute path if that is meant"


def check_config(
    config: Mapping[str, Any], schema: Mapping[str, Any], datasets: Iterable[str]
) -> None:
    """Check a configuration against the schema and the names of the known datasets.

    Raises:
        UserError: naming every wrong key (up to ten), its value and the allowed ones.
    """
    _refuse(schema_problems(config, schema))
    theorems = (*_precisions(config), *_observed(config))
    _refuse([*_unknown_datasets(config, set(datasets)), *_step_sizes(config), *theorems])
    blocks(config)


def without_left_out(config: Mapping[str, Any]) -> dict[str, Any]:
    """A checked configuration without the datasets of `leave_out`, as it is run."""
    dropped = set(config.get("leave_out", []))
    experiments = [
        {**experiment, "datasets": kept}
        for experiment in config["experiments"]
        if (kept := [name for name in experiment["datasets"] if name not in dropped])
    ]
    return {**config, "leave_out": [], "experiments": experiments}


def check_paths(
    config: Mapping[str, Any], catalogue: Mapping[str, Mapping[str, Any]], folder: Path
) -> None:
    """Check that no relative path leaves the folder in which the workflow runs.

    The schemas refuse `..` and names that are not plain; only this function sees symbolic links. An
    absolute path is deliberate and allowed. `results` itself may be a link to another disk.

    Raises:
        UserError: naming the key, its path and where that leads.
    """
    results = folder / "results"
    _stays("run", results / config["run"], results, "choose another name or remove the link")
    for name in config["datasets"]:
        own = catalogue[name]["files"] if catalogue[name]["reader"] == "own" else {}
        for role, path in own.items():
            if not Path(path).is_absolute():
                _stays(f"{name}.files.{role}", folder / path, folder, ABSOLUTE)
    for name in {name for own in in_config(config) for names in own.values() for name in names}:
        if not own_file(name).is_absolute():
            _stays(name, folder / own_file(name), folder, ABSOLUTE)


def _stays(key: str, path: Path, folder: Path, remedy: str) -> None:
    target = path.resolve()
    if not target.is_relative_to(folder.resolve()):
        raise UserError(
            f"{key}: {path.relative_to(folder)} is a link that leads out of {folder.name}/, to"
            f" {target}; {remedy}"
        )


def _refuse(problems: list[str]) -> None:
    if problems:
        more = [f"... and {len(problems) - 10} more"] if len(problems) > 10 else []
        raise UserError("\n  ".join(["wrong configuration:", *problems[:10], *more]))


def _unknown_datasets(config: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    listed = [(key, config.get(key, [])) for key in ("datasets", "leave_out")]
    used = [(f"experiments[{e['name']}].datasets", e["datasets"]) for e in config["experiments"]]
    for key, names in (*listed, *used):
        for name in names:
            if name not in known:
                yield f"{key}: there is no dataset {name!r}{suggest(name, sorted(known))}"
            elif not any(name in allowed for _, allowed in listed):
                yield f"{key}: {name!r} is not in `datasets`; add it there, or to `leave_out`"


def _step_sizes(config: Mapping[str, Any]) -> Iterator[str]:
    for experiment in config["experiments"]:
        steps_by_rate = [name for name in experiment["optimizer"] if name != "flow"]
        if steps_by_rate and "lr" not in experiment:
            yield f"experiments[{experiment['name']}]: missing lr, for {', '.join(steps_by_rate)}"
        if not steps_by_rate and "lr" in experiment:
            yield f"experiments[{experiment['name']}].lr: gradient flow has no step size; delete it"


def _precisions(config: Mapping[str, Any]) -> Iterator[str]:
    for experiment in config["experiments"]:
        for problem in precision_problems(experiment):
            yield f"experiments[{experiment['name']}].precision: {problem}"


def _observed(config: Mapping[str, Any]) -> Iterator[str]:
    for experiment in config["experiments"]:
        for problem in theorem_problems(experiment):
            yield f"experiments[{experiment['name']}].observe: {problem}"
