"""The time-dependent condition: lambda_min(Bbar_l^T Bbar_l), on R^{m_x} and on the data's span.

Theorem 1 and Theorem 2 of Xu et al. (2021, arXiv 2105.04550) use

    lambda_T^(l) = inf_{t <= T} lambda_min(Bbar_l(t)^T Bbar_l(t)),   Bbar_l = B_l ... B_1,

over R^{m_x}: exactly 0 when a width is below m_x. The proof needs it on col(G_l) only, where it is
at least as large, and positive from width rank(G_l) on (docs/theory.md, restricted form).
"""

import pandas as pd
import torch
from torch import Tensor

from gnn_dynamics.config.grid import KEYS
from gnn_dynamics.linalg.products import shared_matmul
from gnn_dynamics.linalg.singular_values import rank_tolerance
from gnn_dynamics.models.model import Weights


def smallest_eigenvalue(M: Tensor) -> Tensor:
    """lambda_min(M^T M) for M (K, rows, cols), by the singular values of M; (K,).

    Exactly 0 when rows < cols, and when the smallest singular value is a rounding error
    (singular_values.rank_tolerance).
    """
    rows, cols = M.shape[-2:]
    if rows < cols:
        return M.new_zeros(M.shape[0])
    sigma = torch.linalg.svdvals(M)
    resolved = sigma[:, -1] > rank_tolerance(1.0, (rows, cols)) * sigma[:, 0]
    return torch.where(resolved, sigma[:, -1].square(), 0.0)


def lambda_min_restricted(Bbar: Tensor, U: Tensor) -> Tensor:
    """lambda_min(U^T Bbar^T Bbar U), U (m_x, r) an orthonormal basis of col(G_l); (K,)."""
    return smallest_eigenvalue(shared_matmul(Bbar, U))  # (K, m_l, r)


def layer_norm_rms(weights: Weights, l: int) -> Tensor:
    """Root mean square over i <= l of the spectral norms ||B_i||_2, (K,); 0 for l = 0.

    The rigorous integral between records needs it (claims/bounds.py).
    """
    norms = [torch.linalg.matrix_norm(B, ord=2).square() for B in weights.B[:l]]
    return (sum(norms, weights.W[0].new_zeros(weights.models)) / max(l, 1)).sqrt()


def with_infima(rows: pd.DataFrame) -> pd.DataFrame:
    """Add lambda_min_infimum and lambda_min_restricted_infimum: lambda_T^(l) of the paper.

    Both are running minima over the recorded steps of each run and layer, so they are at least the
    infimum over [0, T], and a bound that uses them is at least as strict as the theorem's. Every
    later use of lambda_T reads these columns (claims/lambda_T.py). A frame without rows is returned
    unchanged.
    """
    if rows.empty:
        return rows
    rows = rows.sort_values([*KEYS, "step", "layer"], ignore_index=True)
    groups = rows.groupby([*KEYS, "layer"], dropna=False, sort=False)
    infima = groups[["lambda_min", "lambda_min_restricted"]].cummin()
    return rows.assign(**infima.add_suffix("_infimum"))
