"""A digest of the code that a script runs: itself and the modules of the package that it imports.

Snakemake compares scripts by their time stamps and imported modules not at all. With this digest
among a rule's params, a rule reruns exactly when its code has changed. Found by reading, without
importing anything; comments, layout and docstrings do not count.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = "gnn_dynamics"


def code_digest(script: Path, root: Path) -> str:
    """12 hexadecimal digits for `script` and all it imports from its folder and from the package.

    `root` is the folder that holds the package. Files that lie in a package's folder beside its
    modules (templates, tables) count as parts of its modules.
    """
    files: set[Path] = set()
    waiting = [script.resolve()]
    while waiting:
        path = waiting.pop()
        if path not in files:
            files.add(path)
            waiting += _imported(path, root.resolve())
    companions = {data for path in files for data in _data_files(path.parent)}
    names = sorted((path.relative_to(root.resolve()).as_posix(), path) for path in files)
    data = sorted((path.relative_to(root.resolve()).as_posix(), path) for path in companions)
    text = [f"{name} {_meaning(path)}" for name, path in names]
    text += [f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for name, path in data]
    return hashlib.sha256("\n".join(text).encode()).hexdigest()[:12]


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def _meaning(path: Path) -> str:
    """Digest of the syntax tree without docstrings and without the version number."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [line for line in node.body if not _says_nothing(line)]
    return hashlib.sha256(ast.dump(tree, annotate_fields=False).encode()).hexdigest()


def _says_nothing(line: ast.stmt) -> bool:
    if isinstance(line, ast.Expr):
        return isinstance(line.value, ast.Constant)
    # The version names the code; it does not change what the code does.
    return isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "__version__"


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
    for node in ast.walk(_tree(path)):
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
    files = []
    for end in range(1, len(parts) + 1):
        base = root.joinpath(*parts[:end])
        files += [
            file for file in (base / "__init__.py", base.with_suffix(".py")) if file.is_file()
        ]
    return files


@cache
def _data_files(folder: Path) -> list[Path]:
    """Files other than Python in a package's folder, those of packages inside it excepted."""
    if not (folder / "__init__.py").is_file():
        return []
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").is_file():
            found += [p for p in sorted(path.rglob("*")) if p.is_file() and p.suffix != ".pyc"]
        elif path.is_file() and path.suffix not in (".py", ".pyc"):
            found.append(path)
    return found


def text_digest(files: Iterable[Path]) -> str:
    """12 hexadecimal digits for the content of some files, in the order given."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]
