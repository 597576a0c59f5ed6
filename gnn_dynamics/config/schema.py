"""Validation of YAML by a strict JSON Schema; messages name the key and the allowed values."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from gnn_dynamics.config.choices import allowed, not_allowed, suggest
from gnn_dynamics.errors import UserError

SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # that of libyaml is ten times faster
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
    """Patterns of JSON Schema, in which `$` is the end; in Python also before a last newline."""
    if isinstance(text, str) and (text.endswith("\n") or not re.search(pattern, text)):
        yield ValidationError(f"{text!r} does not match {pattern!r}")


def _choice(validator: Any, key: str, name: Any, schema: Any) -> Iterator[ValidationError]:
    """`choice: key`: a name of a function for this key, see choices.py."""
    if isinstance(name, str) and not allowed(key, name):
        yield ValidationError(not_allowed(key, name))


VALIDATOR = validators.extend(Draft202012Validator, {"pattern": _pattern, "choice": _choice})


def read_yaml(path: str | Path) -> Any:
    """The content of a YAML file."""
    return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=SAFE_LOADER)


def read_checked(path: str | Path) -> Any:
    """The content of `name.yaml`, validated by the file `name.schema.yaml` beside it.

    Raises:
        UserError: naming the file, every wrong key and the allowed values.
    """
    content = read_yaml(path)
    problems = schema_problems(content, read_yaml(Path(path).with_suffix(".schema.yaml")))
    if problems:
        raise UserError("\n  ".join([f"{path}:", *problems]))
    return content


def schema_problems(content: Any, schema: Mapping[str, Any]) -> list[str]:
    """One message for each wrong key, in the order of the keys; [] for valid content."""
    errors = VALIDATOR(schema).iter_errors(content)
    in_order = sorted(errors, key=lambda error: list(map(str, error.absolute_path)))
    return [line for error in in_order for line in _messages(error, content)]


def _key_path(steps: Iterable[str | int], config: Any) -> str:
    """`experiments[curves].seed[2]`: experiments by name, other entries by number."""
    path, node = "", config
    for step in steps:
        node = node[step]
        if isinstance(step, int):
            name = node.get("name", step) if isinstance(node, Mapping) else step
            path += f"[{name}]"
        else:
            path += f".{step}" if path else step
    return path


def _violation(error: ValidationError) -> tuple[Any, Any, Any]:
    """The value, the rule that it violates, and their schema; jsonschema types them as optional."""
    return error.instance, error.validator_value, error.schema


def _messages(error: ValidationError, config: Any) -> Iterator[str]:
    path, (value, rule, schema) = _key_path(error.absolute_path, config), _violation(error)
    if error.validator == "additionalProperties":
        allowed = sorted(schema["properties"])
        for key in value:
            if key not in allowed:
                full = f"{path}.{key}" if path else key
                yield f"{full}: there is no such key{suggest(key, allowed)}"
    elif error.validator == "required":
        absent = [key for key in rule if key not in value]
        yield f"{path or 'top level'}: missing {', '.join(absent)}"
    else:
        yield f"{path or 'top level'}: {_explain(error)}{_hint(error)}"


def _explain(error: ValidationError) -> str:
    value, rule, schema = _violation(error)
    match error.validator:
        case "enum":
            return f"{value!r} is not allowed{suggest(value, rule)}"
        case "type":
            names = " or ".join(NAMES[t] for t in ([rule] if isinstance(rule, str) else rule))
            return f"must be {names}, not {value!r}"
        case "pattern":
            meaning = schema.get("description", "")
            return f"{value!r} does not have the form {rule}{meaning and f' ({meaning})'}"
        case "minItems" | "minLength":
            return "must not be empty"
        case "uniqueItems":
            return f"has a value twice: {value!r}"
        case kind if kind in BOUNDS:
            return f"must be {BOUNDS[kind]} {rule}, not {value!r}"
    return error.message


def _hint(error: ValidationError) -> str:
    """Advice on two traps of YAML: `true` is a truth value, and `1e-4` is text."""
    value, _, schema = _violation(error)
    if isinstance(value, bool) and "true" in schema.get("enum", ()):
        return '; write "true" in quotes'
    if error.validator == "type" and isinstance(value, str) and "number" in str(error):
        return "; YAML needs a point in 1.0e-4" if "e" in value.lower() else ""
    return ""
