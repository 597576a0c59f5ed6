"""The same models as a plain PyTorch Geometric script would write them: the baseline."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch_geometric.nn import GCNConv, GINConv

from gnn_dynamics.models.model import Architecture, Weights

LOSSES = {
    "squared": lambda f, Y: (f - Y).square().sum(),
    "cross_entropy": nn.functional.cross_entropy,
}
OPTIMIZERS = {"gd": torch.optim.SGD, "adam": torch.optim.Adam}


class PygModel(nn.Module):
    """Definitions 1 and 2 (and their ReLU twins) from PyG layers, one model, weights of number k.

    x (n, m_x) dense, edge_index (2, edges) without loops -> (n, m_y); GIN with eps = 0.
    """

    def __init__(self, arch: Architecture, kind: str, weights: Weights, k: int = 0):
        super().__init__()
        sizes, self.levels = arch.layer_sizes, arch.levels
        self.relu = arch.activation == "relu"
        self.convs = nn.ModuleList(convolution(kind, *pair) for pair in pairwise(sizes))
        heads = (nn.Linear(sizes[level], arch.m_y, bias=False) for level in arch.levels)
        self.heads = nn.ModuleList(heads)
        self.to(weights.W[0].dtype)
        with torch.no_grad():
            for parameter, tensor in zip(self.parameters(), weights.tensors(), strict=True):
                parameter.copy_(tensor[k])

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        hidden = [x]
        for conv in self.convs:
            x = conv(x, edge_index)
            x = x.relu() if self.relu else x
            hidden.append(x)
        return sum(head(hidden[l]) for head, l in zip(self.heads, self.levels, strict=True))


def convolution(kind: str, fan_in: int, out: int) -> nn.Module:
    if kind == "gcn":
        return GCNConv(fan_in, out, bias=False)
    return GINConv(nn.Linear(fan_in, out, bias=False), eps=0)


def training_step(
    model: PygModel,
    x: Tensor,
    edge_index: Tensor,
    nodes: Tensor,
    Y: Tensor,
    loss: str,
    optimizer: str,
    lr: float,
    **options: bool,
) -> Callable[[], Tensor]:
    """One step of full-batch training, returning the loss before it; Y (nbar, m_y).

    options: of the optimizer
    """
    moves = OPTIMIZERS[optimizer](model.parameters(), lr, **options)

    def step() -> Tensor:
        moves.zero_grad()
        value = LOSSES[loss](model(x, edge_index)[nodes], Y)
        value.backward()
        moves.step()
        return value.detach()

    return step
