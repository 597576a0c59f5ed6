"""A product that models share gives each of them the same digits, whoever they share it with."""

import pytest
import torch

from gnn_dynamics.linalg.products import shared_matmul


def draw(seed: int, *shape: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("a", [1, 3, 7, 16, 21, 49])
def test_a_shared_product_is_that_of_each_model_alone_bit_for_bit(a, transposed, dtype):
    for b in (1, 2, 5, 8, 13, 16, 39, 56, 119, 140, 178, 401):
        for c in (1, 13, 16, 40, 177, 178, 356):
            sides = (c, b) if transposed else (b, c)
            matrix, rows = draw(1, *sides, dtype=dtype), draw(2, 12, a, b, dtype=dtype)
            matrix = matrix.mT if transposed else matrix
            alone = torch.cat([shared_matmul(one.clone(), matrix) for one in rows.split(1)])
            rounding = 5e3 * torch.finfo(dtype).eps
            torch.testing.assert_close(alone, rows @ matrix, rtol=rounding, atol=rounding)
            for models in (2, 3, 5, 12):
                together = shared_matmul(rows[:models].clone(), matrix)
                assert torch.equal(together, alone[:models]), (b, c, models)
