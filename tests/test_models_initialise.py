"""Initial weights: shared streams, distributions, and the orthonormal ones."""

import numpy as np
import pytest
import torch

from gnn_dynamics.errors import UserError
from gnn_dynamics.models.initialise import INITIALISATIONS, initial_weights
from gnn_dynamics.models.model import Architecture

WIDE = Architecture(6, 9, 3, 3, multiscale=True)


@pytest.mark.parametrize("init", INITIALISATIONS)
def test_skip_shares_layers_and_top_head_and_depth_shares_the_first_layers(init):
    with_skip = initial_weights(WIDE, init, [4, 5])
    without = initial_weights(Architecture(6, 9, 3, 3, multiscale=False), init, [4, 5])
    shallow = initial_weights(Architecture(6, 9, 3, 2, multiscale=True), init, [4, 5])
    assert all(torch.equal(a, b) for a, b in zip(with_skip.B, without.B, strict=True))
    assert torch.equal(with_skip.W[-1], without.W[-1])
    assert all(torch.equal(a, b) for a, b in zip(with_skip.B[:2], shallow.B, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(with_skip.W[:3], shallow.W, strict=True))


@pytest.mark.parametrize("init", INITIALISATIONS)
def test_a_seed_does_not_depend_on_the_others(init):
    many, one = initial_weights(WIDE, init, [3, 7, 11]), initial_weights(WIDE, init, [7])
    assert all(torch.equal(m[1], o[0]) for m, o in zip(many.tensors(), one.tensors(), strict=True))
    assert not torch.equal(many.B[0][0], many.B[0][1])
    assert all(t.dtype == torch.float64 and t.device.type == "cpu" for t in many.tensors())


@pytest.mark.parametrize(
    ("init", "bound"),
    [("default", lambda rows, cols: cols**-0.5), ("xavier", lambda r, c: (6 / (r + c)) ** 0.5)],
)
def test_uniform_ranges_follow_the_shapes(init, bound):
    arch = Architecture(40, 30, 5, 2, multiscale=True)
    for tensor in initial_weights(arch, init, range(20)).tensors():
        limit = bound(*tensor.shape[1:])
        assert 0.95 * limit < tensor.abs().max() <= limit
        assert tensor.mean().abs() < 0.1 * limit
        assert tensor.std().item() == pytest.approx(limit / np.sqrt(3), rel=0.05)


def test_orthogonal_rows_or_columns():
    for tensor in initial_weights(WIDE, "orthogonal", [0, 1]).tensors():
        rows, columns = tensor.shape[1:]
        gram = tensor @ tensor.mT if rows <= columns else tensor.mT @ tensor
        eye = torch.eye(min(rows, columns), dtype=torch.float64).expand_as(gram)
        torch.testing.assert_close(gram, eye, rtol=0, atol=1e-14)


def test_near_identity_is_a_small_perturbation():
    arch = Architecture(64, 64, 4, 2, multiscale=False)
    for B in initial_weights(arch, "near-identity", [0]).B:
        assert 0.1 < torch.linalg.matrix_norm(B[0] - torch.eye(64), 2) < 0.3


def test_zero_head_has_orthonormal_columns_and_no_heads():
    weights = initial_weights(WIDE, "zero-head", [0, 3])
    assert all(not W.any() for W in weights.W)
    for B in weights.B:
        eye = torch.eye(B.shape[2], dtype=torch.float64).expand(2, -1, -1)
        torch.testing.assert_close(B.mT @ B, eye, rtol=0, atol=1e-14)


def test_zero_head_needs_width():
    with pytest.raises(UserError, match=r"width 9 is below m_x = 20.*pca-9"):
        initial_weights(Architecture(20, 9, 3, 2, True), "zero-head", [0])
    flat = initial_weights(Architecture(20, 9, 3, 0, True), "zero-head", [0])
    assert flat.B == () and not flat.W[0].any()


def test_unknown_initialisation():
    with pytest.raises(UserError, match=r"init: 'he' is not allowed \(allowed: default, xavier"):
        initial_weights(WIDE, "he", [0])


def test_no_hidden_layer_makes_skip_connections_void():
    for init in ("default", "orthogonal"):
        a = initial_weights(Architecture(6, 9, 3, 0, multiscale=True), init, [2])
        b = initial_weights(Architecture(6, 9, 3, 0, multiscale=False), init, [2])
        assert len(a.W) == 1 and torch.equal(a.W[0], b.W[0])
