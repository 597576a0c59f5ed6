"""How two tables differ: rows matched by their keys, each column by the tolerance of its kind."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

# Columns that hold rounding errors: only their size is reproducible.
NOISE = {
    *("relative_gap", "method_gap", "relative_error", "identity_error", "excess_error"),
    *("local_error", "integrator_error", "conservation_drift"),
}
# Singular values, with errors near eps times the largest of their matrix; powers of it.
SPECTRAL = {
    **dict.fromkeys(("sigma_min", "sigma_min_positive", "tolerance"), 1),
    **dict.fromkeys(("sigma_min_sq", "sigma_min_positive_sq"), 2),
}
SPECTRAL_TOLERANCE = 1e-13
# sigma_r / sigma_(r+1), whose denominator is a rounding error: all that counts is that it is large.
CLEAR_GAP = 1e3
KEY_DIGITS = 9  # significant ones to which real keys, such as learning rates, are matched


@dataclass(frozen=True)
class Tolerance:
    """Real numbers a, b may differ by atol + rtol max(|a|, |b|); rounding errors be up to noise."""

    rtol: float = 1e-6
    atol: float = 1e-9
    noise: float = 1e-6


@dataclass(frozen=True)
class Difference:
    """One column of one table: how many cells differ (0: all of it), and the one that does most.

    absolute, relative: |a - b| and |a - b| / max(|a|, |b|) there; null where not numbers.
    """

    column: str
    cells: int
    where: str
    a: str
    b: str
    absolute: float | None = None
    relative: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def table_differences(
    A: pd.DataFrame, B: pd.DataFrame, keys: Sequence[str], tolerance: Tolerance
) -> list[Difference]:
    """What differs, one entry a column; rows and columns that only one table has come first.

    Without `keys`, rows are matched by their order.
    """
    A, B = _indexed(A, keys), _indexed(B, keys)
    found = [
        Difference(column, 0, "the whole column", *_presence(column in A))
        for column in sorted(set(A) ^ set(B))
    ]
    for only, here in ((A.index.difference(B.index), True), (B.index.difference(A.index), False)):
        if len(only):
            where = _place(keys, only[0])
            found.append(Difference("(rows)", len(only), where, *_presence(here)))
    common = A.index.intersection(B.index)
    A, B = A.loc[common], B.loc[common]
    shared = [column for column in A if column in B and column not in keys]
    found += [d for c in shared if (d := _column(c, A, B, keys, tolerance)) is not None]
    return found


def _presence(in_a: bool) -> tuple[str, str]:
    return ("present", "absent") if in_a else ("absent", "present")


def _indexed(frame: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The frame with its keys as text in the index."""
    if not keys:
        return frame.reset_index(drop=True)
    parts = [frame[key].map(_key_text) for key in keys]
    return frame.set_index(pd.Index(list(zip(*parts, strict=True)), tupleize_cols=False))


def _key_text(value: Any) -> str:
    return f"{value:.{KEY_DIGITS}g}" if isinstance(value, float) else str(value)


def _place(keys: Sequence[str], label: Any) -> str:
    if not keys:
        return f"row {label}"
    pairs = zip(keys, label, strict=True)
    return ", ".join(f"{key} {value}" for key, value in pairs if value not in ("nan", "None"))


def _column(
    column: str, A: pd.DataFrame, B: pd.DataFrame, keys: Sequence[str], tolerance: Tolerance
) -> Difference | None:
    real = [pd.api.types.is_float_dtype(frame[column]) for frame in (A, B)]
    a, b = A[column], B[column]
    if not all(real):
        differ = np.array([not _same(x, y) for x, y in zip(a, b, strict=True)], dtype=bool)
        worst = int(differ.argmax()) if differ.any() else 0
        gap = None
    else:
        x, y = a.to_numpy(np.float64), b.to_numpy(np.float64)
        differ, gap = _real(column, x, y, A, tolerance)
        worst = int(np.where(differ, np.nan_to_num(gap, nan=np.inf), -1).argmax()) if len(x) else 0
    if not differ.any():
        return None
    place, values = _place(keys, A.index[worst]), (_shown(a.iloc[worst]), _shown(b.iloc[worst]))
    sizes = () if gap is None else _sizes(float(a.iloc[worst]), float(b.iloc[worst]))
    return Difference(column, int(differ.sum()), place, *values, *sizes)


def _sizes(a: float, b: float) -> tuple[float | None, float | None]:
    absolute = abs(a - b)
    if not np.isfinite(absolute):
        return None, None
    return absolute, absolute / max(abs(a), abs(b))


def _shown(value: Any) -> str:
    text = f"{value:.10g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _same(x: Any, y: Any) -> bool:
    if isinstance(x, np.ndarray) or isinstance(y, np.ndarray):
        return type(x) is type(y) and np.array_equal(x, y)
    return bool(x == y) or (pd.isna(x) and pd.isna(y))


def _real(
    column: str, a: np.ndarray, b: np.ndarray, A: pd.DataFrame, tolerance: Tolerance
) -> tuple[np.ndarray, np.ndarray]:
    """(whether they differ, by how much relative to what is allowed)."""
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.maximum(np.abs(a), np.abs(b))
        allowed = tolerance.atol + tolerance.rtol * size
        if column in SPECTRAL and "sigma_max" in A:
            allowed = allowed + SPECTRAL_TOLERANCE * A["sigma_max"].to_numpy() ** SPECTRAL[column]
        gap = np.abs(a - b) / np.maximum(allowed, np.finfo(float).tiny)
        equal = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.isfinite(size) & (gap <= 1))
        if column in NOISE:
            equal |= size <= tolerance.noise
        if column == "rank_gap":
            equal |= np.minimum(a, b) >= CLEAR_GAP
    return ~equal, gap
