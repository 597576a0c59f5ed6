"""Tables and figures: complete or absent, typed, and the same bytes for the same content."""

import hashlib
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from declared import TABLES
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from gnn_dynamics.artifacts import files, parquet, pictures
from gnn_dynamics.artifacts.table import Table
from gnn_dynamics.errors import UserError
from gnn_dynamics.spectra.optimum import OPTIMUM

PROVENANCE = {"config_hash": "0123456789ab", "device": "cpu", "datasets": {"wine": "ff"}}


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def optimum(**columns):
    row = {
        "dataset": "wine",
        "aggregation": "gcn",
        "features": "row",
        "nodes": "all",
        "multiscale": True,
        "depth": 2,
        "labels": "true",
        "seed": 0,
        "loss_optimum": 1.5,
        "label_norm_sq": 178.0,
    }
    return row | columns


def test_round_trip_keeps_values_types_and_provenance(tmp_path):
    path = tmp_path / "tables" / "optimum.parquet"
    parquet.write_table([optimum(rank=None), optimum(seed=1, rank=13)], path, OPTIMUM, PROVENANCE)
    table = pq.read_table(path)
    assert table.schema.field("rank").type == pa.int64()
    assert table["rank"].to_pylist() == [None, 13]
    assert table["multiscale"].to_pylist() == [True, True]
    assert pictures.read_provenance(path) == PROVENANCE
    assert parquet.read_table(path)["loss_optimum"].tolist() == [1.5, 1.5]
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"


def test_lists_of_nodes_may_be_null_everywhere(tmp_path):
    table = TABLES["graph_condition"]
    row = dict.fromkeys(table.columns) | {"dataset": "wine", "depth": 1}
    path = tmp_path / "graph_condition.parquet"
    parquet.write_table([row], path, table, {})
    assert pq.read_schema(path).field("culprit_nodes").type == pa.list_(pa.int64())
    parquet.write_table([row | {"culprit_nodes": [35, 89]}], path, table, {})
    assert pq.read_table(path)["culprit_nodes"].to_pylist() == [[35, 89]]


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(6)))
def test_row_order_does_not_change_the_bytes(tmp_path_factory, order):
    rows = [optimum(seed=seed, depth=depth) for seed in range(3) for depth in (10, 2)]
    folder = tmp_path_factory.mktemp("bytes")
    parquet.write_table(rows, folder / "a" / "optimum.parquet", OPTIMUM, PROVENANCE)
    shuffled = [rows[i] for i in order]
    parquet.write_table(shuffled, folder / "b" / "optimum.parquet", OPTIMUM, PROVENANCE)
    a, b = (digest(folder / name / "optimum.parquet") for name in "ab")
    assert a == b
    depths = parquet.read_table(folder / "a" / "optimum.parquet")["depth"].tolist()
    assert depths == [2, 2, 2, 10, 10, 10]


def test_rows_with_equal_keys_are_refused(tmp_path):
    with pytest.raises(ValueError, match="same dataset"):
        parquet.write_table([optimum(), optimum()], tmp_path / "optimum.parquet", OPTIMUM, {})


def test_a_missing_column_is_named_and_nothing_is_written(tmp_path):
    row = optimum()
    del row["label_norm_sq"]
    with pytest.raises(ValueError, match="lack the columns label_norm_sq"):
        parquet.write_table([row], tmp_path / "optimum.parquet", OPTIMUM, {})
    assert list(tmp_path.iterdir()) == []


def test_further_columns_are_kept_after_the_declared_ones(tmp_path):
    path = tmp_path / "optimum.parquet"
    parquet.write_table([optimum(solver="svd")], path, OPTIMUM, {})
    assert pq.read_schema(path).names == [*OPTIMUM.types, "solver"]


def test_parts_of_different_shape_become_one_table(tmp_path):
    empty, full, more = (tmp_path / "parts" / "optimum" / f"{i}.parquet" for i in range(3))
    parquet.write_table(pd.DataFrame(), empty, OPTIMUM, {})
    parquet.write_table([optimum(seed=s) for s in (1, 0)], full, OPTIMUM, {})
    parquet.write_table([optimum(seed=5, solver="svd")], more, OPTIMUM, {})
    path = tmp_path / "tables" / "optimum.parquet"
    parquet.collect_parts([empty, full, more], path, PROVENANCE)
    table = parquet.read_table(path)
    assert table["seed"].tolist() == [0, 1, 5]
    assert table["solver"].isna().tolist() == [True, True, False]
    assert pictures.read_provenance(path) == PROVENANCE


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(sizes=st.lists(st.integers(0, 3), min_size=1, max_size=4), cut=st.integers(0, 4))
def test_parts_of_parts_give_the_same_bytes(tmp_path_factory, sizes, cut):
    folder = tmp_path_factory.mktemp("parts")
    parts = [folder / f"{number}.parquet" for number in range(len(sizes))]
    for number, part in enumerate(parts):
        rows = [optimum(depth=number, seed=s) for s in range(sizes[number])]
        more = {"solver": "svd"} if number == 1 else {}
        parquet.write_table([row | more for row in rows], part, OPTIMUM, {})
    parquet.collect_parts(parts, folder / "once.parquet", PROVENANCE)
    joined = []
    for name, some in (("left", parts[:cut]), ("right", parts[cut:])):
        if some:
            joined.append(folder / f"{name}.parquet")
            parquet.collect_parts(some, joined[-1], {})
    parquet.collect_parts(joined, folder / "twice.parquet", PROVENANCE)
    assert digest(folder / "once.parquet") == digest(folder / "twice.parquet")


def test_a_table_of_empty_parts_has_all_columns(tmp_path):
    part = tmp_path / "parts" / "speed" / "a.parquet"
    parquet.write_table([], part, TABLES["speed"], {})
    parquet.collect_parts([part], tmp_path / "speed.parquet", {})
    table = parquet.read_table(tmp_path / "speed.parquet")
    assert len(table) == 0
    assert list(table) == list(TABLES["speed"].types)


def test_parts_are_read_together_and_none_is_a_table_without_rows(tmp_path):
    paths = [tmp_path / "optimum" / f"{i}.parquet" for i in range(2)]
    for seed, path in enumerate(paths):
        parquet.write_table([optimum(seed=seed)], path, OPTIMUM, {})
    assert parquet.read_parts(paths, OPTIMUM)["seed"].tolist() == [0, 1]
    assert list(parquet.read_parts([], OPTIMUM)) == list(OPTIMUM.types)


def test_a_truncated_part_is_refused_by_name(tmp_path):
    part = tmp_path / "parts" / "speed" / "a.parquet"
    parquet.write_table([], part, TABLES["speed"], {})
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"a\.parquet is damaged or cut short .*delete it"):
        parquet.collect_parts([part], tmp_path / "speed.parquet", {})
    with pytest.raises(UserError, match=r"a\.parquet is damaged or cut short"):
        parquet.read_table(part)


def test_an_error_while_writing_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "report.html"
    files.write_text("old", path)
    with pytest.raises(RuntimeError), files.complete_or_absent(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "old"


def test_text_keeps_its_line_ends(tmp_path):
    files.write_text("λ\nσ\n", tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_bytes() == "λ\nσ\n".encode()


def figure():
    fig = Figure(figsize=(2, 2))
    axes = fig.add_subplot()
    axes.plot(np.arange(5), np.arange(5) ** 2, label="$\\sigma^2$")
    axes.legend()
    return fig


def test_figures_have_the_same_bytes_at_another_time(tmp_path, monkeypatch):
    for name, clock in (("a", "0"), ("b", "86400000")):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", clock)
        png, pdf = tmp_path / f"{name}.png", tmp_path / f"{name}.pdf"
        pictures.save_figure(figure(), png, pdf, PROVENANCE)
    for suffix in ("png", "pdf"):
        assert digest(tmp_path / f"a.{suffix}") == digest(tmp_path / f"b.{suffix}")
    assert b"CreationDate" not in (tmp_path / "a.pdf").read_bytes()
    assert pictures.read_provenance(tmp_path / "a.png") == PROVENANCE


def test_a_figure_says_neither_who_made_it_nor_where(tmp_path):
    pictures.save_figure(figure(), tmp_path / "a.png", tmp_path / "a.pdf", {})
    for path in (tmp_path / "a.png", tmp_path / "a.pdf"):
        content = path.read_bytes()
        assert b"matplotlib" not in content.lower()
        assert str(tmp_path).encode() not in content


def test_a_file_holds_the_keys_and_kinds_of_its_table(tmp_path):
    """So that no reader needs the declaration, or a guess from the name of a folder."""
    part, table = tmp_path / "any" / "name.parquet", tmp_path / "claims" / "other.parquet"
    parquet.write_table([optimum()], part, OPTIMUM, {})
    parquet.collect_parts([part], table, PROVENANCE)
    for path in (part, table):
        assert parquet.read_metadata(path, parquet.KEYS) == list(OPTIMUM.keys)
        assert parquet.read_metadata(path, parquet.KINDS) == OPTIMUM.kinds
    assert parquet.table_provenance(table) == PROVENANCE


def test_a_table_without_declaration_keeps_its_order(tmp_path):
    path = tmp_path / "other.parquet"
    parquet.write_table(pd.DataFrame({"a": [2, 1]}), path, Table(), {})
    assert parquet.read_table(path)["a"].tolist() == [2, 1]
    assert parquet.read_metadata(path, parquet.KEYS) == []


def test_every_declared_kind_and_key_is_a_column():
    for name, table in TABLES.items():
        assert set(table.keys) <= set(table.columns), name
        assert set(table.kinds) <= set(table.types), name


def test_json_of_equal_content_is_equal():
    assert files.to_json({"b": 1, "a": [2]}) == files.to_json({"a": [2], "b": 1})
    assert json.loads(files.to_json(PROVENANCE)) == PROVENANCE
