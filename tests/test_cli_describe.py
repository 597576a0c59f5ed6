"""`gnn-dynamics describe`: what a file says of itself, in words and as JSON."""

import json

import pytest

from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.artifacts.pictures import read_provenance, save_figure
from gnn_dynamics.artifacts.provenance import describe
from gnn_dynamics.artifacts.table import Table
from gnn_dynamics.cli.main import main
from gnn_dynamics.figures import style

SETTINGS = {"note": "brackets ( ) and \\ and ümlaut", "seed": [0, 1], "code": "0123456789ab"}


@pytest.fixture
def files(tmp_path):
    """A table, and a figure as PNG and PDF that was drawn from it."""
    table = tmp_path / "toy.parquet"
    write_table(
        [{"a": 1}], table, Table(), describe("train_block", {"dataset": "wine"}, SETTINGS, [])
    )
    made = describe("plot_toy", {}, SETTINGS, [table]) | {"datasets": {"wine": "ab" * 32}}
    save_figure(style.new_figure(1), tmp_path / "toy.png", tmp_path / "toy.pdf", made)
    return tmp_path


@pytest.mark.parametrize("suffix", ["png", "pdf", "parquet"])
def test_a_file_says_what_made_it(suffix, files, capsys):
    assert main(["describe", str(files / f"toy.{suffix}")]) == 0
    said = capsys.readouterr().out
    for text in ("0123456789ab", "float64", "cpu", "seed: [0, 1]", "numpy"):
        assert text in said
    assert ("wine  abab" in said and "made from  train_block" in said) == (suffix != "parquet")
    assert str(files) not in said


@pytest.mark.parametrize("suffix", ["png", "pdf"])
def test_json_is_the_provenance(suffix, files, capsys):
    main(["describe", "--json", str(files / f"toy.{suffix}")])
    assert json.loads(capsys.readouterr().out) == read_provenance(files / "toy.png")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("toy.html", b"", "not a .parquet, .png, .pdf file"),
        ("none.png", None, "missing"),
        ("cut.parquet", b"PAR1", "not a complete parquet"),
        ("cut.png", b"PNG", "not a complete png"),
        ("other.pdf", b"%PDF-1.4", "contains no provenance"),
    ],
)
def test_other_files_are_bad_input(name, content, message, tmp_path, capsys):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert main(["describe", str(tmp_path / name)]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1
