"""`gnn-dynamics compare`: what counts as equal, and what is said of the rest."""

import json

import numpy as np
import pandas as pd
import pytest
from graphs import patient
from hypothesis import given
from hypothesis import strategies as st

from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.artifacts.table import Table
from gnn_dynamics.cli.differences import Tolerance, table_differences
from gnn_dynamics.cli.main import main
from gnn_dynamics.spectra.graph_condition import GRAPH_CONDITION

ROW = {
    "dataset": "wine",
    "aggregation": "gcn",
    "features": "raw",
    "nodes": "all",
    "multiscale": True,
    "depth": 1,
    "rows": 3,
    "cols": 4,
    "rank": 3,
    "sigma_max": 10.0,
    "sigma_min": 1e-3,
    "sigma_min_sq": 1e-6,
    "sigma_min_positive": 1e-3,
    "sigma_min_positive_sq": 1e-6,
    "condition_holds": True,
    "culprit_nodes": [1, 2],
    "culprit_features": None,
    "method": "qr-svd",
    "relative_gap": 1e-14,
    "tolerance": 1e-14,
    "rank_gap": 1e9,
}


def rows(**changes):
    return [ROW | {"depth": depth} | (changes if depth == 2 else {}) for depth in (1, 2, 3)]


def run(folder, rows, name="graph_condition", table=GRAPH_CONDITION):
    write_table(rows, folder / "tables" / f"{name}.parquet", table, {})
    return str(folder)


@pytest.fixture
def compared(tmp_path, capsys):
    def compare(*changed, arguments=()):
        a = run(tmp_path / "a", rows())
        b = run(tmp_path / "b", list(changed))
        code = main(["compare", a, b, *arguments])
        return code, capsys.readouterr().out

    return compare


def test_equal_runs_in_any_order(compared):
    code, said = compared(*rows()[::-1])
    assert code == 0 and "The runs are equal" in said


@pytest.mark.parametrize(
    ("changes", "equal"),
    [
        ({"sigma_min": 1e-3 * (1 + 5e-7)}, True),
        ({"sigma_min": 1e-3 * (1 + 2e-5)}, False),
        ({"rank": 2}, False),
        ({"condition_holds": False}, False),
        ({"method": "interlacing"}, False),
        ({"culprit_nodes": [1, 3]}, False),
        ({"culprit_nodes": None}, False),
        ({"culprit_features": [0]}, False),
        ({"relative_gap": 1e-8}, True),
        ({"relative_gap": 1e-2}, False),
        ({"relative_gap": None}, False),
        ({"rank_gap": 1e4}, True),
        ({"rank_gap": 2.0}, False),
        ({"sigma_max": np.inf}, False),
    ],
)
def test_each_column_has_the_tolerance_of_its_kind(changes, equal, compared):
    code, said = compared(*rows(**changes))
    (column,) = changes
    assert code == (0 if equal else 1)
    assert (f"  {column}: 1 cells, the worst at dataset wine" in said) == (not equal)
    assert ("depth 2" in said) == (not equal)


def test_the_size_of_a_difference_is_told(compared):
    _, said = compared(*rows(sigma_max=11.0))
    assert "sigma_max: 1 cells" in said and "10 and 11, by 1 (0.091 of it)" in said


def test_tolerances_can_be_set(compared):
    assert compared(*rows(sigma_max=11.0), arguments=["--rtol", "0.1"])[0] == 0
    assert compared(*rows(sigma_max=10 + 1e-12), arguments=["--rtol", "0", "--atol", "0"])[0] == 1


def test_rows_columns_and_tables_of_one_run_only(compared, tmp_path):
    run(tmp_path / "b", pd.DataFrame({"x": [1]}), "other", Table())
    code, said = compared(*[row | {"more": 1.0} for row in rows()[:2]])
    assert code == 1
    assert "(rows): 1 rows, the first at" in said and "depth 3: present and absent" in said
    assert "more: " in said and "absent and present" in said
    assert "other:" in said and "the whole table: absent and present" in said
    assert "2 of 2 tables differ" in said


def test_json(compared):
    code, said = compared(*rows(rank=2), arguments=["--json"])
    content = json.loads(said)
    assert code == 1 and not content["equal"]
    (one,) = content["tables"]["graph_condition"]
    assert (one["column"], one["cells"], one["a"], one["b"]) == ("rank", 1, "3", "2")


def test_bad_input(tmp_path, capsys):
    assert main(["compare", str(tmp_path), str(tmp_path / "none")]) == 2
    assert "no .parquet files" in capsys.readouterr().err
    full = run(tmp_path / "a", rows())
    assert main(["compare", full, str(tmp_path / "none")]) == 2
    assert "is no folder" in capsys.readouterr().err


NUMBERS = st.floats(-1e300, 1e300, allow_subnormal=False) | st.sampled_from(
    [np.inf, -np.inf, np.nan]
)


@patient
@given(
    values=st.lists(NUMBERS, min_size=1, max_size=8),
    noise=st.floats(-0.9, 0.9),
    data=st.data(),
)
def test_equality_is_reflexive_symmetric_and_sees_every_change(values, noise, data):
    a = pd.DataFrame({"value": np.array(values)})
    near = a * (1 + 1e-6 * noise)
    tolerance = Tolerance(atol=0.0)
    assert table_differences(a, a.copy(), (), tolerance) == []
    assert table_differences(a, near, (), tolerance) == []
    place = data.draw(st.integers(0, len(values) - 1))
    far = a.copy()
    far.loc[place, "value"] = 1.0 if values[place] != 1.0 else 2.0
    if np.isfinite(values[place]) and abs(values[place] - 1) > 1e-3:
        for pair in ((a, far), (far, a)):
            (one,) = table_differences(*pair, (), tolerance)
            assert one.cells == 1 and one.where == f"row {place}"
