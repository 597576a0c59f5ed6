"""Fetching: from a web server that fails in every way, from folders, with and without a mirror."""

import lzma
import time
from pathlib import Path

import pytest
import requests
from local_server import serving
from raw_files import digests, write_files, zipped

from gnn_dynamics.data.fetch import transfer
from gnn_dynamics.data.fetch.download import fetch_dataset
from gnn_dynamics.errors import UserError

CONTENT = {"a.bin": bytes(range(256)) * 40, "b.txt": b"two\n"}
OFFICIAL = "https://data.example/base"
MEMBERS = {"raw/edge.csv.gz": b"edges", "split/time/test.csv.gz": b"2\n"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """No long waits between attempts, no mirror or proxy from outside."""
    monkeypatch.setattr(transfer, "BACK_OFF", 0.001)
    monkeypatch.delenv("GNN_DYNAMICS_MIRROR", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    transfer._session.cache_clear()
    yield
    transfer._session.cache_clear()


@pytest.fixture
def server():
    files = {"base/a.bin": CONTENT["a.bin"], "base/b.txt": CONTENT["b.txt"]}
    with serving(files | {"urlmap.tsv": f"folder\turl\nbase\t{OFFICIAL}\n".encode()}) as running:
        yield running


def entry_for(url=OFFICIAL, files=CONTENT, reader="planetoid"):
    return {"reader": reader, "source_url": url, "files": digests(files)}


def mirror_folder(folder: Path, files=CONTENT) -> Path:
    write_files(folder / "base", files)
    (folder / "urlmap.tsv").write_text(f"folder\turl\nbase\t{OFFICIAL}\n")
    return folder


def there(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_from_the_official_address(server, tmp_path):
    entry = entry_for(f"{server.url}/base")
    assert fetch_dataset(entry, tmp_path) == digests(CONTENT)
    assert there(tmp_path) == CONTENT


def test_from_a_mirror_on_the_web(server, tmp_path):
    fetch_dataset(entry_for(), tmp_path, f"{server.url}/")
    assert there(tmp_path) == CONTENT


@pytest.mark.parametrize("form", [str, Path.as_uri], ids=["path", "file address"])
def test_from_a_mirror_in_a_folder(form, tmp_path):
    fetch_dataset(entry_for(), tmp_path / "raw", form(mirror_folder(tmp_path / "m")))
    assert there(tmp_path / "raw") == CONTENT


def test_the_environment_wins_over_the_setting(tmp_path, monkeypatch):
    monkeypatch.setenv("GNN_DYNAMICS_MIRROR", str(mirror_folder(tmp_path / "m")))
    fetch_dataset(entry_for(), tmp_path / "raw", "/no/such/mirror")
    assert there(tmp_path / "raw") == CONTENT


@pytest.mark.parametrize("web", [False, True])
def test_a_compressed_file_of_a_mirror_becomes_the_official_one(web, server, tmp_path):
    packed = {"a.bin.xz": lzma.compress(CONTENT["a.bin"]), "b.txt": CONTENT["b.txt"]}
    server.files = {f"base/{k}": v for k, v in packed.items()} | {
        "urlmap.tsv": server.files["urlmap.tsv"]
    }
    mirror = server.url if web else str(mirror_folder(tmp_path / "m", packed))
    fetch_dataset(entry_for(), tmp_path / "raw", mirror)
    assert there(tmp_path / "raw") == CONTENT


def test_what_is_intact_is_not_fetched_again_and_what_is_damaged_is(server, tmp_path):
    entry = entry_for(f"{server.url}/base")
    fetch_dataset(entry, tmp_path)
    (tmp_path / "a.bin").write_bytes(b"damaged")
    server.requests.clear()
    fetch_dataset(entry, tmp_path)
    assert server.requests == [("base/a.bin", None)] and there(tmp_path) == CONTENT


def test_a_body_that_breaks_off_is_resumed(server, tmp_path):
    server.faults["base/a.bin"] = [1000, 500]
    fetch_dataset(entry_for(f"{server.url}/base"), tmp_path)
    ranges = [asked for path, asked in server.requests if path == "base/a.bin"]
    assert ranges == [None, "bytes=1000-", "bytes=1500-"] and there(tmp_path) == CONTENT


def test_an_earlier_download_is_resumed(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT["a.bin"][:77])
    fetch_dataset(entry_for(f"{server.url}/base"), tmp_path)
    assert ("base/a.bin", "bytes=77-") in server.requests and there(tmp_path) == CONTENT


def test_a_complete_part_needs_only_its_name(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT["a.bin"])
    fetch_dataset(entry_for(f"{server.url}/base"), tmp_path)
    assert there(tmp_path) == CONTENT


@pytest.mark.parametrize("fault", ["no range", "shifted"])
def test_a_server_that_does_not_keep_to_ranges(fault, server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT["a.bin"][:77])
    server.faults["base/a.bin"] = [fault]
    fetch_dataset(entry_for(f"{server.url}/base"), tmp_path)
    assert there(tmp_path) == CONTENT


@pytest.mark.parametrize("stale", [b"of another version", b"longer" * 5000])
def test_a_part_of_another_version_is_thrown_away(stale, server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(stale)
    fetch_dataset(entry_for(f"{server.url}/base"), tmp_path)
    assert there(tmp_path) == CONTENT


def test_a_body_that_never_comes_keeps_what_came(server, tmp_path):
    server.faults["base/a.bin"] = [1000] + [0] * 20
    with pytest.raises(UserError, match=r"a\.bin.*broke off"):
        fetch_dataset(entry_for(f"{server.url}/base"), tmp_path)
    assert there(tmp_path) == {"a.bin.part": CONTENT["a.bin"][:1000]}


@pytest.mark.slow
def test_busy_is_waited_for_as_long_as_the_server_says(server, tmp_path):
    server.faults["base/a.bin"] = ["503"]
    begin = time.monotonic()
    fetch_dataset(entry_for(f"{server.url}/base"), tmp_path)
    assert time.monotonic() - begin >= 1 and there(tmp_path) == CONTENT


@pytest.mark.slow
def test_busy_for_ever(server, tmp_path, monkeypatch):
    server.faults["base/a.bin"] = ["503"] * 9
    monkeypatch.setattr(transfer, "ATTEMPTS", 1)
    with pytest.raises(UserError, match=r"a\.bin.*answered 503"):
        fetch_dataset(entry_for(f"{server.url}/base"), tmp_path)
    assert there(tmp_path) == {}


def test_a_wrong_checksum_names_file_source_and_both_sums(server, tmp_path):
    server.files["base/a.bin"] = b"<html>blocked</html>"
    entry = entry_for(f"{server.url}/base")
    with pytest.raises(UserError) as caught:
        fetch_dataset(entry, tmp_path)
    found = digests(server.files)["base/a.bin"]
    for part in (f"a.bin from {server.url}/base/a.bin", found, entry["files"]["a.bin"]):
        assert part in str(caught.value)
    assert there(tmp_path) == {}


def test_a_missing_file_of_the_official_address(server, tmp_path):
    del server.files["base/b.txt"]
    with pytest.raises(UserError, match=r"b\.txt.*answered 404.*GNN_DYNAMICS_MIRROR"):
        fetch_dataset(entry_for(f"{server.url}/base"), tmp_path)


def test_a_missing_file_of_a_mirror_is_not_sought_elsewhere(tmp_path):
    mirror = mirror_folder(tmp_path / "m", {"a.bin": CONTENT["a.bin"]})
    with pytest.raises(UserError) as caught:
        fetch_dataset(entry_for(), tmp_path / "raw", str(mirror))
    for part in ("b.txt", f"{OFFICIAL}/b.txt", str(mirror), "GNN_DYNAMICS_MIRROR"):
        assert part in str(caught.value)


def test_a_mirror_that_does_not_know_the_address(tmp_path):
    mirror = mirror_folder(tmp_path / "m")
    with pytest.raises(UserError, match="no line for this address"):
        fetch_dataset(entry_for("https://other.example"), tmp_path / "raw", str(mirror))


@pytest.mark.parametrize("mirror", ["/no/such/folder", "http://127.0.0.1:9"])
def test_a_mirror_that_is_none(mirror, tmp_path):
    with pytest.raises(UserError, match=r"urlmap\.tsv.*GNN_DYNAMICS_MIRROR"):
        fetch_dataset(entry_for(), tmp_path, mirror)


def test_no_network_and_no_mirror_is_one_clear_message(tmp_path, monkeypatch):
    def unreachable(*_, **__):
        raise requests.ConnectionError("name resolution failed")

    monkeypatch.setattr(requests.Session, "get", unreachable)
    with pytest.raises(UserError) as caught:
        fetch_dataset(entry_for(), tmp_path)
    for part in ("a.bin", f"{OFFICIAL}/a.bin", "`mirror`", "GNN_DYNAMICS_MIRROR"):
        assert part in str(caught.value)


def archive_on(server, content=None):
    """An OGB-like entry whose archive `pack.zip` is on the server."""
    server.files["base/pack.zip"] = zipped(MEMBERS, "pack") if content is None else content
    return entry_for(f"{server.url}/base/pack.zip", MEMBERS, reader="ogb")


def test_an_archive_leaves_its_members_only(server, tmp_path):
    entry = archive_on(server)
    assert fetch_dataset(entry, tmp_path) == digests(MEMBERS)
    assert there(tmp_path) == MEMBERS
    server.requests.clear()
    fetch_dataset(entry, tmp_path)
    assert server.requests == []


def test_an_archive_that_breaks_off_is_resumed(server, tmp_path):
    entry = archive_on(server)
    server.faults["base/pack.zip"] = [60]
    fetch_dataset(entry, tmp_path)
    assert server.requests[-1] == ("base/pack.zip", "bytes=60-") and there(tmp_path) == MEMBERS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>blocked</html>", "not a sound zip archive"),
        (zipped(MEMBERS | {"raw/edge.csv.gz": b"others"}, "pack"), r"raw/edge\.csv\.gz in .*SHA"),
        (zipped({"raw/edge.csv.gz": b"edges"}, "pack"), "lacks the member pack/split/time/test"),
    ],
    ids=["no archive", "another member", "a member less"],
)
def test_a_wrong_archive_leaves_nothing(content, message, server, tmp_path):
    with pytest.raises(UserError, match=message):
        fetch_dataset(archive_on(server, content), tmp_path)
    assert there(tmp_path) == {}


def test_a_file_without_a_known_checksum_is_still_recorded(server, tmp_path):
    entry = entry_for(f"{server.url}/base")
    entry["files"]["a.bin"] = None
    assert fetch_dataset(entry, tmp_path) == digests(CONTENT)
