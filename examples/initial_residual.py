"""The initial residual of GCNII (Chen et al. 2020, arXiv 2007.02133) as an aggregation.

    G_l = (1 - alpha) G_{l-1} S + alpha G_0

needs G_0 in every step. So each node has two copies, [G_l, G_0] = [G_{l-1}, G_0] M, M as below.
Both start with the features, and the readout reads the first.
"""

import scipy.sparse as sp
from residual import gcn

ALPHA = 0.1


def initial_residual(adjacency):
    """M (2 n, 2 n)."""
    I = sp.eye_array(adjacency.shape[0])
    return sp.block_array([[(1 - ALPHA) * gcn(adjacency), None], [ALPHA * I, I]])
