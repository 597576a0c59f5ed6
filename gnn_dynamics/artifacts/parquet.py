"""Tables as Parquet: typed, sorted by their keys, the same bytes for the same content.

The metadata of a file contain its provenance, its keys and the kinds of its columns, as JSON, and
nothing volatile: no time, no host, no path.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gnn_dynamics.artifacts.files import complete_or_absent, to_json
from gnn_dynamics.artifacts.table import Table
from gnn_dynamics.errors import UserError

PROVENANCE, KEYS, KINDS = b"gnn_dynamics", b"gnn_dynamics.keys", b"gnn_dynamics.kinds"
COMPRESSION = {"compression": "zstd", "compression_level": 3}


def write_table(
    rows: pd.DataFrame | Sequence[Mapping[str, Any]],
    path: str | Path,
    table: Table,
    provenance: Mapping[str, Any],
) -> None:
    """Write rows as Parquet (zstd), sorted by the table's keys.

    A frame without rows is a valid part. Columns that `table` does not declare are kept, after the
    declared ones.

    Raises:
        ValueError: if a required column is absent, or two rows have the same keys.
    """
    arrow = _typed(pd.DataFrame(rows), table, Path(path))
    metadata = {
        PROVENANCE: to_json(provenance),
        KEYS: to_json(table.keys),
        KINDS: to_json(dict(table.kinds)),
    }
    with complete_or_absent(path) as partial:
        pq.write_table(arrow.replace_schema_metadata(metadata), partial, **COMPRESSION)


def _typed(frame: pd.DataFrame, table: Table, path: Path) -> pa.Table:
    """The frame with declared types and order, sorted by keys."""
    absent = [name for name in table.columns if name not in frame] if len(frame) else []
    if absent:
        raise ValueError(f"{path}: rows lack the columns {', '.join(absent)}")
    columns = {name: _column(frame, name, kind) for name, kind in table.types.items()}
    extra = [name for name in frame if name not in columns]
    columns |= {name: pa.array(frame[name], from_pandas=True) for name in extra}
    arrow = pa.table(columns)
    if not table.keys:
        return arrow
    keys = list(table.keys)
    if arrow.select(keys).group_by(keys).aggregate([]).num_rows < len(frame):
        raise ValueError(f"{path}: two rows have the same {', '.join(keys)}")
    return arrow.sort_by([(key, "ascending") for key in keys])


def _column(frame: pd.DataFrame, name: str, kind: pa.DataType) -> pa.Array:
    if name not in frame:
        return pa.nulls(len(frame), kind)
    return pa.array(frame[name], type=kind, from_pandas=True)


def read_table(path: str | Path, **options: Any) -> pd.DataFrame:
    """Read a table; `columns` and `filters` as for `pyarrow.parquet.read_table`.

    Raises:
        UserError: if the file is damaged or cut short.
    """
    with _undamaged(path):
        return pq.read_table(path, partitioning=None, **options).to_pandas()


def read_metadata(path: str | Path, key: bytes) -> Any:
    """The value of PROVENANCE, KEYS or KINDS of a file; None where the file has none.

    Raises:
        UserError: if the file is damaged or cut short.
    """
    metadata = _schema(path).metadata or {}
    return json.loads(metadata[key]) if key in metadata else None


def _schema(path: str | Path) -> pa.Schema:
    with _undamaged(path):
        return pq.read_schema(path)


@contextmanager
def _undamaged(path: str | Path) -> Iterator[None]:
    """Name a Parquet file that cannot be read, and the remedy."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(
            f"{path} is damaged or cut short ({error}); delete it and type the same command again"
        ) from error


def table_provenance(path: str | Path) -> dict[str, Any]:
    """What made a table; empty for a file without provenance."""
    return read_metadata(path, PROVENANCE) or {}


def read_parts(paths: Sequence[str | Path], table: Table) -> pd.DataFrame:
    """The rows of some parts of a table; without any part, its columns without rows."""
    if not paths:
        return pa.schema(list(table.types.items())).empty_table().to_pandas()
    return pd.concat(map(read_table, paths), ignore_index=True)


def stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Rows of all frames; the first frame alone if none has rows.

    Frames without rows are left out, since their columns would decide the types of the result.
    """
    return pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)


def collect_parts(
    parts: Sequence[str | Path], path: str | Path, provenance: Mapping[str, Any]
) -> None:
    """Concatenate parts, in the order given, to one table, holding one row group in memory.

    Row groups stay as they are: parts of parts give the same bytes as the parts themselves. Each
    is sorted by its keys already, so the table is sorted by block, then by key.

    Raises:
        UserError: if a part is damaged, or the parts disagree about a column's type.
    """
    # All columns of the parts, with the metadata of the first.
    schema = pa.unify_schemas(list(map(_schema, parts)), promote_options="default")
    metadata = (schema.metadata or {}) | {PROVENANCE: to_json(provenance)}
    schema = schema.with_metadata(metadata)
    with (
        complete_or_absent(path) as partial,
        pq.ParquetWriter(partial, schema, **COMPRESSION) as writer,
    ):
        for part in parts:
            for table in _row_groups(part):
                # Columns that the part lacks become nulls.
                table = pa.concat_tables([schema.empty_table(), table], promote_options="default")
                writer.write_table(table.select(schema.names).cast(schema))


def _row_groups(path: str | Path) -> Iterator[pa.Table]:
    """The row groups of a file that have rows, one after the other."""
    with _undamaged(path), pq.ParquetFile(path) as file:
        groups = map(file.read_row_group, range(file.num_row_groups))
        yield from (table for table in groups if len(table))
