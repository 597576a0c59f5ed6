"""A mirror: a folder or web address with official files under the paths of its urlmap.tsv.

Each line of `urlmap.tsv` maps a top folder to an official base address; the rest of a path is the
same for both. A file may be compressed, with `.xz` after its official name.
"""

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit
from urllib.request import url2pathname

from gnn_dynamics.data.fetch.transfer import Unavailable, fetch
from gnn_dynamics.errors import UserError

VARIABLE = "GNN_DYNAMICS_MIRROR"


@dataclass(frozen=True)
class Mirror:
    """`root` is a folder, or an address without a trailing slash; rows are (folder, base)."""

    root: Path | str
    rows: tuple[tuple[str, str], ...] = ()

    def sources(self, url: str) -> list[Path | str]:
        """Where the file of an official address may be, plain before compressed."""
        paths = [
            folder + url.removeprefix(base)
            for folder, base in self.rows
            if url.startswith(base + "/")
        ]
        return [self.source(path + suffix) for path in paths for suffix in ("", ".xz")]

    def source(self, path: str) -> Path | str:
        """The folder or address of a path of the mirror."""
        return self.root / path if isinstance(self.root, Path) else f"{self.root}/{path}"


def find_mirror(setting: str | None) -> Mirror | None:
    """The mirror in the environment variable, else in the setting; None without either.

    Raises:
        UserError: if it has no readable `urlmap.tsv`.
    """
    name = os.environ.get(VARIABLE) or setting
    if not name:
        return None
    root = _root(str(name))
    try:
        with TemporaryDirectory() as folder:
            copy = Path(folder, "urlmap.tsv.part")
            fetch(Mirror(root).source("urlmap.tsv"), copy)
            text = copy.read_text(encoding="utf-8")
    except Unavailable as error:
        raise UserError(
            f"mirror {name}: cannot read its urlmap.tsv ({error}); set `mirror` in the config or"
            f" {VARIABLE} to a folder or address that has one, or unset it"
        ) from error
    _, *lines = csv.reader(text.splitlines(), delimiter="\t")
    return Mirror(root, tuple((folder, base.rstrip("/")) for folder, base in lines))


def _root(name: str) -> Path | str:
    parts = urlsplit(name)
    if parts.scheme in ("http", "https"):
        return name.rstrip("/")
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else Path(name).expanduser()
