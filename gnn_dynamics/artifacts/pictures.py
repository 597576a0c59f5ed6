"""Figures as PNG and PDF: the same bytes for the same content, provenance in the metadata."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnn_dynamics.artifacts.files import complete_or_absent, to_json
from gnn_dynamics.artifacts.parquet import table_provenance

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METADATA_KEY = "gnn_dynamics"
PDF_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def save_figure(
    figure: "Figure", png: str | Path, pdf: str | Path, provenance: Mapping[str, Any] | None = None
) -> None:
    """Save a figure as PNG and PDF without matplotlib's version, date and producer."""
    text = to_json(provenance or {})
    _settle(figure)
    with complete_or_absent(png) as partial:
        figure.savefig(partial, metadata={"Software": None, METADATA_KEY: text})
    volatile = dict.fromkeys(("Creator", "Producer", "CreationDate", "ModDate"))
    with complete_or_absent(pdf) as partial:
        figure.savefig(partial, metadata=volatile | {"Keywords": text})


def _settle(figure: "Figure") -> None:
    """Lay the figure out once and round the positions of its axes.

    The last digit of the layout depends on addresses in memory, and a PDF would show it.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax in figure.axes:
        left, bottom, width, height = (round(value, 6) for value in ax.get_position().bounds)
        ax.set_position((left, bottom, width, height))


def read_provenance(path: str | Path) -> dict[str, Any]:
    """Provenance of a figure (PNG, PDF) or a table (Parquet); empty for a file without any.

    Raises:
        UserError: if a Parquet file is damaged or cut short.
    """
    if Path(path).suffix == ".parquet":
        return table_provenance(path)
    if Path(path).suffix == ".pdf":
        return json.loads(_pdf_keywords(Path(path).read_bytes()) or "{}")
    from PIL import Image

    with Image.open(path) as image:
        return json.loads(image.info.get(METADATA_KEY, "{}"))


def _pdf_keywords(content: bytes) -> str:
    """The keywords among a PDF's properties, which matplotlib writes as one uncompressed string."""
    keywords = re.search(rb"/Keywords \(((?:[^()\\]|\\.)*)\)", content, flags=re.DOTALL)
    if not keywords:
        return ""
    text = re.sub(
        rb"\\(.)", lambda mark: PDF_ESCAPES.get(mark[1], mark[1]), keywords[1], flags=re.DOTALL
    )
    # Text that is not ASCII starts with a byte-order mark.
    return text.decode("utf-16" if text.startswith(b"\xfe\xff") else "latin-1")
