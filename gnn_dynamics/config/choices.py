"""The six keys that choose a function: by a built-in name, or as `file.py:function`.

Imports neither torch nor the modules of the built-in functions, so that the workflow can check
names while it is parsed: it reads them from the text of these modules.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = Path(__file__).resolve().parents[1]
# Plain names, so that `path_part` is unique; no `..` and no hidden folder.
OWN = re.compile(r"/?(?:[A-Za-z0-9_][\w.-]*/)*[A-Za-z0-9_][\w.-]*\.py:[A-Za-z_]\w*", re.ASCII)
OWN_FORM = "file.py:function"
FAMILY = re.compile(r"(.+)-([1-9][0-9]*)", re.ASCII)  # `pca-32` is the entry `pca-<r>`
IN_PATHS = str.maketrans({"/": "+", ":": "+", "-": "~"})


class Choice(NamedTuple):
    """What a key chooses from, and what an own function for it must be (docs/extend.md).

    module, registry: the dictionary of its functions;  others: names that stand for no function
    arguments: of an own function;  variadic: whether it may take more, as states
    result: what it returns
    """

    module: str
    registry: str
    arguments: tuple[str, ...]
    result: str
    variadic: bool = False
    others: tuple[str, ...] = ()

    @property
    def signature(self) -> str:
        """In words, for messages."""
        more = ", *states" if self.variadic else ""
        return f"({', '.join(self.arguments)}{more}) -> {self.result}"


CHOICES = {
    "aggregation": Choice(
        "problem/aggregations.py",
        "AGGREGATIONS",
        ("adjacency",),
        "sparse S (n, n), or (c n, c n) for c copies of each node",
    ),
    "features": Choice(
        "problem/features.py", "FEATURES", ("X",), "features (n, m), a row for each node"
    ),
    "init": Choice(
        "models/initialise.py",
        "INITIALISATIONS",
        ("generator", "kind", "rows", "columns"),
        "array (rows, columns), drawn from the generator alone",
    ),
    "loss_fn": Choice(
        "models/losses.py",
        "LOSSES",
        ("Yhat", "Y"),
        "loss (K,), each at least 0, or (loss, derivative by Yhat)",
    ),
    "optimizer": Choice(
        "dynamics/steppers.py",
        "STEPPERS",
        ("gradient", "t"),
        "update like the gradient, or (update, *states)",
        variadic=True,
        others=("flow",),
    ),
    "activation": Choice(
        "models/activations.py",
        "ACTIVATIONS",
        ("Z",),
        "values like Z, number by number, or (values, adjoint)",
    ),
}


@cache
def built_in(key: str) -> tuple[str, ...]:
    """The built-in names of a key, in order; `pca-<r>` stands for all numbers r."""
    choice = CHOICES[key]
    tree = ast.parse((PACKAGE / choice.module).read_text(encoding="utf-8"))
    return (*choice.others, *_keys(tree, choice.registry))


def _keys(tree: ast.Module, registry: str) -> Iterator[str]:
    """The keys of the dictionary that is assigned to a name."""
    for line in tree.body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == registry:
            (entries,) = (node for node in ast.walk(line) if isinstance(node, ast.Dict))
            yield from (ast.literal_eval(name) for name in entries.keys if name)
            return


def is_own(name: str) -> bool:
    """Whether a value of such a key is a function of the user's: `file.py:function`."""
    return ":" in name


def own_file(name: str) -> Path:
    """The file of `file.py:function`; a relative path is relative to the working directory."""
    return Path(name.rpartition(":")[0])


def family(name: str) -> tuple[str, int] | None:
    """Entry and number of a name with a number: `pca-32` -> (`pca-<r>`, 32)."""
    match = FAMILY.fullmatch(name)
    return (f"{match[1]}-<r>", int(match[2])) if match else None


def allowed(key: str, name: str) -> bool:
    """Whether a name is built in, or has the form of an own function."""
    if is_own(name):
        return bool(OWN.fullmatch(name))
    member = family(name)
    names = built_in(key)
    return name in names if member is None else member[0] in names or name in names


def suggest(value: Any, allowed: Iterable[Any]) -> str:
    """The end of a message about a wrong word: the nearest allowed word, and all of them."""
    allowed = [str(choice) for choice in allowed]
    close = get_close_matches(str(value), allowed, n=1)
    question = f"; did you mean {close[0]}?" if close else ""
    return f"{question} (allowed: {', '.join(allowed)})"


def not_allowed(key: str, name: str) -> str:
    """The message about a wrong name for a key of choices.py."""
    return f"{name!r} is not allowed{suggest(name, [*built_in(key), OWN_FORM])}"


# Parts of paths ----------------------------------------------------------------------------------


def path_part(name: str) -> str:
    """A value as a part of paths, without `/`, `:` and `-`: `a/b-c.py:f` -> `a+b~c.py+f`."""
    return name.translate(IN_PATHS)


def from_path_part(part: str) -> str:
    """The inverse of `path_part`."""
    file, plus, function = part.replace("~", "-").rpartition("+")
    return f"{file.replace('+', '/')}:{function}" if plus else part
