"""Tables with all their rows, which grid.js draws, sorts and filters in the page.

The page has the rows once, as JSON: for each column the numbers, or the distinct values in order
and for each row the place of its value.
"""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from gnn_dynamics.claims.names import name
from gnn_dynamics.summaries.select import ordered

DIGITS = 3  # of measured numbers; the tables of the run have all
FEW = 12  # a column with at most as many values has a menu of them

Grid = dict[str, Any]


def grid(frame: pd.DataFrame, titles: Mapping[str, str]) -> Grid:
    """The rows of a table with the columns of `titles` that differ between rows.

    Returns:
        `columns`, each with `key`, `title`, `values` (null for a column of many numbers) and
        `data`; `count` of rows; `same`: title and value of each column that is the same in all.
    """
    known = {key: frame[key] for key in titles if key in frame and frame[key].notna().any()}
    same = {key: column for key, column in known.items() if column.nunique(dropna=False) == 1}
    return {
        "columns": [
            {"key": key, "title": titles[key], **_coded(column)}
            for key, column in known.items()
            if key not in same
        ],
        "count": len(frame),
        "same": {titles[key]: _shown(column.iloc[0]) for key, column in same.items()},
    }


def _coded(column: pd.Series) -> Grid:
    values = ordered(column, str(column.name))
    numbers = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if numbers and len(values) > FEW:
        return {"values": None, "data": [_rounded(value) for value in column]}
    place = {value: i for i, value in enumerate(values)}
    data = [-1 if pd.isna(value) else place[value] for value in column]
    return {"values": [_shown(value) for value in values], "data": data}


def _rounded(value: Any) -> float | int | None:
    if pd.isna(value):
        return None
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else int(value)


def _shown(value: Any) -> str:
    """A value as readers know it. Numbers have no names: 1 would get that of True."""
    if isinstance(value, float):
        return f"{value:.{DIGITS}g}"
    return name(value) if isinstance(value, str | bool) else f"{value:,}"


def as_json(data: Grid) -> Markup:
    """JSON that can stand inside an element of a page: nothing in it ends the element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))
