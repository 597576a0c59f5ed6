"""Small made-up data sets in the raw formats of the real ones."""

import gzip
import hashlib
import io
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 of each content."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write contents below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


class _Python2(pickle._Pickler):
    """Writes bytes as the strings of Python 2, as in the files of Planetoid."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_bytes(self, content):
        self.write(b"T" + struct.pack("<i", len(content)) + content)
        self.memoize(content)

    dispatch[bytes] = save_bytes


def python2_pickle(content) -> bytes:
    """Protocol 2, with the module names of old numpy and scipy."""
    buffer = io.BytesIO()
    _Python2(buffer, protocol=2).dump(content)
    old = buffer.getvalue().replace(b"cscipy.sparse._csr\n", b"cscipy.sparse.csr\n")
    return old.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def gzipped_csv(rows) -> bytes:
    """A csv without a header, as OGB has them."""
    text = pd.DataFrame(rows).to_csv(header=False, index=False)
    return gzip.compress(text.encode(), mtime=0)


def zipped(files: Mapping[str, bytes], top: str) -> bytes:
    """An archive of one folder, with OGB's empty `processed` folder in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.mkdir(f"{top}/processed")
        for name, content in files.items():
            archive.writestr(f"{top}/{name}", content)
    return buffer.getvalue()


def ogb_files(kind: str, n: int, edges, labels, split: str, **more) -> dict[str, bytes]:
    """Raw files of one OGB graph, split into thirds; `more`: node_feat, edge_feat."""
    parts = np.array_split(np.arange(n), 3)
    files = {
        "raw/edge.csv.gz": gzipped_csv(edges),
        f"raw/{kind}-label.csv.gz": gzipped_csv(labels),
        "raw/num-node-list.csv.gz": gzipped_csv([n]),
        "raw/num-edge-list.csv.gz": gzipped_csv([len(edges)]),
    }
    files |= {f"raw/{name.replace('_', '-')}.csv.gz": gzipped_csv(v) for name, v in more.items()}
    names = ("train", "valid", "test")
    return files | {
        f"split/{split}/{name}.csv.gz": gzipped_csv(part)
        for name, part in zip(names, parts, strict=True)
    }
