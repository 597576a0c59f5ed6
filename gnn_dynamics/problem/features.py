"""Transforms of the features: functions X (n, m_x) sparse -> (n, m), sparse or dense, float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from gnn_dynamics.config.functions import Expect, Registry
from gnn_dynamics.errors import UserError
from gnn_dynamics.problem.aggregations import real_numbers

Transform = Callable[[sp.csr_array], sp.csr_array | np.ndarray]


def raw(X: sp.csr_array) -> sp.csr_array:
    """The features as they are."""
    return sp.csr_array(X, dtype=np.float64)


def row(X: sp.csr_array) -> sp.csr_array:
    """Each row divided by the sum of its absolute values; rows of zeros stay zero."""
    X = sp.csr_array(X, dtype=np.float64)
    total = np.asarray(abs(X).sum(axis=1)).ravel()
    scale = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    return sp.csr_array(sp.diags_array(scale) @ X)


def standard(X: sp.csr_array) -> np.ndarray:
    """Each feature minus its mean, over its standard deviation; constant features become 0."""
    return standardised(X.toarray().astype(np.float64))


def standardised(X: np.ndarray) -> np.ndarray:
    """X (n, c) with columns of mean 0 and variance 1, in its own memory; constant ones become 0."""
    # A range of 0 identifies a constant feature; its standard deviation may be a rounding error.
    varies = np.ptp(X, axis=0) > 0
    spread = np.where(varies, X.std(axis=0), 1.0)
    X -= X.mean(axis=0)
    X /= spread
    X[:, ~varies] = 0.0
    return X


def principal_scores(X: sp.csr_array, r: int) -> np.ndarray:
    """Scores on the first r principal components, signs fixed, (n, r).

    Lost are the mean and the variance outside these components, so that L* rises and the graph
    condition changes.

    Raises:
        UserError: for r above min(n, m_x).
    """
    from sklearn.decomposition import PCA

    if r > min(X.shape):
        raise UserError(
            f"features 'pca-{r}': the graph has {X.shape[0]} nodes and {X.shape[1]} features, so"
            f" at most {min(X.shape)} components; choose a smaller number."
        )
    # ARPACK to full accuracy, from a fixed start; it cannot give all min(n, m_x) components.
    solver = "arpack" if r < min(X.shape) else "full"
    scores = PCA(r, svd_solver=solver, random_state=0).fit_transform(X.toarray().astype(np.float64))
    return np.ascontiguousarray(scores)


def adopted(function: Callable[[sp.csr_array], Any], expect: Expect) -> Transform:
    """An own function, its result checked at each call; called once with a few nodes."""

    def transform(X: sp.csr_array) -> sp.csr_array | np.ndarray:
        Z, n = function(raw(X.copy())), X.shape[0]
        expect(sp.issparse(Z) or isinstance(Z, np.ndarray), f"it returns {type(Z).__name__}")
        fits = Z.ndim == 2 and Z.shape[0] == n and Z.shape[1] > 0
        expect(fits, f"it returns features of shape {Z.shape} for {n} nodes")
        if sp.issparse(Z):
            Z = sp.csr_array(Z)
            return raw(real_numbers(Z, Z.data, expect))
        return np.ascontiguousarray(real_numbers(Z, Z, expect), dtype=np.float64)

    transform(sp.csr_array([[1.0, 0, 3], [0, 2, 2], [0, 0, 0], [4, 0, 4]]))
    return transform


FEATURES = Registry(
    "features",
    {"raw": raw, "row": row, "standard": standard, "pca-<r>": principal_scores},
    adopted,
)
