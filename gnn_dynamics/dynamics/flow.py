"""Which method integrates gradient flow: the cheapest one for the size and stiffness of a problem.

    name            order  for
    chebyshev       2      everything: cost grows with the square root of the stiffness
    function-space  3      linear models with few outputs: cost does not depend on the stiffness
    runge-kutta     4      reference: cost grows with the stiffness

The stiffness chi is lambda_max times the time that the flow with the kernel of the start, averaged
over the outputs, needs. With its eigenvalues mu, the squared loss and the energy e_i of the labels
in each direction,

    chi = 2 mu_max t,    sum_i e_i exp(-4 mu_i t) = share sum_i e_i.
"""

import math
from dataclasses import dataclass

import torch
from scipy.optimize import brentq
from torch import Tensor

from gnn_dynamics.dynamics.chebyshev import chebyshev_flow
from gnn_dynamics.dynamics.rosenbrock import function_space_flow
from gnn_dynamics.dynamics.runge_kutta import runge_kutta_flow
from gnn_dynamics.dynamics.sharpness import lambda_max
from gnn_dynamics.dynamics.steppers import Stepper
from gnn_dynamics.errors import UserError
from gnn_dynamics.models.costs import MOST_ON_GPU, shared_bytes
from gnn_dynamics.models.losses import CURVATURE_ROOTS
from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.models.operators import HornerOperator, Operator
from gnn_dynamics.models.tangent import tangent_kernel

# Measured on one core (docs/performance.md): steps of a run to 1 % for each layer that is passed,
# seconds of a gradient for each weight matrix and of a step, and multiplications a second.
STEPS = {"chebyshev": 200, "function-space": 80}
MATRIX_SECONDS, STEP_SECONDS, RATE = 1e-4, 8e-3, 5e9
# lambda_max grows while a model trains, on graphs of low homophily a hundredfold: the estimate of
# Chebyshev is up to ten times too low, that of the other method is safe.
CAUTION = 5
MOST_OUTPUTS = 2500  # m_y p: beyond that the kernel of one model takes more than 50 MB
LONGEST = 1e30  # stiffness of a direction that is never fitted


@dataclass(frozen=True)
class Choice:
    """The method, and the reason in words."""

    name: str
    reason: str

    def most_models(self, outputs: int, device: torch.device) -> int:
        """How many models to integrate side by side: by the memory that their kernels take."""
        if self.name != "function-space":
            return MOST_ON_GPU
        return max(1, shared_bytes(device) // (32 * outputs**2))

    def stepper(self, tolerance: float) -> Stepper:
        if self.name == "runge-kutta":
            return runge_kutta_flow(lambda_max)
        if self.name == "chebyshev":
            return chebyshev_flow(lambda_max, tolerance)
        return function_space_flow(tolerance)


def choose_flow(
    arch: Architecture,
    operator: Operator,
    weights: Weights,
    Y: Tensor,
    share: float,
    method: str = "auto",
    loss: str = "squared",
) -> Choice:
    """The method with the smallest estimated time, or the one called `method`.

    weights: of one model at its start;  Y (m_y, p): its targets in the coordinates of `operator`
    share: of ||Y||^2 at the end of a run;  loss: a key of `losses.LOSSES`

    Raises:
        UserError: for an unknown method, or function-space where it cannot be.
    """
    if method not in ("auto", "runge-kutta", "chebyshev", "function-space"):
        raise UserError(
            f"integrator: unknown '{method}'; allowed are auto, chebyshev, function-space,"
            " runge-kutta."
        )
    unable = _unable(arch, operator, loss)
    if method == "function-space" and unable:
        raise UserError(f"integrator: function-space is for {unable}; use auto.")
    if method != "auto":
        return Choice(method, "asked for")
    if unable or isinstance(operator, HornerOperator):
        return Choice("chebyshev", f"function-space is for {unable}")
    kernel = tangent_kernel(weights, operator.features())[0]
    p = operator.nbar
    chi = stiffness(torch.einsum("ipiq->pq", kernel.view(arch.m_y, p, arch.m_y, p)), Y, share)
    # Without skips a run passes a saddle point, which takes longer the deeper it is.
    plateaus = 1 if arch.multiscale else max(1.0, arch.depth / 2)
    steps = {name: plateaus * count for name, count in STEPS.items()}
    gradients = math.sqrt(steps["chebyshev"] * 2 * chi / 0.65) + steps["chebyshev"]
    matrices = arch.depth + len(arch.levels)
    seconds = {
        "chebyshev": CAUTION * MATRIX_SECONDS * matrices * gradients,
        "function-space": steps["function-space"] * (STEP_SECONDS + _work(arch, p) / RATE),
    }
    best = min(seconds, key=lambda name: seconds[name])
    estimates = ", ".join(f"{name} {value:.1e} s" for name, value in seconds.items())
    return Choice(best, f"stiffness {chi:.1e}: {estimates}")


def _unable(arch: Architecture, operator: Operator, loss: str) -> str:
    """What the function-space method would need; "" if it can be used."""
    if arch.activation != "linear" or isinstance(operator, HornerOperator):
        return "linear models with dense features"
    if loss not in CURVATURE_ROOTS:
        return f"the losses {', '.join(CURVATURE_ROOTS)}"
    if arch.m_y * operator.nbar > MOST_OUTPUTS:
        return f"at most {MOST_OUTPUTS} outputs, here are {arch.m_y * operator.nbar}"
    return ""


def _work(arch: Architecture, p: int) -> float:
    """Multiplications of one step in function space: Gram matrices, kernel, its factorisation."""
    heads = len(arch.levels)
    pairs = sum(min(k, heads) ** 2 for k in range(1, arch.depth + 1)) + 1
    N = float(arch.m_y * p)
    return N**3 / 3 + pairs * (N**2 + arch.width * p**2)


def stiffness(kernel: Tensor, Y: Tensor, share: float) -> float:
    """chi for the mean kernel (p, p), up to a factor, and targets Y (m_y, p); at least 1."""
    mu, V = torch.linalg.eigh(kernel)  # ascending
    energy = (Y @ V).square().sum(dim=0)  # (p,)
    fitted = mu > torch.finfo(mu.dtype).eps * len(mu) * mu[-1]
    if not fitted.any() or energy[fitted].sum() <= share * Y.square().sum():
        return 1.0
    squares, energy = mu[fitted] / mu[-1], energy[fitted]
    goal = share * float(Y.square().sum())

    def excess(log_chi: float) -> float:
        return float((energy * torch.exp(-2 * squares * math.exp(log_chi))).sum()) - goal

    if excess(0.0) <= 0:
        return 1.0
    most = math.log(LONGEST)
    return math.exp(brentq(excess, 0.0, most)) if excess(most) < 0 else LONGEST
