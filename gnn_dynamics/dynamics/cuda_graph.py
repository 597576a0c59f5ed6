"""Training steps on a GPU as one CUDA graph: one launch for each step, without the host.

A step of a small model is some sixty kernels of a few microseconds, so that launching them one by
one would cost more than running them.
"""

import torch
from torch import Tensor

from gnn_dynamics.dynamics.steppers import State, Stepper
from gnn_dynamics.models.model import Weights
from gnn_dynamics.models.objective import Objective


class CudaGraphStep:
    """One step of a stepper without retuning, captured: `state` and `weights` move in place."""

    def __init__(self, objective: Objective, stepper: Stepper, state: State, weights: Weights):
        self.state, self.weights = state.map(torch.clone), weights.map(torch.clone)

        def step() -> tuple[Tensor, State, Weights]:
            loss, gradient = objective(self.weights)
            return loss, *stepper.step(self.state, objective, self.weights, gradient)

        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # libraries set themselves up on their first call
            step()
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.loss, state, weights = step()
            targets = (*self.state.tensors(), *self.weights.tensors())
            for target, source in zip(targets, (*state.tensors(), *weights.tensors()), strict=True):
                target.copy_(source)

    def __call__(self) -> Tensor:
        """Take the step; the loss (K,) before it."""
        self.graph.replay()
        return self.loss.clone()
