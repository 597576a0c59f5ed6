"""The hand gradient of ReLU models against autograd and PyG, and every restriction as exact."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from reference import (
    Cell,
    cells,
    cora_shaped,
    dense_forward,
    dense_loss_and_gradient,
    dense_outputs,
    examples,
    make_example,
    mean_pooling,
    one_hot,
    pyg_loss_and_gradient,
    random_weights,
    relative_error,
    selection,
)

from gnn_dynamics.data.fetch.catalogue import load_catalogue
from gnn_dynamics.data.readers import read_dataset
from gnn_dynamics.errors import UserError
from gnn_dynamics.linalg import products
from gnn_dynamics.linalg.products import DenseMatrix, SparseMatrix, constant_matrix
from gnn_dynamics.models.model import Architecture, Weights
from gnn_dynamics.models.receptive_field import ReceptiveField, hop_order, receptive_field
from gnn_dynamics.models.relu import ReluModel, column_major, forward

RELU = {"activations": ["relu"]}
CPU = torch.device("cpu")


def data_of(cell: Cell) -> ReceptiveField:
    return receptive_field(cell.example.S, cell.example.X, cell.example.R, cell.arch.levels)


def ours(cell: Cell, data: ReceptiveField | None = None):
    return ReluModel(data or data_of(cell)).loss_and_gradient(cell.weights, cell.Y, cell.loss)


def assert_same(result, expected, tolerance: float = 1e-12):
    torch.testing.assert_close(result[0], expected[0], rtol=tolerance, atol=1e-13)
    assert relative_error(result[1], expected[1]) < tolerance


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(cells(**RELU))
def test_gradient_equals_autograd_and_pyg(cell):
    problem = (cell.arch, cell.weights, cell.example, cell.Y, cell.loss)
    assert_same(ours(cell), dense_loss_and_gradient(*problem))
    assert_same(ours(cell), pyg_loss_and_gradient(*problem))


def cora_cell(example, depth: int, multiscale: bool, loss: str) -> Cell:
    arch = Architecture(example.m_x, 64, 7, depth, multiscale, "relu")
    Y = one_hot(7, example.nbar, 0).unsqueeze(0)
    return Cell(example, arch, random_weights(arch, 1, seed=1), Y, loss)


@pytest.mark.parametrize("kind, depth", [("gcn", 2), ("gin", 3)])
@pytest.mark.parametrize("multiscale, loss", [(True, "squared"), (False, "cross_entropy")])
def test_gradient_equals_pyg_at_the_size_of_cora(kind, depth, multiscale, loss):
    cell = cora_cell(cora_shaped(kind), depth, multiscale, loss)
    expected = pyg_loss_and_gradient(cell.arch, cell.weights, cell.example, cell.Y, loss)
    assert_same(ours(cell), expected)


@pytest.fixture(scope="module")
def cora(mirror):
    """Cora from its official files."""
    entry = load_catalogue(Path(__file__).parents[1] / "config" / "datasets.yaml")["cora"]
    return read_dataset("cora", entry, mirror / "planetoid" / "data")


@pytest.mark.parametrize("kind, depth", [("gcn", 2), ("gin", 3)])
def test_gradient_equals_pyg_on_cora(kind, depth, cora):
    example = make_example(cora.adjacency, kind, cora.features, selection(cora.train, 2708))
    cell = cora_cell(example, depth, True, "squared")
    expected = pyg_loss_and_gradient(cell.arch, cell.weights, example, cell.Y, "squared")
    assert_same(ours(cell), expected)


@settings(deadline=None, max_examples=30)
@given(cells(**RELU))
def test_forward_gives_outputs_and_hidden_features(cell):
    data = data_of(cell)
    states = forward(cell.weights, data)
    expected = dense_outputs(cell.arch, cell.weights, cell.example)
    torch.testing.assert_close(states.outputs, expected, rtol=1e-11, atol=1e-12)
    full = dense_forward(cell.arch, cell.weights, cell.example)
    for l, X_l in states.hidden.items():
        nodes = data.order[: data.counts[cell.arch.depth - l]]
        torch.testing.assert_close(X_l.mT, full[l][:, :, nodes], rtol=1e-11, atol=1e-12)


# Restrictions ------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(cells(readouts=["nodes", "pool"], **RELU))
def test_the_receptive_field_equals_the_full_graph(cell):
    full = data_with_all_nodes(cell)
    assert full.counts == (cell.example.n,) * (cell.arch.depth + 1)
    assert_same(ours(cell), ours(cell, full), 1e-11)


def data_with_all_nodes(cell: Cell) -> ReceptiveField:
    """The same problem with explicit zeros in R, so that its receptive field is the whole graph."""
    R = cell.example.R.toarray()
    rows, columns = np.indices(R.shape).reshape(2, -1)
    stored = sp.csr_array((R.ravel(), (rows, columns)), R.shape)
    return receptive_field(cell.example.S, cell.example.X, stored, cell.arch.levels)


@settings(deadline=None, max_examples=40)
@given(examples())
def test_hop_order_is_the_breadth_first_distance(example):
    order, counts = hop_order(example.S, example.R, 3)
    reached = example.R.toarray().any(axis=1)
    for count in counts:
        assert set(order[:count]) == set(np.flatnonzero(reached))
        reached = example.S.toarray() @ reached > 0
    assert len(set(order)) == len(order)


def test_hop_order_follows_the_columns_of_an_unsymmetric_matrix():
    S = sp.csr_array(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0]]))
    order, counts = hop_order(S, selection([1], 3), 1)  # column 1 of X S reads nodes 0, 1, 2
    assert counts == (1, 3)
    assert order[0] == 1
    assert hop_order(S, selection([0], 3), 1)[1] == (1, 1)


def test_two_readouts_of_one_node_and_pooling_keep_their_readout():
    example = cora_shaped("gcn", nodes=5)
    twice = selection([3, 3, 8], example.n)
    assert receptive_field(example.S, example.X, twice, (2,)).readout is not None
    pooled = mean_pooling(np.arange(example.n) // 700)
    assert receptive_field(example.S, example.X, pooled, (2,)).readout is not None
    assert receptive_field(example.S, example.X, example.R, (2,)).readout is None


@settings(deadline=None, max_examples=25)
@given(cells(**RELU))
def test_sparse_and_dense_constants_agree(cell):
    results = []
    for cost in (0, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(products, "SPARSE_COST", cost)
            results.append(ours(cell))
    assert_same(*results, tolerance=1e-11)


@pytest.mark.parametrize("density", [0.01, 0.9])
def test_cheaper_storage_is_chosen(density):
    M = sp.random_array((40, 30), density=density, rng=np.random.default_rng(0), format="csr")
    expected = SparseMatrix if density < 0.25 else DenseMatrix
    assert isinstance(constant_matrix(M, torch.float64, CPU), expected)


def test_layer_one_is_kept_apart_where_that_has_fewer_entries():
    example = cora_shaped("gcn", nodes=2708)
    assert len(receptive_field(example.S, example.X, example.R, (2,)).first) == 2
    dense = np.random.default_rng(0).standard_normal((2708, 8))
    assert len(receptive_field(example.S, dense, example.R, (2,)).first) == 1


# K models ----------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(cells(**RELU))
def test_batched_equals_separate_bit_for_bit(cell):
    data = data_of(cell)
    loss, gradient = ours(cell, data)
    for k in range(cell.weights.models):
        one = replace(cell, weights=cell.weights.take([k]), Y=cell.Y[[k % len(cell.Y)]])
        loss_k, gradient_k = ours(one, data)
        assert torch.equal(loss[[k]], loss_k)
        for together, alone in zip(gradient.tensors(), gradient_k.tensors(), strict=True):
            assert torch.equal(together[[k]], alone)


@settings(deadline=None, max_examples=40)
@given(cells(**RELU))
def test_side_by_side_equals_one_after_another(cell):
    """The batched path that a GPU takes, run on the CPU."""
    data = data_of(cell)
    assert_same(ours(cell, replace(data, side_by_side=True)), ours(cell, data), 1e-11)


@settings(deadline=None, max_examples=15)
@given(cells(**RELU))
def test_layout_of_the_weights_changes_nothing(cell):
    arranged = replace(cell, weights=cell.weights.map(column_major))
    assert_same(ours(arranged), ours(cell), 1e-13)


def test_derivative_of_relu_at_zero_is_zero():
    example = make_example(sp.csr_array((1, 1)), "gcn", np.ones((1, 1)), selection([0], 1))
    zeros = torch.zeros(1, 1, 1, dtype=torch.float64)
    weights = Weights((zeros,), (zeros + 1,))
    data = receptive_field(example.S, example.X, example.R, (1,))
    _, gradient = ReluModel(data).loss_and_gradient(weights, zeros + 1, "squared")
    assert gradient.B[0].item() == 0


# Bad input ---------------------------------------------------------------------------------------


def test_shapes_that_do_not_fit_are_named():
    example = cora_shaped("gcn", nodes=5)
    with pytest.raises(UserError, match=r"\(2708, 2708\).*\(2707, 1433\)"):
        receptive_field(example.S, example.X[1:], example.R, (2,))


def test_readout_of_nothing_is_refused():
    example = cora_shaped("gcn", nodes=5)
    with pytest.raises(UserError, match="label at least one"):
        receptive_field(example.S, example.X, sp.csr_array((2708, 1)), (2,))
