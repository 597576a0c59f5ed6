"""Own functions in a configuration: they are tried before anything runs, and reruns follow them.

The digest of a function's file, and of the modules beside it that it imports, is a param of the
rules that call the function.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gnn_dynamics.artifacts.code_digest import code_digest
from gnn_dynamics.config.choices import is_own, own_file
from gnn_dynamics.config.grid import Block, own_functions

Digests = dict[str, str]  # `file.py:function` -> digest of the file


def check_functions(config: Mapping[str, Any]) -> None:
    """Read and try every own function of a configuration.

    Raises:
        UserError: naming the first that is missing or does not fit, and what is expected.
    """
    found = list(in_config(config))
    if any(found):  # else torch is not imported
        from gnn_dynamics.runs.functions import refresh

        for functions in found:
            refresh(functions)


def in_config(config: Mapping[str, Any]) -> Iterator[dict[str, list[str]]]:
    """The own functions of each experiment and of the graph condition, by key."""
    yield from map(own_functions, config["experiments"])
    grid = config["graph_condition"]
    for lists in (grid, grid.get("all_nodes", {})):
        renamed = {
            "aggregation": lists.get("aggregations", ()),
            "features": lists.get("features", ()),
        }
        yield own_functions(renamed)


def block_digests(experiment: Mapping[str, Any], blocks: Iterable[Block]) -> dict[str, Digests]:
    """The digests for each block that uses own functions, by its id."""
    found = {}
    for block in blocks:
        model = {"aggregation": [block.aggregation], "activation": [block.activation]}
        own = own_functions({**experiment, **model})
        if own:
            found[block.id] = digests(name for names in own.values() for name in names)
    return found


def cell_digests(cells: Iterable[Mapping[str, Any]]) -> Digests:
    """The digests for cells with an aggregation and features."""
    return digests(cell[key] for cell in cells for key in ("aggregation", "features"))


def grid_digests(config: Mapping[str, Any]) -> Digests:
    """The digests for the graph condition."""
    only = {"graph_condition": config["graph_condition"], "experiments": []}
    return digests(name for own in in_config(only) for names in own.values() for name in names)


def digests(names: Iterable[str]) -> Digests:
    """The digest of the file of each own function among the names."""
    files = {name: own_file(name).resolve() for name in sorted(set(names)) if is_own(name)}
    return {name: code_digest(file, file.parent) for name, file in files.items()}
