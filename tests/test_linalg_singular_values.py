"""TSQR, singular values, rank and dependent columns against dense methods and planted answers."""

import numpy as np
import pytest
import torch
from graphs import patient
from hypothesis import given
from hypothesis import strategies as st

from gnn_dynamics.linalg.singular_values import (
    EPS,
    append_rows,
    dependent_columns,
    null_vectors,
    numerical_rank,
    orthonormal_basis,
    singular_values,
    spectrum_from,
    tsqr,
)


def spectrum(M):
    return spectrum_from(singular_values(M), M.shape)


def named(M, ids):
    """The dependent columns of a whole matrix."""
    return dependent_columns(M, ids, spectrum(M))


def planted(rows, cols, sigma, seed=0):
    """A matrix with the given singular values and random singular vectors."""
    rng = np.random.default_rng(seed)
    U = np.linalg.qr(rng.standard_normal((rows, len(sigma))))[0]
    V = np.linalg.qr(rng.standard_normal((cols, len(sigma))))[0]
    return (U * sigma) @ V.T


@pytest.mark.parametrize(("condition", "accuracy"), [(1e2, 1e-10), (1e4, 1e-10), (1e8, 1e-6)])
@pytest.mark.parametrize("shape", [(3000, 40), (40, 3000), (50, 50)])
def test_singular_values_are_those_of_the_dense_svd(condition, accuracy, shape):
    sigma = np.geomspace(1, 1 / condition, min(shape))
    M = planted(*shape, sigma)
    dense = np.linalg.svd(M, compute_uv=False)
    np.testing.assert_allclose(singular_values(M), dense, rtol=accuracy)
    np.testing.assert_allclose(singular_values(M), sigma, rtol=accuracy)


@patient
@given(
    st.lists(st.integers(0, 90), min_size=1, max_size=12),
    st.integers(1, 6),
    st.integers(0, 2**32 - 1),
)
def test_blocks_of_any_height_give_the_same_factor(heights, p, seed):
    rng = np.random.default_rng(seed)
    blocks = [rng.standard_normal((height, p)) for height in heights]
    R, M = tsqr(iter(blocks)), np.vstack(blocks)
    assert R.shape == (min(len(M), p), p)
    np.testing.assert_allclose(R.numpy(), np.triu(R.numpy()))
    np.testing.assert_allclose((R.mT @ R).numpy(), M.T @ M, atol=1e-10)


def test_blocks_are_read_once_in_bounded_memory():
    """No factorisation ever sees more than 9 p rows, whatever the height of the blocks."""
    seen, qr = [], torch.linalg.qr

    def watched(M, mode):
        seen.append(M.shape[0])
        return qr(M, mode=mode)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.linalg, "qr", watched)
        tsqr(np.ones((height, 5)) for height in (1, 2000, 7, 300, 1))
    assert max(seen) <= 9 * 5
    assert sum(seen) <= 2309 * 9 / 8 + 45 * 5


def test_no_blocks_is_an_error():
    with pytest.raises(ValueError, match="at least one block"):
        tsqr([])


@patient
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 5))
def test_appended_rows_give_the_stack_and_lower_no_singular_value(seed, cols, levels):
    rng = np.random.default_rng(seed)
    blocks = [rng.standard_normal((3, cols)) * 10.0**level for level in range(levels)]
    R, before = None, np.zeros(0)
    for level, block in enumerate(blocks):
        R = append_rows(R, block)
        now = singular_values(R)
        stacked = np.linalg.svd(np.vstack(blocks[: level + 1]), compute_uv=False)
        np.testing.assert_allclose(now, stacked, rtol=1e-8)
        assert (now[: len(before)] >= before * (1 - 1e-8)).all()
        before = now


def test_appended_large_rows_keep_the_digits_of_small_ones():
    """What a stack of growing levels needs; large rows below small ones would cost three digits."""
    small = planted(60, 10, np.linspace(1, 2, 10), seed=1)
    large = 1e12 * planted(60, 10, [1.0], seed=2)
    R = append_rows(append_rows(None, small), large)
    direction = np.linalg.svd(large)[2][0]
    rest = small @ (np.eye(10) - np.outer(direction, direction))
    expected = np.linalg.svd(rest, compute_uv=False)[8]
    np.testing.assert_allclose(singular_values(R)[-1], expected, rtol=1e-7)


@patient
@given(
    st.integers(1, 30), st.integers(1, 30), st.integers(0, 8), st.floats(0, 8), st.integers(0, 99)
)
def test_planted_rank_is_found(rows, cols, rank, digits, seed):
    rank = min(rank, rows, cols)
    M = planted(rows, cols, np.geomspace(1, 10.0**-digits, rank), seed)
    found = spectrum(M)
    assert found.rank == rank
    assert found.sigma_min == (found.sigma_min_positive if rank == min(rows, cols) else 0)
    if rank:
        assert found.sigma_max == pytest.approx(1)
        last = 10.0**-digits if rank > 1 else 1.0
        assert found.sigma_min_positive == pytest.approx(last, rel=1e-6)
    if 0 < rank < min(rows, cols):
        assert found.rank_gap > 10**-digits / (16 * EPS) / 10


def test_zero_matrix_has_no_rank():
    found = spectrum(np.zeros((4, 3)))
    assert (found.rank, found.sigma_max, found.sigma_min) == (0, 0.0, 0.0)
    assert np.isnan(found.sigma_min_positive) and np.isnan(found.rank_gap)
    assert orthonormal_basis(np.zeros((4, 3))).shape == (4, 0)


@patient
@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 6), st.integers(0, 99))
def test_basis_is_orthonormal_and_spans_the_columns(rows, cols, rank, seed):
    M = planted(rows, cols, np.linspace(1, 2, min(rank, rows, cols)), seed)
    U = orthonormal_basis(M)
    assert U.shape == (rows, min(rank, rows, cols))
    np.testing.assert_allclose(U.T @ U, np.eye(U.shape[1]), atol=1e-12)
    np.testing.assert_allclose(U @ (U.T @ M), M, atol=1e-12)


def test_rank_of_no_singular_values_is_zero():
    assert numerical_rank(np.zeros(0), (0, 3)) == 0


@patient
@given(st.integers(0, 2**32 - 1))
def test_null_vectors_span_the_null_space(seed):
    M = planted(12, 9, np.geomspace(1, 0.01, 6), seed)
    N = null_vectors(M, 6)
    assert np.linalg.matrix_rank(N) == 3
    np.testing.assert_allclose(M @ N, 0, atol=1e-11)
    np.testing.assert_allclose(np.linalg.norm(N, axis=0), 1)


@patient
@given(st.integers(0, 2**32 - 1), st.integers(3, 20))
def test_equal_zero_and_combined_columns_are_named(seed, rows):
    rng = np.random.default_rng(seed)
    M = rng.standard_normal((rows + 8, 12))
    M[:, 4] = M[:, 9]  # twins
    M[:, 6] = 0
    M[:, 2] = M[:, 0] - 3 * M[:, 11]
    ids = np.arange(100, 112)
    assert named(M, ids) == [100, 102, 104, 106, 109, 111]


def test_no_dependency_or_too_many_names_none():
    rng = np.random.default_rng(0)
    assert named(rng.standard_normal((9, 5)), range(5)) is None
    assert named(np.ones((9, 40)), range(40)) is None
    dense = rng.standard_normal((60, 39)) @ rng.standard_normal((39, 40))
    assert named(dense, range(40)) is None  # one dependency of all 40


def test_columns_are_not_named_where_float64_cannot_tell():
    M = planted(30, 4, [1.0, 0.5, 4e-15])
    assert spectrum(M).rank == 3
    assert named(M, range(4)) is None
