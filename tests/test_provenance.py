"""What made a file: everything that changes it, nothing that changes by itself."""

import numpy as np
import pytest

from gnn_dynamics.artifacts.npz import open_prepared, write_prepared
from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.artifacts.pictures import read_provenance
from gnn_dynamics.artifacts.provenance import describe, digest
from gnn_dynamics.artifacts.table import Table
from gnn_dynamics.errors import UserError

PARAMS = {"settings": {"seed": [0, 1]}, "device": "cpu", "code": "0123456789ab"}


def made(inputs=(), **params):
    return describe("train_block", {"dataset": "wine"}, PARAMS | params, inputs)


def test_equal_jobs_have_equal_provenance():
    assert made() == made()


def test_the_config_hash_covers_the_params_but_not_the_code():
    assert made(code="other")["config_hash"] == made()["config_hash"]
    assert made(settings={"seed": [0]})["config_hash"] != made()["config_hash"]
    assert made()["config"] == {"settings": {"seed": [0, 1]}, "device": "cpu"}
    assert made(code="other")["code"] == "other"


def test_versions_are_those_installed():
    import numpy

    assert made()["packages"]["numpy"] == numpy.__version__
    assert {"torch", "pyarrow", "matplotlib"} <= set(made()["packages"])


def test_checksums_and_device_are_inherited_from_the_inputs(tmp_path):
    sums = ({"datasets": {"wine": "aa"}, "device": "cuda"}, {"datasets": {"cora": "bb"}})
    paths = [tmp_path / f"{i}.parquet" for i in range(2)]
    for path, provenance in zip(paths, sums, strict=True):
        write_table([{"a": 1}], path, Table(), provenance)
    both = made([*paths, tmp_path / "other.html"])
    assert both["datasets"] == {"cora": "bb", "wine": "aa"}
    assert both["device"] == "cpu, cuda"
    assert both["precision"] == "float64"
    assert made(paths[:1])["inputs_hash"] != both["inputs_hash"]


def test_the_source_of_a_prepared_graph_is_read_without_its_arrays(tmp_path):
    path = tmp_path / "toy.npz"
    about = {"name": "toy", "facts": {"sha256": "cc"}}
    write_prepared({"features": np.zeros(1000)}, about, path)
    path.write_bytes(path.read_bytes().replace(bytes(8000), bytes(7999) + b"1"))
    with pytest.raises(UserError), open_prepared(path) as (_, arrays):
        arrays["features"]
    assert made([path])["datasets"] == {"toy": "cc"}


def test_it_survives_a_file(tmp_path):
    write_table([{"a": 1}], tmp_path / "a.parquet", Table(), made())
    assert read_provenance(tmp_path / "a.parquet") == made()


def test_the_digest_does_not_depend_on_the_order_of_keys():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 1.5})
    assert digest(["1", "2"]) != digest(["2", "1"])


def test_it_does_not_depend_on_which_blocks_share_a_file(tmp_path):
    def table_of(*jobs):
        paths = [tmp_path / f"{number}.parquet" for number in range(len(jobs))]
        for path, blocks in zip(paths, jobs, strict=True):
            write_table([{"a": 1}], path, Table(), made(blocks=blocks))
        return describe("collect_table", {}, {"code": "c0"}, paths)

    assert table_of(["a", "b"], ["c"]) == table_of(["a"], ["b"], ["c"]) == table_of(["c", "a", "b"])
    assert table_of(["a", "b"], ["c"]) != table_of(["a", "b"])


def test_a_file_answers_for_all_the_jobs_before_it(tmp_path):
    part, table = tmp_path / "part.parquet", tmp_path / "table.parquet"
    write_table([{"a": 1}], part, Table(), made(blocks=["a/b/c"]))
    collected = describe("collect_table", {}, {"code": "c0"}, [part, part])
    write_table([{"a": 1}], table, Table(), collected)
    drawn = describe("plot", {}, {"code": "c1"}, [table])
    assert [step["rule"] for step in drawn["made_from"]] == ["collect_table", "train_block"]
    assert drawn["made_from"][1]["config"] == {"settings": {"seed": [0, 1]}, "device": "cpu"}
    assert made()["made_from"] == []
