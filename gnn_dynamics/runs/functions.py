"""The registries of the keys that choose a function (config/choices.py)."""

from collections.abc import Iterable, Mapping
from typing import Any

from gnn_dynamics.config.functions import Registry
from gnn_dynamics.dynamics.steppers import STEPPERS
from gnn_dynamics.models.activations import ACTIVATIONS
from gnn_dynamics.models.initialise import INITIALISATIONS
from gnn_dynamics.models.losses import LOSSES
from gnn_dynamics.problem.aggregations import AGGREGATIONS
from gnn_dynamics.problem.features import FEATURES

REGISTRIES: dict[str, Registry[Any]] = {
    registry.key: registry
    for registry in (AGGREGATIONS, FEATURES, INITIALISATIONS, LOSSES, STEPPERS, ACTIVATIONS)
}


def refresh(names: Mapping[str, Iterable[str]]) -> None:
    """Read and try own functions by key, again if their files have changed.

    Raises:
        UserError: see `Registry.refresh`.
    """
    for key, functions in names.items():
        for name in functions:
            REGISTRIES[key].refresh(name)
