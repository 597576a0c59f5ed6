"""Checking a configuration before anything runs: messages name the key and what is allowed.

The schema (config/schema.yaml) is strict. What JSON Schema cannot say, such as that a dataset must
be in the catalogue, is checked here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from gnn_dynamics.errors import UserError
from gnn_dynamics.experiments import blocks
from gnn_dynamics.tables import TABLES

NAMES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "above",
    "exclusiveMaximum": "below",
}


def _pattern(validator: Any, pattern: str, text: Any, schema: Any) -> Iterator[ValidationError]:
    """As in JSON Schema, where `$` is the end; in Python it stands before a last newline, too."""
    if isinstance(text, str) and (text.endswith("\n") or not re.search(pattern, text)):
        yield ValidationError(f"{text!r} does not match {pattern!r}")


VALIDATOR = validators.extend(Draft202012Validator, {"pattern": _pattern})


def read_yaml(path: str | Path) -> Any:
    """The content of a YAML file."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def read_checked(path: str | Path, schema: str | Path) -> Any:
    """The content of a YAML file that has its own strict schema.

    Raises:
        UserError: naming the file, every wrong key and what is allowed there.
    """
    content = read_yaml(path)
    problems = schema_problems(content, read_yaml(schema))
    if problems:
        raise UserError("\n  ".join([f"{path}:", *problems]))
    return content


def check_config(
    config: Mapping[str, Any], schema: Mapping[str, Any], datasets: Iterable[str]
) -> None:
    """Check a configuration against the schema and the names of the known datasets.

    Raises:
        UserError: naming every wrong key (up to ten), its value and the allowed ones.
    """
    _refuse(schema_problems(config, schema))
    names = [*_table_name(config), *_unknown_datasets(config, set(datasets))]
    _refuse([*names, *_step_sizes(config)])
    blocks(config)


def _table_name(config: Mapping[str, Any]) -> Iterator[str]:
    """A file's table is told by the folders that it lies in, and the run's name is one of them."""
    if config["run"] in TABLES:
        yield f"run: '{config['run']}' is the name of a table; choose another, such as my-run"


def without_left_out(config: Mapping[str, Any]) -> dict[str, Any]:
    """A checked configuration with `leave_out` carried out: what is left is what is run."""
    dropped = set(config.get("leave_out", []))
    experiments = []
    for experiment in config["experiments"]:
        kept = [name for name in experiment["datasets"] if name not in dropped]
        if kept:
            experiments.append({**experiment, "datasets": kept})
    return {**config, "leave_out": [], "experiments": experiments}


def schema_problems(content: Any, schema: Mapping[str, Any]) -> list[str]:
    """What a strict schema finds wrong, one message a key, in the order of the keys."""
    errors = sorted(VALIDATOR(schema).iter_errors(content), key=_position)
    return [line for error in errors for line in _messages(error, content)]


def _refuse(problems: list[str]) -> None:
    if problems:
        more = [f"... and {len(problems) - 10} more"] if len(problems) > 10 else []
        raise UserError("\n  ".join(["wrong configuration:", *problems[:10], *more]))


def _position(error: ValidationError) -> list[str]:
    return [str(step) for step in error.absolute_path]


def _place(steps: Iterable[str | int], config: Any) -> str:
    """`experiments[curves].seed[2]`: experiments by name, other entries by number."""
    place, node = "", config
    for step in steps:
        node = node[step]
        if isinstance(step, int):
            name = node.get("name", step) if isinstance(node, Mapping) else step
            place += f"[{name}]"
        else:
            place += f".{step}" if place else step
    return place


def _messages(error: ValidationError, config: Any) -> Iterator[str]:
    place = _place(error.absolute_path, config)
    if error.validator == "additionalProperties":
        allowed = sorted(error.schema["properties"])
        for key in error.instance:
            if key not in allowed:
                full = f"{place}.{key}" if place else key
                yield f"{full}: there is no such key{_suggest(key, allowed)}"
    elif error.validator == "required":
        absent = [key for key in error.validator_value if key not in error.instance]
        yield f"{place or 'top level'}: missing {', '.join(absent)}"
    else:
        yield f"{place}: {_explain(error)}{_hint(error)}"


def _explain(error: ValidationError) -> str:
    value, rule = error.instance, error.validator_value
    match error.validator:
        case "enum":
            return f"{value!r} is not allowed{_suggest(value, rule)}"
        case "type":
            names = " or ".join(NAMES[t] for t in ([rule] if isinstance(rule, str) else rule))
            return f"must be {names}, not {value!r}"
        case "pattern":
            meant = error.schema.get("description", "")
            return f"{value!r} does not have the form {rule}{meant and f' ({meant})'}"
        case "minItems" | "minLength":
            return "must not be empty"
        case "uniqueItems":
            return f"has a value twice: {value!r}"
        case kind if kind in BOUNDS:
            return f"must be {BOUNDS[kind]} {rule}, not {value!r}"
    return error.message


def _suggest(value: Any, allowed: Iterable[Any]) -> str:
    allowed = [str(choice) for choice in allowed]
    close = get_close_matches(str(value), allowed, n=1)
    question = f"; did you mean {close[0]}?" if close else ""
    return f"{question} (allowed: {', '.join(allowed)})"


def _hint(error: ValidationError) -> str:
    """Two traps of YAML: `true` is a truth value, and `1e-4` is text."""
    if isinstance(error.instance, bool) and "true" in error.schema.get("enum", ()):
        return '; write "true" in quotes'
    if error.validator == "type" and isinstance(error.instance, str) and "number" in str(error):
        return "; YAML needs a point in 1.0e-4" if "e" in error.instance.lower() else ""
    return ""


def _unknown_datasets(config: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    for key in ("datasets", "leave_out"):
        for name in config.get(key, []):
            if name not in known:
                yield f"{key}: there is no dataset {name!r}{_suggest(name, sorted(known))}"
    allowed = [*config["datasets"], *config.get("leave_out", [])]
    for experiment in config["experiments"]:
        place = f"experiments[{experiment['name']}].datasets"
        for name in experiment["datasets"]:
            if name not in known:
                yield f"{place}: there is no dataset {name!r}{_suggest(name, sorted(known))}"
            elif name not in allowed:
                yield f"{place}: {name!r} is not in `datasets`; add it there, or to `leave_out`"


def _step_sizes(config: Mapping[str, Any]) -> Iterator[str]:
    for experiment in config["experiments"]:
        steps_by_rate = [name for name in experiment["optimizer"] if name != "flow"]
        if steps_by_rate and "lr" not in experiment:
            yield f"experiments[{experiment['name']}]: missing lr, for {', '.join(steps_by_rate)}"
        if not steps_by_rate and "lr" in experiment:
            yield f"experiments[{experiment['name']}].lr: gradient flow has no step size; delete it"
