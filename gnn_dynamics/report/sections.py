"""Turn tables and pictures into the values that the template shows."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from gnn_dynamics.claims.conclusion import UNDECIDED
from gnn_dynamics.claims.names import verdict_counts
from gnn_dynamics.figures import registry
from gnn_dynamics.report.claim_pages import FIGURES, Tables
from gnn_dynamics.summaries import select

NARROW = 1100  # pixels; wider figures scroll sideways on a phone
UNSTEADY = 0.05  # share of steps at which the loss rose; rounding errors grow in runs above it


def headline(tables: Tables) -> list[str]:
    """A sentence or two for each claim that pools runs, open ones last, then all verdicts."""
    claims = tables.get("claims")
    if claims is None or claims.empty:
        return ["No claims were judged, because the table of claims is missing or empty."]
    counted = f"Of {len(claims)} claims, {verdict_counts(claims['verdict'])}."
    if "summary" not in claims:
        return [counted]
    rows = claims[claims["summary"].fillna("") != ""]
    answered = rows["verdict"] != UNDECIDED
    return [*rows.loc[answered, "summary"], *rows.loc[~answered, "summary"], counted]


def every_case(tables: Tables) -> str:
    """Numbers of the claims that one counterexample refutes: `01, 02 and 14`."""
    claims = tables.get("claims")
    if claims is None or "quantifier" not in claims:
        return ""
    names = sorted(claims.loc[claims["quantifier"] == "every", "claim"])
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def figure_rows(paths: Mapping[str, Path], tables: Tables) -> dict[str, dict[str, Any]]:
    """Every figure by its stem, with its caption; `image` is None where it has no file."""
    appendix = sorted(stem for stem in paths if stem.startswith("appendix_"))
    entries = [registry.entry(stem) for stem in [*FIGURES, *appendix]]
    return {
        entry.stem: {
            "entry": entry,
            "image": picture(paths.get(entry.stem)),
            "narrow": narrow(paths.get(entry.stem)),
            "absent": [name for name in entry.tables if name not in tables],
            "measured": entry.measured(tables),
        }
        for entry in entries
    }


def picture(path: Path | None) -> str | None:
    """A PNG file as the source of an image inside the page; None if there is no file."""
    if path is None or not path.is_file():
        return None
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def narrow(path: Path | None) -> bool:
    """Whether a figure is legible on a phone as a whole."""
    if path is None or not path.is_file():
        return False
    with Image.open(path) as image:
        return image.width <= NARROW


def unsteady_runs(ends: pd.DataFrame | None) -> str:
    """A sentence with the number of runs in each experiment whose loss often rose; else empty.

    Only runs that did not diverge count. Rounding errors decide the curves of unsteady runs.
    """
    if ends is None:
        return ""
    ends = ends[(ends["status"] == "ok") & (ends["step"] > 0)]
    unsteady = ends[ends["loss_increases"] > UNSTEADY * ends["step"]]
    if unsteady.empty:
        return ""
    counts = unsteady.groupby("experiment").size()
    experiments = ", ".join(f"{name}: {count:,}" for name, count in counts.items())
    return (
        f"In {len(unsteady):,} of {select.plural(len(ends), 'run')} that did not diverge, the loss"
        f" rose in more than {100 * UNSTEADY:.0f} % of the steps ({experiments})."
    )


def number(value: Any) -> str:
    """A measured number with three digits, a count in full, a null as nothing, text unchanged."""
    if pd.isna(value):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
