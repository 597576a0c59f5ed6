"""What a batch of models minimises: loss and gradient bound to data, targets and offsets."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from gnn_dynamics.models.linear import loss_and_gradient
from gnn_dynamics.models.model import Weights


@dataclass(frozen=True)
class Objective:
    """objective(weights) -> (loss (K,), gradient), for K models on the same graph.

    data: a linear operator, or whatever else `function` takes as its second argument
    Y: (K or 1, m_y, nbar);  offset: (K or 1,), the constant part of a reduced squared loss
    function: (weights, data, Y, loss) -> (loss, gradient)
    """

    data: Any
    Y: Tensor
    loss: str
    offset: Tensor | float = 0.0
    function: Callable[..., tuple[Tensor, Weights]] = loss_and_gradient

    def __call__(self, weights: Weights) -> tuple[Tensor, Weights]:
        value, gradient = self.function(weights, self.data, self.Y, self.loss)
        return value + self.offset, gradient

    def take(self, index: Tensor) -> "Objective":
        """The objective of the models named by `index` (along K)."""
        Y = self.Y if len(self.Y) == 1 else self.Y[index]
        own = isinstance(self.offset, Tensor) and len(self.offset) > 1
        return replace(self, Y=Y, offset=self.offset[index] if own else self.offset)
