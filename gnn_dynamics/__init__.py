"""Training dynamics of graph neural networks: the science, free of any workflow.

Reproduces, verifies and extends Xu, Zhang, Jegelka, Kawaguchi, "Optimization of Graph Neural
Networks: Implicit Acceleration by Skip Connections and More Depth", ICML 2021, arXiv 2105.04550.

docs/api.md shows the Python interface, the names in `__all__`.

Notation: the paper's letters, with the paper's convention that nodes are columns.

symbol      in code          shape               meaning
----------  ---------------  ------------------  -----------------------------------------------
n           n                                    nodes of the graph
m_x, m_y    m_x, m_y                             features in, outputs (classes) out
H           depth                                hidden layers
m_l         width                                width of layer l; m_0 = m_x
I, nbar     nodes, nbar                          labelled columns and how many they are
A           adjacency        (n, n)              symmetric, 0/1, no loops
S           S                (n, n)              aggregation: GCN D^-1/2 (A+I) D^-1/2, GIN A+I
X           X                (n, m_x) stored     features; stored by rows, the maths uses X^T
R           R                (n, nbar)           readout: picks the columns I, or pools graphs
G_l         G[l]             (m_x, nbar)         X S^l R, the features after l aggregations
Gs          stack            ((H+1) m_x, nbar)   [G_0; ...; G_H], the paper's (G_H)_{*I}
B_l         B[l-1]           (K, m_l, m_{l-1})   hidden layers; K models side by side
W_l         W[j]             (K, m_y, m_l)       heads, one for each l in `levels`
Bbar_l                       (K, m_l, m_x)       B_l ... B_1, the identity for l = 0
A_l         A[:, j]          (K, m_y, m_x)       W_l Bbar_l
Yhat, Y     Yhat, Y          (K, m_y, nbar)      outputs and targets
V           V                (K, m_y, nbar)      d loss / d Yhat
D_l         D[:, j]          (K, m_y, m_x)       V G_l^T, from which all gradients follow
L, L*       loss, optimum    (K,)                training loss and its global minimum
lambda_T    lambda_min                           inf over t <= T of lambda_min(Bbar^T Bbar)
sigma       sigma_min                            min(m_x, nbar)-th singular value of G_H or Gs
"""

__version__ = "0.1.0"
_PUBLIC = {
    "Comparison": "api.training",
    "Graph": "data.graph",
    "Problem": "problem.problem",
    "Runs": "api.training",
    "UserError": "errors",
    "bounds": "api.training",
    "build_problem": "api.graphs",
    "compare": "api.training",
    "graph_condition": "api.spectra",
    "load_dataset": "api.graphs",
    "lowest_loss": "api.spectra",
    "make_graph": "api.graphs",
    "read_graph": "api.graphs",
    "train": "api.training",
}
__all__ = list(_PUBLIC)


def __getattr__(name: str) -> object:
    """A public name, imported from its module at its first use, since torch takes seconds.

    By `import_module`, and no `import`: so no module of the package depends on the API.
    """
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
