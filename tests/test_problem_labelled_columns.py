"""R4 read from a file, block by block: the same models as with the features in memory."""

import numpy as np
import pytest
import torch
from graphs import patient
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference import cells, dense_loss_and_gradient, make_example, selection
from test_models_forms import assert_form_equals, exact_forms, line_problem

from gnn_dynamics.models import costs
from gnn_dynamics.models.forms import REDUCE_COLUMNS, choose_form
from gnn_dynamics.models.model import Architecture
from gnn_dynamics.models.reductions import aligned
from gnn_dynamics.problem import labelled_columns
from gnn_dynamics.problem.labelled_columns import StreamedColumns, triangularise


def planted(nbar, p, rank, seed):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((nbar, rank)) @ rng.standard_normal((rank, p))


@patient
@given(
    st.integers(1, 60), st.integers(1, 8), st.integers(0, 8), st.integers(1, 30), st.integers(0, 99)
)
def test_reflections_of_blocks_are_a_qr_factorisation(nbar, p, rank, height, seed):
    """T^T Z^T Y = M^T Y and ||Z^T Y||^2 + rest = ||Y||^2, whatever the rank of M."""
    M, rng = planted(nbar, p, min(rank, p), seed), np.random.default_rng(seed)
    Y = torch.from_numpy(rng.standard_normal((nbar, 3)))
    blocks = (M[top : top + height] for top in range(0, nbar, height))
    T, rotated, rest = triangularise(blocks, Y, Y.shape[1])
    assert T.shape == (min(nbar, p), p) and torch.equal(T, T.triu())
    M, exact = torch.from_numpy(M), {"rtol": 1e-12, "atol": 1e-11}
    torch.testing.assert_close(T.mT @ T, M.mT @ M, **exact)
    torch.testing.assert_close(T.mT @ rotated, M.mT @ Y, **exact)
    torch.testing.assert_close(rotated.square().sum(0) + rest, Y.square().sum(0), **exact)


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(cells(activations=["linear"], losses=["squared"]), st.sampled_from(REDUCE_COLUMNS))
def test_streamed_forms_equal_autograd_for_150_steps(cell, name):
    assume(name in exact_forms(cell, "gd"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labelled_columns, "DENSE_BYTES", 0)
        form = choose_form(cell.example, cell.arch, "squared", "gd", form=name)
        assert isinstance(form.columns, StreamedColumns)
        assert_form_equals(cell, name, dense_loss_and_gradient)


@settings(deadline=None, max_examples=25)
@given(cells(activations=["linear"], losses=["squared"]), st.sampled_from(REDUCE_COLUMNS))
def test_streamed_objectives_equal_those_in_memory(cell, name):
    """Loss, gradient in full space and singular values; targets one by one or together."""
    assume(name in exact_forms(cell, "gd"))
    held = choose_form(cell.example, cell.arch, "squared", "gd", form=name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labelled_columns, "DENSE_BYTES", 0)
        streamed = choose_form(cell.example, cell.arch, "squared", "gd", form=name)
    close = {"rtol": 1e-10, "atol": 1e-10}
    found = []
    for form in (held, streamed):
        value, gradient = form.objective(cell.Y)(form.reduce(cell.weights))
        moved = form.reduce(cell.weights).zip(lambda w, g: w - g, gradient)
        found.append([value, *form.expand(moved, cell.weights).tensors()])
    for got, want in zip(*found, strict=True):
        torch.testing.assert_close(got, want, **close)
    ours, theirs = (torch.linalg.svdvals(torch.cat(form.G)) for form in (streamed, held))
    size = min(len(ours), len(theirs))
    torch.testing.assert_close(ours[:size], theirs[:size], **close)
    together = streamed.objective(cell.Y)
    for k, Y in enumerate(cell.Y.split(1)):
        alone = streamed.objective(Y)
        torch.testing.assert_close(alone.Y, together.Y[k : k + 1], rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(alone.offset, together.offset[k : k + 1], **close)


def test_equal_features_leave_many_factors_but_one_is_used_throughout():
    """Rank 3 of 12 stacked features: Z is not unique, so T and Y Z must come from the same one."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 3)) @ rng.standard_normal((3, 6))
    example = line_problem(300)
    example = make_example(example.adjacency, "gin", X, selection(np.arange(300), 300))
    arch = Architecture(6, 4, 2, 1, multiscale=True)
    Y = torch.from_numpy(rng.standard_normal((2, 2, 300)))
    G = torch.cat(choose_form(example, arch, "squared", "adam", form="stacked").G)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labelled_columns, "DENSE_BYTES", 0)
        form = choose_form(example, arch, "squared", "adam", form="left")
    reduced, offset = form.columns.targets(Y)
    ours = torch.cat([G_l[:6] for G_l in form.G])
    full = torch.cat([G[:6], G[aligned(6) : aligned(6) + 6]])  # without padding
    torch.testing.assert_close(reduced @ ours.mT, Y @ full.mT, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(
        reduced.square().sum((1, 2)) + offset, Y.square().sum((1, 2)), rtol=1e-12, atol=0
    )


@pytest.mark.parametrize(
    ("optimizer", "multiscale", "expected"), [("adam", True, "left"), ("gd", False, "svd")]
)
def test_a_form_whose_step_ignores_n_is_chosen_however_many_columns(
    monkeypatch, optimizer, multiscale, expected
):
    arch = Architecture(4, 8, 2, 3, multiscale)
    monkeypatch.setattr(labelled_columns, "DENSE_BYTES", 4 * 8 * 300)
    sizes = []
    for nodes in (400, 900):
        form = choose_form(line_problem(nodes), arch, "squared", optimizer)
        assert form.name == expected and isinstance(form.columns, StreamedColumns)
        assert "stacked" not in form.reason.replace("horner", "")
        sizes.append((form.operator.m, form.operator.nbar))
    assert sizes[0] == sizes[1]
    monkeypatch.setattr(costs, "STREAMED_WORK", 1)
    assert choose_form(line_problem(400), arch, "squared", optimizer).name == "horner"
