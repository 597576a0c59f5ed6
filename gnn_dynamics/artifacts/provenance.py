"""What made a file: config, code, versions, device, precision and checksums of the source data.

No time, no host, no path: equal runs give equal provenance.
"""

import hashlib
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gnn_dynamics import __version__
from gnn_dynamics.artifacts.files import to_json
from gnn_dynamics.artifacts.npz import read_about
from gnn_dynamics.artifacts.parquet import table_provenance

# Settings that repeat others: the rows contain their blocks, the experiments the cells.
DERIVED = ("blocks", "cells")
PACKAGES = ("matplotlib", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "torch")


def describe(
    rule: str,
    wildcards: Mapping[str, str],
    params: Mapping[str, Any],
    inputs: Iterable[str | Path],
    precision: str = "float64",
) -> dict[str, Any]:
    """Provenance of a job's outputs; checksums of the source data are inherited from its inputs.

    `made_from` lists rule, code and config of all earlier jobs, each once, so that a file documents
    its whole history. `params` are all that a rule takes from the config, plus `code`, the digest
    of its source, and `source`, which the graph contains. A rule without a device runs on the CPU.
    """
    config = {name: value for name, value in params.items() if name not in ("code", "source")}
    inherited = [made for path in inputs if (made := _inherited(Path(path)))]
    identifying = ("config_hash", "code", "inputs_hash", "datasets")
    identities = [
        [one.get(key) for key in identifying] for made in inherited for one in _by_block(made)
    ]
    datasets = [item for made in inherited for item in made.get("datasets", {}).items()]
    return {
        "workflow": "gnn-dynamics",
        "workflow_version": __version__,
        "rule": rule,
        "wildcards": dict(wildcards),
        "config": config,
        "config_hash": digest(config),
        "code": params.get("code"),
        "made_from": _steps_before(inherited),
        "inputs_hash": digest(sorted({to_json(identity) for identity in identities})),
        "device": _union(inherited, "device", params.get("device", "cpu")),
        "precision": _union(inherited, "precision", precision),
        "datasets": dict(sorted(datasets)),
        "packages": {name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
    }


def of_block(made: Mapping[str, Any], block: str) -> dict[str, Any]:
    """Provenance of one of a job's `blocks`: the same, whatever else the job trains."""
    config = {**made["config"], "blocks": [block]}
    if "functions" in config:  # digests of own functions by block
        config["functions"] = config["functions"].get(block, {})
    return {**made, "wildcards": {}, "config": config, "config_hash": digest(config)}


def _by_block(made: dict[str, Any]) -> list[dict[str, Any]]:
    """A file of several blocks counts as several, so that it does not matter which share a job."""
    blocks = made.get("config", {}).get("blocks", [])
    return [of_block(made, block) for block in blocks] or [made]


def digest(value: Any) -> str:
    """First 12 hexadecimal digits of the SHA-256 of a value's JSON."""
    return hashlib.sha256(to_json(value).encode()).hexdigest()[:12]


def _inherited(path: Path) -> dict[str, Any]:
    if path.suffix == ".parquet":
        return table_provenance(path)
    if path.suffix == ".npz":
        about = read_about(path)
        return {"datasets": {about["name"]: about["facts"]["sha256"]}}
    return {}


def _steps_before(inherited: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rule, code and config of all jobs that the inputs come from, sorted, each once."""
    steps: dict[str, dict[str, Any]] = {}
    for made in inherited:
        own = _by_block(made) if "rule" in made else []
        for step in [*made.get("made_from", ()), *own]:
            config = {key: v for key, v in step["config"].items() if key not in DERIVED}
            plain = {"rule": step["rule"], "code": step["code"], "config": config}
            steps[to_json(plain)] = plain
    return [steps[key] for key in sorted(steps, key=lambda key: (steps[key]["rule"], key))]


def _union(inherited: list[dict], key: str, own: str) -> str:
    """All values that a job and its inputs have, usually one: `cpu`, or `cpu, cuda`."""
    values = {own}
    for made in inherited:
        values.update(made.get(key, own).split(", "))
    return ", ".join(sorted(values))
