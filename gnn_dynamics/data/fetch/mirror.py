"""A mirror: a folder or web address with official files under the paths of its urlmap.tsv.

Each line of `urlmap.tsv` maps a top folder to an official base address; the rest of a path is the
same for both. A file may be compressed, with `.xz` after its official name.
"""

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from gnn_dynamics.data.fetch.transfer import Unavailable, read_text
from gnn_dynamics.errors import UserError

VARIABLE = "GNN_DYNAMICS_MIRROR"


@dataclass(frozen=True)
class Mirror:
    """`root` is a folder, or an address without a trailing slash; rows are (folder, base)."""

    root: Path | str
    rows: tuple[tuple[str, str], ...]

    def sources(self, url: str) -> list[Path | str]:
        """Where the file of an official address may be, plain before compressed."""
        sources = []
        for folder, base in self.rows:
            if url.startswith(base + "/"):
                path = folder + url.removeprefix(base)
                sources += [self._source(path), self._source(path + ".xz")]
        return sources

    def _source(self, path: str) -> Path | str:
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
        text = _read(root)
    except (OSError, Unavailable) as error:
        raise UserError(
            f"mirror {name}: cannot read its urlmap.tsv ({error}); set `mirror` in the config or"
            f" {VARIABLE} to a folder or address that has one, or unset it"
        ) from error
    lines = list(csv.reader(text.splitlines(), delimiter="\t"))[1:]
    return Mirror(root, tuple((folder, base.rstrip("/")) for folder, base in lines))


def _root(name: str) -> Path | str:
    parts = urlsplit(name)
    if parts.scheme in ("http", "https"):
        return name.rstrip("/")
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else Path(name).expanduser()


def _read(root: Path | str) -> str:
    if isinstance(root, Path):
        return (root / "urlmap.tsv").read_text(encoding="utf-8")
    return read_text(f"{root}/urlmap.tsv")
