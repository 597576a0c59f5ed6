"""A generator that runs in a process of its own, within its time.

The process is forked, since importing torch takes seconds. So the parent must never touch the GPU.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

from gnn_dynamics.errors import UserError

FORK = multiprocessing.get_context("fork")


def forked(make: Callable[[], Iterator[Any]], seconds: float) -> Iterator[Any]:
    """What the generator `make()` yields in a child process.

    Raises:
        UserError: as raised by the generator.
        RuntimeError: where it raises something else, ends its process, or takes longer.
    """
    reader, writer = FORK.Pipe(duplex=False)
    child = FORK.Process(target=_send_all, args=(make, writer))
    child.start()
    writer.close()  # so that the end of the child is the end of the pipe
    try:
        yield from _received(reader, time.monotonic() + seconds)
        child.join()
        if child.exitcode:
            raise RuntimeError(f"the process ended with code {child.exitcode}")
    except TimeoutError:
        raise RuntimeError(f"took more than its {seconds:g} s") from None
    finally:
        child.kill()
        child.join()


def _received(reader: Connection, end: float) -> Iterator[Any]:
    while reader.poll(max(0.0, end - time.monotonic())):
        try:
            message = reader.recv()
        except EOFError:
            return
        if isinstance(message, Exception):
            raise message
        yield message
    raise TimeoutError


def _send_all(make: Callable[[], Iterator[Any]], writer: Connection) -> None:
    try:
        for message in make():
            writer.send(message)
    except UserError as error:
        writer.send(error)
    except Exception as error:
        writer.send(RuntimeError(f"{type(error).__name__}: {error}"))
