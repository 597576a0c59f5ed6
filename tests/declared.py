"""The declarations of all tables, by name."""

from gnn_dynamics.claims.bounds import BOUNDS_TABLE
from gnn_dynamics.claims.comparisons import COMPARISONS
from gnn_dynamics.claims.evidence import EVIDENCE
from gnn_dynamics.claims.guarantees import DESCENT_LIMITS, GUARANTEES
from gnn_dynamics.claims.rankings import PREDICTIONS
from gnn_dynamics.claims.verdicts import CLAIMS
from gnn_dynamics.data.graph_facts import GRAPHS
from gnn_dynamics.runs.tables import BLOCK_TABLES
from gnn_dynamics.spectra.graph_condition import GRAPH_CONDITION
from gnn_dynamics.spectra.label_alignment import ALIGNMENT
from gnn_dynamics.spectra.optimum import OPTIMUM
from gnn_dynamics.theory.negative_results import NEGATIVE_CURVES, NEGATIVE_RESULTS

TABLES = {
    "graphs": GRAPHS,
    "graph_condition": GRAPH_CONDITION,
    "optimum": OPTIMUM,
    "alignment": ALIGNMENT,
    **BLOCK_TABLES,
    "bounds": BOUNDS_TABLE,
    "guarantees": GUARANTEES,
    "descent_limits": DESCENT_LIMITS,
    "negative_results": NEGATIVE_RESULTS,
    "negative_curves": NEGATIVE_CURVES,
    "comparisons": COMPARISONS,
    "evidence": EVIDENCE,
    "predictions": PREDICTIONS,
    "claims": CLAIMS,
}
