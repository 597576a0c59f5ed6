"""Read the tables of figures: only the rows that some figure shows, which saves memory."""

from pathlib import Path

import pandas as pd
import pyarrow.compute as pc
from pyarrow.dataset import field

from gnn_dynamics.artifacts.parquet import read_table


def _named(*experiments: str) -> pc.Expression:
    return pc.match_substring_regex(field("experiment"), f"^({'|'.join(experiments)})(-|$)")


SHOWN = {
    "training": _named("curves", "labels") | (field("optimizer") == "gd"),
    "gradient_terms": _named("terms", "labels"),
}


def read(path: str | Path) -> pd.DataFrame:
    """The rows of a table that figures show.

    Raises:
        UserError: if the file is damaged.
    """
    return read_table(path, filters=SHOWN.get(Path(path).stem))
