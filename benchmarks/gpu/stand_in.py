"""The training loop of a GPU on a CPU: the same steps, whose graphs run kernel by kernel.

The steps of a planned flow differ from those of a CPU (docs/performance.md), so that a GPU can be
compared with a CPU number by number only in the same loop.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import gnn_dynamics.dynamics.train as train_module
from gnn_dynamics.dynamics import cuda_graph, sharpness


@contextmanager
def loop_of_a_gpu() -> Iterator[None]:
    """Let `train` and Lanczos do on a CPU what they do on a GPU."""
    start = train_module._Run.__init__

    def init(self: train_module._Run, *args: Any) -> None:
        start(self, *args)
        self.on_gpu = True

    with ExitStack() as stack:
        for patch in (
            mock.patch.object(train_module._Run, "__init__", init),
            mock.patch.object(
                cuda_graph, "captured", lambda compute, keep: lambda: keep(compute())
            ),
            mock.patch.dict(sharpness.LOOK_EVERY, cpu=sharpness.LOOK_EVERY["cuda"]),
        ):
            stack.enter_context(patch)
        yield
