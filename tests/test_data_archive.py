"""A zip archive is not trusted: where its members would land is checked before any is written."""

import stat
import zipfile

import pytest
from raw_files import digests

from gnn_dynamics.data.fetch.archive import extract_members
from gnn_dynamics.errors import UserError

GOOD = {"raw/edge.csv.gz": b"edges"}


def archive(place, *members):
    """An archive with one good member and others, given as names or ready ZipInfo."""
    path = place / "a.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("top/raw/edge.csv.gz", GOOD["raw/edge.csv.gz"])
        for info in members:
            opened.writestr(info, b"evil")
    return path


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    "member",
    [
        "../evil",
        "top/../../evil",
        "top/raw/../../../evil",
        "/evil",
        "elsewhere/evil",
        "top\\..\\evil",
        "C:/evil",
        link("top/link"),
    ],
    ids=str,
)
def test_an_unsafe_member_condemns_the_archive(member, tmp_path):
    folder = tmp_path / "inside" / "raw"
    folder.mkdir(parents=True)
    path = archive(tmp_path, member)
    with pytest.raises(UserError, match=r"a\.zip: refused, its member .*(evil|link)"):
        extract_members(path, folder, "top", digests(GOOD), "a.zip")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path]


def test_only_expected_members_are_extracted(tmp_path):
    path = archive(tmp_path, "top/mapping/README.md", "top/processed/")
    extract_members(path, tmp_path / "out", "top", digests(GOOD), "a.zip")
    found = {p.name: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert found == {"edge.csv.gz": b"edges"}


def test_a_damaged_member_is_noticed_even_without_a_checksum(tmp_path):
    path = archive(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"edges", b"edgez", 1))
    with pytest.raises(UserError, match="not a sound zip archive"):
        extract_members(path, tmp_path / "out", "top", dict.fromkeys(GOOD), "a.zip")
    assert not [p for p in (tmp_path / "out").rglob("*") if p.is_file()]


def test_not_an_archive(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"no archive")
    with pytest.raises(UserError, match="not a sound zip archive"):
        extract_members(tmp_path / "a.zip", tmp_path, "top", digests(GOOD), "a.zip")
