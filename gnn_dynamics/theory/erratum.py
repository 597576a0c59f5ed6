"""The false step in the printed proof of Theorem 1, and the identity that repairs it.

With a = ||Yhat - Y||_F, b = ||Y (I - P)||_F and P the projector on the row space of Gs, the proof
(appendix A.1.3, last inequality, as quoted by Tang, Guo, Liu, Wei, ICLR Blogposts 2025) needs

    printed:    (a - b)^2 >= a^2 - b^2            false whenever L > L* > 0
    corrected:  ||(Yhat - Y) P||_F^2 = a^2 - b^2  exactly, since Yhat P = Yhat (Pythagoras)

where a^2 = L and b^2 = L*. The theorem stands with the same constant.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from torch import Tensor

from gnn_dynamics.models.model import Weights
from gnn_dynamics.theory.products import outputs
from gnn_dynamics.theory.rates import geometry


def erratum_table(run: Sequence[Weights], G: Sequence[Tensor], Y: Tensor) -> pd.DataFrame:
    """Both statements at each moment of a run of one model (K = 1), squared loss.

    Columns: loss, optimum, printed_left = (a - b)^2, right = a^2 - b^2, projected =
    ||(Yhat - Y) P||^2, printed_holds, identity_error = |projected - right| / loss.
    """
    N = geometry(G).rows
    residuals = [(outputs(weights, list(G)) - Y)[0] for weights in run]
    loss = np.array([float(E.square().sum()) for E in residuals])
    projected = np.array([float((E @ N).square().sum()) for E in residuals])
    optimum = float((Y - Y @ N @ N.mT).square().sum())
    left, right = (np.sqrt(loss) - np.sqrt(optimum)) ** 2, loss - optimum
    return pd.DataFrame(
        {
            "loss": loss,
            "optimum": optimum,
            "printed_left": left,
            "right": right,
            "projected": projected,
            "printed_holds": left >= right,
            "identity_error": np.abs(projected - right) / loss,
        }
    )
