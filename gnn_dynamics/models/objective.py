"""The objective of a batch of models: loss and gradient bound to a graph, targets and an offset."""

from dataclasses import dataclass, replace

from torch import Tensor

from gnn_dynamics.models.linear import LinearModel
from gnn_dynamics.models.model import Weights
from gnn_dynamics.models.relu import ReluModel

Model = LinearModel | ReluModel  # bound to the constants of its graph


@dataclass(frozen=True)
class Objective:
    """objective(weights) -> (loss (K,) float64, gradient), for K models on the same graph.

    Y: (K or 1, m_y, nbar);  loss: a key of `losses.LOSSES`
    offset: (K or 1,), the constant part of a reduced squared loss
    """

    model: Model
    Y: Tensor
    loss: str
    offset: Tensor | float = 0.0

    def __call__(self, weights: Weights) -> tuple[Tensor, Weights]:
        value, gradient = self.model.loss_and_gradient(weights, self.Y, self.loss)
        return value.double() + self.offset, gradient

    def signal(self, weights: Weights) -> Tensor:
        """V = d loss / d Yhat (K, m_y, nbar)."""
        return self.model.signal(weights, self.Y, self.loss)

    def take(self, index: Tensor) -> "Objective":
        """The objective of the models named by `index` (along K)."""
        Y, offset = self.Y, self.offset
        if isinstance(offset, Tensor) and len(offset) > 1:
            offset = offset[index]
        return replace(self, Y=Y if len(Y) == 1 else Y[index], offset=offset)
