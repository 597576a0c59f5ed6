"""A digest of the code that a script runs: itself and the modules of the package that it imports.

Snakemake compares scripts by their time stamps and does not look at imported modules. With this
digest among a rule's params, a rule reruns exactly when its code has changed. Imports are found by
reading the files, without importing anything. Comments, layout and docstrings do not count, nor do
the names that a package exports lazily: a script imports modules.
"""

import ast
import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = "gnn_dynamics"
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")  # where statements hold statements
LAZY = ("_PUBLIC", "__all__", "__getattr__", "__dir__")  # export names, in an `__init__.py`


def code_digest(script: Path, root: Path) -> str:
    """12 hexadecimal digits for `script` and all that it imports from its folder and the package.

    A data file in the folder of a module (a template, a table) counts for the modules that name it,
    and for the data files that do.

    script: a script, or a module of the package.  root: the folder that contains the package.
    """
    root = root.resolve()
    modules = _closure([script.resolve()], lambda path: _imported(path, root))
    data = _closure(modules, _named_data) - modules
    lines = [f"{path.relative_to(root).as_posix()} {_meaning(path)}" for path in modules | data]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:12]


def _closure(start: Iterable[Path], following: Callable[[Path], Iterable[Path]]) -> set[Path]:
    """The paths of `start` and all that follow from them."""
    reached: set[Path] = set()
    waiting = list(start)
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += following(path)
    return reached


@cache
def _tree(path: Path) -> ast.Module:
    """The syntax tree of a module, without docstrings and the version number."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    for node in _statements(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [line for line in node.body if not _is_ignored(line)]
    if path.name == "__init__.py":
        tree.body = [line for line in tree.body if _defined(line) not in LAZY]
    return tree


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """A module and all its statements; a tenth of what `ast.walk` visits."""
    yield node
    for name in BLOCKS:
        for statement in getattr(node, name, ()):
            yield from _statements(statement)


def _defined(line: ast.stmt) -> str:
    """The name that a line defines; empty for other lines."""
    if isinstance(line, ast.FunctionDef):
        return line.name
    return ast.unparse(line.targets[0]) if isinstance(line, ast.Assign) else ""


def _is_ignored(line: ast.stmt) -> bool:
    if isinstance(line, ast.Expr):
        return isinstance(line.value, ast.Constant)
    # The version names the code; it does not change what the code does.
    return _defined(line) == "__version__"


@cache
def _meaning(path: Path) -> str:
    """Digest of a module's syntax tree, or of the bytes of a data file."""
    is_module = path.suffix == ".py"
    content = ast.dump(_tree(path)).encode() if is_module else path.read_bytes()
    return hashlib.sha256(content).hexdigest()


@cache
def _imported(path: Path, root: Path) -> list[Path]:
    """Files of the package, or beside the script, that a file imports, anywhere in its text."""
    files = []
    for name in _imported_names(path, root):
        sibling = path.parent / f"{name}.py"
        if name.split(".")[0] == PACKAGE:
            files += _module_files(name, root)
        elif "." not in name and not (path.parent / "__init__.py").exists() and sibling.is_file():
            files.append(sibling)
    return files


def _imported_names(path: Path, root: Path) -> Iterator[str]:
    for node in _statements(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                folder = path.parents[node.level - 1].relative_to(root)
                module = ".".join([*folder.parts, *filter(None, [module])])
            yield module
            # `from package import name`: the name may be a module.
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _module_files(name: str, root: Path) -> list[Path]:
    """The module's file and the `__init__.py` of every package around it."""
    parts = name.split(".")
    bases = [root.joinpath(*parts[:end]) for end in range(1, len(parts) + 1)]
    files = [file for base in bases for file in (base / "__init__.py", base.with_suffix(".py"))]
    return [file for file in files if file.is_file()]


@cache
def _named_data(path: Path) -> list[Path]:
    """Data files of the folder, and of its folders that are no packages, that a file names."""
    files = _data_files(path.parent)
    if not files:
        return []
    if path.suffix != ".py":
        text = path.read_text("utf-8", "replace")
    elif (path.parent / "__init__.py").is_file():
        constants = [node.value for node in ast.walk(_tree(path)) if isinstance(node, ast.Constant)]
        text = "\n".join(value for value in constants if isinstance(value, str))
    else:
        return []
    return [file for file in files if file.name in text]


@cache
def _data_files(folder: Path) -> list[Path]:
    files = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").is_file():
            files += _data_files(path)
        elif path.is_file() and path.suffix not in (".py", ".pyc"):
            files.append(path)
    return files
