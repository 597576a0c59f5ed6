"""lambda_min on the whole space and on the data's span."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from theory_problems import keys_of, prefix_products, random_weights, toy

from gnn_dynamics.models.model import Weights
from gnn_dynamics.theory.rates import geometry
from gnn_dynamics.theory.time_condition import (
    lambda_min_restricted,
    layer_norm_rms,
    smallest_eigenvalue,
    with_infima,
)


@settings(deadline=None, max_examples=40)
@given(depth=st.integers(1, 4), seed=st.integers(0, 1000), rank=st.integers(1, 4))
def test_against_eigenvalues_and_order(depth, seed, rank):
    """Both against eigvalsh of the Gram matrix; restricting can only enlarge lambda."""
    problem = toy("gcn", depth, False, seed)
    weights = random_weights(problem.arch, seed, models=2)
    Bbar = prefix_products(weights)[depth]
    random = np.random.default_rng(seed)
    U = torch.tensor(np.linalg.qr(random.standard_normal((problem.arch.m_x, rank)))[0])
    full, restricted = smallest_eigenvalue(Bbar), lambda_min_restricted(Bbar, U)
    gram = Bbar.mT @ Bbar
    scale = float(gram.abs().max())
    assert torch.allclose(full, torch.linalg.eigvalsh(gram)[:, 0], atol=1e-12 * scale)
    expected = torch.linalg.eigvalsh(U.mT @ gram @ U)[:, 0]
    assert torch.allclose(restricted, expected, atol=1e-12 * scale)
    assert (restricted >= full * (1 - 1e-9)).all()


def test_exactly_zero_when_a_width_is_too_small():
    problem = toy(depth=2, m_x=9, width=6, nbar=5)
    Bbar = prefix_products(random_weights(problem.arch))[2]
    U = geometry(problem.G).bases[2]
    assert smallest_eigenvalue(Bbar).tolist() == [0.0]
    assert U.shape == (9, 5)
    assert lambda_min_restricted(Bbar, U) > 1e-8
    assert lambda_min_restricted(Bbar, torch.eye(9, dtype=torch.float64)).tolist() == [0.0]


def test_exactly_zero_behind_a_bottleneck():
    """m_1 = 2 < m_x = 4 <= m_2: the product's rank is 2, its rounding errors are not a lambda."""
    generator = torch.Generator().manual_seed(0)
    B_1, B_2 = (
        torch.randn(1, *shape, generator=generator, dtype=torch.float64)
        for shape in ((2, 4), (6, 2))
    )
    Bbar = prefix_products(Weights((B_1, B_2), (torch.zeros(1, 1, 6),)))[2]
    assert torch.linalg.svdvals(Bbar)[0, -1] > 0
    assert smallest_eigenvalue(Bbar).tolist() == [0.0]


@settings(deadline=None, max_examples=40)
@given(level=st.integers(1, 4), seed=st.integers(0, 1000), distance=st.floats(0, 0.3))
def test_product_moves_no_faster_than_the_layer_norms_allow(level, seed, distance):
    """|sigma_min(Bbar) - sigma_min(Bbar')| <= d sqrt(l) (b + d)^(l-1): the rigorous integral."""
    arch = toy(depth=level).arch
    old, move = random_weights(arch, seed), random_weights(arch, seed + 1)
    norm = float(sum(B.square().sum() for B in move.B)) ** 0.5
    new = old.zip(lambda w, m: w + distance / norm * m, move)
    ends = [prefix_products(w)[level] for w in (old, new)]
    moved = float(torch.linalg.matrix_norm(ends[1] - ends[0], ord=2))
    b = float(layer_norm_rms(old, level))
    assert moved <= distance * level**0.5 * (b + distance) ** (level - 1) * (1 + 1e-12) + 1e-15


def test_infima_run_within_each_run_and_layer():
    keys = keys_of(toy())
    values = [3.0, 1.0, 2.0]
    rows = [
        keys | {"seed": seed, "layer": layer, "step": step, "lambda_min": scale * value}
        for seed, scale in ((0, 1.0), (1, 10.0))
        for layer in (0, 1)
        for step, value in enumerate(values)
    ]
    table = with_infima(pd.DataFrame(rows).assign(lambda_min_restricted=7.0))
    for _, run in table.groupby(["seed", "layer"]):
        assert (run.lambda_min_infimum / run.lambda_min.max()).tolist() == pytest.approx(
            [1.0, 1 / 3, 1 / 3]
        )
    assert (table.lambda_min_restricted_infimum == 7.0).all()
