"""From a list of directed edges to a symmetric simple graph, without the list in memory.

One pass over the list counts the entries of each row. Further passes fill the rows: all rows in
one pass if they have at most BAND entries, else as many rows at a time as have.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy import sparse

from gnn_dynamics.artifacts.files import scratch_array
from gnn_dynamics.errors import UserError

Locate = Callable[[int], str]
CHUNK = 2**22  # edges, or entries of some rows, at a time: 0.5 GB of memory
BAND = 2**29  # entries of the rows that are filled in one pass: 2 GB
MOST_NODES = 2**31  # twice a node's number fits into 32 bits


def csr_of_ones(indices: np.ndarray, indptr: np.ndarray) -> sparse.csr_array:
    """(n, n) float64 CSR whose stored entries are all 1; the ones take no memory.

    SciPy would copy 32-bit `indices` where `indptr` needs 64 bits. They stay as they are.
    """
    n = len(indptr) - 1
    A = sparse.csr_array((n, n))
    A.data, A.indices, A.indptr = np.broadcast_to(1.0, len(indices)), indices, indptr
    return A


def row_ranges(indptr: np.ndarray, most: int) -> Iterator[slice]:
    """All rows in order, in ranges that have at most `most` entries or a single row."""
    top, n = 0, len(indptr) - 1
    while top < n:
        end = int(np.searchsorted(indptr, int(indptr[top]) + most, side="right")) - 1
        end = max(end, top + 1)
        yield slice(top, end)
        top = end


def clean_edges(
    n: int, source: np.ndarray, target: np.ndarray, where: Locate = "edge {}".format
) -> tuple[sparse.csr_array, dict[str, int]]:
    """The symmetric simple graph of a list of directed edges, and counts of merged edges.

    source, target: (stored_edges,) node ids, in memory or memory-mapped. The counts are
    stored_edges; duplicate_edges_dropped, pairs equal to an earlier pair in the same direction;
    self_loops_dropped, distinct loops; one_way_edges, edges present in one direction only; edges,
    undirected. Always stored - duplicates - loops = 2 edges - one_way. `where` locates an edge in
    messages. A graph of many entries is in a temporary file (TMPDIR), which is memory-mapped.

    Raises:
        UserError: if an end is not a whole number from 0 to n - 1, naming such an edge; if there
            are too many nodes, or the temporary folder has too little room.
    """
    source, target = np.asarray(source), np.asarray(target)
    _check(n, source, target, where)
    filled, loops = _entries_of_rows(n, source, target)
    most = _pointers(filled)
    indices = scratch_array(int(most[-1]), np.int32, "the edges of the graph")
    degrees, top, directed = np.zeros(n, dtype=np.int64), 0, 0
    for rows in row_ranges(most, BAND):
        entries = _filled(n, rows, most, source, target)
        for part, keys in _sorted_rows(n, rows, most, entries):
            directed += int(np.count_nonzero(keys & 1 == 0))
            pairs = _distinct(keys >> 1)
            at = pairs // n
            degrees[part] = np.bincount(at - part.start, minlength=part.stop - part.start)
            indices[top : top + len(pairs)] = pairs - at * n
            top += len(pairs)
    adjacency = csr_of_ones(indices[:top], _index(_pointers(degrees)))
    counts = {
        "stored_edges": len(source),
        "duplicate_edges_dropped": len(source) - loops - directed,
        "self_loops_dropped": loops,
        "one_way_edges": top - directed,
        "edges": top // 2,
    }
    return adjacency, counts


def _check(n: int, source: np.ndarray, target: np.ndarray, where: Locate) -> None:
    if source.shape != target.shape or source.ndim != 1:
        raise UserError(f"edges: {source.shape} sources but {target.shape} targets")
    if n > MOST_NODES:
        raise UserError(f"{n} nodes: a graph can have at most {MOST_NODES}")
    for ends in (source, target):
        for top in range(0, len(ends), CHUNK):
            some = ends[top : top + CHUNK]
            whole = np.issubdtype(ends.dtype, np.integer)
            bad = np.flatnonzero((some < 0) | (some >= n)) if whole else np.array([0])
            if bad.size:
                at = top + int(bad[0])
                raise UserError(
                    f"{where(at)} ({source[at]}, {target[at]}): node ids must be whole numbers"
                    f" from 0 to {n - 1}"
                )


def _chunks(source: np.ndarray, target: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Sources and targets of some edges at a time, int64."""
    for top in range(0, len(source), CHUNK):
        yield (
            source[top : top + CHUNK].astype(np.int64),
            target[top : top + CHUNK].astype(np.int64),
        )


def _entries_of_rows(n: int, source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, int]:
    """How many entries each row gets (n,), repeated ones included; the number of distinct loops."""
    entries, looped = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool)
    for s, t in _chunks(source, target):
        other = s != t
        looped[s[~other]] = True
        for ends in (s, t):
            np.add.at(entries, ends[other], 1)
    return entries, int(np.count_nonzero(looped))


def _filled(
    n: int, rows: slice, most: np.ndarray, source: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """The entries of some rows, unsorted: 2 column, and 1 more for the target of a stored edge."""
    entries = np.empty(most[rows.stop] - most[rows.start], dtype=np.uint32)
    following = most[rows] - most[rows.start]  # where the next entry of each row goes
    for s, t in _chunks(source, target):
        keys = np.concatenate([_keys(n, rows, s, t, 0), _keys(n, rows, t, s, 1)])
        keys.sort()
        at = keys // (2 * n)
        values = keys - 2 * n * at
        at -= rows.start
        first = np.flatnonzero(np.diff(at, prepend=-1))  # of the entries of each row
        counts = np.diff(first, append=len(at))
        shift = following[at[first]] - first
        entries[np.arange(len(at)) + np.repeat(shift, counts)] = values
        following[at[first]] += counts
    return entries


def _keys(n: int, rows: slice, row: np.ndarray, column: np.ndarray, code: int) -> np.ndarray:
    """2 (n row + column) + code of the entries that are in `rows` and not on the diagonal."""
    here = (row >= rows.start) & (row < rows.stop) & (row != column)
    return 2 * (row[here] * n + column[here]) + code


def _sorted_rows(
    n: int, rows: slice, most: np.ndarray, entries: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """(rows, distinct keys of `_keys` in them, ascending), some rows at a time."""
    pointers = most[rows.start : rows.stop + 1] - most[rows.start]
    for part in row_ranges(pointers, CHUNK):
        inside = slice(part.start + rows.start, part.stop + rows.start)
        bounds = pointers[part.start : part.stop + 1]
        at = np.repeat(np.arange(inside.start, inside.stop), np.diff(bounds))
        keys = 2 * n * at + entries[bounds[0] : bounds[-1]]
        keys.sort()
        yield inside, _distinct(keys)


def _distinct(ascending: np.ndarray) -> np.ndarray:
    return ascending[np.diff(ascending, prepend=-1) > 0]


def _pointers(counts: np.ndarray) -> np.ndarray:
    """(n + 1,) int64: where the entries of each row begin."""
    return np.concatenate([[0], np.cumsum(counts)])


def _index(pointers: np.ndarray) -> np.ndarray:
    return pointers.astype(np.int32) if pointers[-1] < 2**31 else pointers
