"""A residual aggregation: alpha S + (1 - alpha) I, S that of GCN."""

import scipy.sparse as sp

ALPHA = 0.5


def gcn(adjacency):
    """D^-1/2 (A + I) D^-1/2 (n, n), D the degrees of A + I."""
    loops = adjacency + sp.eye_array(adjacency.shape[0])
    scale = sp.diags_array(loops.sum(axis=0) ** -0.5)
    return scale @ loops @ scale


def residual(adjacency):
    """Each node keeps the share 1 - alpha of its own features in each step."""
    return ALPHA * gcn(adjacency) + (1 - ALPHA) * sp.eye_array(adjacency.shape[0])
