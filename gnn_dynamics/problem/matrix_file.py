"""The matrix [P_0, ..., P_H] (nbar, (H+1) m_x) on disk: written by columns, read by rows.

P_l = (X S^l R)^T: aggregation works on some features of all nodes, QR on all features of some
nodes. The numbers are outside the process's memory, in the system's cache as far as they fit.
"""

import weakref
from collections.abc import Iterable, Iterator, Sequence
from io import BufferedIOBase
from typing import NamedTuple

import numpy as np

from gnn_dynamics.artifacts.files import temporary_file

NUMBER = 8  # bytes of a float64


class Stored(NamedTuple):
    """Some columns of P_hop, whose rows begin at `offset` bytes of the file."""

    hop: int
    first: int
    columns: int
    offset: int


class MatrixFile:
    """P_l for some hops l, in an open binary `file`; `contents` lists the blocks of columns in it.

    nbar: rows of every P_l.  m_x: its columns.
    """

    def __init__(self, file: BufferedIOBase, nbar: int, m_x: int, contents: Iterable[Stored] = ()):
        self.file, self.nbar, self.m_x = file, nbar, m_x
        self.contents = list(contents)

    def write(self, hop: int, first: int, block: np.ndarray) -> None:
        """Append the columns first, first + 1, ... of P_hop; block: (nbar, c) float64."""
        offset = self.file.seek(0, 2)
        self.file.write(np.ascontiguousarray(block, dtype=np.float64).data)
        self.contents.append(Stored(hop, first, block.shape[1], offset))

    def row_blocks(self, hops: Sequence[int], height: int) -> Iterator[np.ndarray]:
        """[P_l for l in hops], (up to `height`, len(hops) m_x) at a time, in order."""
        for top in range(0, self.nbar, height):
            yield self._rows(hops, top, min(height, self.nbar - top))

    def matrix(self, hop: int) -> np.ndarray:
        """All of P_hop (nbar, m_x)."""
        return self._rows([hop], 0, self.nbar)

    def _rows(self, hops: Sequence[int], top: int, height: int) -> np.ndarray:
        out = np.empty((height, len(hops) * self.m_x))
        for hop, first, columns, offset in self.contents:
            if hop in hops:
                left = hops.index(hop) * self.m_x + first
                rows = np.empty((height, columns))
                self.file.seek(offset + NUMBER * top * columns)
                self.file.readinto(rows.data)
                out[:, left : left + columns] = rows
        return out


def temporary_matrix_file(nbar: int, m_x: int, hops: int) -> MatrixFile:
    """A file for `hops` matrices in the temporary folder (TMPDIR), deleted with the object.

    Raises:
        UserError: if that folder has too little room.
    """
    file = temporary_file(NUMBER * nbar * m_x * hops, "features after aggregation")
    matrix_file = MatrixFile(file, nbar, m_x)
    weakref.finalize(matrix_file, file.close)
    return matrix_file
