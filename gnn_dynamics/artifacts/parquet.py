"""Reading and writing results: complete or absent, the same bytes for the same content.

Everything is written under a temporary name in the same folder and renamed when complete. Nothing
volatile goes into a file: no time, no host, no path. What made a file stands inside it, as JSON.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gnn_dynamics.errors import UserError
from gnn_dynamics.tables import TABLES, Table, table_of

METADATA_KEY = b"gnn_dynamics"
PDF_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
COMPRESSION = {"compression": "zstd", "compression_level": 3}


@contextmanager
def complete_or_absent(path: str | Path) -> Iterator[Path]:
    """A temporary name beside `path`, renamed to it when the block ends without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays: matplotlib chooses the format by it. The number keeps two writers apart.
    partial = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def remove_partials(path: str | Path) -> None:
    """Remove what killed writers of `path` left. One that is still at work fails, to no harm."""
    path = Path(path)
    name = re.compile(rf"\.{re.escape(path.stem)}\.\d+(\.kept|{re.escape(path.suffix)})")
    for found in path.parent.iterdir() if path.parent.is_dir() else ():
        if name.fullmatch(found.name):
            found.unlink(missing_ok=True)


def write_text(text: str, path: str | Path) -> None:
    """Write a text file (UTF-8, as given) atomically."""
    with complete_or_absent(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="")


def write_table(
    rows: pd.DataFrame | Sequence[Mapping[str, Any]],
    path: str | Path,
    provenance: Mapping[str, Any],
) -> None:
    """Write Parquet (zstd), sorted by the table's keys, with `provenance` in the schema's metadata.

    The place of the file tells its table (gnn_dynamics/tables.py), hence its columns and types; a
    frame without rows is a valid part. Further columns are kept, after the declared ones.

    Raises:
        ValueError: if a declared column is absent, or two rows have the same keys.
    """
    frame = pd.DataFrame(rows)
    table = table_of(path)
    arrow = pa.Table.from_pandas(frame, preserve_index=False) if table is None else None
    if arrow is None:
        arrow = _typed(frame, table, Path(path))
    with complete_or_absent(path) as partial:
        pq.write_table(_described(arrow, provenance), partial, **COMPRESSION)


def _typed(frame: pd.DataFrame, table: Table, path: Path) -> pa.Table:
    """The frame with declared types and order, sorted by keys."""
    absent = [name for name in table.columns if name not in frame] if len(frame) else []
    if absent:
        raise ValueError(f"{path}: rows lack the columns {', '.join(absent)}")
    columns = {name: _column(frame, name, kind) for name, kind in table.types.items()}
    extra = [name for name in frame if name not in columns]
    columns |= {name: pa.array(frame[name], from_pandas=True) for name in extra}
    arrow = pa.table(columns).sort_by([(key, "ascending") for key in table.keys])
    if arrow.select(table.keys).group_by(list(table.keys)).aggregate([]).num_rows < len(frame):
        raise ValueError(f"{path}: two rows have the same {', '.join(table.keys)}")
    return arrow


def _column(frame: pd.DataFrame, name: str, kind: pa.DataType) -> pa.Array:
    if name not in frame:
        return pa.nulls(len(frame), kind)
    return pa.array(frame[name], type=kind, from_pandas=True)


def _described(arrow: pa.Table, provenance: Mapping[str, Any]) -> pa.Table:
    return arrow.replace_schema_metadata({METADATA_KEY: to_json(provenance)})


def to_json(value: Any) -> str:
    """JSON with sorted keys, so that equal content gives equal bytes."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def read_table(path: str | Path, **options: Any) -> pd.DataFrame:
    """Read a table; `columns` and `filters` as for `pyarrow.parquet.read_table`.

    Raises:
        UserError: if the file is damaged or cut short.
    """
    with _undamaged(path):
        return pq.read_table(path, partitioning=None, **options).to_pandas()


@contextmanager
def _undamaged(path: str | Path) -> Iterator[None]:
    """Name a Parquet file that cannot be read, and say what to do about it."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(
            f"{path} is damaged or cut short ({error}); delete it and type the same command again"
        ) from error


def read_parts(paths: Sequence[str | Path], table: str) -> pd.DataFrame:
    """The rows of some parts of a table; without any part, its columns without rows."""
    if not paths:
        schema = pa.schema(list(TABLES[table].types.items()))
        return schema.empty_table().to_pandas()
    return pd.concat(map(read_table, paths), ignore_index=True)


def read_provenance(path: str | Path) -> dict[str, Any]:
    """What made a table or a figure (PNG, PDF); empty for a file that does not say.

    Raises:
        UserError: if a Parquet file is damaged or cut short.
    """
    if Path(path).suffix == ".pdf":
        return json.loads(_pdf_keywords(Path(path).read_bytes()) or "{}")
    if Path(path).suffix == ".png":
        from PIL import Image

        with Image.open(path) as image:
            return json.loads(image.info.get(METADATA_KEY.decode(), "{}"))
    with _undamaged(path):
        metadata = pq.read_schema(path).metadata or {}
    return json.loads(metadata.get(METADATA_KEY, "{}"))


def _pdf_keywords(content: bytes) -> str:
    """The keywords among a PDF's properties, which matplotlib writes as one uncompressed string."""
    found = re.search(rb"/Keywords \(((?:[^()\\]|\\.)*)\)", content, flags=re.DOTALL)
    if not found:
        return ""
    text = re.sub(
        rb"\\(.)", lambda mark: PDF_ESCAPES.get(mark[1], mark[1]), found[1], flags=re.DOTALL
    )
    # Not ASCII: with a byte-order mark.
    return text.decode("utf-16" if text.startswith(b"\xfe\xff") else "latin-1")


def collect_parts(parts: Sequence[str | Path], path: str | Path, provenance: Mapping) -> None:
    """Concatenate parts, in the order given, to one table, holding one part at a time in memory.

    Each part is sorted by its keys already, so the table is sorted by block, then by key.

    Raises:
        UserError: if a part is damaged, or the parts disagree about a column's type.
    """
    schema = _common_schema(parts).with_metadata({METADATA_KEY: to_json(provenance)})
    with (
        complete_or_absent(path) as partial,
        pq.ParquetWriter(partial, schema, **COMPRESSION) as writer,
    ):
        for part in parts:
            with _undamaged(part):
                table = pq.read_table(part, partitioning=None)
            absent = [column for column in schema if column.name not in table.column_names]
            for column in absent:
                table = table.append_column(column, pa.nulls(len(table), column.type))
            if len(table):
                writer.write_table(table.select(schema.names).cast(schema))


def _common_schema(parts: Sequence[str | Path]) -> pa.Schema:
    schemas = []
    for part in parts:
        with _undamaged(part):
            schemas.append(pq.read_schema(part).remove_metadata())
    return pa.unify_schemas(schemas, promote_options="default")


def save_figure(
    fig: Any, png: str | Path, pdf: str | Path, provenance: Mapping[str, Any] | None = None
) -> None:
    """Save a matplotlib figure as PNG and PDF without matplotlib's version, date and producer."""
    made = "{}" if provenance is None else to_json(provenance)
    _settle(fig)
    with complete_or_absent(png) as partial:
        fig.savefig(partial, metadata={"Software": None, METADATA_KEY.decode(): made})
    volatile = dict.fromkeys(("Creator", "Producer", "CreationDate", "ModDate"))
    with complete_or_absent(pdf) as partial:
        fig.savefig(partial, metadata=volatile | {"Keywords": made})


def _settle(fig: Any) -> None:
    """Lay the figure out once and round where its axes stand.

    The layout's last digit depends on where arrays happen to lie in memory, and a PDF shows it.
    """
    fig.draw_without_rendering()
    fig.set_layout_engine("none")
    for ax in fig.axes:
        ax.set_position([round(value, 6) for value in ax.get_position().bounds])
