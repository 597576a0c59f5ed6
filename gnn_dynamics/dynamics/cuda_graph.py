"""Training steps on a GPU as CUDA graphs: one launch for each step, without the host.

A step of a small model is some sixty kernels of a few microseconds, so that launching them one by
one would cost more than running them.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor

from gnn_dynamics.dynamics.steppers import BETWEEN, State, Stepper
from gnn_dynamics.models.model import Weights
from gnn_dynamics.models.objective import Objective

Result = TypeVar("Result")
Noted = tuple[Tensor, Tensor | None]  # loss (K,) before a step; error of the step that led there


class CudaGraphStep:
    """A step of a stepper, captured once for each plan: `state` and `weights` move in place.

    `state` must have the fields that a step returns, so that a stepper whose first state lacks some
    takes its first step before.
    """

    def __init__(self, objective: Objective, stepper: Stepper, state: State, weights: Weights):
        self.objective, self.stepper = objective, stepper
        self.state, self.weights = state.map(torch.clone), weights.map(torch.clone)
        self.graphs: dict[int | None, tuple[Callable[[], None], list[Noted]]] = {}

    def __call__(self) -> Noted:
        """Take the step; the loss before it, and the error of the step before."""
        if self.state.plan not in self.graphs:
            self.graphs[self.state.plan] = self.capture()
        replay, noted = self.graphs[self.state.plan]
        replay()
        loss, error = noted[-1]
        return loss.clone(), None if error is None else error.clone()

    def load(self, state: State) -> None:
        """Go on from `state`, with its plan."""
        move(self.state.tensors(), state.tensors())
        self.state = replace(self.state, plan=state.plan)

    def capture(self) -> tuple[Callable[[], None], list[Noted]]:
        """The replay of a step under the present plan, and the tensors that it fills, last."""
        noted: list[Noted] = []

        def step() -> tuple[Noted, State, Weights]:
            loss, gradient = self.state.ahead or self.objective(self.weights)
            error = self.state.error
            before = loss.clone(), None if error is None else error.clone()
            args = (self.state, self.objective, self.weights, gradient)
            state = self.state
            if self.stepper.retune:
                state = self.stepper.retune(*args, loss, BETWEEN)
            return before, *self.stepper.step(state, *args[1:])

        def keep(result: tuple[Noted, State, Weights]) -> None:
            before, state, weights = result
            noted.append(before)
            held = (*self.state.tensors(), *self.weights.tensors())
            move(held, (*state.tensors(), *weights.tensors()))

        return captured(step, keep), noted


def move(targets: Sequence[Tensor], sources: Sequence[Tensor]) -> None:
    """Copy the sources to the targets, of which some may be sources of others."""
    held = {target.untyped_storage().data_ptr() for target in targets}
    pairs = [
        (target, source.clone() if source.untyped_storage().data_ptr() in held else source)
        for target, source in zip(targets, sources, strict=True)
        if source is not target
    ]
    for target, source in pairs:
        target.copy_(source)


def captured(compute: Callable[[], Result], keep: Callable[[Result], None]) -> Callable[[], None]:
    """Replay of `keep(compute())` as a CUDA graph; until then nothing is kept."""
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # libraries set themselves up on their first call
        compute()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        keep(compute())
    return graph.replay
