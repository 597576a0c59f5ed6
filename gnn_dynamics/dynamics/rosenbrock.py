"""Gradient flow by a Rosenbrock-W method in function space, for linear models of few outputs.

The outputs z = Yhat(w) are integrated beside the weights,

    z' = -J(w) J(w)^T V(z),    w' = -J(w)^T V(z),    V = d loss / d Yhat,

and the stiff part, -K S with the kernel K = J J^T and the Hessian S of the loss in the outputs, is
implicit and frozen for a step. So stiffness drops out: the step follows the slow change of K. The
method is ROS34PW2 of Rang and Angermann (2005), doi:10.1007/s10543-005-0035-y, of order 3 for any
approximation of the Jacobian matrix, stiffly accurate, with an embedded method of order 2.

z differs from Yhat(w) by the local error. That difference is measured, and taken back where it is
stiff: it would be a force on the weights that flow does not have (docs/theory.md, integrators).
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from gnn_dynamics.dynamics.step_control import Trial, add, advance, falls, first_step, slower
from gnn_dynamics.dynamics.steppers import State, Stepper
from gnn_dynamics.models.linear import LinearModel
from gnn_dynamics.models.losses import LOSSES, curvature_root
from gnn_dynamics.models.model import Weights, per_model
from gnn_dynamics.models.objective import Objective
from gnn_dynamics.models.reductions import aligned
from gnn_dynamics.models.tangent import Tangent

GAMMA = 4.3586652150845900e-01
_ALPHA = np.array(
    [
        [0, 0, 0, 0],
        [8.7173304301691801e-01, 0, 0, 0],
        [8.4457060015369423e-01, -1.1299064236484185e-01, 0, 0],
        [0, 0, 1, 0],
    ]
)
_GAMMAS = np.array(
    [
        [GAMMA, 0, 0, 0],
        [-8.7173304301691801e-01, GAMMA, 0, 0],
        [-9.0338057013044082e-01, 5.4180672388095326e-02, GAMMA, 0],
        [2.4212380706095346e-01, -1.2232505839045147, 5.4526025533510214e-01, GAMMA],
    ]
)
_B = np.array([2.4212380706095346e-01, -1.2232505839045147, 1.5452602553351020, GAMMA])
_B_EMBEDDED = np.array(
    [3.7810903145819369e-01, -9.6042292212423178e-02, 0.5, 2.1793326075422950e-01]
)
# In the increments u = _GAMMAS k, which need no product with the Jacobian matrix (Hairer, Wanner,
# Solving Ordinary Differential Equations II, section IV.7).
_INVERSE = np.linalg.inv(_GAMMAS)
A = _ALPHA @ _INVERSE
C = np.eye(4) / GAMMA - _INVERSE
M = _B @ _INVERSE
M_ERROR = (_B - _B_EMBEDDED) @ _INVERSE


@dataclass(frozen=True)
class Linearised:
    """The implicit part of one step, (1 + dt GAMMA K S), at the weights of `tangent`.

    root: R R^T = S (losses.curvature_root);  factor: U with U^T U = 1 + dt GAMMA R^T K R
    """

    tangent: Tangent
    root: Tensor
    factor: Tensor
    dt: Tensor

    def solve(self, b: Tensor) -> tuple[Tensor, Weights]:
        """u = (1 + dt GAMMA K S)^-1 b, (K, m_y, p), and J^T S u.

        By the identity S u = R (1 + dt GAMMA R^T K R)^-1 R^T b, for any singular S.
        """
        right = _times(self.root.mT, b).flatten(1)  # (K, N)
        size, padding = right.shape[1], self.factor.shape[-1] - right.shape[1]
        right = torch.nn.functional.pad(right, (0, padding)).unsqueeze(-1)
        # Not cholesky_solve, which copies the factor.
        y = torch.linalg.solve_triangular(self.factor.mT, right, upper=False)
        y = torch.linalg.solve_triangular(self.factor, y, upper=True)[:, :size, 0].view_as(b)
        gradient = self.tangent.transpose(_times(self.root, y))
        return b - GAMMA * per_model(self.dt) * self.tangent.times(gradient), gradient


def linearised(tangent: Tangent, loss: str, z: Tensor, dt: Tensor) -> Linearised:
    """At the weights of `tangent` and outputs z (K, m_y, p)."""
    root = curvature_root(loss, z)
    kernel, h = tangent.kernel(), GAMMA * per_model(dt)
    if loss == "squared":
        matrix = kernel.mul_(root[0, 0, 0, 0] ** 2 * h)
    else:
        (_, m_y, p), N = z.shape, kernel.shape[1]
        kernel = kernel.view(-1, m_y, p, m_y, p)
        kernel = torch.einsum("kica,kcidj,kjdb->kaibj", root, kernel, root)
        matrix = kernel.reshape(-1, N, N).mul_(h)
    if padding := aligned(N := matrix.shape[1]) - N:
        matrix = torch.nn.functional.pad(matrix, (0, padding) * 2)  # on cache lines
    matrix.diagonal(dim1=1, dim2=2).add_(1.0)
    return Linearised(tangent, root, _cholesky(matrix), dt)


def _cholesky(matrix: Tensor) -> Tensor:
    """U with U^T U = matrix (K, N, N), in its place; NaN where there is none: then the step fails.

    A matrix of a thousand outputs takes 8 MB: copies, above all of its transpose, cost more than
    the factorisation. LAPACK reads columns, so the lower factor in columns is U in rows.
    """
    failed = torch.empty(len(matrix), dtype=torch.int32, device=matrix.device)
    torch.linalg.cholesky_ex(matrix.mT, out=(matrix.mT, failed))
    return matrix.masked_fill_(failed.bool()[:, None, None], torch.nan)


def _times(root: Tensor, U: Tensor) -> Tensor:
    """R_i U_i for each column i of U (K, m_y, p)."""
    if root.shape[:2] == (1, 1):
        return root[0, 0, 0, 0] * U
    return (root @ U.mT.unsqueeze(-1)).squeeze(-1).mT


def function_space_flow(tolerance: float) -> Stepper:
    """Gradient flow of linear models with the step that `tolerance` allows (step_control.py)."""

    def start(weights: Weights, lr: Tensor) -> State:
        return State(lr)

    def retune(
        state: State,
        objective: Objective,
        weights: Weights,
        gradient: Weights,
        loss: Tensor,
        step: int,
    ) -> State:
        if step:
            return state
        dt, tangent = first_step(loss, gradient), _tangent(objective, weights)
        z = tangent.outputs()
        return State(state.size, (dt, z, linearised(tangent, objective.loss, z, dt).factor))

    def step(
        state: State, objective: Objective, weights: Weights, gradient: Weights
    ) -> tuple[State, Weights]:
        dt, z, factor = state.scalars
        root = curvature_root(objective.loss, z)
        system = Linearised(_tangent(objective, weights), root, factor, dt)
        trial = attempt(objective, system, z, tolerance)
        state, weights = advance(weights, dt, (z,), trial, tolerance)
        return _projected(state, objective, weights)

    return Stepper("flow", start, step, retune, check_every=5)


def _tangent(objective: Objective, weights: Weights) -> Tangent:
    assert isinstance(objective.model, LinearModel)
    return Tangent.at(objective.model, weights)


def attempt(objective: Objective, system: Linearised, z: Tensor, tolerance: float) -> Trial:
    """One step from the weights of `system` and the outputs z (K, m_y, p)."""
    weights = system.tangent.weights
    u_z, u_w, force = stages(objective, system, z)
    end, z_end = add(weights, *zip(M, u_w, strict=True)), z + weighted(M, u_z)
    delta = add(end.map(torch.zeros_like), *zip(M_ERROR, u_w, strict=True))
    value = partial(LOSSES[objective.loss], Y=objective.Y)
    (before, _), (loss, V) = value(z), value(z_end)
    there = _tangent(objective, end)
    apart = there.outputs() - z_end  # (K, m_y, p)
    # The residual of least loss sets the scale in which z and Yhat(w) may differ.
    defect = norm(apart) / (tolerance * norm(V)) + falls(loss, before)
    embedded = value(z_end - weighted(M_ERROR, u_z))[0]
    error = (embedded - loss).abs() + (value(z_end + apart)[0] - loss).abs()
    speed = slower(force, there.transpose(V))
    return Trial(end, delta, speed, defect, error, (z_end,))


def stages(
    objective: Objective, system: Linearised, z: Tensor
) -> tuple[list[Tensor], list[Weights], Weights]:
    """The increments of outputs and weights, four each, and the gradient J^T V at the start."""
    weights, dt, h = system.tangent.weights, system.dt, GAMMA * per_model(system.dt)
    u_z: list[Tensor] = []
    u_w: list[Weights] = []
    forces: list[Weights] = []
    for a, c in zip(A, GAMMA * C, strict=True):
        moved = add(weights, *zip(a, u_w, strict=False))
        at = _tangent(objective, moved) if u_w else system.tangent
        V = LOSSES[objective.loss](z + weighted(a, u_z), objective.Y)[1]
        forces.append(at.transpose(V))
        u, coupled = system.solve(weighted(c, u_z) - h * at.times(forces[-1]))
        slope = (-GAMMA * dt, forces[-1]), (-GAMMA * dt, coupled)
        zero = weights.map(torch.zeros_like)
        u_w.append(add(zero, *slope, *zip(c, u_w, strict=False)))
        u_z.append(u)
    return u_z, u_w, forces[0]


def weighted(factors: np.ndarray, terms: list[Tensor]) -> Tensor | float:
    """Sum of the terms times their factors; 0 without terms."""
    return sum((c * term for c, term in zip(factors.tolist(), terms, strict=False)), 0.0)


def norm(U: Tensor) -> Tensor:
    """Frobenius norm (K,) of U (K, m_y, p)."""
    return U.square().sum(dim=(1, 2)).sqrt()


def _projected(state: State, objective: Objective, weights: Weights) -> tuple[State, Weights]:
    """Prepare the next step: its linearisation, and Yhat(w) moved to z where that is stiff.

    What is not stiff is left to the weights: z takes the other part of the difference.
    """
    dt, z = state.scalars
    tangent = _tangent(objective, weights)
    system = linearised(tangent, objective.loss, z, dt)
    rest, correction = system.solve(tangent.outputs() - z)
    weights = add(weights, (-GAMMA * dt, correction))
    return replace(state, scalars=(dt, z + rest, system.factor)), weights
