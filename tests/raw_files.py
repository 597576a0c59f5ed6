"""Small made-up data sets in the raw formats of the real ones."""

import gzip
import hashlib
import io
import pickle
import struct
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy import sparse


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


def planetoid_files(
    stem: str, test_nodes: Sequence[int] = (9, 7, 12)
) -> tuple[dict[str, bytes], np.ndarray, np.ndarray]:
    """13 nodes in Planetoid's format, with gaps, loops and duplicates; the dense features."""
    rng = np.random.default_rng(0)
    allx, tx = rng.integers(0, 2, (7, 4)), rng.integers(0, 2, (3, 4))
    ally, ty = (
        np.eye(3, dtype=np.int32)[[0, 1, 2, 0, 1, 2, 0]],
        np.eye(3, dtype=np.int32)[[1, 2, 0]],
    )
    lists = defaultdict(list, {node: [] for node in range(13)})
    for a, b in [(0, 1), (1, 2), (1, 2), (3, 9), (8, 7), (5, 5)]:
        lists[a].append(b)
        lists[b].append(a)
    return packed_planetoid(stem, (allx, tx), (ally, ty), 3, lists, test_nodes), allx, tx


def packed_planetoid(
    stem: str,
    features: tuple[np.ndarray, np.ndarray],
    one_hot: tuple[np.ndarray, np.ndarray],
    train: int,
    lists: Mapping[int, list[int]],
    test_nodes: Iterable[int],
) -> dict[str, bytes]:
    """The files of a graph: features and labels of its first nodes, and of the test nodes."""
    (allx, tx), (ally, ty) = features, one_hot
    matrices = {"x": allx[:train], "allx": allx, "tx": tx}
    pieces = {name: sparse.csr_matrix(X.astype(np.float32)) for name, X in matrices.items()}
    pieces |= {"y": ally[:train], "ally": ally, "ty": ty, "graph": lists}
    files = {f"{stem}.{name}": python2_pickle(piece) for name, piece in pieces.items()}
    return files | {f"{stem}.test.index": "".join(f"{node}\n" for node in test_nodes).encode()}


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
    files = {
        "raw/edge.csv.gz": gzipped_csv(edges),
        f"raw/{kind}-label.csv.gz": gzipped_csv(labels),
        "raw/num-node-list.csv.gz": gzipped_csv([n]),
        "raw/num-edge-list.csv.gz": gzipped_csv([len(edges)]),
    }
    files |= {f"raw/{name.replace('_', '-')}.csv.gz": gzipped_csv(v) for name, v in more.items()}
    return files | split_files(n, split)


def split_files(n: int, split: str) -> dict[str, bytes]:
    """The files of a split of OGB into thirds."""
    names, parts = ("train", "valid", "test"), np.array_split(np.arange(n), 3)
    return {
        f"split/{split}/{name}.csv.gz": gzipped_csv(part)
        for name, part in zip(names, parts, strict=True)
    }


def ogb_arrays(edges, labels, split: str, X: np.ndarray, save=np.savez) -> dict[str, bytes]:
    """Raw files of one OGB graph whose metadata say `binary`, split into thirds."""
    sizes = {"num_nodes_list": np.array([len(X)]), "num_edges_list": np.array([len(edges)])}
    contents = {
        "raw/data.npz": sizes | {"edge_index": np.ascontiguousarray(edges.T), "node_feat": X},
        "raw/node-label.npz": {"node_label": np.asarray(labels, dtype=np.float32)[:, None]},
    }
    files = {}
    for name, arrays in contents.items():
        buffer = io.BytesIO()
        save(buffer, **arrays)
        files[name] = buffer.getvalue()
    return files | split_files(len(X), split)
