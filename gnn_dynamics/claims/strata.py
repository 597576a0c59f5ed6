"""Rows of evidence by network: which stratum leads, which rows decide, which seeds disagree."""

from typing import Any

import pandas as pd

from gnn_dynamics.claims.evidence import HALVES
from gnn_dynamics.claims.names import name
from gnn_dynamics.claims.units import MEASURES, OPEN

NETWORK = ["aggregation", "activation", "multiscale"]
# Measures that are no endpoint, and are reported beside the primary ones of their claim.
BESIDE = ("accuracy", "deep_steps", "validated_steps")


def networks(primary: pd.DataFrame) -> dict[str, list[pd.DataFrame]]:
    """The primary strata of each network, by its name; GCN, linear and skips come first.

    Strata are in the order of MEASURES, then of initialisations; one with a finding leads.
    """
    found, order_of = [], list(MEASURES)
    for key, part in primary.groupby(NETWORK, dropna=False):
        strata = [stratum for _, stratum in part.groupby(["measure", "init"])]
        strata.sort(key=lambda stratum: order_of.index(stratum["measure"].iloc[0]))
        strata.sort(key=lambda stratum: not _decided(stratum))
        aggregation, activation, multiscale = key
        without = not pd.isna(multiscale) and not multiscale
        order = (aggregation != "gcn", aggregation, activation != "linear", without)
        found.append((order, network_name(*key), strata))
    found.sort(key=lambda entry: entry[0])
    return {network: strata for _, network, strata in found}


def _decided(stratum: pd.DataFrame) -> bool:
    return bool((judged(stratum)["finding"] != OPEN).any())


def judged(stratum: pd.DataFrame) -> pd.DataFrame:
    """The rows that decide: pooled ones, or graphs where nothing was pooled."""
    return stratum[stratum["judged"]]


def network_name(aggregation: str, activation: str, multiscale: Any) -> str:
    """`GCN`, `ReLU GIN without skips`."""
    skips = "" if pd.isna(multiscale) else f" {'with' if multiscale else 'without'} skips"
    return f"{'ReLU ' if activation == 'relu' else ''}{name(aggregation)}{skips}"


def beside(rows: pd.DataFrame, lead: pd.DataFrame) -> list[pd.DataFrame]:
    """The strata of the measures BESIDE that belong to a leading one, of all depths together."""
    keys = [*NETWORK, "init"]
    rows = rows[rows["depth"].isna()].merge(lead[keys].drop_duplicates(), on=keys)
    strata = [rows[rows["measure"] == measure] for measure in BESIDE]
    return [stratum for stratum in strata if len(stratum)]


def disagree(rows: pd.DataFrame) -> pd.Series:
    """Whether both halves of the seeds give a finding, and not the same."""
    one, other = (rows[half].fillna(OPEN) for half in HALVES)
    return (one != other) & (one != OPEN) & (other != OPEN)
