"""Types of the columns that identify a run, or a cell of the spectral tables."""

from gnn_dynamics.artifacts.table import FLAG, INTEGER, REAL, TEXT
from gnn_dynamics.config.grid import KEYS, OPTIMUM_KEYS, SPECTRAL_KEYS

RUN = dict.fromkeys(KEYS, TEXT) | {
    "multiscale": FLAG,
    "depth": INTEGER,
    "width": INTEGER,
    "lr": REAL,
    "seed": INTEGER,
}
SPECTRAL = {key: RUN[key] for key in SPECTRAL_KEYS}
OPTIMUM = {key: RUN[key] for key in OPTIMUM_KEYS}
