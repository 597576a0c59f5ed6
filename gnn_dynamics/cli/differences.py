"""How two tables differ: rows matched by their keys, each column by the tolerance of its kind."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gnn_dynamics.artifacts.table import CLEAR_GAP, NOISE, SINGULAR, SINGULAR_SQUARED

SPECTRAL_TOLERANCE = 1e-13  # of `sigma_max`, for the error of a singular value
POWERS = {SINGULAR: 1, SINGULAR_SQUARED: 2}
SMALL_GAP = 1e3  # larger gaps differ by the rounding error that they are divided by
KEY_DIGITS = 9  # significant ones to which real keys, such as learning rates, are matched


@dataclass(frozen=True)
class Tolerance:
    """Real numbers a, b may differ by atol + rtol max(|a|, |b|), and be noise up to `noise`."""

    rtol: float = 1e-6
    atol: float = 1e-9
    noise: float = 1e-6


@dataclass(frozen=True)
class Difference:
    """One column of one table: how many cells differ (0: all of it), and the worst of them.

    absolute, relative: |a - b| and |a - b| / max(|a|, |b|) there; None where not numbers.
    """

    column: str
    cells: int
    where: str
    a: str
    b: str
    absolute: float | None = None
    relative: float | None = None

    @classmethod
    def presence(cls, column: str, cells: int, where: str, in_a: bool) -> "Difference":
        """What only one of two tables has."""
        a, b = ("present", "absent") if in_a else ("absent", "present")
        return cls(column, cells, where, a, b)


def table_differences(
    A: pd.DataFrame,
    B: pd.DataFrame,
    keys: Sequence[str],
    tolerance: Tolerance,
    kinds: Mapping[str, str] | None = None,
) -> list[Difference]:
    """What differs, one entry for each column; rows and columns of one table only come first.

    keys: columns by which rows are matched; without any, by their order.
    kinds: kinds of columns (artifacts/table.py).
    """
    A, B = _indexed(A, keys), _indexed(B, keys)
    result = [
        Difference.presence(column, 0, "the whole column", column in A)
        for column in sorted(set(A) ^ set(B))
    ]
    for only, in_a in ((A.index.difference(B.index), True), (B.index.difference(A.index), False)):
        if len(only):
            where = _row_name(keys, only[0])
            result.append(Difference.presence("(rows)", len(only), where, in_a))
    common = A.index.intersection(B.index)
    A, B = A.loc[common], B.loc[common]
    for column in A.columns.intersection(B.columns, sort=False).difference(keys, sort=False):
        excess = _excess(column, A, B, tolerance, (kinds or {}).get(column, ""))
        if (excess > 1).any():
            worst, cells = int(excess.argmax()), int((excess > 1).sum())
            values = A[column].iloc[worst], B[column].iloc[worst]
            result.append(_difference(column, cells, _row_name(keys, common[worst]), *values))
    return result


def _indexed(frame: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The frame with its keys as text in the index."""
    if not keys:
        return frame.reset_index(drop=True)
    parts = [frame[key].map(_key_text) for key in keys]
    return frame.set_index(pd.Index(list(zip(*parts, strict=True)), tupleize_cols=False))


def _key_text(value: Any) -> str:
    return f"{value:.{KEY_DIGITS}g}" if isinstance(value, float) else str(value)


def _row_name(keys: Sequence[str], label: Any) -> str:
    if not keys:
        return f"row {label}"
    pairs = zip(keys, label, strict=True)
    return ", ".join(f"{key} {value}" for key, value in pairs if value not in ("nan", "None"))


def _excess(
    column: Hashable, A: pd.DataFrame, B: pd.DataFrame, tolerance: Tolerance, kind: str
) -> np.ndarray:
    """(rows,) |a - b| relative to what is allowed; without a size, 0 if equal and else infinite."""
    if not all(pd.api.types.is_float_dtype(frame[column]) for frame in (A, B)):
        cells = zip(A[column], B[column], strict=True)
        return np.array([0 if _same(x, y) else np.inf for x, y in cells], dtype=float)
    a, b = A[column].to_numpy(np.float64), B[column].to_numpy(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.maximum(np.abs(a), np.abs(b))
        allowed = tolerance.atol + tolerance.rtol * size
        if kind in POWERS and "sigma_max" in A:
            allowed = allowed + SPECTRAL_TOLERANCE * A["sigma_max"].to_numpy() ** POWERS[kind]
        ratio = np.abs(a - b) / np.maximum(allowed, np.finfo(float).tiny)
        excess = np.nan_to_num(ratio, nan=np.inf, posinf=np.inf)
        excess[(a == b) | (np.isnan(a) & np.isnan(b))] = 0
        if kind == NOISE:
            excess[size <= tolerance.noise] = 0
        if kind == CLEAR_GAP:
            excess[np.minimum(a, b) >= SMALL_GAP] = 0
    return excess


def _same(x: Any, y: Any) -> bool:
    if isinstance(x, np.ndarray) or isinstance(y, np.ndarray):
        return type(x) is type(y) and np.array_equal(x, y)
    return bool(x == y) or (pd.isna(x) and pd.isna(y))


def _difference(column: str, cells: int, where: str, a: Any, b: Any) -> Difference:
    numbers = isinstance(a, float) and isinstance(b, float) and np.isfinite(a - b)
    absolute = abs(float(a - b)) if numbers else None
    relative = absolute / max(abs(float(a)), abs(float(b))) if absolute is not None else None
    return Difference(column, cells, where, _shown(a), _shown(b), absolute, relative)


def _shown(value: Any) -> str:
    text = f"{value:.10g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
