"""Timing designs against each other, and the roofs of this machine.

Times are CPU seconds of the process, the best of several short turns that the designs take one
after another, so that a busy machine slows all of them alike. What can be compared with another
machine, or another hour, is their ratio.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

FOLDER = Path("results") / "benchmark"
Step = Callable[[], object]
ROUNDS = 5
TURN_SECONDS = 0.25  # of one design in one round
PRECISION = {torch.float32: "float32", torch.float64: "float64"}


def seconds_per_call(designs: Mapping[str, Step], rounds: int = ROUNDS) -> dict[str, float]:
    """CPU seconds of one call of each design, measured in turns."""
    best = dict.fromkeys(designs, float("inf"))
    for _ in range(rounds):
        for name, step in designs.items():
            best[name] = min(best[name], turn(step))
    return best


def turn(step: Step) -> float:
    """Fastest call among those that fit into TURN_SECONDS, at least three, after one to warm up."""
    step()
    times, end = [], time.process_time() + TURN_SECONDS
    while len(times) < 3 or time.process_time() < end:
        start = time.process_time()
        step()
        times.append(time.process_time() - start)
    return min(times)


def peak_memory() -> int:
    """Most bytes that this process has held since its program began (Linux).

    Not `ru_maxrss`: that one begins with what the process that started it held.
    """
    return status("VmHWM")


@contextmanager
def anonymous_peak() -> Iterator[list[int]]:
    """The most bytes that the process holds within the block, without pages of files (Linux).

    Looked at every 20 ms; the list has the peak when the block has ended.
    """
    peaks, ended = [anonymous_memory()], threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            peaks[0] = max(peaks[0], anonymous_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        watcher.join()


def anonymous_memory() -> int:
    """Bytes that this process holds and could not read again from a file."""
    return status("RssAnon")


def status(name: str) -> int:
    """A size in bytes from the status of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(name)]
    return 1024 * int(line.split()[1])


@dataclass(frozen=True)
class Kernel:
    """One product of a step: its FLOP, and the bytes that it reads and writes."""

    flops: float
    bytes: float


@dataclass(frozen=True)
class Roofs:
    """What one thread reaches at best: FLOP/s of a large product, bytes/s of a copy in L2."""

    flops: float
    bytes: float

    def floor(self, kernels: Iterable[Kernel]) -> float:
        """Seconds that the kernels take at least, one after another."""
        return sum(max(k.flops / self.flops, k.bytes / self.bytes) for k in kernels)


@cache
def roofs(dtype: torch.dtype) -> Roofs:
    """Measured once per precision: 1000^3 product, copy of 128 KiB."""
    square = torch.randn(1000, 1000, dtype=dtype)
    source = torch.zeros(2**17 // dtype.itemsize, dtype=dtype)
    target, copies = torch.empty_like(source), 200

    def copy() -> None:
        for _ in range(copies):
            target.copy_(source)

    found = seconds_per_call({"product": lambda: square @ square, "copy": copy})
    return Roofs(2e9 / found["product"], copies * 2 * source.nbytes / found["copy"])


def row(
    cell: str,
    design: str,
    dtype: torch.dtype,
    models: int,
    seconds: float,
    pyg: float,
    kernels: Iterable[Kernel] | None,
) -> dict[str, object]:
    """A row of engine.parquet; seconds of one model's step, PyG's likewise.

    share_of_roof is the least time that the kernels need over the time taken; empty where the
    kernels are not counted.
    """
    kernels = None if kernels is None else list(kernels)
    counted = kernels is not None
    return {
        "cell": cell,
        "design": design,
        "precision": PRECISION[dtype],
        "models_per_batch": models,
        "seconds_per_model_step": seconds,
        "ratio_to_pyg": pyg / seconds,
        "flops": sum(k.flops for k in kernels) if counted else None,
        "bytes": sum(k.bytes for k in kernels) if counted else None,
        "share_of_roof": roofs(dtype).floor(kernels) / seconds if counted else None,
    }
