"""The matrix [P_0, ..., P_H] (nbar, (H+1) m_x) on disk: written by columns, read by rows.

P_l = (X S^l R)^T: aggregation works on some features of all nodes, QR on all features of some
nodes. The numbers lie outside the process's memory; the system keeps in its cache what fits.
"""

import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from gnn_dynamics.errors import UserError

NUMBER = 8  # bytes of a float64


class Spool:
    """P_l for some levels, in an open binary `file`; `pieces` says what stands where.

    nbar: rows of every P_l.  m_x: its columns.
    pieces: (level, first column, columns, place in the file in bytes) of every block.
    """

    def __init__(self, file: BinaryIO, nbar: int, m_x: int, pieces: Sequence[tuple] = ()):
        self.file, self.nbar, self.m_x = file, nbar, m_x
        self.pieces = list(pieces)

    def write(self, level: int, first: int, block: np.ndarray) -> None:
        """Append the columns first, first + 1, ... of P_level; block: (nbar, c) float64."""
        place = self.file.seek(0, 2)
        self.file.write(np.ascontiguousarray(block, dtype=np.float64).data)
        self.pieces.append((level, first, block.shape[1], place))

    def blocks(self, levels: Sequence[int], height: int) -> Iterator[np.ndarray]:
        """[P_l for l in levels], (up to `height`, len(levels) m_x) at a time, in order."""
        for top in range(0, self.nbar, height):
            yield self._rows(levels, top, min(height, self.nbar - top))

    def level(self, level: int) -> np.ndarray:
        """All of P_level (nbar, m_x)."""
        return self._rows([level], 0, self.nbar)

    def _rows(self, levels: Sequence[int], top: int, height: int) -> np.ndarray:
        out = np.empty((height, len(levels) * self.m_x))
        for level, first, count, place in self.pieces:
            if level in levels:
                left = levels.index(level) * self.m_x + first
                rows = np.empty((height, count))
                self.file.seek(place + NUMBER * top * count)
                self.file.readinto(rows.data)
                out[:, left : left + count] = rows
        return out


def temporary_spool(nbar: int, m_x: int, levels: int) -> Spool:
    """A spool for `levels` matrices in the temporary folder (TMPDIR), whose file goes with it.

    Raises:
        UserError: if that folder has too little room.
    """
    folder, size = Path(tempfile.gettempdir()), NUMBER * nbar * m_x * levels
    free = shutil.disk_usage(folder).free
    if size > free:
        raise UserError(
            f"{folder} has {free / 1e9:.1f} GB of free space, and features after aggregation take"
            f" {size / 1e9:.1f} GB; set TMPDIR to a folder with more."
        )
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115, closed with the spool
    spool = Spool(file, nbar, m_x)
    weakref.finalize(spool, file.close)
    return spool
