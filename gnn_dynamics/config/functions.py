"""Registries of the functions behind the keys of choices.py, and the loading of a user's own ones.

An own function is registered like a built-in one, under its name `file.py:function`, once its file
was read and a trial call has shown that it fits.
"""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, TypeVar

from gnn_dynamics.config.choices import CHOICES, Choice, family, is_own, not_allowed, own_file
from gnn_dynamics.errors import UserError

Entry = TypeVar("Entry")
Function = Callable[..., Any]


class Expect:
    """Raises a UserError that names an own function, unless what it does is as expected."""

    def __init__(self, key: str, name: str):
        self.about, self.signature = f"{key}: {name}", CHOICES[key].signature

    def __call__(self, fits: bool, otherwise: str) -> None:
        if not fits:
            raise UserError(f"{self.about}: {otherwise}; expected {self.signature}")


class Registry(dict[str, Entry]):
    """The entries of a key by name. An own function gets its entry when it is first asked for.

    adopt: (own function, expect) -> its entry, after a trial call.
    """

    def __init__(
        self, key: str, entries: Mapping[str, Entry], adopt: Callable[[Function, Expect], Entry]
    ) -> None:
        super().__init__(entries)
        self.key, self.adopt = key, adopt
        self.read: dict[str, bytes | None] = {}  # own name -> its file when it was read

    def __missing__(self, name: str) -> Entry:
        entry: Any
        member = family(name)
        if is_own(name):
            entry = self._adopted(name)
        elif member and member[0] in self:
            entry = self[member[0]]
            entry = partial(entry, r=member[1])
        else:
            raise UserError(f"{self.key}: {not_allowed(self.key, name)}")
        self[name] = entry
        return self[name]

    def refresh(self, name: str) -> Entry:
        """The entry of a name; an own function is read again if its file has changed.

        Raises:
            UserError: for an unknown name; for an own function naming what is missing, or what is
                wrong with its arguments or with the result of a trial call.
        """
        if name in self and is_own(name) and self.read[name] != _content(own_file(name)):
            del self[name]
        return self[name]

    def _adopted(self, name: str) -> Entry:
        path, function_name = own_file(name), name.rpartition(":")[2]
        expect = Expect(self.key, name)
        expect(path.is_file(), f"there is no file {path.absolute()}")
        self.read[name] = _content(path)
        try:
            function: Any = getattr(_module(path), function_name, None)
            expect(callable(function), f"{path.name} defines no function {function_name}")
            _check_arguments(function, CHOICES[self.key], expect)
            return self.adopt(function, expect)
        except UserError:
            raise
        except Exception as error:  # whatever the user's code raises
            text = f"{type(error).__name__}: {error}".splitlines()[0]
            expect(False, f"{text} (in the file, or in a call with a tiny example)")
            raise


def _content(path: Path) -> bytes | None:
    """The bytes of a file; None without a file."""
    return path.read_bytes() if path.is_file() else None


class _Uncached(SourceFileLoader):
    """Compiles a file each time: Python's cache takes two versions within a second for one."""

    def path_stats(self, path: str) -> Mapping[str, Any]:
        raise OSError("no times, so no cache")


def _module(path: Path) -> Any:
    """The module in a file. As in a script, it may import modules that lie beside it."""
    loader = _Uncached(f"own_{path.stem}", str(path))
    spec = spec_from_file_location(loader.name, path, loader=loader)
    assert spec  # for any file
    module = module_from_spec(spec)
    with _first_on_path(path.parent.resolve()):
        loader.exec_module(module)
    return module


@contextmanager
def _first_on_path(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _check_arguments(function: Function, choice: Choice, expect: Expect) -> None:
    """Whether a function takes the arguments, and needs no others unless it may."""
    signature = inspect.signature(function)
    try:
        signature.bind(*choice.arguments, *[None] * states(function, choice))
    except TypeError:
        expect(False, f"its arguments are {signature}")


def states(function: Function, choice: Choice) -> int:
    """How many arguments without a default follow those of the choice, if they are allowed."""
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    needed = [p for p in parameters if p.kind in plain and p.default is p.empty]
    return max(len(needed) - len(choice.arguments), 0) if choice.variadic else 0
