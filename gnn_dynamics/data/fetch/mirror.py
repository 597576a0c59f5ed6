"""A mirror: a folder or web address that holds official files under the paths of its urlmap.tsv.

Each line of `urlmap.tsv` pairs a top folder with an official base address; the rest of a path is
the same on both sides. A file may be there compressed, with `.xz` after its official name.
"""

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from gnn_dynamics.data.fetch.transfer import NotThere, read_text
from gnn_dynamics.errors import UserError

VARIABLE = "GNN_DYNAMICS_MIRROR"


@dataclass(frozen=True)
class Mirror:
    """`root` is a folder, or an address without a slash at its end; rows are (folder, base)."""

    root: Path | str
    rows: tuple[tuple[str, str], ...]

    def places(self, url: str) -> list[Path | str]:
        """Where the file at an official address may be, as it is or compressed, best first."""
        found = []
        for folder, base in self.rows:
            if url.startswith(base + "/"):
                path = folder + url.removeprefix(base)
                found += [self._place(path), self._place(path + ".xz")]
        return found

    def _place(self, path: str) -> Path | str:
        return self.root / path if isinstance(self.root, Path) else f"{self.root}/{path}"


def find_mirror(setting: str | None) -> Mirror | None:
    """The mirror of the environment variable, else of the setting; None without either.

    Raises:
        UserError: if there is no `urlmap.tsv` at that place.
    """
    name = os.environ.get(VARIABLE) or setting
    if not name:
        return None
    root = _root(str(name))
    try:
        text = _read(root)
    except (OSError, NotThere) as error:
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
