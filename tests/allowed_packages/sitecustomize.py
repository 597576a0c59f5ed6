"""Hides every package that a GPU machine need not have; on PYTHONPATH, for a test.

NAMED is what `python -m benchmarks gpu` needs, with what these packages need themselves; PURE is
what is added to them as pure-Python wheels.
"""

import sys
from importlib.machinery import PathFinder

NAMED = {
    *("torch", "torchgen", "functorch", "triton", "numpy", "scipy", "pandas", "pyarrow"),
    "torch_geometric",
    # of torch and torch_geometric
    *("filelock", "fsspec", "jinja2", "markupsafe", "mpmath", "networkx", "sympy"),
    *("typing_extensions", "aiohttp", "psutil", "pyparsing", "requests", "urllib3", "certifi"),
    *("charset_normalizer", "idna", "tqdm", "xxhash"),
    *("dateutil", "six"),  # of pandas
}
PURE = {"pytest", "py", "pluggy", "iniconfig", "packaging", "pygments"}  # `py` is a file of pytest
FIRST_PARTY = {"benchmarks", "gnn_dynamics", "tests", "test_cuda"}


def is_allowed(name: str) -> bool:
    top = name.partition(".")[0]
    return top in NAMED | PURE | FIRST_PARTY | sys.stdlib_module_names or top.startswith("_")


class AllowedOnly(PathFinder):
    """The finder of sys.path, to which all other packages are absent."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return PathFinder.find_spec(name, path, target) if is_allowed(name) else None


sys.meta_path[sys.meta_path.index(PathFinder)] = AllowedOnly
