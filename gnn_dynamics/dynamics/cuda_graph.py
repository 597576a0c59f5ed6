"""Training steps on a GPU as one CUDA graph: one launch for each step, no word with the host.

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
        self.state = tuple(copy_of(part) for part in state)
        self.weights = copy_of(weights)

        def step() -> tuple[Tensor, State, Weights]:
            loss, gradient = objective(self.weights)
            return loss, *stepper.step(self.state, objective, self.weights, gradient)

        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # libraries set themselves up on their first call
            step()
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.loss, state, weights = step()
            for old, new in zip((*self.state, self.weights), (*state, weights), strict=True):
                copy_into(old, new)

    def __call__(self) -> Tensor:
        """Take the step; the loss (K,) before it."""
        self.graph.replay()
        return self.loss.clone()


def copy_of(part: Tensor | Weights) -> Tensor | Weights:
    return part.map(torch.clone) if isinstance(part, Weights) else part.clone()


def copy_into(old: Tensor | Weights, new: Tensor | Weights) -> None:
    if isinstance(old, Weights):
        old.zip(torch.Tensor.copy_, new)
    else:
        old.copy_(new)
